"""When the clinic may contact: hours, days, caps, clock changes, odd time zones."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic.contact_policy import ContactHours, ContactPolicy, NotBefore, may_contact, next_opening
from clinic.refusal import Refusal

if TYPE_CHECKING:
    from tests.clinic.conftest import YamlFile

NEW_YORK = ZoneInfo("America/New_York")
KOLKATA = ZoneInfo("Asia/Kolkata")
WORKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
DAYTIME = ContactPolicy.model_validate(
    {
        "contact_hours": {**dict.fromkeys(WORKDAYS, "09:00-20:00"), "saturday": "10:00-15:00"},
        "contacts_per_day": 1,
    }
)
ALWAYS = ContactPolicy.model_validate(
    {"contact_hours": dict.fromkeys((*WORKDAYS, "saturday", "sunday"), "00:00-24:00")}
)
SUNDAY_NIGHTS = ContactPolicy.model_validate({"contact_hours": {"sunday": "01:30-02:30"}})


def local(written: str, zone: ZoneInfo = NEW_YORK) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=zone).astimezone(UTC)


@pytest.mark.parametrize(
    "now",
    [
        pytest.param("2027-03-02 12:00", id="a Tuesday at noon"),
        pytest.param("2027-03-02 09:00", id="the first minute"),
        pytest.param("2027-03-02 19:59:59.999999", id="the last moment"),
        pytest.param("2027-03-06 14:59", id="a Saturday has its own hours"),
    ],
)
def test_a_contact_within_the_hours_is_allowed(now: str) -> None:
    assert may_contact(DAYTIME, NEW_YORK, local(now), ()) is None


@pytest.mark.parametrize(
    ("now", "until", "rule"),
    [
        pytest.param(
            "2027-03-02 08:59:59", "2027-03-02 09:00", "contact hours: 09:00-20:00", id="too early"
        ),
        pytest.param(
            "2027-03-02 20:00", "2027-03-03 09:00", "contact hours: 09:00-20:00", id="at the end"
        ),
        pytest.param(
            "2027-03-02 23:59", "2027-03-03 09:00", "contact hours: 09:00-20:00", id="too late"
        ),
        pytest.param(
            "2027-03-05 20:00", "2027-03-06 10:00", "contact hours: 09:00-20:00", id="Friday night"
        ),
        pytest.param(
            "2027-03-06 15:00",
            "2027-03-08 09:00",
            "contact hours: 10:00-15:00",
            id="Saturday afternoon, over Sunday",
        ),
        pytest.param(
            "2027-03-07 12:00", "2027-03-08 09:00", "contact hours: none on sunday", id="a Sunday"
        ),
    ],
)
def test_a_contact_outside_the_hours_waits_for_the_next_opening(
    now: str, until: str, rule: str
) -> None:
    expected = NotBefore(until=local(until), rule=rule)
    assert expected == may_contact(DAYTIME, NEW_YORK, local(now), ())


@pytest.mark.parametrize(
    ("now", "earlier", "until"),
    [
        pytest.param("2027-03-02 12:00", ["2027-03-02 09:00"], "2027-03-03 09:00", id="today"),
        pytest.param("2027-03-02 08:00", ["2027-03-02 00:10"], "2027-03-03 09:00", id="too early"),
        pytest.param("2027-03-05 12:00", ["2027-03-05 09:00"], "2027-03-06 10:00", id="Friday"),
        pytest.param("2027-03-06 12:00", ["2027-03-06 11:00"], "2027-03-08 09:00", id="Saturday"),
        pytest.param(
            "2027-03-02 12:00", ["2027-03-01 19:59"], None, id="yesterday's does not count"
        ),
        # 19:30 in New York is the next day in UTC: days are the clinic's
        pytest.param("2027-03-03 09:30", ["2027-03-02 19:30"], None, id="yesterday, today in UTC"),
        pytest.param(
            "2027-03-02 19:45",
            ["2027-03-02 09:00"],
            "2027-03-03 09:00",
            id="today, tomorrow in UTC",
        ),
    ],
)
def test_a_day_takes_one_contact(now: str, earlier: list[str], until: str | None) -> None:
    rule = "contacts per day: at most 1"
    expected = None if until is None else NotBefore(until=local(until), rule=rule)
    contacted = [local(moment) for moment in earlier]
    assert expected == may_contact(DAYTIME, NEW_YORK, local(now), contacted)


def test_a_day_takes_as_many_contacts_as_the_policy_says() -> None:
    twice = DAYTIME.model_copy(update={"contacts_per_day": 2})
    morning, noon = local("2027-03-02 09:00"), local("2027-03-02 12:00")
    assert may_contact(twice, NEW_YORK, noon, [morning]) is None
    assert may_contact(twice, NEW_YORK, noon, [morning, noon]) is not None


def test_no_cap_means_any_number_of_contacts() -> None:
    noon = local("2027-03-02 12:00")
    assert may_contact(ALWAYS, NEW_YORK, noon, [noon] * 50) is None


@pytest.mark.parametrize(
    ("now", "until"),
    [
        # 14 March 2027: 02:00 becomes 03:00; 7 November 2027: 02:00 becomes 01:00
        pytest.param("2027-03-13 16:00", "2027-03-15T13:00Z", id="opening after spring forward"),
        pytest.param("2027-11-06 16:00", "2027-11-08T14:00Z", id="opening after fall back"),
    ],
)
def test_an_opening_keeps_its_local_time_over_a_clock_change(now: str, until: str) -> None:
    blocked = may_contact(DAYTIME, NEW_YORK, local(now), ())
    assert blocked is not None
    assert datetime.fromisoformat(until) == blocked.until


@pytest.mark.parametrize(
    ("now", "allowed"),
    [
        pytest.param("2027-03-14T06:29Z", False, id="spring: 01:29 EST"),
        pytest.param("2027-03-14T06:30Z", True, id="spring: 01:30 EST"),
        pytest.param("2027-03-14T07:29Z", True, id="spring: 03:29 EDT, the missing hour's last"),
        pytest.param("2027-03-14T07:30Z", False, id="spring: 03:30 EDT, 02:30 never comes"),
        pytest.param("2027-11-07T05:29Z", False, id="fall: the first 01:29"),
        pytest.param("2027-11-07T05:30Z", True, id="fall: the first 01:30"),
        pytest.param("2027-11-07T07:29Z", True, id="fall: 02:29 EST, two hours later"),
        pytest.param("2027-11-07T07:30Z", False, id="fall: 02:30 EST"),
    ],
)
def test_a_window_over_a_clock_change_opens_and_closes_once(
    now: str,
    allowed: bool,  # noqa: FBT001 - a column of the table
) -> None:
    blocked = may_contact(SUNDAY_NIGHTS, NEW_YORK, datetime.fromisoformat(now), ())
    assert allowed == (blocked is None)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        pytest.param("2027-03-02T03:29Z", "2027-03-02T03:30Z", id="a minute before nine"),
        pytest.param("2027-03-02T03:30Z", None, id="nine o'clock"),
        pytest.param("2027-03-02T14:29Z", None, id="a minute before eight"),
        pytest.param("2027-03-02T14:30Z", "2027-03-03T03:30Z", id="eight o'clock"),
        # Sunday in Kolkata begins while it is Saturday in UTC
        pytest.param("2027-03-06T18:30Z", "2027-03-08T03:30Z", id="Sunday, Saturday in UTC"),
    ],
)
def test_a_half_hour_zone_has_its_own_nine_o_clock(now: str, until: str | None) -> None:
    blocked = may_contact(DAYTIME, KOLKATA, datetime.fromisoformat(now), ())
    assert (None if until is None else datetime.fromisoformat(until)) == (
        blocked.until if blocked else None
    )


@pytest.mark.parametrize(
    "now",
    ["2027-03-07 00:00", "2027-03-07 23:59:59.999999", "2027-03-14 03:00", "2027-11-07 01:30"],
)
def test_round_the_clock_has_no_gap(now: str) -> None:
    assert may_contact(ALWAYS, NEW_YORK, local(now), ()) is None


def test_next_opening_is_the_moment_itself_within_the_hours() -> None:
    assert local("2027-03-02 12:00") == next_opening(DAYTIME, NEW_YORK, local("2027-03-02 12:00"))


def test_next_opening_knows_no_cap() -> None:
    assert local("2027-03-08 09:00") == next_opening(DAYTIME, NEW_YORK, local("2027-03-06 15:00"))


hours = st.tuples(st.integers(0, 24 * 60), st.integers(0, 24 * 60)).filter(lambda w: w[0] < w[1])
policies = st.builds(
    ContactPolicy,
    contact_hours=st.dictionaries(
        st.sampled_from((*WORKDAYS, "saturday", "sunday")),
        hours.map(lambda window: ContactHours(opens=window[0], closes=window[1])),
        min_size=1,
    ),
    contacts_per_day=st.none() | st.integers(1, 3),
)
zones = st.sampled_from(
    [
        ZoneInfo(name)
        for name in (
            "America/New_York",
            "America/Santiago",
            "America/Bogota",
            "America/Mexico_City",
            "Asia/Kolkata",
            "Australia/Lord_Howe",
            "Europe/Madrid",
            "Europe/Moscow",
            "Pacific/Kiritimati",
        )
    ]
)


@given(
    policy=policies,
    zone=zones,
    now=st.datetimes(
        datetime(2027, 1, 1),  # noqa: DTZ001 - hypothesis wants naive bounds, and adds the zone
        datetime(2030, 1, 1),  # noqa: DTZ001
        timezones=st.just(UTC),
    ),
    ago=st.lists(st.timedeltas(timedelta(0), timedelta(days=2)), max_size=4),
)
@settings(max_examples=200, deadline=None)
def test_the_moment_it_names_is_later_and_allowed(
    policy: ContactPolicy, zone: ZoneInfo, now: datetime, ago: list[timedelta]
) -> None:
    earlier = [now - each for each in ago]
    blocked = may_contact(policy, zone, now, earlier)
    if blocked is not None:
        assert blocked.until > now
        assert may_contact(policy, zone, blocked.until, earlier) is None
        assert blocked.rule


@pytest.mark.parametrize(
    ("line", "where"),
    [
        pytest.param("monday: 20:00-09:00", "`20:00-09:00` ends before it begins", id="backwards"),
        pytest.param("monday: 09:00-09:00", "`09:00-09:00` ends before it begins", id="no length"),
        pytest.param("monday: 9 to 5", "`9 to 5` is no window", id="words"),
        pytest.param("monday: 09:00-25:00", "`09:00-25:00` is no window", id="25 o'clock"),
        pytest.param("monday: 09:00-24:01", "`09:00-24:01` is no window", id="past midnight"),
        pytest.param("monday: 09:60-20:00", "`09:60-20:00` is no window", id="60 minutes"),
        pytest.param("monday: 09:00-12:00-20:00", "is no window", id="three ends"),
        pytest.param("monday: 9", "contact_hours.monday", id="a number"),
        pytest.param("monday: 9:00", "contact_hours.monday", id="one end"),
        pytest.param(
            "mondays: 09:00-20:00", "`mondays` is no weekday: use monday", id="no such day"
        ),
    ],
)
def test_hours_that_make_no_window_are_refused_with_their_line(
    yaml_file: "YamlFile", line: str, where: str
) -> None:
    document = yaml_file.holding(f"description: hours\ncontact_hours:\n  {line}\n")
    with pytest.raises(Refusal) as refused:
        document.as_model(ContactPolicy)
    assert str(refused.value).startswith(str(document.path))
    assert where in str(refused.value)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        pytest.param("description: none", ":1: contact_hours: is missing", id="no hours"),
        pytest.param("contact_hours: {}", ":1: contact_hours: is empty", id="not one day"),
        pytest.param(
            "contact_hours: {monday: 09:00-20:00}\ncontacts_per_day: 0",
            ":2: contacts_per_day",
            id="no contact a day",
        ),
        pytest.param(
            "contact_hours: {monday: 09:00-20:00}\ncool_down: 90",
            ":2: cool_down: 90 has no unit",
            id="a bare number",
        ),
        pytest.param(
            "contact_hours: {monday: 09:00-20:00}\ncool_down: -90 days",
            ":2: cool_down",
            id="a cool-down backwards",
        ),
        pytest.param(
            "contact_hours: {monday: 09:00-20:00}\nholidays: yes", ":2: holidays", id="unknown"
        ),
        pytest.param(
            "contact_hours:\n  monday: {opens: 60, closes: 30}",
            ":2: contact_hours.monday",
            id="minutes backwards",
        ),
    ],
)
def test_a_wrong_policy_is_refused_with_line_and_field(
    yaml_file: "YamlFile", text: str, where: str
) -> None:
    with pytest.raises(Refusal) as refused:
        yaml_file.holding(text).as_model(ContactPolicy)
    assert where in str(refused.value)


def test_a_policy_without_further_rules_limits_nothing_but_the_hours() -> None:
    assert (None, timedelta(0), False) == (
        SUNDAY_NIGHTS.contacts_per_day,
        SUNDAY_NIGHTS.cool_down,
        SUNDAY_NIGHTS.demonstration,
    )


def test_a_window_is_said_as_it_is_written() -> None:
    assert str(ContactHours(opens=545, closes=1440)) == "09:05-24:00"
