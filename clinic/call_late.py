"""A call that somebody made while a colleague completed the task: kept, and decides nothing."""

from datetime import datetime

from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic import inbox
from clinic.call_refusal import CallProblem, CallRefusal
from clinic.call_task import Reported
from clinic.delivery import SkipReason
from clinic.event import CallOutcome, EventKind
from clinic.tables import Call, CallTask, Patient


async def keep_late_report(
    session: AsyncSession,
    task_id: str,
    reported: Reported,
    *,
    who: str,
    now: datetime,
    key: SecretStr,
) -> CallTask:
    """Keep what somebody reports of a call whose task they do not have any more.

    It stands on the patient's card as a call of theirs, with their note. The task, the attempt and
    the book stay as the colleague's report left them, but for one word that always counts: whoever
    says that they want no contact gets none. The same report again is kept once.

    Args:
        session: A writing transaction.
        task_id: The task, open or closed.
        reported: What came of the call.
        who: Who called.
        now: Aware UTC.
        key: The key of the suppression hashes.

    Returns:
        The task.

    Raises:
        CallRefusal: There is no such task, or its patient was forgotten since.
    """
    task = await session.get(CallTask, task_id, with_for_update=True)
    if task is None:
        raise CallRefusal(CallProblem.UNKNOWN, f"no call task `{task_id}`")
    if task.patient_id is not None:
        patient = await session.get_one(Patient, task.patient_id)
        if patient.erased_at is not None:
            raise CallRefusal(
                CallProblem.NOT_TO_CALL, "the patient was forgotten", skip=SkipReason.ERASED
            )
    if await _is_kept(session, task_id, reported, who):
        return task
    session.add(
        Call(
            task_id=task_id,
            made_at=now,
            made_by=who,
            outcome=reported.outcome.value,
            loss_reason=reported.reason.value if reported.reason else None,
            note=reported.note,
        )
    )
    if reported.outcome is CallOutcome.DO_NOT_CONTACT and task.patient_id is not None:
        said = inbox.Received(
            source=inbox.STAFF,
            source_key=f"late.{task_id}",
            kind=EventKind.OPTED_OUT,
            patient_id=task.patient_id,
            attempt_id=task.attempt_id,
        )
        await inbox.store(session, said, now=now, key=key)
    return task


async def _is_kept(session: AsyncSession, task_id: str, reported: Reported, who: str) -> bool:
    same = select(Call.id).where(
        Call.task_id == task_id,
        Call.made_by == who,
        Call.outcome == reported.outcome.value,
        Call.note == reported.note,
    )
    return await session.scalar(same.limit(1)) is not None
