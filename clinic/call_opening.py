"""What puts work on the call list, and takes it off without a call."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import SecretStr
from sqlalchemy import Select, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.attempt import AttemptState
from clinic.call_reasons import asked_for, is_answered, priority_of
from clinic.call_task import ANSWER_WITHIN, ATTEMPT_ENDED, REPLY_TRIES, TaskKind, urgency
from clinic.conflict_free_insert import insert_if_new
from clinic.event import EventKind
from clinic.identifiers import new_id
from clinic.outcome import Outcome
from clinic.register.address import address_hash
from clinic.register.address_turn import take_turn
from clinic.tables import Attempt, CallTask, Event, Patient

_ANSWERS_A_REPLY = (
    Outcome.BOOKED.value,
    Outcome.DECLINED.value,
    Outcome.OPTED_OUT.value,
    Outcome.EXCLUDED.value,
)


async def open_task(
    session: AsyncSession,
    *,
    attempt_id: str,
    step: int,
    kind: TaskKind,
    due_at: datetime,
    tries: int,
    event_id: str | None,
    now: datetime,
) -> str | None:
    """Put an attempt on the call list and return the task's id.

    An attempt has one open task: a second reason raises the first one's priority instead. A
    step's task that was opened before, and closed since, is not opened again. Where the patient
    asks to be called at a time, it is due then, and not before. Who writes after their next call
    was put off is called at once.

    Returns:
        None where the attempt has ended and nobody needs to call, and for a person who was
        forgotten.
    """
    # two who open a task for one attempt take turns, and so do they and whoever completes it
    attempt = await session.get_one(Attempt, attempt_id, with_for_update={"key_share": True})
    if await _is_forgotten(session, attempt.patient_id):
        return None
    priority = await priority_of(session, kind, event_id)
    asked = await asked_for(session, event_id, now)
    of_attempt = select(CallTask).where(CallTask.attempt_id == attempt_id)
    standing = await session.scalar(
        of_attempt.where(CallTask.closed_at.is_(None)).with_for_update(key_share=True)
    )
    if standing is not None:
        if priority < standing.priority:
            standing.kind, standing.priority = kind.value, priority
            standing.tries_allowed = standing.tries_made + tries
        # who names a time is called then, whatever was due before
        if not await is_answered(session, standing, event_id):
            standing.due_at = asked or min(standing.due_at, due_at)
            if kind is TaskKind.REPLY:  # who writes is called, also where a call was put off
                standing.not_before = asked
            if standing.not_before is not None:  # agreed for then, it is not late before
                standing.due_at = max(standing.due_at, standing.not_before)
        standing.event_id = event_id or standing.event_id
        return standing.id
    same = of_attempt.where(
        CallTask.step == step,
        CallTask.kind == kind.value,
        CallTask.event_id.is_not_distinct_from(event_id),
    )
    if (before := await session.scalar(same)) is not None:
        return before.id
    if attempt.state == AttemptState.ENDED.value and kind is not TaskKind.REPLY:
        return None
    task = CallTask(
        attempt_id=attempt_id,
        patient_id=attempt.patient_id,
        step=step,
        kind=kind.value,
        priority=priority,
        due_at=asked or due_at,
        not_before=asked,
        opened_at=now,
        tries_allowed=tries,
        event_id=event_id,
    )
    session.add(task)
    await session.flush()
    return task.id


async def open_without_attempt(
    session: AsyncSession, event: Event, *, now: datetime, key: SecretStr
) -> None:
    """Have a person read what somebody wrote whom no attempt waits for.

    Who writes again before that was read has one task all the same.

    Args:
        session: The transaction that stores the event.
        event: What they wrote; of a patient, or from an address that the register does not know,
            or from none: that is a task of its own.
        now: Aware UTC.
        key: The key of the address hashes.
    """
    # two parts of one long message may come in at the same moment
    who = event.patient_id or event.from_address or event.id
    await take_turn(session, [address_hash(key, f"reads:{who}")])
    priority = urgency(TaskKind.REPLY, event.details.get("reading"))
    standing = await session.scalar(_standing_for(event))
    if standing is not None:
        standing.priority = min(standing.priority, priority)
        standing.due_at = min(standing.due_at, now + ANSWER_WITHIN)
        standing.not_before = None
        return
    await insert_if_new(
        session,
        CallTask,
        {
            "id": new_id("ct"),
            "patient_id": event.patient_id,
            "step": 0,
            "kind": TaskKind.REPLY.value,
            "priority": priority,
            "due_at": now + ANSWER_WITHIN,
            "opened_at": now,
            "tries_allowed": REPLY_TRIES,
            "tries_made": 0,
            "event_id": event.id,
        },
    )


async def hand_to_attempts(session: AsyncSession, attempts: Sequence[Attempt]) -> None:
    """Give attempts that begin the replies of their patients that nobody has answered yet.

    The machine writes nothing to them before a person has: each attempt hears of the reply as if
    it had come now, and finds the task there is.

    Args:
        session: The transaction that opens the attempts.
        attempts: Whose rows are open from now on.
    """
    opened = {attempt.patient_id: attempt.id for attempt in attempts}
    if not opened:
        return
    waiting = (
        CallTask.closed_at.is_(None),
        CallTask.kind == TaskKind.REPLY.value,
        CallTask.patient_id.in_(opened),
        # also of an earlier attempt, which ended without an answer
        or_(CallTask.attempt_id.is_(None), CallTask.attempt_id.not_in(list(opened.values()))),
    )
    for task in await session.scalars(select(CallTask).where(*waiting).order_by(CallTask.id)):
        attempt_id = opened.pop(str(task.patient_id), None)
        if attempt_id is None:  # an attempt has one open task
            continue
        unread = await _unread(session, task)
        task.attempt_id = attempt_id
        await session.execute(
            update(Event)
            .where(Event.id.in_(unread))
            .values(attempt_id=attempt_id, relayed_at=None, relay_result=None)
            .execution_options(synchronize_session=False)
        )


async def keep_late(session: AsyncSession, event: Event, now: datetime) -> None:
    """Keep an event that came after its attempt's end: a reply becomes a task for a person."""
    if event.kind == EventKind.REPLY.value and event.attempt_id is not None:
        await open_task(
            session,
            attempt_id=event.attempt_id,
            step=0,
            kind=TaskKind.REPLY,
            due_at=now + ANSWER_WITHIN,
            tries=REPLY_TRIES,
            event_id=event.id,
            now=now,
        )


