"""What of the call list is seen at once: those who may be called before those who may not."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.call_check import refused_tasks
from clinic.call_list import OpenCall, in_order, listed, next_later
from clinic.call_order import Counts, counts
from clinic.call_refusal import CallRefusal
from clinic.tables import CallTask

LOOKED_THROUGH = 500
"""Tasks, where those who may not be called fill the first page: nobody knows of another that it is
one of them before it is looked at, and the page is asked for every few seconds."""
FEWEST_REFUSED = 10
"""Who may not be called stands there too, for the task is to be closed."""

FEWEST_LATER = 5
"""Whose next call was put off has a place too, however many are to be called now: the first ones
come up soon, and may call by themselves before."""


class CallPage(NamedTuple):
    """What is seen at once.

    Attributes:
        calls: Who may be called, and some who may not, each in the list's order.
        refused: Why nobody may call some of them, by the task.
        counts: How long the list is: without those who may not be called if all of it was looked
            through, else with them.
        not_to_call: How many of those who were looked at may not be called.
        is_whole: All of the list was looked through.
    """

    calls: list[OpenCall]
    refused: Mapping[str, CallRefusal]
    counts: Counts
    not_to_call: int
    is_whole: bool


async def call_page(
    session: AsyncSession, now: datetime, key: SecretStr, zone: ZoneInfo, *, size: int
) -> CallPage:
    """Return the first of those who may be called, and some who may not.

    Further tasks are looked at only where fewer than half of the first ones may be called.

    Args:
        session: Any transaction.
        now: Aware UTC.
        key: The key of the suppression hashes.
        zone: The clinic's time zone.
        size: How many who may be called fill the page.
    """
    length = await counts(session, now)
    first = await in_order(session, now, size)
    # where those to be called now fill the page, the next ones of later stand there all the same
    later = await next_later(session, now, FEWEST_LATER) if len(first) == size else []
    found = first + _without(later, first)
    refused = await refused_tasks(session, _tasks(found), now, key, zone)
    callable_ = [row for row in first if row.CallTask.id not in refused]
    if len(first) == size and len(callable_) < size // 2:
        before, first = found, await in_order(session, now, LOOKED_THROUGH)
        found = first + _without(later, first)
        # somebody may have closed one of the first in between: others have moved up
        further = _tasks(_without(found, before))
        refused |= await refused_tasks(session, further, now, key, zone)
    callable_ = [row for row in found if row.CallTask.id not in refused]
    others = [row for row in found if row.CallTask.id in refused]
    shown = callable_[:size] + _without(later, others + callable_[:size])
    shown += others[: max(FEWEST_REFUSED, size - len(callable_))]
    is_whole = len(found) >= length.open
    return CallPage(
        calls=await listed(session, shown, now, key),
        refused=refused,
        counts=_counted(callable_, now) if is_whole else length,
        not_to_call=len(others),
        is_whole=is_whole,
    )


def _without(rows: Sequence[Any], others: Sequence[Any]) -> list[Any]:
    """Return the rows whose tasks are in none of the others, in their order."""
    there = {row.CallTask.id for row in others}
    return [row for row in rows if row.CallTask.id not in there]


def _tasks(found: Sequence[Any]) -> list[CallTask]:
    return [row.CallTask for row in found]


def _counted(rows: Sequence[Any], now: datetime) -> Counts:
    tasks = _tasks(rows)
    at_once = [task for task in tasks if task.not_before is None or task.not_before <= now]
    return Counts(
        now=len(at_once),
        overdue=sum(task.due_at < now for task in at_once),
        later=len(tasks) - len(at_once),
    )
