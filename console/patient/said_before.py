"""What is known already when a link is opened again: the page says so, and offers no less."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict
from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.link import LinkedMessage
from clinic.tables import Appointment, Attempt, CallTask, Event, Patient
from console.patient.answer import LINK
from console.patient.call_times import CallTime, time_of

_CALL, _WHY = "call", "why"


class SaidBefore(BaseModel):
    """What the page of somebody who comes back tells them.

    A link may be in a stranger's hands: nothing here names anybody, and of an appointment it says
    neither the day nor with whom.

    Attributes:
        stopped: They get no more messages.
        booked: They have an appointment ahead.
        awaits_call: They asked for a call here, and nobody has dealt with that yet.
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
    stops = await session.scalars(select(Patient.opted_out_at).where(Patient.id.in_(patient_ids)))
    stopped = [at for at in stops.all() if at is not None]
    is_stopped = len(stopped) == len(patient_ids)
    call = await _latest(session, linked, attempts, _CALL)
    # a stop after it has taken the call off the list
    awaits_call = (
        call is not None
        and not (is_stopped and max(stopped) >= call.received_at)
        and not await _dealt_with(session, call)
    )
    return SaidBefore(
        stopped=is_stopped,
        booked=await _booked(session, now, patient_ids) == len(patient_ids),
        awaits_call=awaits_call,
        call_time=_time_asked(call.details, zone, now) if call is not None else None,
        told_why=await _latest(session, linked, attempts, _WHY) is not None,
    )


async def _latest(
    session: AsyncSession, linked: LinkedMessage, attempts: Sequence[Attempt], wish: str
) -> Event | None:
    """Return the latest wish of a kind that was pressed on the page.

    On that of any message of the attempt; of a household's alone where it names others too.
    """
    alone = len(attempts) == 1
    begins = f"{linked.attempt_id}." if alone else f"{linked.attempt_id}.{linked.step}."
    pressed: list[ColumnElement[bool]] = [
        Event.source == LINK,
        # by the index of attempts: there are a handful
        Event.attempt_id.in_([attempt.id for attempt in attempts]),
        Event.source_key.startswith(begins, autoescape=True),
        Event.source_key.contains(f".{wish}."),
    ]
    return await session.scalar(
        select(Event).where(*pressed).order_by(Event.number.desc()).limit(1)
    )


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
