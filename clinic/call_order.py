"""In which order calls are made: whom to call now, and whom later; and how many they are."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.call_task import TaskKind
from clinic.tables import Attempt, CallTask, Campaign, Patient

_MOMENT: BindParameter[datetime] = bindparam("now")

Listed = Select[CallTask, Patient, str, str]
"""A task with its patient, and its campaign's id and name."""


class Counts(NamedTuple):
    """How long the call list is.

    Attributes:
        now: Tasks that may be called now, those that are overdue among them.
        overdue: Those of them whose due time has passed.
        later: Tasks whose next call was put off.
    """

    now: int
    overdue: int
    later: int

    @property
    def open(self) -> int:
        """All tasks that are open."""
        return self.now + self.later


async def count_open(session: AsyncSession, *, due_before: datetime | None = None) -> int:
    """Return how many tasks are open.

    Args:
        session: Any transaction.
        due_before: Aware UTC; only those that were due by then, and not put off beyond it.
    """
    query = select(func.count()).select_from(CallTask).where(CallTask.closed_at.is_(None))
    if due_before is not None:
        at_once = or_(CallTask.not_before.is_(None), CallTask.not_before <= due_before)
        query = query.where(CallTask.due_at < due_before, at_once)
    return await session.scalar(query) or 0


async def count_wrote(session: AsyncSession, campaign_id: str) -> int:
    """Return how many of a campaign's patients wrote, and wait for an answer.

    They stand on the call list also once the campaign is stopped; see `call_opening.close_for`.

    Args:
        session: Any transaction.
        campaign_id: The campaign.
    """
    query = (
        select(func.count())
        .select_from(CallTask)
        .join(Attempt, Attempt.id == CallTask.attempt_id)
        .where(
            CallTask.closed_at.is_(None),
            CallTask.kind == TaskKind.REPLY.value,
            # from the call list to the campaign: SQLite would go through all its attempts
            _is(Attempt.campaign_id == campaign_id) == 1,
        )
    )
    return await session.scalar(query) or 0


async def counts(session: AsyncSession, now: datetime) -> Counts:
    """Return how many tasks are to be called now and later, and how many are overdue.

    Args:
        session: Any transaction.
        now: Aware UTC.
    """
    [(is_open, overdue, later)] = await session.execute(_COUNTS, {"now": now})
    return Counts(now=is_open - later, overdue=overdue, later=later)


def _query() -> Listed:
    return (
        select(CallTask, Patient, Attempt.campaign_id, Campaign.name)
        .outerjoin(Patient, Patient.id == CallTask.patient_id)
        .outerjoin(Attempt, Attempt.id == CallTask.attempt_id)
        .outerjoin(Campaign, Campaign.id == Attempt.campaign_id)
        .where(CallTask.closed_at.is_(None))
    )


def _is(condition: ColumnElement[bool]) -> ColumnElement[int]:
    # said in a way that no index on the times answers: whatever a database knows of its tables,
    # it reads the rows off the index that has them in order, and need not sort a hundred thousand
    return case((condition, 1), else_=0)


def _now(*, overdue: bool) -> Listed:
    return (
        _query()
        .where(_is(CallTask.not_before > _MOMENT) == 0)
        .where(_is(CallTask.due_at < _MOMENT) == int(overdue))
        .order_by(CallTask.priority, CallTask.due_at)
        .limit(bindparam("at_most"))
    )


def _later() -> Listed:
    return (
        _query()
        .where(CallTask.not_before > _MOMENT)
        .order_by(CallTask.not_before)
        .limit(bindparam("at_most"))
    )


def _counts() -> Select[int, int, int]:
    is_open = select(func.count()).select_from(CallTask).where(CallTask.closed_at.is_(None))
    overdue = is_open.where(CallTask.due_at < _MOMENT, _is(CallTask.not_before > _MOMENT) == 0)
    later = is_open.where(CallTask.not_before > _MOMENT)
    # each is a walk along an index of its own, which has all that is asked
    return select(is_open.scalar_subquery(), overdue.scalar_subquery(), later.scalar_subquery())


# built once: to build one again takes longer than SQLite takes to answer it
OVERDUE, AHEAD, LATER = _now(overdue=True), _now(overdue=False), _later()
ONE = _query().where(CallTask.id == bindparam("task_id"))
_COUNTS = _counts()
