"""Whatever the policy: the answer is allowed, not before now, and no earlier minute is.

The oracle asks about one minute at a time, by what a clock and a calendar on the wall show, and
shares no code with the answer.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

from holidays import country_holidays
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic.contact_policy import (
    ContactCalendar,
    ContactPolicy,
    PastContact,
    may_contact,
    next_opening,
)

RULE = {"source": "house rule", "since": "2020-01-01"}
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MINUTE = timedelta(minutes=1)
ZONES = (
    "America/Santiago",
    "Europe/Madrid",
    "America/New_York",
    "America/Havana",
    "America/Bogota",
    "America/St_Johns",
    "Asia/Kolkata",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Pacific/Kiritimati",
)
NEARBY = (
    "Pacific/Easter",
    "America/Los_Angeles",
    "America/Anchorage",
    "Atlantic/Canary",
    "Europe/Moscow",
    "Asia/Yekaterinburg",
    "Australia/Perth",
)
CLOCK_CHANGES = (
    "2026-03-08T07:00",  # New York, spring
    "2026-03-29T01:00",  # Madrid and the Azores, spring
    "2026-04-04T15:00",  # Lord Howe, autumn
    "2026-04-05T03:00",  # Santiago, autumn
    "2026-09-06T04:00",  # Santiago, spring
    "2026-10-03T15:30",  # Lord Howe, spring
    "2026-10-25T01:00",  # Madrid and the Azores, autumn
    "2026-11-01T06:00",  # New York, autumn
    "2027-03-14T07:00",
    "2027-03-28T01:00",
    "2027-09-05T04:00",
    "2027-11-07T05:00",  # Havana, autumn: midnight comes twice
)


@dataclass(frozen=True)
class Case:
    """A policy as it is written, and everything else that is asked about."""

    windows: dict[str, list[str]]
    country: str | None
    per_day: int | None
    per_week: int | None
    one_channel: bool
    zone: str
    further_zones: tuple[str, ...]
    closing_days: frozenset[date]
    channel: str
    now: datetime
    earlier: tuple[tuple[datetime, str], ...]

    @property
    def policy(self) -> ContactPolicy:
        written: dict[str, Any] = {"contact_hours": RULE | self.windows}
        if self.country is not None:
            written["holidays"] = RULE | {"country": self.country}
        caps = {"per_day": self.per_day, "per_week": self.per_week}
        if any(caps.values()):
            written["contacts"] = RULE | caps
        if self.one_channel:
            written["one_channel_a_week"] = RULE
        return ContactPolicy.model_validate(written)

    @property
    def calendar(self) -> ContactCalendar:
        calendar = ContactCalendar(zone=ZoneInfo(self.zone), closing_days=self.closing_days)
        return calendar.in_zones(*(ZoneInfo(name) for name in (self.zone, *self.further_zones)))

    def answer(self) -> datetime:
        """The earliest allowed moment by the function under test."""
        earlier = [PastContact(at=at, channel=channel) for at, channel in self.earlier]
        blocked = may_contact(self.policy, self.calendar, self.channel, self.now, earlier)
        if blocked is None:
            return self.now
        assert blocked.rule
        assert len(blocked.rule.encode()) <= 200
        assert blocked.until.utcoffset() == timedelta(0)
        return blocked.until


class Oracle:
    """Allowed or not in one zone, one minute at a time."""

    def __init__(self, case: Case, zone: str) -> None:
        self.case = case
        self.zone = ZoneInfo(zone)
        years = range(2025, 2030)
        self.holidays = country_holidays(case.country, years=years) if case.country else {}
        self.days = [at.astimezone(self.zone).date() for at, _ in case.earlier]

    def allows(self, moment: datetime) -> bool:
        wall = moment.astimezone(self.zone)
        return self.is_open(wall) and self.is_free(wall.date()) and self.is_quiet(moment)

    def is_open(self, wall: datetime) -> bool:
        clock = f"{wall.hour:02}:{wall.minute:02}"
        for window in self.case.windows.get(WEEKDAYS[wall.weekday()], []):
            opens, closes = window.split("-")
            if opens <= clock and (clock < closes or closes <= opens):
                return True
        for window in self.case.windows.get(WEEKDAYS[wall.weekday() - 1], []):
            opens, closes = window.split("-")
            if closes <= opens and clock < closes:
                return True
        return False

    def is_free(self, day: date) -> bool:
        if day in self.holidays or day in self.case.closing_days:
            return False
        today = sum(each == day for each in self.days)
        if self.case.per_day is not None and today >= self.case.per_day:
            return False
        week = sum(0 <= (day - each).days <= 6 for each in self.days)
        return self.case.per_week is None or week < self.case.per_week

    def is_quiet(self, moment: datetime) -> bool:
        return not self.case.one_channel or not any(
            channel != self.case.channel and at <= moment and moment - at < timedelta(days=7)
            for at, channel in self.case.earlier
        )


class Everywhere:
    """Allowed or not in each of a case's zones."""

    def __init__(self, case: Case) -> None:
        self.oracles = [Oracle(case, zone) for zone in (case.zone, *case.further_zones)]

    def allows(self, moment: datetime) -> bool:
        return all(oracle.allows(moment) for oracle in self.oracles)


