"""The inbox: what happens outside is stored first, then relayed, so no answer is ever lost."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, SecretStr
from sqlalchemy import ColumnElement, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.attempt import AttemptState
from clinic.call_opening import open_without_attempt
from clinic.conflict_free_insert import insert_if_new
from clinic.event import AttemptEvent, EventKind
from clinic.identifiers import new_id
from clinic.register import suppression
from clinic.register.address import address_hash
from clinic.register.standing import contacts_of
from clinic.tables import Appointment, Attempt, Event, Message, Patient

_LONGEST_RELAY_PAUSE = timedelta(minutes=1)
_MOST_DOUBLINGS = 8
"""The longest pause is reached by then; a day of tries must not double it past all bounds."""

SILENCING = (
    EventKind.REPLY,
    EventKind.BOOKED,
    EventKind.DECLINED,
    EventKind.OPTED_OUT,
    EventKind.STOPPED,
    EventKind.EXCLUDED,
)
"""After any of these, the machine writes nothing more in that attempt."""

_CHANGES_NOTHING = (EventKind.NOTICE, EventKind.UNKNOWN)
"""Kept on the card; no workflow has to hear it."""

_KEPT = "kept"
_LONGEST_BODY = 100_000
"""Characters; no patient writes as much, and a mail that forwards a whole thread may."""
_CUT = " […]"

STAFF = "staff"
"""The source of events that staff report."""


class Received(BaseModel):
    """Something that happened outside.

    Attributes:
        source: Who says so, such as `sms`, `bookings`, `staff`.
        source_key: The source's own key; the same key again is a repeat.
        kind: What happened.
        patient_id: Whom it concerns, where that is known.
        attempt_id: The attempt it concerns; where it is empty, the patient's open or latest one.
        campaign_id: The campaign it concerns.
        body: What the patient wrote.
        from_address: Who wrote, only where it is nobody's on the register.
        at: Aware UTC; the booked appointment, or when the patient asks to be called.
        details: Further closed-list values (step, call outcome, loss reason), no personal data.
    """

    model_config = ConfigDict(frozen=True)

    source: str
    source_key: str
    kind: EventKind
    patient_id: str | None = None
    attempt_id: str | None = None
    campaign_id: str | None = None
    body: str = ""
    from_address: str | None = None
    at: datetime | None = None
    details: dict[str, Any] = {}


async def store(
    session: AsyncSession, received: Received, *, now: datetime, key: SecretStr
) -> bool:
    """Store an event and what follows from it for the register at once.

    An opt-out suppresses the patient's addresses, and a booking stands in the book, before any
    workflow hears of it: a stopped Temporal can't make the clinic write to somebody who said no.
    A reply that no attempt waits for becomes a task at once; so does what an opt-out says besides.
    What is said under a number that staff found to be another row's person is that person's.

    Returns:
        False where the same event was stored before, or where it is about a person who was
        forgotten, of whom nothing is held again; nothing is changed then.
    """
    received = await _of_person(session, received)
    attempt = await _attempt_of(session, received)
    if received.kind is EventKind.BOUNCED and attempt is not None:
        # before the event's row holds the patient's: who forgets a person locks in this order
        await _message_of(session, attempt, received, with_for_update={"key_share": True})
    patient_id = received.patient_id or (attempt.patient_id if attempt else None)
    if patient_id is not None and await _is_forgotten(session, patient_id):
        return False
    details = dict(received.details)
    if received.at is not None:
        details["at"] = received.at.isoformat()
    event = Event(
        id=new_id("ev"),
        source=received.source,
        source_key=received.source_key,
        kind=received.kind.value,
        patient_id=patient_id,
        attempt_id=attempt.id if attempt else None,
        campaign_id=received.campaign_id,
        body=_bounded(received.body),
        from_address=received.from_address,
        details=details,
        received_at=now,
        relay_tries=0,
    )
    if received.kind in _CHANGES_NOTHING:
        event.relayed_at, event.relay_result = now, _KEPT
    if not await insert_if_new(session, Event, _columns(event)):
        return False
    if _needs_reader(event):
        await open_without_attempt(session, event, now=now, key=key)
    if patient_id is not None:
        await _note(session, received, patient_id, attempt, now=now, key=key)
    return True


async def to_relay(session: AsyncSession, now: datetime, at_most: int) -> list[Event]:
    """Return the oldest events that have not arrived yet and are due for a try."""
    due = or_(Event.relay_after.is_(None), Event.relay_after <= now)
    query = select(Event).where(Event.relayed_at.is_(None), due).order_by(Event.number)
    return list(await session.scalars(query.limit(at_most)))


async def mark_relayed(
    session: AsyncSession, results: Iterable[tuple[str, str]], *, now: datetime
) -> None:
    """Record that events have arrived, or that there is nobody left to hear them.

    Args:
        session: A writing transaction.
        results: Ids of events, each with what came of it.
        now: Aware UTC.
    """
    by_result: dict[str, list[str]] = {}
    for event_id, result in results:
        by_result.setdefault(result, []).append(event_id)
    for result, event_ids in by_result.items():
        await session.execute(
            update(Event)
            .where(Event.id.in_(event_ids))
            .values(relayed_at=now, relay_result=result)
            .execution_options(synchronize_session=False)
        )


async def put_off(session: AsyncSession, event: Event, *, reason: str, now: datetime) -> None:
    """Record a try that failed; the next one comes after a pause that doubles up to a minute."""
    doublings = min(event.relay_tries, _MOST_DOUBLINGS)
    pause = min(timedelta(seconds=0.25 * 2**doublings), _LONGEST_RELAY_PAUSE)
    await session.execute(
        update(Event)
        .where(Event.id == event.id)
        .values(relay_tries=Event.relay_tries + 1, relay_after=now + pause, relay_result=reason)
    )


def is_silenced(attempt_id: str) -> ColumnElement[bool]:
    """Return the condition that something was said which stops the machine's messages."""
    kinds = [kind.value for kind in SILENCING]
    return exists().where(Event.attempt_id == attempt_id, Event.kind.in_(kinds))


