"""Weekday windows: when they open, over midnight, over clock changes, in odd time zones."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from clinic.contact_policy import (
    ContactCalendar,
    ContactPolicy,
    NotBefore,
    may_contact,
    next_opening,
)

NEW_YORK = ZoneInfo("America/New_York")
RULE = {"source": "house rule", "since": "2026-01-01"}
WORKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")


def policy(**hours: object) -> ContactPolicy:
    return ContactPolicy.model_validate({"contact_hours": RULE | hours})


DAYTIME = policy(**dict.fromkeys(WORKDAYS, "09:00-20:00"), saturday="10:00-15:00")
ALWAYS = policy(**dict.fromkeys((*WORKDAYS, "saturday", "sunday"), "00:00-24:00"))
SUNDAY_NIGHTS = policy(sunday="01:30-02:30")
LATE = policy(friday="22:00-02:00", sunday="23:00-01:00")
TWICE = policy(tuesday=["09:00-12:00", "14:00-18:00"])


def local(written: str, zone: ZoneInfo = NEW_YORK) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=zone).astimezone(UTC)


def asked(rules: ContactPolicy, now: datetime, zone: ZoneInfo = NEW_YORK) -> NotBefore | None:
    return may_contact(rules, ContactCalendar(zone=zone), "sms", now, ())


@pytest.mark.parametrize(
    ("rules", "now"),
    [
        pytest.param(DAYTIME, "2027-03-02 12:00", id="a Tuesday at noon"),
        pytest.param(DAYTIME, "2027-03-02 09:00", id="the first minute"),
        pytest.param(DAYTIME, "2027-03-02 19:59:59.999999", id="the last moment"),
        pytest.param(DAYTIME, "2027-03-06 14:59", id="a Saturday has its own hours"),
        pytest.param(TWICE, "2027-03-02 11:59", id="the first window of the day"),
        pytest.param(TWICE, "2027-03-02 14:00", id="the second window of the day"),
        pytest.param(LATE, "2027-03-05 22:00", id="late on Friday"),
        pytest.param(LATE, "2027-03-06 01:59", id="the night after Friday belongs to Friday"),
        pytest.param(LATE, "2027-03-08 00:59", id="the night after Sunday, over the week's end"),
    ],
)
def test_a_contact_within_the_hours_is_allowed(rules: ContactPolicy, now: str) -> None:
    assert asked(rules, local(now)) is None


@pytest.mark.parametrize(
    ("rules", "now", "until", "rule"),
    [
        pytest.param(
            DAYTIME, "2027-03-02 08:59:59", "2027-03-02 09:00", "09:00-20:00 on tuesday", id="early"
        ),
        pytest.param(
            DAYTIME, "2027-03-02 20:00", "2027-03-03 09:00", "09:00-20:00 on tuesday", id="the end"
        ),
        pytest.param(
            DAYTIME, "2027-03-02 23:59", "2027-03-03 09:00", "09:00-20:00 on tuesday", id="late"
        ),
        pytest.param(
            DAYTIME,
            "2027-03-05 20:00",
            "2027-03-06 10:00",
            "09:00-20:00 on friday",
            id="Friday night",
        ),
        pytest.param(
            DAYTIME,
            "2027-03-06 15:00",
            "2027-03-08 09:00",
            "10:00-15:00 on saturday, none on sunday",
            id="Saturday afternoon, over Sunday",
        ),
        pytest.param(
            DAYTIME, "2027-03-07 12:00", "2027-03-08 09:00", "none on sunday", id="a Sunday"
        ),
        pytest.param(
            TWICE,
            "2027-03-02 12:00",
            "2027-03-02 14:00",
            "09:00-12:00 and 14:00-18:00 on tuesday",
            id="between two windows",
        ),
        pytest.param(
            LATE,
            "2027-03-06 02:00",
            "2027-03-07 23:00",
            "none on saturday",
            id="the night's end, to the next window",
        ),
        pytest.param(
            LATE, "2027-03-05 01:00", "2027-03-05 22:00", "22:00-02:00 on friday", id="Thursday's"
        ),
    ],
)
def test_a_contact_outside_the_hours_waits_for_the_next_opening(
    rules: ContactPolicy, now: str, until: str, rule: str
) -> None:
    expected = NotBefore(until=local(until), rule=f"contact hours: {rule} (house rule)")
    assert expected == asked(rules, local(now))


@pytest.mark.parametrize(
    ("now", "until"),
    [
        # 14 March 2027: 02:00 becomes 03:00; 7 November 2027: 02:00 becomes 01:00
        pytest.param("2027-03-13 16:00", "2027-03-15T13:00Z", id="opening after spring forward"),
        pytest.param("2027-11-06 16:00", "2027-11-08T14:00Z", id="opening after fall back"),
    ],
)
def test_an_opening_keeps_its_local_time_over_a_clock_change(now: str, until: str) -> None:
    blocked = asked(DAYTIME, local(now))
    assert blocked is not None
    assert datetime.fromisoformat(until) == blocked.until


@pytest.mark.parametrize(
    ("now", "allowed"),
    [
        pytest.param("2027-03-14T06:29Z", False, id="spring: 01:29 EST"),
        pytest.param("2027-03-14T06:30Z", True, id="spring: 01:30 EST"),
        pytest.param("2027-03-14T06:59Z", True, id="spring: 01:59 EST, before the missing hour"),
        pytest.param("2027-03-14T07:00Z", False, id="spring: 03:00 EDT, the window was missing"),
        pytest.param("2027-11-07T05:29Z", False, id="fall: the first 01:29"),
        pytest.param("2027-11-07T05:30Z", True, id="fall: the first 01:30"),
        pytest.param("2027-11-07T06:00Z", False, id="fall: the second 01:00"),
        pytest.param("2027-11-07T06:30Z", True, id="fall: the second 01:30"),
        pytest.param("2027-11-07T07:29Z", True, id="fall: 02:29 EST"),
        pytest.param("2027-11-07T07:30Z", False, id="fall: 02:30 EST"),
    ],
)
def test_only_the_clock_on_the_wall_counts_over_a_clock_change(
    now: str,
    allowed: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert allowed == (asked(SUNDAY_NIGHTS, datetime.fromisoformat(now)) is None)


@pytest.mark.parametrize(
    ("window", "zone", "now", "until"),
    [
        pytest.param(
            "02:30-05:00",
            "America/New_York",
            "2027-03-14T05:00Z",
            "2027-03-14T07:00Z",
            id="it opens with the change where its beginning is left out",
        ),
        pytest.param(
            "01:15-01:45",
            "America/New_York",
            "2027-11-07T05:45Z",
            "2027-11-07T06:15Z",
            id="it opens twice where its hour comes twice",
        ),
        # Santiago puts the clock on at midnight: 6 September 2026 begins at 01:00
        pytest.param(
            "00:15-06:00",
            "America/Santiago",
            "2026-09-06T02:00Z",
            "2026-09-06T04:00Z",
            id="it opens with a day that has no midnight",
        ),
        # Lord Howe changes by half an hour: 4 October 2026, 02:00 becomes 02:30
        pytest.param(
            "02:10-04:00",
            "Australia/Lord_Howe",
            "2026-10-03T15:00Z",
            "2026-10-03T15:30Z",
            id="a change of half an hour",
        ),
    ],
)
def test_a_window_next_to_a_clock_change_opens_when_the_clock_shows_it(
    window: str, zone: str, now: str, until: str
) -> None:
    blocked = asked(policy(sunday=window), datetime.fromisoformat(now), ZoneInfo(zone))
    assert blocked is not None
    assert datetime.fromisoformat(until) == blocked.until


@pytest.mark.parametrize(
    ("zone", "now", "until"),
    [
        pytest.param("Asia/Kolkata", "2027-03-02T03:29Z", "2027-03-02T03:30Z", id="before nine"),
        pytest.param("Asia/Kolkata", "2027-03-02T03:30Z", None, id="nine o'clock"),
        pytest.param("Asia/Kolkata", "2027-03-02T14:29Z", None, id="a minute before eight"),
        pytest.param("Asia/Kolkata", "2027-03-02T14:30Z", "2027-03-03T03:30Z", id="eight o'clock"),
        # Sunday in Kolkata begins while it is Saturday in UTC
        pytest.param("Asia/Kolkata", "2027-03-06T18:30Z", "2027-03-08T03:30Z", id="Sunday there"),
        pytest.param("America/St_Johns", "2027-03-02T12:29Z", "2027-03-02T12:30Z", id="St John's"),
        pytest.param("Australia/Lord_Howe", "2027-03-02T09:00Z", "2027-03-02T22:00Z", id="+11:00"),
        pytest.param("Australia/Lord_Howe", "2027-06-01T09:30Z", "2027-06-01T22:30Z", id="+10:30"),
    ],
)
def test_a_half_hour_zone_has_its_own_nine_o_clock(zone: str, now: str, until: str | None) -> None:
    blocked = asked(DAYTIME, datetime.fromisoformat(now), ZoneInfo(zone))
    assert (None if until is None else datetime.fromisoformat(until)) == (
        blocked.until if blocked else None
    )


@pytest.mark.parametrize(
    "now",
    ["2027-03-07 00:00", "2027-03-07 23:59:59.999999", "2027-03-14 03:00", "2027-11-07 01:30"],
)
def test_round_the_clock_has_no_gap(now: str) -> None:
    assert asked(ALWAYS, local(now)) is None


def test_hours_count_even_before_their_date() -> None:
    hours = {"source": "a law to come", "since": "2030-01-01", "monday": "09:00-17:00"}
    later = ContactPolicy.model_validate({"contact_hours": hours})
    blocked = asked(later, local("2027-03-02 12:00"))
    assert blocked is not None
    assert local("2027-03-08 09:00") == blocked.until


def test_next_opening_is_the_moment_itself_within_the_hours() -> None:
    noon = local("2027-03-02 12:00")
    assert noon == next_opening(DAYTIME, ContactCalendar(zone=NEW_YORK), noon)


def test_next_opening_is_the_first_minute_within_the_hours() -> None:
    calendar = ContactCalendar(zone=NEW_YORK)
    opening = next_opening(DAYTIME, calendar, local("2027-03-06 15:00"))
    assert local("2027-03-08 09:00") == opening
