"""What is known already when a link is opened again: the page says so, and offers no less."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict
from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.link import LinkedMessage
from clinic.pressed import Wish
from clinic.tables import Appointment, Attempt, CallTask, Event, Message, Patient
from console.patient.answer import LINK
from console.patient.call_times import CallTime, time_of


class SaidBefore(BaseModel):
    """What the page of somebody who comes back tells them.

    A link may be in a stranger's hands: nothing here names anybody, and of an appointment it says
    neither the day nor with whom.

    Attributes:
        stopped: They get no more messages.
        booked: They have an appointment ahead.
        awaits_call: They asked for a call here, and of one of them at least nobody has dealt with
            that yet.
        call_time: When they asked to be called; None: at any time, or that time has passed.
        told_why: They said here why they left.
    """

    model_config = ConfigDict(frozen=True)

    stopped: bool = False
    booked: bool = False
    awaits_call: bool = False
    call_time: CallTime | None = None
    told_why: bool = False


async def said_before(
    session: AsyncSession,
    linked: LinkedMessage,
    attempts: Sequence[Attempt],
    zone: ZoneInfo,
    now: datetime,
) -> SaidBefore:
    """Return what is known; of a household only what holds for all whom the message names.

    Args:
        session: Any transaction.
        linked: The message whose link was followed.
        attempts: Those of all whom it names.
        zone: The clinic's.
        now: Aware UTC.
    """
    patient_ids = {attempt.patient_id for attempt in attempts}
    stopped = await _stops(session, patient_ids)
    there = await _pressed_there(session, linked)
    calls = await _latest(session, there, attempts, Wish.CALL)
    # a stop after it has taken the call off the list
    awaited = [
        call
        for call in calls
        if not (call.patient_id in stopped and stopped[call.patient_id] >= call.received_at)
        and not await _dealt_with(session, call)
    ]
    return SaidBefore(
        stopped=len(stopped) == len(patient_ids),
        booked=await _booked(session, now, patient_ids) == len(patient_ids),
        awaits_call=bool(awaited),
        call_time=_time_asked(awaited[0].details, zone, now) if awaited else None,
        told_why=bool(await _latest(session, there, attempts, Wish.WHY)),
    )


async def _stops(session: AsyncSession, patient_ids: set[str]) -> dict[str | None, datetime]:
    """Return since when those of them get no more messages who said so."""
    rows = await session.execute(
        select(Patient.id, Patient.opted_out_at).where(Patient.id.in_(patient_ids))
    )
    return {patient_id: at for patient_id, at in rows if at is not None}


async def _pressed_there(
    session: AsyncSession, linked: LinkedMessage
) -> Sequence[ColumnElement[bool]]:
    """Return the conditions on what was pressed where the same people read along.

    On the page of a message that named others too, that is this page alone; else the page of any
    message that was the patient's own. What one of a household said is not told to each of them on
    a page of theirs, nor to the household what one said alone.
    """
    carried = select(Message.step).where(Message.carried_by == linked.attempt_id)
    # also those of whom one was forgotten, or named no more: the message stays where it was read
    shared = set(await session.scalars(carried.distinct()))
    if linked.step in shared:
        return [Event.source == LINK, _pressed_on(linked.attempt_id, linked.step)]
    own = Event.source_key.startswith(f"{linked.attempt_id}.", autoescape=True)
    others = [~_pressed_on(linked.attempt_id, step) for step in sorted(shared)]
    return [Event.source == LINK, own, *others]


def _pressed_on(attempt_id: str, step: int) -> ColumnElement[bool]:
    return Event.source_key.startswith(f"{attempt_id}.{step}.", autoescape=True)


async def _latest(
    session: AsyncSession,
    there: Sequence[ColumnElement[bool]],
    attempts: Sequence[Attempt],
    wish: Wish,
) -> list[Event]:
    """Return each one's latest wish of a kind that was pressed there, the latest of all first."""
    found = [
        await session.scalar(
            # by the index of attempts: there are a handful
            select(Event)
            .where(*there, Event.attempt_id == attempt.id, Event.source_key.contains(f".{wish}."))
            .order_by(Event.number.desc())
            .limit(1)
        )
        for attempt in attempts
    ]
    return sorted(filter(None, found), key=lambda event: event.number, reverse=True)


async def _dealt_with(session: AsyncSession, call: Event) -> bool:
    """Whether staff have closed since what stood on the call list for it."""
    of_it = or_(CallTask.attempt_id == call.attempt_id, CallTask.patient_id == call.patient_id)
    closed = exists().where(of_it, CallTask.closed_at >= call.received_at)
    return bool(await session.scalar(select(closed)))


async def _booked(session: AsyncSession, now: datetime, patient_ids: set[str]) -> int:
    """Return how many of them have an appointment ahead."""
    query = select(func.count(Appointment.patient_id.distinct()))
    ahead = query.where(Appointment.patient_id.in_(patient_ids), Appointment.at > now)
    return await session.scalar(ahead) or 0


def _time_asked(details: dict[str, Any], zone: ZoneInfo, now: datetime) -> CallTime | None:
    at = datetime.fromisoformat(details["at"]) if "at" in details else None
    return time_of(at, zone) if at is not None and at > now else None
