"""A report that is sent twice, by a double click or a page that is loaded again: it counts once."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.call_task import Reported
from clinic.tables import Call, CallTask


async def calls_made(session: AsyncSession, task_id: str) -> int:
    """Return how many calls a task has: what a form carries, to be known by when it comes back."""
    counted = select(func.count()).select_from(Call).where(Call.task_id == task_id)
    return await session.scalar(counted) or 0


async def is_repeated(
    session: AsyncSession, task_id: str, reported: Reported, *, who: str, after: int
) -> bool:
    """Say whether the very report was recorded since its form was shown.

    Another outcome by the same person is no repeat: they went back to set it right.

    Args:
        session: A writing transaction; it has the task until its end.
        task_id: The task.
        reported: What came of the call.
        who: Who called.
        after: `calls_made` when the form was shown.
    """
    await session.get(CallTask, task_id, with_for_update=True)
    calls = await session.scalars(select(Call).where(Call.task_id == task_id).order_by(Call.id))
    return any(
        (call.made_by, call.outcome, call.note) == (who, reported.outcome.value, reported.note)
        for call in calls.all()[after:]
    )
