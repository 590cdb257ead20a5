"""What somebody has just recorded or given back, for the list to which that leads."""

from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.audit import Action
from clinic.call_claim import claimant
from clinic.tables import Account, AuditEntry, Call, CallTask, Patient

_JUST_NOW = timedelta(minutes=5)
"""After that the address, opened once more from the browser's history, tells nothing."""
_NEWEST = 20_000
"""Lines of the audit log that are looked through: more than the desk writes in that time."""


class Done(BaseModel):
    """A call that was recorded, or a task that was closed without one.

    Attributes:
        who: Whom it was with; empty for somebody whom the register does not know.
        outcome: What came of it.
        again_at: Aware UTC; when they are called again, if they are.
    """

    model_config = ConfigDict(frozen=True)

    who: str
    outcome: str
    again_at: datetime | None


class Returned(BaseModel):
    """A call that was given back, and that nobody has taken since.

    Attributes:
        who: Whom it would have been with; empty for somebody whom the register does not know.
    """

    model_config = ConfigDict(frozen=True)

    who: str


async def done_just_now(session: AsyncSession, task_id: str, by: str, now: datetime) -> Done | None:
    """Return the latest that somebody reported on for a task; None where there is nothing.

    Args:
        session: Any transaction.
        task_id: As the list's address gives it; empty: none is asked for.
        by: Who looks: nobody is told of another's calls.
        now: Aware UTC.
    """
    if not task_id:
        return None
    closed = await _closed_uncalled(session, task_id, by, now)
    return closed or await _called(session, task_id, by, now)


async def given_back(
    session: AsyncSession, task_id: str, account: Account, now: datetime
) -> Returned | None:
    """Return a call that somebody has just given back; None where they have not, or it is taken.

    Args:
        session: Any transaction.
        task_id: As the list's address gives it; empty: none is asked for.
        account: Who looks: nobody is told of another's calls.
        now: Aware UTC.
    """
    task = await session.get(CallTask, task_id) if task_id else None
    if task is None or task.closed_at is not None or claimant(task, now) is not None:
        return None
    # among the newest: no index leads to a task's lines, and the log may have millions
    last = select(func.max(AuditEntry.number)).scalar_subquery()
    released = select(AuditEntry.number).where(
        AuditEntry.number > last - _NEWEST,
        AuditEntry.subject == task_id,
        AuditEntry.action == Action.RELEASED.value,
        AuditEntry.account_id == account.id,
        AuditEntry.at >= now - _JUST_NOW,
    )
    if await session.scalar(released.limit(1)) is None:
        return None
    patient = await session.get(Patient, task.patient_id) if task.patient_id else None
    return Returned(who=_name(patient) if patient is not None else "")


async def _closed_uncalled(
    session: AsyncSession, task_id: str, by: str, now: datetime
) -> Done | None:
    """Return what was closed without a call, unless they have called since."""
    called_since = exists().where(
        Call.task_id == CallTask.id, Call.made_by == by, Call.made_at >= CallTask.closed_at
    )
    rows = await session.execute(
        select(CallTask.outcome, Patient.first_name, Patient.last_name)
        .outerjoin(Patient, Patient.id == CallTask.patient_id)
        .where(
            CallTask.id == task_id,
            CallTask.closed_by == by,
            CallTask.closed_at >= now - _JUST_NOW,
            ~called_since,
        )
    )
    row = rows.first()
    return Done(who=_name(row), outcome=row.outcome, again_at=None) if row is not None else None


async def _called(session: AsyncSession, task_id: str, by: str, now: datetime) -> Done | None:
    rows = await session.execute(
        select(Call, Patient.first_name, Patient.last_name)
        .join(CallTask, CallTask.id == Call.task_id)
        .outerjoin(Patient, Patient.id == CallTask.patient_id)
        .where(Call.task_id == task_id, Call.made_by == by, Call.made_at >= now - _JUST_NOW)
        .order_by(Call.made_at.desc(), Call.id.desc())
        .limit(1)
    )
    row = rows.first()
    if row is None:
        return None
    return Done(who=_name(row), outcome=row.Call.outcome, again_at=row.Call.again_at)


def _name(row: Any) -> str:
    return f"{row.first_name or ''} {row.last_name or ''}".strip()