def as_attempt_event(event: Event) -> AttemptEvent:
    """Return what an attempt's workflow hears of an event: no personal data."""
    return AttemptEvent(
        event_id=event.id,
        kind=EventKind(event.kind),
        step=event.details.get("step"),
        call_outcome=event.details.get("call_outcome"),
        loss_reason=event.details.get("loss_reason"),
    )


async def is_stored(session: AsyncSession, source: str, source_key: str) -> bool:
    """Whether an event was stored before, by its giver's own key."""
    query = select(Event.number).where(Event.source == source, Event.source_key == source_key)
    return await session.scalar(query) is not None


async def _note(
    session: AsyncSession,
    received: Received,
    patient_id: str,
    attempt: Attempt | None,
    *,
    now: datetime,
    key: SecretStr,
) -> None:
    """Note at once what follows from an event for the register, and for the ledger."""
    match received.kind:
        case EventKind.OPTED_OUT:
            await suppression.opt_out(session, patient_id, source=received.source, now=now, key=key)
            await _silence_address(session, attempt, received, now)
        # a call's time is that of an appointment: one to call back leaves the task open instead
        case EventKind.BOOKED | EventKind.CALL_OUTCOME if received.at is not None:
            await insert_if_new(
                session,
                Appointment,
                {"patient_id": patient_id, "at": received.at, "source": received.source},
            )
        case EventKind.BOUNCED if attempt is not None:
            await _bounce(session, attempt, received, now, key)
        case EventKind.DECLINED | EventKind.REPLY if "loss_reason" in received.details:
            patient = await session.get_one(Patient, patient_id)
            patient.loss_reason = received.details["loss_reason"]


