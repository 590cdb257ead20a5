"""What came of a call: recorded once, in the register and for the attempt."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, SecretStr
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic import inbox
from clinic.call_claim import claimant, standing_of, why_not
from clinic.call_task import Again, Reported, after_call
from clinic.contact_policy import ContactCalendar, ContactPolicy, calendar_for
from clinic.event import CallOutcome, EventKind
from clinic.outcome import LossReason
from clinic.plan import CALL
from clinic.register import suppression
from clinic.register.address import address_hash
from clinic.register.standing import PatientStatus
from clinic.tables import Call, CallTask, Event, Patient

_DECIDES_NOTHING = (CallOutcome.NO_ANSWER, CallOutcome.VOICEMAIL, CallOutcome.WRONG_NUMBER)
"""Who was called about a reply without an attempt, and not reached: no attempt has to hear it."""


class Completed(BaseModel):
    """What became of a completed call.

    Attributes:
        again_at: Aware UTC; the task stays open and is due again then. None: it is closed.
    """

    model_config = ConfigDict(frozen=True)

    task_id: str
    outcome: CallOutcome
    again_at: datetime | None


async def complete(
    session: AsyncSession,
    task_id: str,
    reported: Reported,
    *,
    who: str,
    now: datetime,
    policy: ContactPolicy,
    calendar: ContactCalendar,
    key: SecretStr,
) -> Completed:
    """Record what came of a call; the attempt hears of it through the inbox.

    The task's row is changed by one conditional update, so of two people who complete a task at
    the same moment exactly one wins, and the other is told by whom it was closed.

    Args:
        session: A writing transaction.
        task_id: The task.
        reported: What came of the call.
        who: Who called.
        now: Aware UTC.
        policy: Whose rules bind a call.
        calendar: The clinic's time zone and closing days.
        key: The key of the suppression hashes.

    Raises:
        Refusal: No such task, closed already, claimed by somebody else, or a report that does
            not fit together. Nothing was changed.
    """
    task = await session.get(CallTask, task_id, with_for_update=True)
    if task is None or task.closed_at is not None:
        raise why_not(task, task_id, calendar.zone)
    if claimant(task, now) not in (None, who):
        raise why_not(task, task_id, calendar.zone)
    patient = await standing_of(session, task, now, key, calendar.zone)
    address = await written_from(session, task)
    decided = after_call(
        reported,
        tries_left=task.tries_allowed - task.tries_made,
        now=now,
        policy=policy,
        calendar=calendar_for(policy, calendar, patient.contact.phone if patient else address),
        zone=calendar.zone,
        contacts=patient.contacts if patient else (),
    )
    session.add(
        Call(
            task_id=task_id,
            made_at=now,
            made_by=who,
            outcome=reported.outcome.value,
            loss_reason=reported.reason.value if reported.reason else None,
            again_at=decided.due_at if isinstance(decided, Again) else None,
            note=reported.note,
        )
    )
    task.claimed_by = task.claimed_until = None
    if isinstance(decided, Again):
        task.due_at = task.not_before = decided.due_at
        task.tries_made += int(decided.counts_as_try)
        return Completed(task_id=task_id, outcome=reported.outcome, again_at=decided.due_at)
    task.closed_at, task.closed_by, task.outcome = now, who, reported.outcome.value
    task.tries_made += 1
    if task.patient_id is None:
        # of somebody whom the register does not know there is one thing to note
        if reported.outcome is CallOutcome.DO_NOT_CONTACT and address is not None:
            await suppression.suppress(session, address, source=inbox.STAFF, now=now, key=key)
    else:
        number = patient.contact.phone if patient else None
        await _note_in_register(session, task.patient_id, reported, number, now=now, key=key)
    if task.attempt_id is not None or reported.outcome not in _DECIDES_NOTHING:
        await inbox.store(session, as_event(task, reported), now=now, key=key)
    return Completed(task_id=task_id, outcome=reported.outcome, again_at=None)


async def written_from(session: AsyncSession, task: CallTask) -> str | None:
    """Return the address of somebody whom the register does not know."""
    if task.patient_id is not None or task.event_id is None:
        return None
    event = await session.scalar(select(Event).where(Event.id == task.event_id))
    return event.from_address if event is not None else None


def as_event(task: CallTask, reported: Reported) -> inbox.Received:
    """Return what the inbox stores of a task that is closed: the attempt hears of it."""
    details: dict[str, Any] = {"call_outcome": reported.outcome.value, "task_id": task.id}
    if reported.reason is not None:
        details["loss_reason"] = reported.reason.value
    booked = reported.outcome is CallOutcome.BOOKED
    return inbox.Received(
        source=inbox.STAFF,
        source_key=task.id,
        kind=EventKind.CALL_OUTCOME,
        attempt_id=task.attempt_id,
        patient_id=task.patient_id,
        details=details,
        at=reported.at if booked else None,
    )


def was_called_at(reported: Reported, number: str | None, key: SecretStr) -> bool:
    """Say whether a report is about a number: another one has been noted since, perhaps.

    Args:
        reported: What came of the call.
        number: Where the patient is called by now, E.164; None: nowhere.
        key: The key of the address hashes.
    """
    if number is None:
        return False
    return reported.called is None or reported.called == address_hash(key, number)


async def _note_in_register(
    session: AsyncSession,
    patient_id: str,
    reported: Reported,
    number: str | None,
    *,
    now: datetime,
    key: SecretStr,
) -> None:
    patient = await session.get_one(Patient, patient_id)
    match reported.outcome:
        case CallOutcome.DECEASED:
            patient.status = PatientStatus.DECEASED.value
        case CallOutcome.MOVED:
            patient.status = PatientStatus.MOVED.value
        case CallOutcome.WRONG_NUMBER if was_called_at(reported, number, key):
            inbox.mark_bad(patient, CALL, now, address=str(number))
        case CallOutcome.DECLINED if reported.reason is not None:
            # what they once told is more than "another reason"
            if reported.reason is not LossReason.OTHER or patient.loss_reason is None:
                patient.loss_reason = reported.reason.value
        case CallOutcome.DO_NOT_CONTACT:
            await suppression.opt_out(session, patient.id, source=inbox.STAFF, now=now, key=key)
