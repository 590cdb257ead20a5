"""When an opening ends in which a message goes out: a late one must not slip into the night."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic.contact_policy import ContactCalendar, ContactPolicy, closes_at, next_opening

NEW_YORK = ZoneInfo("America/New_York")
RULE = {"source": "house rule", "since": "2026-01-01"}
WORKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
WEEK = (*WORKDAYS, "saturday", "sunday")
TUESDAY = "2027-03-02 12:00"


def policy(holidays: str | None = None, **hours: object) -> ContactPolicy:
    return ContactPolicy.model_validate(
        {
            "contact_hours": RULE | hours,
            "holidays": RULE | {"country": holidays} if holidays else None,
        }
    )


DAYTIME = policy(**dict.fromkeys(WORKDAYS, "09:00-20:00"), saturday="10:00-15:00")
ALWAYS = policy(**dict.fromkeys(WEEK, "00:00-24:00"))
TWICE = policy(tuesday=["09:00-12:00", "14:00-18:00"])
LATE = policy(friday="22:00-02:00")
WORKING_DAYS = policy(holidays="US", **dict.fromkeys(WEEK, "00:00-24:00"))


def local(written: str, zone: ZoneInfo = NEW_YORK) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=zone).astimezone(UTC)


@pytest.mark.parametrize(
    ("rules", "now", "closes"),
    [
        pytest.param(DAYTIME, TUESDAY, "2027-03-02 20:00", id="in the evening"),
        pytest.param(DAYTIME, "2027-03-06 10:00", "2027-03-06 15:00", id="Saturday has its own"),
        pytest.param(DAYTIME, "2027-03-02 19:59:59", "2027-03-02 20:00", id="in a second"),
        pytest.param(TWICE, "2027-03-02 09:30", "2027-03-02 12:00", id="before a break at noon"),
        pytest.param(LATE, "2027-03-05 23:00", "2027-03-06 02:00", id="after midnight"),
        pytest.param(DAYTIME, "2027-03-02 21:00", "2027-03-02 21:00", id="it is closed"),
        pytest.param(
            WORKING_DAYS, "2027-07-03 12:00", "2027-07-04 00:00", id="a holiday begins at midnight"
        ),
        pytest.param(
            policy(sunday="00:00-02:30"),
            "2027-03-14 01:00",
            "2027-03-14 03:00",
            id="at a time that the clock change leaves out",
        ),
    ],
)
def test_an_opening_ends_when_the_first_rule_says_so(
    rules: ContactPolicy, now: str, closes: str
) -> None:
    assert closes_at(rules, ContactCalendar(zone=NEW_YORK), local(now)) == local(closes)


def test_the_clinics_own_closing_day_ends_an_opening() -> None:
    calendar = ContactCalendar(zone=NEW_YORK, closing_days=frozenset({date(2027, 3, 3)}))
    assert closes_at(ALWAYS, calendar, local(TUESDAY)) == local("2027-03-03 00:00")


def test_what_is_always_open_never_closes() -> None:
    assert closes_at(ALWAYS, ContactCalendar(zone=NEW_YORK), local(TUESDAY)) is None


def test_of_several_zones_the_first_that_closes_counts() -> None:
    calendar = ContactCalendar(
        zone=ZoneInfo("America/Los_Angeles"), further_zones=(ZoneInfo("America/Bogota"),)
    )
    evening_in_bogota = local("2027-03-02 20:00", ZoneInfo("America/Bogota"))
    assert closes_at(DAYTIME, calendar, local(TUESDAY)) == evening_in_bogota


@given(
    st.sampled_from([DAYTIME, TWICE, LATE, WORKING_DAYS]),
    st.sampled_from(["America/New_York", "Asia/Kolkata", "Pacific/Apia", "Australia/Lord_Howe"]),
    st.datetimes(datetime(2027, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds the zone
    st.integers(0, 9999),
)
@settings(max_examples=100, deadline=None)
def test_every_moment_before_the_closing_is_open_and_the_closing_is_not(
    rules: ContactPolicy, zone: str, start: datetime, part: int
) -> None:
    calendar = ContactCalendar(zone=ZoneInfo(zone))
    moment = next_opening(rules, calendar, start)
    closing = closes_at(rules, calendar, moment)
    until = closing or moment + timedelta(days=2)
    between = moment + (until - moment) * part // 10_000
    assert next_opening(rules, calendar, between) == between
    assert closing is None or next_opening(rules, calendar, closing) > closing
