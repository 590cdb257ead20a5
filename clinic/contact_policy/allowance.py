"""May I contact this patient now, else when next, and which rule decides: pure, and exact."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial

from pydantic import BaseModel, ConfigDict

from clinic.contact_policy import blocks
from clinic.contact_policy.blocks import Check, PastContact
from clinic.contact_policy.contact_calendar import ContactCalendar
from clinic.contact_policy.policy import ContactPolicy
from clinic.contact_policy.search import earliest
from clinic.contact_policy.windows import turns
from clinic.duration import spoken

__all__ = [
    "LOOKS_BACK",
    "NotBefore",
    "PastContact",
    "closes_at",
    "cooled_down",
    "may_contact",
    "next_opening",
]

LOOKS_BACK = timedelta(days=8)
"""No rule asks for contacts that are older: a week in local days begins before it in hours."""

_TRIED_FOR = timedelta(days=3)
"""Longer than a provider of text messages goes on trying: those count in hours."""

_SHOWN = 200
"""Bytes that Temporal's UI shows of a summary."""


class NotBefore(BaseModel):
    """Not now: the earliest allowed moment (aware UTC), and every rule that put it off."""

    model_config = ConfigDict(frozen=True)

    until: datetime
    rule: str


def may_contact(
    policy: ContactPolicy,
    calendar: ContactCalendar,
    channel: str,
    now: datetime,
    earlier: Sequence[PastContact],
) -> NotBefore | None:
    """Answer whether a contact may happen now; None is yes.

    Args:
        policy: The rules.
        calendar: The time zone in which hours and days are meant, and the clinic's closing days;
            of several zones, each must allow it.
        channel: How the patient would be contacted; `call` is bound like every other.
        now: Aware UTC.
        earlier: The patient's contacts of the last `LOOKS_BACK`, calls by staff included.
    """
    checks = list(_openings(policy, calendar))
    for each in calendar.by_zone():
        checks += _frequency(policy, each, channel, earlier)
    moment, rules = earliest(checks, now)
    return NotBefore(until=moment, rule=_joined(rules)) if moment > now else None


def next_opening(policy: ContactPolicy, calendar: ContactCalendar, moment: datetime) -> datetime:
    """Return the moment itself if hours, holidays and closing days allow it, else the next one."""
    return earliest(list(_openings(policy, calendar)), moment)[0]


def closes_at(
    policy: ContactPolicy, calendar: ContactCalendar, moment: datetime
) -> datetime | None:
    """Return when the opening ends in which a moment lies; the moment itself where it is closed.

    How many contacts there were does not count: a message that is on its way is one of them.

    Args:
        policy: The rules.
        calendar: The time zone in which hours and days are meant, and the clinic's closing days;
            of several zones, the first that closes counts.
        moment: Aware UTC.

    Returns:
        Aware UTC; None where it stays open for longer than any provider goes on trying.
    """
    checks = list(_openings(policy, calendar))
    week = policy.contact_hours.week
    later = {
        turn
        for each in calendar.by_zone()
        for days in range(_TRIED_FOR.days + 1)
        for turn in turns(week, each, each.day_of(moment) + timedelta(days=days))
        if turn > moment
    }
    for turn in (moment, *sorted(later)):
        if any(check(turn) is not None for check in checks):
            return turn
    return None


def cooled_down(
    policy: ContactPolicy, last_ended_at: datetime | None, now: datetime
) -> NotBefore | None:
    """Answer whether a new attempt may start now; None is yes.

    Args:
        policy: Whose cool-down counts.
        last_ended_at: When the patient's latest attempt ended, aware UTC; None: there was none.
        now: Aware UTC.
    """
    rule = policy.cool_down
    if rule is None or last_ended_at is None or not rule.in_force(now.date()):
        return None
    until = last_ended_at + rule.rest
    if now >= until:
        return None
    ended = f"{last_ended_at:%Y-%m-%d}"
    return NotBefore(
        until=until, rule=f"cool-down: {spoken(rule.rest)} after {ended} ({rule.source})"
    )


def _openings(policy: ContactPolicy, calendar: ContactCalendar) -> Iterator[Check]:
    for each in calendar.by_zone():
        yield partial(blocks.outside_hours, policy.contact_hours, each)
        if policy.holidays is not None:
            yield partial(blocks.on_holiday, policy.holidays, each)
        yield partial(blocks.on_closing_day, each)


def _frequency(
    policy: ContactPolicy,
    calendar: ContactCalendar,
    channel: str,
    earlier: Sequence[PastContact],
) -> Iterator[Check]:
    if policy.one_channel_a_week is not None:
        yield partial(
            blocks.on_another_channel, policy.one_channel_a_week, calendar, channel, earlier
        )
    if policy.contacts is not None:
        yield partial(blocks.day_is_full, policy.contacts, calendar, earlier)
        yield partial(blocks.week_is_full, policy.contacts, calendar, earlier)


def _joined(rules: Sequence[str]) -> str:
    """Name the rules in their order, as many as Temporal's UI has room for."""
    for count in range(len(rules), 1, -1):
        left = len(rules) - count
        said = "; ".join(rules[:count]) + (f"; and {left} more" if left else "")
        if len(said.encode()) <= _SHOWN:
            return said
    return rules[0]
