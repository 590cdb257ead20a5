"""When a patient may ask to be called: the parts of the next days in which the clinic calls."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from clinic.contact_policy import ContactCalendar, ContactPolicy, calendar_for, next_opening

_OPEN_DAYS = 7
_LOOKS_AHEAD = 31
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_ENOUGH_LEFT = timedelta(minutes=30)
"""A part of a day of which less is left is not offered: nobody would come to call."""


class DayPart(StrEnum):
    """A part of a day, by the clinic's clock; nobody is offered an earlier or a later hour."""

    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"

    @property
    def span(self) -> tuple[int, int]:
        """When it begins and ends, in minutes after midnight."""
        return {
            DayPart.MORNING: (8 * 60, 12 * 60),
            DayPart.AFTERNOON: (12 * 60, 17 * 60),
            DayPart.EVENING: (17 * 60, 21 * 60),
        }[self]


class CallTime(BaseModel):
    """A part of a day in which the clinic may call.

    Attributes:
        day: In the clinic's zone.
        part: Of that day.
        at: Aware UTC; the first moment of it in which the policy allows a call.
    """

    model_config = ConfigDict(frozen=True)

    day: date
    part: DayPart
    at: datetime

    @property
    def name(self) -> str:
        """How a form names it, such as `2027-03-02.morning`."""
        return f"{self.day}.{self.part}"


def call_times(
    policy: ContactPolicy, clinic: ContactCalendar, phone: str | None, now: datetime
) -> list[CallTime]:
    """Return what is left of today and of the next days on which the clinic calls, at most seven.

    Args:
        policy: Whose hours, holidays and time zone bind a call.
        clinic: The clinic's zone and closing days; days and their parts are meant in its zone.
        phone: The patient's number, E.164; under some policies it decides whose hours count.
        now: Aware UTC.
    """
    calendar = calendar_for(policy, clinic, phone)
    today = clinic.day_of(now)
    found: list[CallTime] = []
    open_days = 0
    for ahead in range(_LOOKS_AHEAD):
        parts = list(_parts(policy, clinic, calendar, today + ahead * _DAY, now))
        open_days += bool(parts)
        found += parts
        if open_days == _OPEN_DAYS:
            break
    return found


def time_of(at: datetime, zone: ZoneInfo) -> CallTime | None:
    """Return the part of a day that a moment lies in; None: in none, such as at night.

    Args:
        at: Aware UTC.
        zone: The clinic's.
    """
    local = at.astimezone(zone)
    minutes = local.hour * 60 + local.minute
    for part in DayPart:
        begins, ends = part.span
        if begins <= minutes < ends:
            return CallTime(day=local.date(), part=part, at=at)
    return None


def _parts(
    policy: ContactPolicy,
    clinic: ContactCalendar,
    patient: ContactCalendar,
    day: date,
    now: datetime,
) -> Iterator[CallTime]:
    next_minute = now.replace(second=0, microsecond=0) + _MINUTE
    for part in DayPart:
        begins, ends = (next(clinic.instants(day, minutes)) for minutes in part.span)
        begins = max(begins, next_minute)
        if begins > ends - _ENOUGH_LEFT:
            continue
        at = next_opening(policy, patient, begins)
        if at <= ends - _ENOUGH_LEFT:
            yield CallTime(day=day, part=part, at=at)
