"""What each rule answers for one moment: free, or blocked without a gap until a later one."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from clinic.contact_policy.contact_calendar import ContactCalendar
from clinic.contact_policy.public_holidays import holiday_on
from clinic.contact_policy.rules import (
    WEEKDAYS,
    ContactCaps,
    ContactHours,
    HolidayRule,
    OneChannelAWeek,
)
from clinic.contact_policy.windows import opening

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)


class PastContact(BaseModel):
    """A contact that happened: when (aware UTC), and on which channel (staff: `call`)."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    channel: str


class Blocked(NamedTuple):
    """Blocked until a later moment.

    Attributes:
        until: Aware UTC; every moment up to it is blocked by the same rule.
        words: The rule, with its source.
        minor: Only the rest of a night: not worth a word where another rule led there.
    """

    until: datetime
    words: str
    minor: bool = False


Check = Callable[[datetime], Blocked | None]
"""One rule of one policy for one patient, asked about a moment (aware UTC)."""


def outside_hours(
    hours: ContactHours, calendar: ContactCalendar, moment: datetime
) -> Blocked | None:
    """Answer by the weekday windows.

    They count whatever their date: without hours, a policy would allow the middle of the night.
    """
    until = opening(hours.week, calendar, moment)
    if until == moment:
        return None
    today, then = calendar.day_of(moment), calendar.day_of(until)
    words = f"contact hours: {_named(hours, today, then)} ({hours.source})"
    return Blocked(until, words, minor=today == then)


def on_holiday(rule: HolidayRule, calendar: ContactCalendar, moment: datetime) -> Blocked | None:
    """Answer by the public holidays of the policy's country."""
    day = calendar.day_of(moment)
    name = holiday_on(rule.country, rule.subdivision, day)
    if name is None or not rule.in_force(day):
        return None
    return Blocked(calendar.start_of(day + _DAY), f"holiday: {name} ({rule.source})")


def on_closing_day(calendar: ContactCalendar, moment: datetime) -> Blocked | None:
    """Answer by the clinic's own closing days."""
    day = calendar.day_of(moment)
    if day not in calendar.closing_days:
        return None
    return Blocked(calendar.start_of(day + _DAY), f"closed on {day} (the clinic)")


def day_is_full(
    rule: ContactCaps, calendar: ContactCalendar, earlier: Sequence[PastContact], moment: datetime
) -> Blocked | None:
    """Answer by the contacts of the moment's local day."""
    day = calendar.day_of(moment)
    if rule.per_day is None or not rule.in_force(day):
        return None
    if sum(calendar.day_of(contact.at) == day for contact in earlier) < rule.per_day:
        return None
    words = f"contacts per day: at most {rule.per_day} ({rule.source})"
    return Blocked(calendar.start_of(day + _DAY), words)


def week_is_full(
    rule: ContactCaps, calendar: ContactCalendar, earlier: Sequence[PastContact], moment: datetime
) -> Blocked | None:
    """Answer by the contacts of the moment's local day and the six days before it.

    Stricter than counting from Monday: it holds for every seven days in a row.
    """
    day = calendar.day_of(moment)
    if rule.per_week is None or not rule.in_force(day):
        return None
    days = [calendar.day_of(contact.at) for contact in earlier]
    counted = [each for each in days if day - _WEEK < each <= day]
    if len(counted) < rule.per_week:
        return None
    words = f"contacts per week: at most {rule.per_week} ({rule.source})"
    # when the oldest leaves the seven days there may be room; if not, it is asked again
    return Blocked(calendar.start_of(min(counted) + _WEEK), words)


def on_another_channel(
    rule: OneChannelAWeek,
    calendar: ContactCalendar,
    channel: str,
    earlier: Sequence[PastContact],
    moment: datetime,
) -> Blocked | None:
    """Answer by the contacts on other channels in the seven days before the moment.

    Seven full days, so that no two channels ever meet in a week, wherever a week begins.
    """
    if not rule.in_force(calendar.day_of(moment)):
        return None
    others = [
        contact
        for contact in earlier
        if contact.channel != channel and contact.at <= moment < contact.at + _WEEK
    ]
    if not others:
        return None
    latest = max(others, key=lambda contact: contact.at)
    said = f"{latest.channel} on {calendar.day_of(latest.at):%a %Y-%m-%d}"
    return Blocked(latest.at + _WEEK, f"one channel a week: {said} ({rule.source})")


def _named(hours: ContactHours, today: date, then: date) -> str:
    """Say today's windows, and which days have none until the next opening."""
    days = [today + count * _DAY for count in range(min((then - today).days, 7))] or [today]
    without = [WEEKDAYS[day.weekday()] for day in days if not hours.week[day.weekday()]]
    said = [" and ".join(str(window) for window in hours.week[today.weekday()])]
    said = [f"{said[0]} on {WEEKDAYS[today.weekday()]}"] if said[0] else []
    if without:
        said.append(f"none on {', '.join(without)}")
    return ", ".join(said)
