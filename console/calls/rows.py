"""A call task as staff see it: who, why now, which number, what time it is there."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from functools import cache, lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import phonenumbers

from clinic.call_check import closing
from clinic.call_list import OpenCall
from clinic.call_refusal import CallRefusal
from clinic.call_task import TaskKind
from clinic.clinic import Clinic
from clinic.contact_policy import ContactCalendar, calendar_for, next_opening, zones_told_by
from clinic.event import CallOutcome
from console.staff_words import SAID_YES, WHY_NOW

_NOTHING_REFUSED: Mapping[str, CallRefusal] = {}
_MOST_URGENT = 0
"""See `clinic.call_task.urgency`: who said yes."""


class RowGroup(StrEnum):
    """The parts of the list, in their order."""

    NOW = "now"
    REFUSED = "refused"
    LATER = "later"


class CallRow(NamedTuple):
    """A row of the call list, in words that are still to be translated.

    Attributes:
        call: What the clinic knows of it.
        who: The name, or where somebody wrote from whom the register does not know.
        why: Why now.
        urgent: It goes before others of its kind.
        phone: The number to call, as people write it; empty where there is none.
        dial: The same for a telephone: E.164.
        there: What time it is where the number is, for each zone that it may be in: `10:40`.
        opens_at: When the clinic may call there, where it may not now; by the patient's clock
            where that is known, else by the clinic's.
        taken_by: Who else has it just now.
        refusal: Why nobody may call by now; None: they may.
        close_as: As what it is closed in one press, where nobody may call.
    """

    call: OpenCall
    who: str
    why: str
    urgent: bool
    phone: str
    dial: str
    there: str
    opens_at: datetime | None
    taken_by: str | None
    refusal: CallRefusal | None = None
    close_as: CallOutcome | None = None

    @property
    def group(self) -> RowGroup:
        """Where it stands on the list."""
        if self.refusal is not None:
            return RowGroup.REFUSED
        return RowGroup.LATER if self.call.not_before is not None else RowGroup.NOW

    @property
    def can_be_next(self) -> bool:
        """Say whether whoever asks for the next call gets it, unless somebody is faster."""
        free = self.taken_by is None and self.opens_at is None
        return free and self.group is RowGroup.NOW and not self.call.opted_out


def call_rows(
    clinic: Clinic,
    calls: Sequence[OpenCall],
    now: datetime,
    *,
    me: str,
    refused: Mapping[str, CallRefusal] = _NOTHING_REFUSED,
) -> list[CallRow]:
    """Return the call list as somebody sees it.

    Args:
        clinic: Whose policy and clock count.
        calls: In their order.
        now: Aware UTC.
        me: Who looks: what they have themselves is not taken.
        refused: Why nobody may make some of them, by the task; see `refused_calls`.
    """

    @cache  # most patients' hours are meant by one clock: it is looked at once
    def opening(calendar: ContactCalendar) -> datetime | None:
        opens = next_opening(clinic.policy, calendar, now)
        # where a number may be in many zones, the clinic's own clock says it
        zone = clinic.profile.zone if calendar.further_zones else calendar.zone
        return opens.astimezone(zone) if opens > now else None

    ours = clinic.calendar
    rows = [
        _row(clinic, call, now, me, opening(calendar_for(clinic.policy, ours, call.phone)))
        for call in calls
    ]
    return [_refused(row, refused.get(row.call.task_id)) for row in rows]


def _refused(row: CallRow, refusal: CallRefusal | None) -> CallRow:
    if refusal is None:
        return row
    return row._replace(refusal=refusal, close_as=closing(refusal))


def _row(
    clinic: Clinic, call: OpenCall, now: datetime, me: str, opening: datetime | None
) -> CallRow:
    clocks = clocks_there(call.phone, now, clinic.profile.zone)
    return CallRow(
        call=call,
        who=call.name or call.from_address or "",
        why=SAID_YES if _says_yes(call) else WHY_NOW[call.kind],
        urgent=call.priority < TaskKind.CALL.priority,
        phone=written(call.phone),
        dial=call.phone or "",
        there=" \N{EN DASH} ".join(f"{clock:%H:%M}" for clock in clocks),
        opens_at=opening,
        taken_by=call.claimed_by if call.claimed_by != me else None,
    )


def clocks_there(phone: str | None, now: datetime, here: ZoneInfo) -> tuple[datetime, ...]:
    """Return what the clocks show where a number may be, from the west to the east.

    It is the clinic's own clock alone where the number tells nothing, or tells many places of
    which the clinic's is one (a Russian mobile): its patients mostly live nearby.

    Args:
        phone: E.164.
        now: Aware UTC.
        here: The clinic's time zone.
    """
    ours = now.astimezone(here)
    told = zones_told_by(phone) if phone is not None else ()
    clocks = {clock.utcoffset(): clock for clock in (now.astimezone(zone) for zone in told)}
    return (ours,) if ours.utcoffset() in clocks or not clocks else tuple(clocks.values())


@lru_cache(maxsize=4000)
def written(phone: str | None) -> str:
    """Return a number as people write it, with its country; empty where there is none."""
    if phone is None:
        return ""
    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return phone
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _says_yes(call: OpenCall) -> bool:
    return call.kind is TaskKind.REPLY and call.priority == _MOST_URGENT