@st.composite
def windows(draw: st.DrawFn) -> str:
    opens = draw(st.integers(0, 24 * 60 - 1))
    closes = draw(st.integers(1, 24 * 60).filter(lambda each: each != opens))
    return "-".join(f"{minutes // 60:02}:{minutes % 60:02}" for minutes in (opens, closes))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    change = datetime.fromisoformat(draw(st.sampled_from(CLOCK_CHANGES))).replace(tzinfo=UTC)
    anywhere = datetime(2026, 1, 1, tzinfo=UTC) + draw(st.integers(0, 730 * 24 * 60)) * MINUTE
    near_change = change + draw(st.integers(-2 * 24 * 60, 24 * 60)) * MINUTE
    now = draw(st.sampled_from((anywhere, near_change)))
    minutes_ago = st.integers(0, 9 * 24 * 60).map(lambda minutes: now - minutes * MINUTE)
    channels = st.sampled_from(("email", "sms", "call"))
    case = Case(
        windows=draw(
            st.dictionaries(
                st.sampled_from(WEEKDAYS),
                st.lists(windows(), min_size=1, max_size=2),
                min_size=1,
            )
        ),
        country=draw(st.sampled_from((None, "CO", "CL", "ES", "RU"))),
        per_day=draw(st.sampled_from((None, 1, 2))),
        per_week=draw(st.sampled_from((None, 1, 3))),
        one_channel=draw(st.booleans()),
        zone=draw(st.sampled_from(ZONES)),
        further_zones=draw(st.lists(st.sampled_from(NEARBY), max_size=2, unique=True).map(tuple)),
        closing_days=draw(
            st.frozensets(
                st.integers(-1, 12).map(lambda days: now.date() + timedelta(days=days)), max_size=4
            )
        ),
        channel=draw(channels),
        now=now,
        earlier=tuple(draw(st.lists(st.tuples(minutes_ago, channels), max_size=4))),
    )
    # where it is never day in all of them at once there is no answer
    has_answer = case.policy.leaves_room(
        [ZoneInfo(zone) for zone in (case.zone, *case.further_zones)]
    )
    return case if has_answer else replace(case, further_zones=())


def minutes_before(case: Case, answer: datetime) -> Iterator[datetime]:
    """Every minute of the last day before the answer, and every thirteenth of all before it."""
    day_before = max(case.now, answer - timedelta(days=1))
    coarse = (day_before - case.now) // (13 * MINUTE)
    fine = (answer - day_before) // MINUTE
    return chain(
        (case.now + count * 13 * MINUTE for count in range(coarse + 1)),
        (answer - count * MINUTE for count in range(1, fine + 1)),
    )


@given(cases())
@settings(max_examples=120, deadline=None)
def test_the_answer_is_the_earliest_allowed_minute(case: Case) -> None:
    oracle, answer = Everywhere(case), case.answer()
    assert answer >= case.now
    assert oracle.allows(answer)
    if answer > case.now:
        earlier = [moment for moment in minutes_before(case, answer) if oracle.allows(moment)]
        assert earlier == []


@given(cases())
@settings(max_examples=100, deadline=None)
def test_asked_again_at_its_answer_it_says_yes_and_nothing_hangs_on_the_order(case: Case) -> None:
    answer = case.answer()
    earlier = [PastContact(at=at, channel=channel) for at, channel in reversed(case.earlier)]
    asked_again = may_contact(case.policy, case.calendar, case.channel, answer, earlier)
    assert asked_again is None


@given(cases(), st.integers(1, 59))
@settings(max_examples=100, deadline=None)
def test_within_a_minute_the_answer_is_no_earlier_than_now(case: Case, seconds: int) -> None:
    later = case.now + timedelta(seconds=seconds)
    opening = next_opening(case.policy, case.calendar, later)
    assert opening >= later
    assert opening >= next_opening(case.policy, case.calendar, case.now)
    assert next_opening(case.policy, case.calendar, opening) == opening