async def close_for(session: AsyncSession, attempt_id: str, *, why: str, now: datetime) -> None:
    """Take an attempt off the call list: it has ended, nobody needs to call.

    Who wrote to the clinic is called all the same, unless the end answers them: a campaign that
    is stopped, or a call that somebody made in the same moment, must not lose a reply.
    """
    waiting = [CallTask.attempt_id == attempt_id, CallTask.closed_at.is_(None)]
    if why not in _ANSWERS_A_REPLY:
        waiting.append(CallTask.kind != TaskKind.REPLY.value)
    await session.execute(
        update(CallTask).where(*waiting).values(closed_at=now, closed_by=ATTEMPT_ENDED, outcome=why)
    )


async def _unread(session: AsyncSession, task: CallTask) -> Sequence[str]:
    """Return the replies that nobody has answered yet, of a task that is not closed."""
    replies = select(Event.id).where(
        Event.patient_id == task.patient_id,
        Event.attempt_id.is_not_distinct_from(task.attempt_id),
        Event.kind == EventKind.REPLY.value,
    )
    if task.attempt_id is None:
        return (await session.scalars(replies.where(Event.received_at >= task.opened_at))).all()
    # its task is opened once its workflow has heard of it; what came before the last one was
    # closed is answered
    answered = select(func.max(CallTask.closed_at)).where(CallTask.attempt_id == task.attempt_id)
    answered_at = await session.scalar(answered)
    if answered_at is not None:
        replies = replies.where(or_(Event.received_at > answered_at, Event.id == task.event_id))
    return (await session.scalars(replies)).all()


def _standing_for(event: Event) -> Select[CallTask]:
    """Return the query for the open task of whoever wrote, as far as no attempt has it."""
    loose = select(CallTask).where(CallTask.closed_at.is_(None), CallTask.attempt_id.is_(None))
    if event.patient_id is not None:
        return loose.where(CallTask.patient_id == event.patient_id)
    from_there = (
        Event.from_address == event.from_address
        if event.from_address is not None
        else Event.id == event.id
    )
    return loose.join(Event, Event.id == CallTask.event_id).where(
        CallTask.patient_id.is_(None), from_there
    )


async def _is_forgotten(session: AsyncSession, patient_id: str) -> bool:
    forgotten = select(Patient.id).where(Patient.id == patient_id, Patient.erased_at.is_not(None))
    return await session.scalar(forgotten) is not None
