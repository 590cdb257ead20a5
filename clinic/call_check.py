"""May staff call this patient now? What the register learned since the task was opened."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from pydantic import SecretStr
from sqlalchemy import and_, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.call_refusal import CallProblem, CallRefusal
from clinic.call_task import TaskKind
from clinic.delivery import SkipReason
from clinic.delivery_check import not_contactable
from clinic.event import CallOutcome, EventKind
from clinic.plan import CALL
from clinic.register.address import address_hash
from clinic.register.standing import Standing, standings
from clinic.tables import CallTask, Event, Patient

_NOBODY_ANSWERS = (SkipReason.DECEASED, SkipReason.MOVED, SkipReason.ERASED)
"""Whatever was written before: there is nobody left to answer."""

_CLOSE_AS = {
    SkipReason.DECEASED: CallOutcome.DECEASED,
    SkipReason.MOVED: CallOutcome.MOVED,
    SkipReason.ALREADY_BOOKED: CallOutcome.BOOKED,
    SkipReason.OPTED_OUT: CallOutcome.DO_NOT_CONTACT,
    SkipReason.ERASED: CallOutcome.DO_NOT_CONTACT,
}
_WORDS = {
    SkipReason.DECEASED: "the register says that the patient is deceased",
    SkipReason.MOVED: "the register says that the patient is moved",
    SkipReason.INACTIVE: "the register says that the patient is inactive",
    SkipReason.ALREADY_BOOKED: "the patient has an appointment",
    SkipReason.OPTED_OUT: "the patient asked not to be contacted",
    SkipReason.ERASED: "the patient was forgotten",
    SkipReason.POSSIBLE_DUPLICATE: "the patient may be on the register twice",
    SkipReason.NO_CONSENT: "the patient refused calls",
    SkipReason.SUPPRESSED: "whoever answers at this number asked not to be contacted",
}


def not_to_call(patient: Standing, key: SecretStr) -> SkipReason | None:
    """Return why nobody may call a patient, nor speak of them to who answers; None: fine.

    Args:
        patient: Where the patient stands.
        key: The key of the suppression hashes.
    """
    if (reason := not_contactable(patient)) is not None:
        return reason
    # who refuses reminders on a channel wants no advertising there either
    if patient.consents.get((CALL, "reminder")) is False:
        return SkipReason.NO_CONSENT
    phone = patient.contact.phone
    if phone is not None and address_hash(key, phone) in patient.suppressed:
        return SkipReason.SUPPRESSED
    return None


async def refuse_call(
    session: AsyncSession, task: CallTask, patient: Standing, key: SecretStr
) -> None:
    """Refuse a call that the register forbids by now.

    Who wrote to the clinic is answered all the same: neither an appointment, nor a word on
    calls, makes their question go away. An opt-out does, unless they wrote after it.

    Args:
        session: Any transaction.
        task: An open task.
        patient: Where its patient stands.
        key: The key of the suppression hashes.

    Raises:
        CallRefusal: Nobody may call; it says how the task is closed.
    """
    reason = not_to_call(patient, key)
    if reason is None:
        return
    if task.kind == TaskKind.REPLY.value and reason not in _NOBODY_ANSWERS:
        if not patient.opted_out or await _wrote_after_opting_out(session, task):
            return
        reason = SkipReason.OPTED_OUT
    raise CallRefusal(
        CallProblem.NOT_TO_CALL,
        f"nobody is to be called: {_WORDS[reason]}",
        _remedy(reason, task.id),
        outcome=_CLOSE_AS.get(reason),
        skip=reason,
    )


async def refused_calls(
    session: AsyncSession,
    task_ids: Sequence[str],
    now: datetime,
    key: SecretStr,
    zone: ZoneInfo,
) -> dict[str, CallRefusal]:
    """Return why nobody may make some of these calls, by the task.

    Args:
        session: Any transaction.
        task_ids: Open tasks.
        now: Aware UTC.
        key: The key of the suppression hashes.
        zone: The clinic's time zone.
    """
    tasks = (await session.scalars(select(CallTask).where(CallTask.id.in_(task_ids)))).all()
    return await refused_tasks(session, tasks, now, key, zone)


async def refused_tasks(
    session: AsyncSession, tasks: Sequence[CallTask], now: datetime, key: SecretStr, zone: ZoneInfo
) -> dict[str, CallRefusal]:
    """Return the same, of open tasks that were read in this transaction."""
    of_patients = [task for task in tasks if task.patient_id is not None]
    people = await standings(
        session, sorted({str(task.patient_id) for task in of_patients}), now, key, zone=zone
    )
    found: dict[str, CallRefusal] = {}
    for task in of_patients:
        try:
            await refuse_call(session, task, people[str(task.patient_id)], key)
        except CallRefusal as refusal:
            found[task.id] = refusal
    return found


def closing(refusal: CallRefusal) -> CallOutcome | None:
    """Return as what a task is closed whose call is refused, as its remedy says.

    Returns:
        None where something else has to be settled first.
    """
    if refusal.skip is SkipReason.POSSIBLE_DUPLICATE:
        return None
    if refusal.outcome is not None:
        return CallOutcome(refusal.outcome)
    return CallOutcome.DECLINED


async def _wrote_after_opting_out(session: AsyncSession, task: CallTask) -> bool:
    about = (
        Event.attempt_id == task.attempt_id
        if task.attempt_id is not None
        else and_(Event.patient_id == task.patient_id, Event.attempt_id.is_(None))
    )
    later_reply = exists().where(
        about,
        Event.kind == EventKind.REPLY.value,
        Event.received_at > Patient.opted_out_at,
        Patient.id == task.patient_id,
    )
    return bool(await session.scalar(select(later_reply)))


def _remedy(reason: SkipReason, task_id: str) -> str:
    if reason is SkipReason.POSSIBLE_DUPLICATE:
        return "Settle it first: `regresa duplicates` lists who may be the same person."
    outcome = _CLOSE_AS.get(reason, CallOutcome.DECLINED)
    return f"Close the task, as {outcome.replace('_', '-')}: regresa close {task_id}"
