"""A report that is sent twice, by a double click or a page that is loaded again: it counts once."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.call_task import Reported
from clinic.event import CallOutcome
from clinic.inbox import STAFF
from clinic.tables import Call, CallTask, Event


async def calls_made(session: AsyncSession, task_id: str) -> int:
    """Return how many calls a task has: what a form carries, to be known by when it comes back."""
    counted = select(func.count()).select_from(Call).where(Call.task_id == task_id)
    return await session.scalar(counted) or 0


async def is_repeated(
    session: AsyncSession, task_id: str, reported: Reported, *, who: str, after: int
) -> bool:
    """Say whether the very report was recorded since its form was shown.

    Another outcome, reason or time by the same person is no repeat: they went back to set it
    right.

    Args:
        session: A writing transaction; it has the task until its end.
        task_id: The task.
        reported: What came of the call.
        who: Who called.
        after: `calls_made` when the form was shown.
    """
    await session.get(CallTask, task_id, with_for_update=True)
    calls = await session.scalars(select(Call).where(Call.task_id == task_id).order_by(Call.id))
    reason = reported.reason.value if reported.reason else None
    said = (who, reported.outcome.value, reason, reported.note)
    for call in calls.all()[after:]:
        at = call.again_at
        if call.outcome == CallOutcome.BOOKED.value:
            at = await _appointment_of(session, task_id)
        same_time = reported.at is None or reported.at == at
        if same_time and said == (call.made_by, call.outcome, call.loss_reason, call.note):
            return True
    return False


async def _appointment_of(session: AsyncSession, task_id: str) -> datetime | None:
    told = Event.source == STAFF, Event.source_key == task_id
    event = await session.scalar(select(Event).where(*told))
    written = event.details.get("at") if event is not None else None
    return datetime.fromisoformat(written) if written is not None else None
