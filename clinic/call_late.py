"""A call that somebody made while a colleague completed the task: kept, and decides nothing."""

from datetime import datetime

from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic import inbox
from clinic.call_completion import was_called_at, written_from
from clinic.call_refusal import CallProblem, CallRefusal
from clinic.call_task import PATIENT_FORGOTTEN, Reported
from clinic.delivery import SkipReason
from clinic.event import CallOutcome, EventKind
from clinic.identifiers import new_id
from clinic.plan import CALL
from clinic.register import suppression
from clinic.register.same_number import numbers_of
from clinic.register.standing import PatientStatus
from clinic.register_import.ended_attempts import Ending, end_attempts
from clinic.tables import Call, CallTask, Patient


async def refuse_overtaken(session: AsyncSession, task_id: str, *, who: str) -> None:
    """Refuse a report on a call that somebody else has made since: the task is open, and free.

    Args:
        session: Any transaction.
        task_id: The task.
        who: Who reports.

    Raises:
        CallRefusal: The latest call of the task is another's, and the claim is not theirs.
    """
    task = await session.get(CallTask, task_id, with_for_update=True)
    if task is None or task.closed_at is not None or task.claimed_by is not None:
        return  # their own, or refused by whom it belongs to
    of_task = select(Call).where(Call.task_id == task_id)
    latest = await session.scalar(of_task.order_by(Call.made_at.desc(), Call.id.desc()).limit(1))
    if latest is not None and latest.made_by != who:
        raise CallRefusal(
            CallProblem.CALLED_MEANWHILE,
            f"{latest.made_by} has called meanwhile: `{latest.outcome}`",
            who=latest.made_by,
            at=latest.made_at,
            outcome=latest.outcome,
        )


async def keep_late_report(
    session: AsyncSession,
    task_id: str,
    reported: Reported,
    *,
    who: str,
    now: datetime,
    key: SecretStr,
    after: int = 0,
) -> CallTask:
    """Keep what somebody reports of a call whose task they do not have any more.

    It stands on the patient's card as a call of theirs, with their note. The task, the attempt and
    the book stay as the colleague's report left them, but for three words that always count:
    whoever says that they want no contact gets none, nobody writes any more to who has died, and a
    number that is somebody else's is not called again. The same report again is kept once.

    Args:
        session: A writing transaction.
        task_id: The task, open or closed.
        reported: What came of the call.
        who: Who called.
        now: Aware UTC.
        key: The key of the suppression hashes.
        after: How many calls the task had when the form was shown (`clinic.call_repeat`): of a
            form that was shown later the same words are another call's.

    Returns:
        The task.

    Raises:
        CallRefusal: There is no such task, or its patient was forgotten since.
    """
    task = await session.get(CallTask, task_id, with_for_update=True)
    if task is None:
        raise CallRefusal(CallProblem.UNKNOWN, f"no call task `{task_id}`")
    if await _is_forgotten(session, task):
        raise CallRefusal(
            CallProblem.NOT_TO_CALL, "the patient was forgotten", skip=SkipReason.ERASED
        )
    is_kept = await _is_kept(session, task_id, reported, who, after)
    if not is_kept:
        call = Call(
            task_id=task_id,
            made_at=now,
            made_by=who,
            outcome=reported.outcome.value,
            loss_reason=reported.reason.value if reported.reason else None,
            note=reported.note,
        )
        session.add(call)
        await session.flush()
    match reported.outcome:  # also of a repeat: they may have been made welcome in between
        case CallOutcome.DO_NOT_CONTACT if not (is_kept and await _is_silent(session, task)):
            await _silence(session, task, now=now, key=key)
        case CallOutcome.DECEASED if task.patient_id is not None:
            await _exclude(session, task.patient_id, now=now, key=key)
        case CallOutcome.WRONG_NUMBER if task.patient_id is not None and not is_kept:
            await _mark_number(session, task.patient_id, reported, now=now, key=key)
    return task


async def _is_forgotten(session: AsyncSession, task: CallTask) -> bool:
    if task.patient_id is None:  # of somebody who wrote before the register knew them
        return task.closed_by == PATIENT_FORGOTTEN
    return (await session.get_one(Patient, task.patient_id)).erased_at is not None


async def _is_silent(session: AsyncSession, task: CallTask) -> bool:
    if task.patient_id is None:
        return False
    return (await session.get_one(Patient, task.patient_id)).opted_out_at is not None


async def _silence(session: AsyncSession, task: CallTask, *, now: datetime, key: SecretStr) -> None:
    if task.patient_id is None:
        # of somebody whom the register does not know there is an address at the most
        if (address := await written_from(session, task)) is not None:
            await suppression.suppress(session, address, source=inbox.STAFF, now=now, key=key)
        return
    said = inbox.Received(
        source=inbox.STAFF,
        # a key of its own: whoever was welcome again and says it once more is heard once more
        source_key=new_id("said"),
        kind=EventKind.OPTED_OUT,
        patient_id=task.patient_id,
        attempt_id=task.attempt_id,
    )
    await inbox.store(session, said, now=now, key=key)


async def _exclude(
    session: AsyncSession, patient_id: str, *, now: datetime, key: SecretStr
) -> None:
    patient = await session.get_one(Patient, patient_id)
    patient.status = PatientStatus.DECEASED.value
    gone = {patient_id: Ending(EventKind.EXCLUDED)}
    await end_attempts(session, gone, now=now, key=key, source=inbox.STAFF)


async def _mark_number(
    session: AsyncSession, patient_id: str, reported: Reported, *, now: datetime, key: SecretStr
) -> None:
    patient = await session.get_one(Patient, patient_id)
    number = (await numbers_of(session, [patient], now))[patient_id]
    if was_called_at(reported, number, key):
        inbox.mark_bad(patient, CALL, now, address=str(number))


async def _is_kept(
    session: AsyncSession, task_id: str, reported: Reported, who: str, after: int
) -> bool:
    calls = await session.scalars(select(Call).where(Call.task_id == task_id).order_by(Call.id))
    reason = reported.reason.value if reported.reason else None
    said = (who, reported.outcome.value, reason, reported.note)
    return any(
        said == (call.made_by, call.outcome, call.loss_reason, call.note)
        for call in calls.all()[after:]
    )
