"""One row of an export: which cell counts, what it says, and what becomes of what can't be used."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.register_import.columns import known_columns
from clinic.register_import.register_row import BadCell, RegisterRow
from clinic.register_import.row import READABLE_COLUMNS, RowReader

NEW_YORK = ZoneInfo("America/New_York")
TODAY = date(2027, 3, 2)


def read(country: str = "US", **cells: str) -> RegisterRow:
    """Read a row of Sofía, whose number is A-1."""
    given = {"patient_id": "A-1", "first_name": "Sofía"} | cells
    return row_reader(*given, country=country).read(list(given.values()))


def row_reader(*columns: str, country: str = "US", **given: Any) -> RowReader:
    return RowReader(dict(enumerate(columns)), country=country, zone=NEW_YORK, today=TODAY, **given)


# Which cell counts


def test_every_column_that_a_header_can_stand_for_is_read() -> None:
    assert set(known_columns()) <= READABLE_COLUMNS


def test_a_column_that_is_not_known_is_named() -> None:
    with pytest.raises(ValueError, match="no such column: shoe_size"):
        row_reader("patient_id", "shoe_size")


def test_of_two_columns_for_one_the_first_that_says_anything_counts() -> None:
    reader = row_reader("first_name", "email", "email")
    assert reader.read(["Ana", "a@example.com", "b@example.com"]).email == "a@example.com"
    assert reader.read(["Ana", "-", "b@example.com"]).email == "b@example.com"


def test_cells_that_are_lacking_at_the_end_are_empty() -> None:
    assert RegisterRow(external_id="A-1", first_name="Ana") == row_reader(
        "patient_id", "first_name", "email", "phone"
    ).read(["A-1", "Ana"])


def test_columns_that_nobody_reads_are_passed_over() -> None:
    reader = RowReader({1: "first_name", 3: "visits"}, country="US", zone=NEW_YORK, today=TODAY)
    assert reader.read(["x", "Ana", "y", "3", "z"]) == RegisterRow(first_name="Ana", visits=3)


@pytest.mark.parametrize(
    "nothing",
    ["", "  ", "-", "--", "—", ".", "N/A", "none", "NULL", "s/d", "нет", "Sin datos", "no tiene"],
)
def test_a_placeholder_says_nothing(nothing: str) -> None:
    silent = READABLE_COLUMNS - {
        "patient_id",
        "first_name",
        "middle_name",
        "last_name",
        "second_last_name",
        "name",
        "name_surname_first",
        "guardian_name",
        "next_appointment",
        "do_not_contact",
        "deceased",
        "consent",
    }
    columns = [column for column in silent if not column.startswith("consent_")]
    assert RegisterRow(external_id="A-1", first_name="Sofía") == read(
        **dict.fromkeys(columns, nothing)
    )


@pytest.mark.parametrize("name", ["No", "Nada", "Unknown"])
def test_a_word_that_says_nothing_elsewhere_may_be_a_name(name: str) -> None:
    assert read(last_name=name).last_name == name


def test_white_space_within_a_cell_is_one_space() -> None:
    row = read(first_name=" Ana\r\nMaría ", last_name="Gil\t  Soto\u2028Paz")
    assert (row.first_name, row.last_name) == ("Ana María", "Gil Soto Paz")


def test_control_characters_do_not_reach_a_terminal() -> None:
    row = read(first_name="\x1b]0;owned\x07Ana", last_name="\u202eGil\x00", district="Do\x1bral")
    assert (row.first_name, row.last_name, row.district) == ("]0;ownedAna", "Gil", "Doral")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param("=1+1", "=1+1", id="a formula is text"),
        pytest.param(
            '=HYPERLINK("http://example.com")', '=HYPERLINK("http://example.com")', id="a link"
        ),
        pytest.param("'=1+1", "=1+1", id="an apostrophe before a formula"),
        pytest.param("'007", "007", id="an apostrophe before a number"),
        pytest.param("'t Hooft", "'t Hooft", id="an apostrophe of a name"),
        pytest.param('="007"', "007", id="text in the guise of a formula"),
    ],
)
def test_what_a_spreadsheet_makes_of_text_is_undone_and_nothing_is_calculated(
    written: str, expected: str
) -> None:
    assert read(last_name=written).last_name == expected


# Numbers


@pytest.mark.parametrize(
    ("written", "expected"),
    [("305555.0", "305555"), ("000123", "000123"), ("A-1.0", "A-1.0"), ("'0042", "0042")],
)
def test_a_number_is_the_clinics_own(written: str, expected: str) -> None:
    assert read(patient_id=written).external_id == expected


def test_a_row_without_a_number_is_left_to_whoever_writes_it() -> None:
    assert read(patient_id=" ").external_id is None


@pytest.mark.parametrize(("written", "expected"), [("12", 12), ("12.0", 12), ("0", 0), ("007", 7)])
def test_visits_are_counted(written: str, expected: int) -> None:
    assert read(visits=written).visits == expected


# Cells that reject the row


@pytest.mark.parametrize(
    ("column", "written", "said"),
    [
        pytest.param("birth_date", "2026-02-30", "`2026-02-30` is no date", id="30 February"),
        pytest.param("birth_date", "2027-03-03", "lies in the future", id="born tomorrow"),
        pytest.param("last_visit", "2027-03-03", "lies in the future", id="seen tomorrow"),
        pytest.param("last_visit", "12/31/2026", "expected 2026-02-28 or 28/02/2026", id="order"),
        pytest.param("next_appointment", "soon", "is no date", id="an appointment soon"),
        pytest.param("consent_date", "2027-03-03", "lies in the future", id="agreed tomorrow"),
        pytest.param("visits", "-1", "is no number of visits", id="below zero"),
        pytest.param("visits", "2.5", "is no number of visits", id="a half visit"),
        pytest.param("visits", "²", "is no number of visits", id="a digit that is no number"),
        pytest.param("visits", "9" * 30, "is no number of visits", id="more than there are days"),
        pytest.param("patient_id", "3.05555E+09", "a spreadsheet rounded it", id="rounded"),
    ],
)
def test_a_cell_that_cannot_be_read_names_its_column_and_why(
    column: str, written: str, said: str
) -> None:
    with pytest.raises(BadCell) as bad:
        read(**{column: written})
    assert column == bad.value.column
    assert said in bad.value.reason


def test_a_row_without_any_name_is_refused_where_the_file_has_names() -> None:
    with pytest.raises(BadCell, match="name: is missing"):
        read(first_name="-")


def test_a_row_of_totals_is_no_patient() -> None:
    with pytest.raises(BadCell, match="name: `3` is no name"):
        read(patient_id="Total", first_name="3")


def test_a_file_without_names_updates_patients_who_are_known() -> None:
    row = row_reader("patient_id", "last_visit").read(["A-1", "2027-01-20"])
    assert row == RegisterRow(external_id="A-1", last_visit=date(2027, 1, 20))


# Names


@pytest.mark.parametrize(
    ("cells", "first", "last"),
    [
        pytest.param({"first_name": "Ana María", "last_name": "Gil"}, "Ana María", "Gil", id="two"),
        pytest.param({"last_name": "Gil", "second_last_name": "Soto"}, "Sofía", "Gil Soto", id="3"),
        pytest.param(
            {"middle_name": "Ильинична", "first_name": "Ева"}, "Ева Ильинична", "", id="mid"
        ),
        pytest.param({"first_name": "", "name": "Ana Gil Soto"}, "Ana", "Gil Soto", id="in one"),
        pytest.param({"name": "Eva Paz"}, "Sofía", "", id="a first name goes before a full name"),
        pytest.param(
            {"first_name": "", "name_surname_first": "Gil Soto Ana"}, "Ana", "Gil Soto", id="turned"
        ),
        pytest.param({"first_name": "", "last_name": "Gil"}, "Gil", "", id="the last name alone"),
    ],
)
def test_a_name_is_put_together(cells: dict[str, str], first: str, last: str) -> None:
    row = read(**cells)
    assert (first, last) == (row.first_name, row.last_name)


# Days


def test_days_and_appointments_are_read() -> None:
    row = read(birth_date="11/06/1987", last_visit="20.01.27", next_appointment="20/03/2027 10:30")
    assert row.birth_date == date(1987, 6, 11)
    assert row.last_visit == date(2027, 1, 20)
    assert row.next_appointment == datetime(2027, 3, 20, 14, 30, tzinfo=UTC)


def test_the_files_order_of_day_and_month_counts() -> None:
    reader = row_reader("first_name", "last_visit", date_order="mdy")
    assert reader.read(["Ana", "01/02/2027"]).last_visit == date(2027, 1, 2)


@pytest.mark.parametrize("nothing", ["", "-", "0001-01-01", "9999-12-31"])
def test_an_empty_appointment_says_that_there_is_none(nothing: str) -> None:
    assert read(next_appointment=nothing).says_no_appointment
    assert not read(next_appointment="2027-03-20").says_no_appointment


def test_a_file_without_the_column_says_nothing_about_appointments() -> None:
    assert not read().says_no_appointment


# Addresses


@pytest.mark.parametrize(
    ("column", "written", "expected"),
    [
        pytest.param("email", "Sofia@Example.COM", "Sofia@example.com", id="email"),
        pytest.param("email", "sofía@example.com", "sofía@example.com", id="an accent in an email"),
        pytest.param("guardian_email", "Eva@Example.COM", "Eva@example.com", id="guardian's email"),
        pytest.param("phone", "305-555-0144", "+13055550144", id="phone of the country"),
        pytest.param("phone", "3055550144.0", "+13055550144", id="a number of a spreadsheet"),
        pytest.param("phone", "+57 601 3456789", "+576013456789", id="phone of another country"),
        pytest.param("other_phone", "305-555-0144", "+13055550144", id="the only phone"),
        pytest.param("guardian_phone", "305-555-0144", "+13055550144", id="guardian's phone"),
    ],
)
def test_an_address_is_brought_to_its_normal_form(column: str, written: str, expected: str) -> None:
    row = read(**{column: written})
    assert expected == getattr(row, "phone" if column == "other_phone" else column)
    assert row.unusable == {}


@pytest.mark.parametrize(
    "written", ["s@example.com; x@example.com", "s@example.com, x@example.com"]
)
def test_of_two_emails_the_first_counts_and_the_other_is_not_lost_silently(written: str) -> None:
    row = read(email=written)
    assert row.email == "s@example.com"
    assert row.unusable == {"email": "a second address, x@example.com, has no place"}


@pytest.mark.parametrize(
    "written", ["mailto:s@example.com", "Sofía <s@example.com>", "s@example.com (work)"]
)
def test_what_stands_around_an_email_is_no_part_of_it(written: str) -> None:
    row = read(email=written)
    assert (row.email, row.unusable) == ("s@example.com", {})


@pytest.mark.parametrize(
    ("column", "written"),
    [
        pytest.param("email", "sofia@", id="half an email"),
        pytest.param("guardian_email", "eva", id="half an email of the guardian"),
        pytest.param("phone", "12345", id="too short"),
        pytest.param("phone", "call her husband", id="words"),
        pytest.param("phone", "000-000-0000", id="a number that does not exist"),
        pytest.param("other_phone", "12345", id="a second number that does not exist"),
        pytest.param("guardian_phone", "3.05555E+09", id="rounded by a spreadsheet"),
        pytest.param("national_id", "666-00-0000", id="a national id that does not exist"),
    ],
)
def test_an_address_that_cannot_be_used_is_listed_and_the_row_is_kept(
    column: str, written: str
) -> None:
    row = read(**{column: written})
    assert getattr(row, column) is None
    assert [column] == list(row.unusable)


@pytest.mark.parametrize(
    ("phone", "other", "expected"),
    [
        pytest.param(
            "8 912 345-67-89",
            "8 499 123-45-67",
            ("+79123456789", "mobile", "+74991234567"),
            id="as written",
        ),
        pytest.param(
            "8 499 123-45-67",
            "8 912 345-67-89",
            ("+79123456789", "mobile", "+74991234567"),
            id="the mobile goes first",
        ),
        pytest.param(
            "8 499 123-45-67, 8 912 345-67-89",
            "",
            ("+79123456789", "mobile", "+74991234567"),
            id="both in one cell",
        ),
        pytest.param(
            "8 499 123-45-67",
            "8 499 123-45-67",
            ("+74991234567", "landline", None),
            id="the same",
        ),
        pytest.param("", "8 499 123-45-67", ("+74991234567", "landline", None), id="one, second"),
        pytest.param(
            "8 499 123-45-67",
            "8 495 123-45-67",
            ("+74991234567", "landline", "+74951234567"),
            id="of equals, the first",
        ),
    ],
)
def test_the_number_to_write_to_is_the_mobile(
    phone: str, other: str, expected: tuple[str, str, str | None]
) -> None:
    row = read(country="RU", phone=phone, other_phone=other)
    assert expected == (row.phone, row.phone_kind, row.other_phone)
    assert row.unusable == {}


def test_a_country_that_does_not_tell_mobiles_apart_has_phones_of_unknown_kind() -> None:
    assert read(phone="305-555-0144").phone_kind == "unknown"


def test_a_third_number_is_not_lost_silently() -> None:
    row = read(phone="305-555-0101 / 305-555-0102", other_phone="305-555-0103")
    assert (row.phone, row.other_phone) == ("+13055550101", "+13055550102")
    assert row.unusable == {"other_phone": "a third number, +13055550103, has no place"}


def test_a_national_id_is_compact() -> None:
    assert read(country="CL", national_id="12.531.909-2").national_id == "125319092"


# Guardians


@pytest.mark.parametrize(
    ("written", "expected"), [("77", "77"), ("77.0", "77"), ("A-1", None), ("0", None), ("", None)]
)
def test_whoever_pays_for_themselves_has_no_guardian(written: str, expected: str | None) -> None:
    assert read(guardian_number=written).guardian_number == expected


def test_a_guardian_is_read() -> None:
    row = read(guardian_name="Eva  Paz", guardian_phone="305-555-0144 / 305-555-0145")
    assert (row.guardian_name, row.guardian_phone) == ("Eva Paz", "+13055550144")


# What a file's own words mean


def test_a_mappings_values_go_before_the_table() -> None:
    meant = {
        "status": {"VIP": "active", "Baja": "moved"},
        "treatment": {"ORTO": "orthodontics"},
        "consent_sms": {"+": "no"},
    }
    reader = row_reader("name", "status", "treatment", "consent_sms", values=meant)
    row = reader.read(["Ana", "vip", "orto", "+"])
    assert (row.status, row.treatment, row.consents) == ("active", "orthodontics", {"sms": False})
    row = reader.read(["Ana", "BAJA", "filling"])
    assert (row.status, row.treatment, row.consents) == ("moved", "filling", {})
    assert reader.read(["Ana"]).status is None


@pytest.mark.parametrize("column", ["district", "occupation", "insurance", "provider", "treatment"])
def test_plain_text_is_kept_as_it_is_written(column: str) -> None:
    assert getattr(read(**{column: " Villa  Ñuñoa "}), column) == "Villa Ñuñoa"


@pytest.mark.parametrize(
    "column", ["birth_date", "visits", "sex", "status", "consent_sms", "national_id", "phone"]
)
def test_a_long_cell_makes_no_long_message(column: str) -> None:
    try:
        row = read(**{column: "9 " * 30_000})
    except BadCell as bad:
        message = bad.reason
    else:
        message = row.unusable[column]
    assert len(message) < 200


ODD_CELLS = [
    *(
        "-",
        "31/12/2026",
        "1/1/1",
        "٣",
        "E+",
        "1E+9",
        "=1",
        "'",
        '="',
        "\x00",
        "\ud800",
        "+521",
        ",",
    ),
    *("a@b.co", "2026-11-21T25:61", "2026-11-21 12:00+99:99", "1890-01-01T00:00:01+14:00"),
    *("9" * 300, "Jan 1, 0000", "0001-01-01T00:00:00Z", "9999-12-31T23:59-12:00"),
]


@given(
    st.dictionaries(
        st.sampled_from(sorted(READABLE_COLUMNS)),
        st.sampled_from(ODD_CELLS) | st.text(max_size=12),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from(["US", "MX", "RU", "ES", "XX"]),
)
def test_whatever_stands_in_the_cells_it_is_a_row_or_a_reject(
    cells: dict[str, str], country: str
) -> None:
    try:
        row = row_reader(*cells, country=country).read(list(cells.values()))
    except BadCell as bad:
        named = {bad.column}
    else:
        named = {*row.unusable}
    assert named <= {*cells, "name", "other_phone"}
