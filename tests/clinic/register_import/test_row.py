"""One row of a clinic's export: headers, names, days, closed lists, addresses."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from clinic.register_import.row import BadCell, RegisterRow, known_headers, read_header, read_row

NEW_YORK = ZoneInfo("America/New_York")
TODAY = date(2027, 3, 2)


def read(**cells: str) -> RegisterRow:
    given = {"patient_id": "A-1", "first_name": "Sofía"} | cells
    return read_row(given, country="US", zone=NEW_YORK, today=TODAY)


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        pytest.param(
            ["patient_id", "first_name", "last_visit"],
            ["patient_id", "first_name", "last_visit"],
            id="the register's own",
        ),
        pytest.param(
            ["# Paciente", "Nombre", "Apellidos", "Correo Electrónico", "Última visita"],
            ["patient_id", "first_name", "last_name", "email", "last_visit"],
            id="Spanish, with accents and signs",
        ),
        pytest.param(
            ["Номер карты", "ФИО", "Телефон", "Дата рождения", "Последний визит", "Услуга"],
            ["patient_id", "name", "phone", "birth_date", "last_visit", "treatment"],
            id="Russian",
        ),
        pytest.param(
            ["PatNum", "LName", "FName", "PatStatus", "Gender", "Birthdate", "WirelessPhone"],
            ["patient_id", "last_name", "first_name", "status", "sex", "birth_date", "phone"],
            id="Open Dental",
        ),
        pytest.param(["  PATIENT-ID:  ", "E-Mail"], ["patient_id", "email"], id="case and signs"),
    ],
)
def test_a_header_is_known_by_its_aliases(header: list[str], columns: list[str]) -> None:
    assert dict(enumerate(columns)) == read_header(header)


def test_an_unknown_column_is_left_out_and_a_second_of_a_kind_too() -> None:
    header = ["patient_id", "shoe size", "phone", "mobile"]
    assert read_header(header) == {0: "patient_id", 2: "phone"}


def test_no_alias_means_two_columns() -> None:
    aliases = [alias for names in known_headers().values() for alias in names]
    assert sorted(set(aliases)) == sorted(aliases)


@pytest.mark.parametrize(
    ("cells", "first", "last"),
    [
        pytest.param({"first_name": "Ana María", "last_name": "Gil"}, "Ana María", "Gil", id="two"),
        pytest.param({"first_name": "", "name": "Ana Gil Soto"}, "Ana", "Gil Soto", id="in one"),
        pytest.param({"first_name": "", "name": "Gil Soto, Ana"}, "Ana", "Gil Soto", id="comma"),
        pytest.param({"first_name": "", "name": "Ana"}, "Ana", "", id="one word"),
        pytest.param({"first_name": "", "name": "Gil,"}, "Gil", "", id="nothing after the comma"),
    ],
)
def test_a_name_is_read(cells: dict[str, str], first: str, last: str) -> None:
    row = read(**cells)
    assert (first, last) == (row.first_name, row.last_name)


def test_white_space_within_a_cell_is_one_space() -> None:
    row = read(first_name=" Ana\r\nMaría ", last_name="Gil\t  Soto\u2028Paz")
    assert (row.first_name, row.last_name) == ("Ana María", "Gil Soto Paz")


@pytest.mark.parametrize("nothing", ["", "  ", "-", "--", "N/A", "none", "NULL", "0001-01-01"])
def test_a_placeholder_says_nothing(nothing: str) -> None:
    columns = [column for column in known_headers() if column not in ("patient_id", "first_name")]
    assert RegisterRow(external_id="A-1", first_name="Sofía") == read(
        **dict.fromkeys(columns, nothing)
    )


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("1987-06-11", date(1987, 6, 11)),
        ("11/06/1987", date(1987, 6, 11)),
        ("11.06.1987", date(1987, 6, 11)),
        ("11-06-1987", date(1987, 6, 11)),
        ("1987-06-11 00:00:00", date(1987, 6, 11)),
        ("1987-06-11T00:00", date(1987, 6, 11)),
        ("11/06/1987 10:30", date(1987, 6, 11)),
        ("29/02/2008", date(2008, 2, 29)),
        ("2027-03-02", TODAY),
        ("1890-01-01", date(1890, 1, 1)),
    ],
)
def test_a_day_is_read(written: str, expected: date) -> None:
    assert expected == read(birth_date=written).birth_date
    assert expected == read(last_visit=written).last_visit


@pytest.mark.parametrize(
    ("column", "written", "said"),
    [
        pytest.param("birth_date", "2026-02-30", "`2026-02-30` is no date", id="30 February"),
        pytest.param("birth_date", "29/02/2007", "`29/02/2007` is no date", id="no leap year"),
        pytest.param("birth_date", "12/31/1987", "`12/31/1987` is no date", id="month 31"),
        pytest.param("birth_date", "1887-01-01", "is too long ago", id="nobody is so old"),
        pytest.param("birth_date", "2027-03-03", "lies in the future", id="born tomorrow"),
        pytest.param("last_visit", "2027-03-03", "lies in the future", id="seen tomorrow"),
        pytest.param("last_visit", "yesterday", "is no date", id="a word"),
        pytest.param("visits", "-1", "is no number of visits", id="below zero"),
        pytest.param("visits", "2.5", "is no number of visits", id="a half visit"),
        pytest.param("visits", "²", "is no number of visits", id="a digit that is no number"),
        pytest.param("visits", "9" * 30, "is no number of visits", id="more than there are days"),
        pytest.param("next_appointment", "soon", "is no date", id="an appointment soon"),
        pytest.param("next_appointment", "2027-13-01 10:00", "is no date", id="month 13"),
        pytest.param("next_appointment", "9999-12-31", "is too far ahead", id="the end of time"),
        pytest.param("next_appointment", "9999-12-31 23:59", "is too far ahead", id="its minute"),
        pytest.param("sex", "x", "`x` is not known (expected female, male)", id="sex"),
        pytest.param("status", "vip", "expected active, deceased, inactive, moved", id="status"),
        pytest.param("loss_reason", "rain", "`rain` is not known (expected price", id="reason"),
        pytest.param("patient_id", " ", "is missing", id="no number"),
    ],
)
def test_a_cell_that_cannot_be_read_names_its_column_and_why(
    column: str, written: str, said: str
) -> None:
    with pytest.raises(BadCell) as bad:
        read(**{column: written})
    assert column == bad.value.column
    assert said in bad.value.reason


def test_a_row_without_any_name_is_refused() -> None:
    with pytest.raises(BadCell, match="name: is missing"):
        read(first_name="-")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param("2027-03-20 10:30", "2027-03-20T14:30Z", id="summer time"),
        pytest.param("2027-03-10T10:30", "2027-03-10T15:30Z", id="winter time"),
        pytest.param("20/03/2027 10:30:00", "2027-03-20T14:30Z", id="day first"),
        # without an hour, the patient is expected until the day's end
        pytest.param("2027-03-20", "2027-03-21T03:59Z", id="a day"),
    ],
)
def test_an_appointment_is_meant_in_the_clinics_time(written: str, expected: str) -> None:
    appointment = read(next_appointment=written).next_appointment
    assert datetime.fromisoformat(expected) == appointment
    assert appointment is not None
    assert UTC is appointment.tzinfo


@pytest.mark.parametrize(
    ("column", "written", "expected"),
    [
        ("sex", "Mujer", "female"),
        ("sex", "Ж", "female"),
        ("sex", "H", "male"),
        ("sex", "мужской", "male"),
        ("status", "Fallecido", "deceased"),
        ("status", "переехала", "moved"),
        ("status", "Patient", "active"),
        ("status", "archived", "inactive"),
        ("language", "Español", "es"),
        ("language", "РУССКИЙ", "ru"),
        ("language", "English", "en"),
        ("language", "Catalan", None),
        ("loss_reason", "Waiting time", "waiting_time"),
        ("visits", "12", 12),
        ("district", " Surfside ", "Surfside"),
        ("occupation", "teacher", "teacher"),
        ("treatment", "filling", "filling"),
    ],
)
def test_a_value_is_read_in_the_clinics_languages(
    column: str, written: str, expected: str | int | None
) -> None:
    assert expected == getattr(read(**{column: written}), column)


@pytest.mark.parametrize(
    ("column", "written", "expected"),
    [
        pytest.param("email", "Sofia@Example.COM", "Sofia@example.com", id="email"),
        pytest.param("email", "sofía@example.com", "sofía@example.com", id="an accent in an email"),
        pytest.param("phone", "305-555-0144", "+13055550144", id="phone of the country"),
        pytest.param("phone", "+57 601 3456789", "+576013456789", id="phone of another country"),
    ],
)
def test_an_address_is_brought_to_its_normal_form(column: str, written: str, expected: str) -> None:
    row = read(**{column: written})
    assert expected == getattr(row, column)
    assert row.unusable == {}


@pytest.mark.parametrize(
    ("column", "written"),
    [
        pytest.param("email", "sofia@", id="half an email"),
        pytest.param("email", "sofia@example.com, x@example.com", id="two emails"),
        pytest.param("phone", "12345", id="too short"),
        pytest.param("phone", "call her husband", id="words"),
        pytest.param("phone", "000-000-0000", id="a number that does not exist"),
    ],
)
def test_an_address_that_cannot_be_used_is_listed_and_the_row_is_kept(
    column: str, written: str
) -> None:
    row = read(**{column: written})
    assert getattr(row, column) is None
    assert [column] == list(row.unusable)
