"""Local days: where they begin, and when their clock changes."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from clinic.contact_policy import ContactCalendar, ContactPolicy, may_contact

RULE = {"source": "house rule", "since": "2026-01-01"}
WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def calendar(zone: str, *closing_days: str) -> ContactCalendar:
    closed = frozenset(date.fromisoformat(day) for day in closing_days)
    return ContactCalendar(zone=ZoneInfo(zone), closing_days=closed)


@pytest.mark.parametrize(
    ("zone", "day", "start"),
    [
        pytest.param("America/Bogota", "2026-11-21", "2026-11-21T05:00Z", id="no clock change"),
        pytest.param("America/Santiago", "2026-09-06", "2026-09-06T04:00Z", id="no midnight"),
        pytest.param("America/Santiago", "2026-04-05", "2026-04-05T04:00Z", id="23:00 came twice"),
        pytest.param("America/Havana", "2026-11-01", "2026-11-01T04:00Z", id="two midnights"),
        pytest.param("Asia/Kolkata", "2026-11-21", "2026-11-20T18:30Z", id="half an hour"),
    ],
)
def test_a_day_begins_with_its_first_moment(zone: str, day: str, start: str) -> None:
    begun = calendar(zone).start_of(date.fromisoformat(day))
    assert datetime.fromisoformat(start) == begun


@pytest.mark.parametrize(
    ("zone", "day", "change"),
    [
        pytest.param("America/New_York", "2026-11-01", "2026-11-01T06:00Z", id="an hour back"),
        pytest.param("America/New_York", "2027-03-14", "2027-03-14T07:00Z", id="an hour on"),
        pytest.param("Australia/Lord_Howe", "2026-10-04", "2026-10-03T15:30Z", id="half an hour"),
        pytest.param("America/New_York", "2026-11-02", None, id="the day after"),
        pytest.param("America/Bogota", "2026-11-01", None, id="never"),
    ],
)
def test_a_clock_change_is_found_on_its_day(zone: str, day: str, change: str | None) -> None:
    found = calendar(zone).clock_change_on(date.fromisoformat(day))
    assert (None if change is None else datetime.fromisoformat(change)) == found


@pytest.mark.parametrize(
    ("zone", "closed", "now", "until"),
    [
        pytest.param(
            "America/Santiago",
            "2026-09-05",
            "2026-09-05T15:00Z",
            "2026-09-06T04:00Z",
            id="before a day without midnight",
        ),
        pytest.param(
            "America/Havana",
            "2026-10-31",
            "2026-10-31T15:00Z",
            "2026-11-01T04:00Z",
            id="before a day of two midnights",
        ),
        pytest.param(
            "America/Santiago",
            "2026-04-04",
            "2026-04-04T15:00Z",
            "2026-04-05T04:00Z",
            id="a day whose last hour comes twice",
        ),
    ],
)
def test_a_blocked_day_ends_with_the_next_days_first_moment(
    zone: str, closed: str, now: str, until: str
) -> None:
    hours = {"contact_hours": RULE | dict.fromkeys(WEEK, "00:00-24:00")}
    always = ContactPolicy.model_validate(hours)
    asked = may_contact(always, calendar(zone, closed), "sms", datetime.fromisoformat(now), ())
    assert asked is not None
    assert datetime.fromisoformat(until) == asked.until


def test_another_zone_keeps_the_closing_days() -> None:
    clinic = calendar("America/Bogota", "2026-12-24")
    patient = clinic.in_zones(ZoneInfo("Europe/Madrid"))
    assert calendar("Europe/Madrid", "2026-12-24") == patient