def _needs_reader(event: Event) -> bool:
    """Whether a person has to read it whom no attempt's workflow will ask."""
    if event.kind == EventKind.OPTED_OUT.value:
        # the attempt ends, and what stood on the call list for it goes with it
        return bool(event.details.get("says_more"))
    # of nobody knows whom: still somebody wrote it, as far as there is anything to read
    somebody = event.patient_id is not None or event.from_address is not None
    legible = somebody or bool(event.body.strip())
    return event.kind == EventKind.REPLY.value and event.attempt_id is None and legible


def _bounded(body: str) -> str:
    return body if len(body) <= _LONGEST_BODY else body[:_LONGEST_BODY] + _CUT


def _columns(event: Event) -> dict[str, Any]:
    """Return what was set of a row, by column."""
    return {name: value for name, value in vars(event).items() if not name.startswith("_")}


async def _of_person(session: AsyncSession, received: Received) -> Received:
    """Return what happened as it concerns the row that stands for all of a person's."""
    if received.patient_id is None or received.attempt_id is not None:
        return received
    patient = await session.get(Patient, received.patient_id)
    if patient is None or patient.duplicate_of is None:
        return received
    return received.model_copy(update={"patient_id": patient.duplicate_of})


async def _attempt_of(session: AsyncSession, received: Received) -> Attempt | None:
    if received.attempt_id is not None:
        return await session.get(Attempt, received.attempt_id)
    if received.patient_id is None:
        return None
    of_patient = select(Attempt).where(Attempt.patient_id == received.patient_id)
    opened = await session.scalar(of_patient.where(Attempt.state == AttemptState.OPEN.value))
    if opened is not None:
        return opened
    latest = of_patient.where(Attempt.started_at.is_not(None))
    return await session.scalar(latest.order_by(Attempt.started_at.desc()).limit(1))


async def _is_forgotten(session: AsyncSession, patient_id: str) -> bool:
    patient = await session.get(Patient, patient_id)
    return patient is not None and patient.erased_at is not None


async def _silence_address(
    session: AsyncSession, attempt: Attempt | None, received: Received, now: datetime
) -> None:
    """Suppress the address that said stop, also where the register knows another one by now."""
    if attempt is None or "step" not in received.details:
        return
    # each of its tries: a step that came back may have been delivered to another address then
    written_to = await session.scalars(
        select(Message.address_hash)
        .where(
            Message.attempt_id == attempt.id,
            Message.step == received.details["step"],
            Message.address_hash != "",
        )
        .distinct()
    )
    for hashed in sorted(written_to):
        await suppression.suppress_hash(session, hashed, source=received.source, now=now)


async def _bounce(
    session: AsyncSession, attempt: Attempt, received: Received, now: datetime, key: SecretStr
) -> None:
    message = await _message_of(session, attempt, received)
    if message is None:
        return
    if message.failed_at is not None:
        return
    message.failed_at, message.failure = now, received.details.get("failure", "bounced")
    if not received.details.get("bad_address", True):
        return
    patient = await session.get_one(Patient, attempt.patient_id)
    # a minor's message went to the guardian; the day decides that to the hour, which is enough
    contact = (await contacts_of(session, [patient], now, ZoneInfo("UTC")))[patient.id]
    # a bounce may come days later: a new address has not failed
    for current in (contact.email, contact.phone):
        if current and address_hash(key, current) == message.address_hash:
            mark_bad(patient, message.channel, now, address=current)


async def _message_of(
    session: AsyncSession, attempt: Attempt, received: Received, **lock: Any
) -> Message | None:
    return await session.get(Message, (attempt.id, received.details.get("step"), 1), **lock)


def mark_bad(patient: Patient, channel: str, now: datetime, *, address: str) -> None:
    """Mark the address bad that a channel has used.

    An email is bad by whichever channel. A number that takes no text messages may be a landline:
    it is called all the same. One that is unknown to a messenger, or to a plug-in's service,
    takes text messages and calls.
    """
    if "@" in address:
        patient.email_bad_at = now
        return
    match channel:
        case "call":
            patient.phone_bad_at = now
        case "sms":
            patient.sms_bad_at = now
