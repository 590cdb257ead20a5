"""Holidays, closing days, caps, one channel a week; which rules decide, and in which words."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from clinic.contact_policy import (
    LOOKS_BACK,
    ContactCalendar,
    ContactPolicy,
    NotBefore,
    PastContact,
    cooled_down,
    may_contact,
    next_opening,
)

BOGOTA = ZoneInfo("America/Bogota")
RULE = {"source": "house rule", "since": "2026-01-01"}
WORKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
HOURS = RULE | dict.fromkeys(WORKDAYS, "09:00-20:00") | {"saturday": "10:00-15:00"}
EVERY_DAY = RULE | dict.fromkeys((*WORKDAYS, "saturday", "sunday"), "00:00-24:00")


def policy(**rules: Any) -> ContactPolicy:
    given = {name: RULE | rule for name, rule in rules.items()}
    return ContactPolicy.model_validate({"contact_hours": HOURS} | given)


def local(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=BOGOTA).astimezone(UTC)


def contacts(*written: str) -> list[PastContact]:
    """Read `2027-03-02 09:00 email`."""
    parts = [each.rsplit(" ", 1) for each in written]
    return [PastContact(at=local(at), channel=channel) for at, channel in parts]


def asked(
    rules: ContactPolicy,
    now: str,
    earlier: Sequence[PastContact] = (),
    *,
    channel: str = "sms",
    closing_days: frozenset[date] = frozenset(),
) -> tuple[str, str] | None:
    """Ask, and answer with local time and rule."""
    calendar = ContactCalendar(zone=BOGOTA, closing_days=closing_days)
    blocked = may_contact(rules, calendar, channel, local(now), earlier)
    if blocked is None:
        return None
    return f"{blocked.until.astimezone(BOGOTA):%Y-%m-%d %H:%M}", blocked.rule


ONCE_A_DAY = policy(contacts={"per_day": 1})
HOLIDAYS = policy(holidays={"country": "CO"})
ONE_CHANNEL = policy(one_channel_a_week={})


@pytest.mark.parametrize(
    ("now", "earlier", "until"),
    [
        pytest.param("2027-03-02 12:00", "2027-03-02 09:00", "2027-03-03 09:00", id="today"),
        pytest.param("2027-03-02 08:00", "2027-03-02 00:10", "2027-03-03 09:00", id="too early"),
        pytest.param("2027-03-05 12:00", "2027-03-05 09:00", "2027-03-06 10:00", id="Friday"),
        pytest.param("2027-03-02 12:00", "2027-03-01 19:59", None, id="yesterday does not count"),
        # 19:30 in Bogotá is the next day in UTC: days are local
        pytest.param("2027-03-03 09:30", "2027-03-02 19:30", None, id="yesterday, today in UTC"),
        pytest.param(
            "2027-03-02 19:45", "2027-03-02 09:00", "2027-03-03 09:00", id="tomorrow in UTC"
        ),
    ],
)
def test_a_day_takes_one_contact(now: str, earlier: str, until: str | None) -> None:
    expected = until and (until, "contacts per day: at most 1 (house rule)")
    assert expected == asked(ONCE_A_DAY, now, contacts(f"{earlier} email"))


def test_a_full_saturday_leads_over_sunday_and_both_rules_are_named() -> None:
    answer = asked(ONCE_A_DAY, "2027-03-06 12:00", contacts("2027-03-06 11:00 email"))
    said = "contacts per day: at most 1 (house rule); contact hours: none on sunday (house rule)"
    assert answer == ("2027-03-08 09:00", said)


def test_a_day_takes_as_many_contacts_as_the_policy_says() -> None:
    twice = policy(contacts={"per_day": 2})
    morning, noon = contacts("2027-03-02 09:00 email", "2027-03-02 12:00 sms")
    assert asked(twice, "2027-03-02 12:00", [morning]) is None
    assert asked(twice, "2027-03-02 12:00", [morning, noon]) is not None


def test_a_call_by_staff_counts_as_a_contact_and_is_bound_like_one() -> None:
    called = contacts("2027-03-02 09:00 call")
    assert asked(ONCE_A_DAY, "2027-03-02 12:00", called) is not None
    assert asked(ONCE_A_DAY, "2027-03-02 12:00", called, channel="call") is not None


@pytest.mark.parametrize(
    ("earlier", "until"),
    [
        pytest.param(["2027-03-02 10:00"], None, id="one of two"),
        pytest.param(
            ["2027-03-02 10:00", "2027-03-03 10:00"], "2027-03-09 09:00", id="the older leaves"
        ),
        pytest.param(
            ["2027-03-02 10:00", "2027-03-02 11:00"], "2027-03-09 09:00", id="both on one day"
        ),
        pytest.param(
            ["2027-03-01 10:00", "2027-03-02 10:00", "2027-03-03 10:00"],
            "2027-03-09 09:00",
            id="three, of which two have to leave",
        ),
        pytest.param(["2027-02-25 19:00", "2027-03-03 10:00"], None, id="the seventh day before"),
        pytest.param(
            ["2027-02-26 09:00", "2027-03-03 10:00"], "2027-03-05 09:00", id="the sixth day before"
        ),
    ],
)
def test_seven_days_in_a_row_take_two_contacts(earlier: list[str], until: str | None) -> None:
    rules = policy(contacts={"per_week": 2})
    expected = until and (until, "contacts per week: at most 2 (house rule)")
    assert expected == asked(rules, "2027-03-04 12:00", contacts(*(f"{at} sms" for at in earlier)))


def test_no_cap_means_any_number_of_contacts() -> None:
    assert asked(policy(), "2027-03-02 12:00", contacts(*["2027-03-02 12:00 sms"] * 50)) is None


@pytest.mark.parametrize(
    ("now", "until", "rule"),
    [
        pytest.param("2026-12-07 12:00", None, "", id="the day before"),
        pytest.param(
            "2026-12-08 12:00",
            "2026-12-09 09:00",
            "holiday: Immaculate Conception (house rule)",
            id="a holiday",
        ),
        pytest.param(
            "2026-12-07 20:00",
            "2026-12-09 09:00",
            "contact hours: 09:00-20:00 on monday (house rule); "
            "holiday: Immaculate Conception (house rule)",
            id="the evening before",
        ),
        # Independence of Cartagena, 11 November, is kept on the Monday after it
        pytest.param(
            "2026-11-16 10:00",
            "2026-11-17 09:00",
            "holiday: Independence of Cartagena (observed) (house rule)",
            id="a holiday that moves to Monday",
        ),
        pytest.param(
            "2027-03-25 09:00",
            "2027-03-27 10:00",
            "holiday: Maundy Thursday (house rule); holiday: Good Friday (house rule)",
            id="two in a row, by the year's Easter",
        ),
    ],
)
def test_nobody_is_contacted_on_a_holiday(now: str, until: str | None, rule: str) -> None:
    assert (until and (until, rule)) == asked(HOLIDAYS, now)


def test_a_part_of_a_country_has_holidays_of_its_own() -> None:
    diada = "2026-09-11 12:00"
    assert asked(policy(holidays={"country": "ES"}), diada) is None
    catalonia = asked(policy(holidays={"country": "ES", "subdivision": "CT"}), diada)
    said = "holiday: National Day of Catalonia (house rule)"
    assert catalonia == ("2026-09-12 10:00", said)


def test_holidays_do_not_count_before_the_rules_date() -> None:
    rules = policy(holidays={"country": "CO", "since": "2026-12-09"})
    assert asked(rules, "2026-12-08 12:00") is None
    assert asked(rules, "2026-12-25 12:00") is not None


def test_the_night_of_a_window_over_midnight_is_no_excuse_on_a_holiday() -> None:
    hours = RULE | {"thursday": "22:00-02:00"}
    given = {"contact_hours": hours, "holidays": RULE | {"country": "CO"}}
    rules = ContactPolicy.model_validate(given)
    # Christmas Day is a Friday
    assert asked(rules, "2026-12-24 23:59") is None
    assert asked(rules, "2026-12-25 00:00") == (
        "2026-12-31 22:00",
        (
            "holiday: Christmas Day (house rule); "
            "contact hours: none on saturday, sunday, monday, tuesday, wednesday (house rule)"
        ),
    )


def test_a_closing_day_is_the_clinics_own() -> None:
    closed = frozenset({date(2026, 12, 24), date(2026, 12, 26)})
    assert asked(HOLIDAYS, "2026-12-24 10:00", closing_days=closed) == (
        "2026-12-28 09:00",
        (
            "closed on 2026-12-24 (the clinic); holiday: Christmas Day (house rule); "
            "closed on 2026-12-26 (the clinic); contact hours: none on sunday (house rule)"
        ),
    )


def test_the_answer_lies_behind_a_closure_of_more_than_a_year() -> None:
    first = date(2027, 1, 1)
    closed = frozenset(first + timedelta(days=count) for count in range(800))
    answer = asked(policy(), "2027-03-02 12:00", closing_days=closed)
    assert answer is not None
    # the last of 800 days is 10 March 2029, a Saturday
    assert answer[0] == "2029-03-12 09:00"


@pytest.mark.parametrize(
    ("channel", "earlier", "until"),
    [
        pytest.param("email", ["2026-11-23 10:00 email"], None, id="the same channel"),
        pytest.param(
            "sms", ["2026-11-23 10:00 email"], "2026-11-30 10:00", id="another, a week later"
        ),
        pytest.param(
            "call", ["2026-11-23 10:00 email"], "2026-11-30 10:00", id="staff's calls too"
        ),
        pytest.param(
            "sms",
            ["2026-11-23 10:00 email", "2026-11-24 11:00 email"],
            "2026-12-01 11:00",
            id="from the latest on",
        ),
        pytest.param(
            "sms",
            ["2026-11-21 14:00 email", "2026-11-24 11:00 sms"],
            "2026-11-28 14:00",
            id="the channel's own do not count",
        ),
        pytest.param("sms", ["2026-11-17 12:00 email"], None, id="a week ago to the minute"),
    ],
)
def test_after_a_contact_no_other_channel_is_used_for_seven_days(
    channel: str, earlier: list[str], until: str | None
) -> None:
    answer = asked(ONE_CHANNEL, "2026-11-24 12:00", contacts(*earlier), channel=channel)
    assert until == (answer and answer[0])


def test_one_channel_a_week_says_which_contact_decides() -> None:
    earlier = contacts("2026-11-20 10:00 call", "2026-11-23 10:00 email", "2026-11-21 12:00 email")
    answer = asked(ONE_CHANNEL, "2026-11-24 12:00", earlier)
    said = "one channel a week: email on Mon 2026-11-23 (house rule)"
    assert answer == ("2026-11-30 10:00", said)


def test_every_rule_that_pushed_is_named_in_its_order() -> None:
    rules = policy(holidays={"country": "CO"}, one_channel_a_week={}, contacts={"per_day": 1})
    # a week after Monday 30 November is 7 December, after hours; the 8th is a holiday
    answer = asked(rules, "2026-12-01 10:00", contacts("2026-11-30 20:30 email"))
    assert answer == (
        "2026-12-09 09:00",
        (
            "one channel a week: email on Mon 2026-11-30 (house rule); "
            "contact hours: 09:00-20:00 on monday (house rule); "
            "holiday: Immaculate Conception (house rule)"
        ),
    )


def test_a_long_list_of_rules_is_cut_to_what_temporals_ui_shows() -> None:
    days = ("2026-12-21", "2026-12-22", "2026-12-23", "2026-12-24", "2026-12-26", "2026-12-28")
    closed = frozenset(date.fromisoformat(day) for day in days)
    answer = asked(HOLIDAYS, "2026-12-21 10:00", closing_days=closed)
    assert answer is not None
    assert answer[0] == "2026-12-29 09:00"
    assert len(answer[1].encode()) <= 200
    assert answer[1].startswith("closed on 2026-12-21 (the clinic); ")
    assert answer[1].endswith("; and 3 more")


@pytest.mark.parametrize(
    "rule",
    [
        {"contacts": {"per_day": 1}},
        {"contacts": {"per_week": 1}},
        {"one_channel_a_week": {}},
    ],
    ids="-".join,
)
def test_a_rule_does_not_count_before_its_date(rule: dict[str, dict[str, Any]]) -> None:
    [(name, fields)] = rule.items()
    given = {"contact_hours": EVERY_DAY, name: RULE | fields | {"since": "2026-12-08"}}
    rules = ContactPolicy.model_validate(given)
    day_before = contacts("2026-12-07 08:00 email", "2026-12-06 09:00 email")
    assert asked(rules, "2026-12-07 12:00", day_before) is None
    day_itself = contacts("2026-12-08 08:00 email", "2026-12-07 09:00 email")
    assert asked(rules, "2026-12-08 12:00", day_itself) is not None


def test_next_opening_knows_holidays_and_closing_days_but_no_cap() -> None:
    rules = policy(holidays={"country": "CO"}, contacts={"per_day": 1}, one_channel_a_week={})
    calendar = ContactCalendar(zone=BOGOTA, closing_days=frozenset({date(2026, 12, 9)}))
    assert local("2026-12-10 09:00") == next_opening(rules, calendar, local("2026-12-07 20:00"))
    assert local("2026-12-07 12:00") == next_opening(rules, calendar, local("2026-12-07 12:00"))


RESTS = policy(cool_down={"for": "90 days"})
ENDED = local("2026-12-01 10:00")


def test_a_new_attempt_waits_for_the_cool_down() -> None:
    expected = NotBefore(
        until=ENDED + timedelta(days=90), rule="cool-down: 90 days after 2026-12-01 (house rule)"
    )
    assert expected == cooled_down(RESTS, ENDED, ENDED + timedelta(days=89, hours=23))


@pytest.mark.parametrize(
    ("rules", "ended", "now"),
    [
        pytest.param(RESTS, ENDED, ENDED + timedelta(days=90), id="over to the minute"),
        pytest.param(RESTS, None, ENDED, id="no attempt before"),
        pytest.param(policy(), ENDED, ENDED, id="no cool-down"),
        pytest.param(
            policy(cool_down={"for": "90 days", "since": "2026-12-03"}),
            ENDED,
            ENDED + timedelta(days=1),
            id="not yet in force",
        ),
    ],
)
def test_nothing_is_left_of_a_cool_down(
    rules: ContactPolicy, ended: datetime | None, now: datetime
) -> None:
    assert cooled_down(rules, ended, now) is None


def test_no_rule_looks_back_further_than_it_says() -> None:
    strictest = policy(one_channel_a_week={}, contacts={"per_day": 1, "per_week": 1})
    now = local("2027-03-12 12:00")
    old = PastContact(at=now - LOOKS_BACK, channel="email")
    calendar = ContactCalendar(zone=BOGOTA)
    assert may_contact(strictest, calendar, "sms", now, [old]) is None
