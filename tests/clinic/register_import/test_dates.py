"""Dates as exports write them: orders, short years, times, zones, and what stands for none."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from clinic.register_import.dates import (
    DateOrder,
    DateOrderSearch,
    DateReader,
    UnclearDates,
    date_order_of,
)

TODAY = date(2027, 3, 2)
BOGOTA = ZoneInfo("America/Bogota")


def reader(order: DateOrder = "dmy", zone: ZoneInfo = BOGOTA) -> DateReader:
    return DateReader(zone=zone, today=TODAY, order=order)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param("1987-06-11", date(1987, 6, 11), id="ISO"),
        pytest.param("19870611", date(1987, 6, 11), id="ISO without dashes"),
        pytest.param("1987/06/11", date(1987, 6, 11), id="year first"),
        pytest.param("11/06/1987", date(1987, 6, 11), id="slashes"),
        pytest.param("11.06.1987", date(1987, 6, 11), id="dots"),
        pytest.param("11-06-1987", date(1987, 6, 11), id="dashes"),
        pytest.param("1/6/1987", date(1987, 6, 1), id="no zeros"),
        pytest.param("29/02/2008", date(2008, 2, 29), id="a leap day"),
        pytest.param("1987-06-11 00:00:00", date(1987, 6, 11), id="midnight"),
        pytest.param("1987-06-11T00:00", date(1987, 6, 11), id="midnight, ISO"),
        pytest.param("11/06/1987 10:30", date(1987, 6, 11), id="a time"),
        pytest.param("11/06/1987, 10:30:15", date(1987, 6, 11), id="a comma and seconds"),
        pytest.param("11/06/1987 9:05 p. m.", date(1987, 6, 11), id="a Spanish half of the day"),
        pytest.param("11 de junio de 1987", date(1987, 6, 11), id="Spanish month"),
        pytest.param("11 июня 1987 г.", date(1987, 6, 11), id="Russian month"),
        pytest.param("11-Jun-1987", date(1987, 6, 11), id="English month"),
        pytest.param("June 11, 1987", date(1987, 6, 11), id="American month"),
        pytest.param("3-mar-26", date(2026, 3, 3), id="a short month and year"),
        pytest.param("2027-03-02", TODAY, id="today"),
        pytest.param("1890-01-01", date(1890, 1, 1), id="the earliest"),
    ],
)
def test_a_day_is_read_however_it_is_written(written: str, expected: date) -> None:
    assert expected == reader().birth_date(written)
    assert expected == reader().past_day(written)


@pytest.mark.parametrize(
    ("order", "written", "expected"),
    [
        ("dmy", "03/04/2026", date(2026, 4, 3)),
        ("mdy", "03/04/2026", date(2026, 3, 4)),
        ("mdy", "3-4-26", date(2026, 3, 4)),
        ("mdy", "03.04.2026", date(2026, 4, 3)),  # nobody puts dots into a date month first
        ("ymd", "26/03/04", date(2026, 3, 4)),
        ("ymd", "03/04/2026", date(2026, 4, 3)),
        ("dmy", "2026-03-04", date(2026, 3, 4)),
        ("mdy", "2026-03-04", date(2026, 3, 4)),
    ],
)
def test_the_files_order_decides(order: DateOrder, written: str, expected: date) -> None:
    assert expected == reader(order).past_day(written)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("11/06/87", date(1987, 6, 11)),
        ("11/06/18", date(2018, 6, 11)),
        ("02/03/27", TODAY),
        ("03/03/27", date(1927, 3, 3)),
        ("31/12/28", date(1928, 12, 31)),
    ],
)
def test_nobody_with_a_short_year_was_born_in_the_future(written: str, expected: date) -> None:
    assert expected == reader().birth_date(written)


def test_a_visit_with_a_short_year_ahead_was_not_a_century_ago() -> None:
    assert date(1999, 6, 11) == reader().past_day("11/06/99")
    with pytest.raises(ValueError, match="`03/03/27` lies in the future"):
        reader().past_day("03/03/27")


@pytest.mark.parametrize(
    "placeholder",
    [
        "0001-01-01",
        "01/01/0001",
        "0001-01-01T00:00:00",
        "00/00/0000",
        "0000-00-00 00:00:00",
        "0",
        "/ /",
        "__.__.____".replace("_", " ").strip(),
        "01/01/1900",
        "1899-12-30",
        "1753-01-01",
        "31/12/9999",
        "9999-12-31 23:59:59",
    ],
)
def test_what_programs_write_for_no_date_is_none(placeholder: str) -> None:
    assert reader().birth_date(placeholder) is None
    assert reader().past_day(placeholder) is None
    assert reader().appointment(placeholder) is None


@pytest.mark.parametrize(
    "written",
    [
        "2026-02-30",
        "29/02/2007",
        "12/31/1987",
        "31/04/2026",
        "11/06/987",
        "11/06-1987",
        "111/06/1987",
        "11/06/1987 25:00",
        "11/06/1987 10:61",
        "11/06/1987 noon",
        "11 junius 1987",
        "19870631",
        "yesterday",
        "1987",
        "١١/٠٦/١٩٨٧x",
    ],
)
def test_what_is_no_date_is_named(written: str) -> None:
    for read in (reader().birth_date, reader().past_day, reader().appointment):
        with pytest.raises(ValueError, match=f"`{written}` is no date") as refused:
            read(written)
        assert "expected 2026-02-28 or 28/02/2026" in str(refused.value)


def test_a_date_in_the_other_order_is_refused_with_the_order_that_is_expected() -> None:
    with pytest.raises(ValueError, match="expected 2026-02-28 or 02/28/2026"):
        reader("mdy").past_day("28/02/2026")


@pytest.mark.parametrize(
    ("read", "written", "said"),
    [
        (reader().birth_date, "2027-03-03", "lies in the future"),
        (reader().past_day, "03/03/2027", "lies in the future"),
        (reader().past_day, "20270303", "lies in the future"),
        (reader().birth_date, "1889-12-31", "is too long ago"),
        (reader().appointment, "2206-03-20", "is too far ahead"),
    ],
)
def test_a_day_nobody_can_mean_is_refused(
    read: Callable[[str], date | None], written: str, said: str
) -> None:
    with pytest.raises(ValueError, match=f"`{written}` {said}"):
        read(written)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param("2026-06-11T03:30:00Z", date(2026, 6, 10), id="the evening before in Bogota"),
        pytest.param("2026-06-11T12:00:00+00:00", date(2026, 6, 11), id="the same day"),
        pytest.param("2026-06-10 22:30:00-0500", date(2026, 6, 10), id="its own offset"),
        pytest.param("2026-06-11T00:00:00.000Z", date(2026, 6, 11), id="midnight means no time"),
    ],
)
def test_a_visits_day_is_the_clinics_day(written: str, expected: date) -> None:
    assert expected == reader().past_day(written)


def test_a_birth_date_has_no_zone() -> None:
    assert date(1987, 6, 11) == reader().birth_date("1987-06-11T03:00:00Z")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param("2027-03-20 10:30", "2027-03-20T14:30Z", id="summer time"),
        pytest.param("2027-03-10T10:30", "2027-03-10T15:30Z", id="winter time"),
        pytest.param("20/03/2027 10:30:00", "2027-03-20T14:30Z", id="day first"),
        pytest.param("20/03/27 1:30 PM", "2027-03-20T17:30Z", id="afternoon"),
        pytest.param("20/03/27 12:05 am", "2027-03-20T04:05Z", id="after midnight"),
        pytest.param("20.03.2027 12:05 p.m.", "2027-03-20T16:05Z", id="after noon"),
        pytest.param("2027-03-20T10:30:00Z", "2027-03-20T10:30Z", id="UTC"),
        pytest.param("2027-03-20T10:30:00.000+03:00", "2027-03-20T07:30Z", id="an offset"),
        pytest.param("2027-03-20", "2027-03-21T03:59Z", id="a day lasts until its end"),
        pytest.param("2027-03-20 00:00:00", "2027-03-21T03:59Z", id="nobody is seen at midnight"),
        pytest.param("20/03/26", "2026-03-21T03:59Z", id="one that was"),
    ],
)
def test_an_appointment_is_meant_in_the_clinics_time(written: str, expected: str) -> None:
    appointment = reader(zone=ZoneInfo("America/New_York")).appointment(written)
    assert datetime.fromisoformat(expected) == appointment
    assert appointment is not None
    assert UTC is appointment.tzinfo


@pytest.mark.parametrize(
    ("samples", "country", "expected"),
    [
        pytest.param(["03/04/2026", "13/04/2026"], "US", "dmy", id="a day above 12 comes first"),
        pytest.param(["03/04/2026", "04/13/2026"], "CL", "mdy", id="a day above 12 comes second"),
        pytest.param(["3/4/26 10:30", "4/13/26 9:00"], "US", "mdy", id="with times"),
        pytest.param(["03/04/2026", "05/06/2026"], "ES", "dmy", id="the country's custom"),
        pytest.param(["04/04/2026", "", "-"], "US", "dmy", id="the same either way"),
        pytest.param(["2026-04-13", "13.04.2026"], "US", "dmy", id="nothing to decide"),
        pytest.param([], "US", "dmy", id="no dates"),
        pytest.param(["13/04/2026"] * 60 + ["04/13/2026"], "US", "dmy", id="one slip in 60"),
        pytest.param(["00/00/0000", "04/13/2026"], "CL", "mdy", id="a placeholder says nothing"),
    ],
)
def test_the_order_is_told_from_the_whole_file(
    samples: list[str], country: str, expected: DateOrder
) -> None:
    assert expected == date_order_of(samples, country)


def test_dates_that_could_be_either_are_refused_where_both_orders_are_in_use() -> None:
    with pytest.raises(UnclearDates, match="`03/04/2026` begins with day or month"):
        date_order_of(["03/04/2026", "05/06/2026"], "US")


def test_a_file_with_dates_in_both_orders_is_refused() -> None:
    with pytest.raises(UnclearDates, match="`13/04/2026` and `04/13/2026`"):
        date_order_of(["13/04/2026", "04/13/2026"], "CL")


def test_an_order_is_searched_cell_by_cell() -> None:
    search = DateOrderSearch()
    for sample in ("", "x", "03/04/2026", "04/13/2026"):
        search.see(sample)
    assert search.found("CL") == "mdy"
