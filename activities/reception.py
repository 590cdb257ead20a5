"""The reception: what a provider reports is stored for everybody whom it concerns."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import structlog
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from activities.hold_notice import tell_of_hold
from channels.protocol import ProviderEvent
from clinic import channel_hold, inbox, ledger, message_status
from clinic.attempt import AttemptState
from clinic.event import EventKind
from clinic.folder import ClinicFolder
from clinic.register import household, suppression
from clinic.register.who_wrote import latest_message_to, who_wrote
from clinic.reply_reading import Meaning, Reading, read
from clinic.reply_words import lexicon
from clinic.tables import Attempt, Message, Patient
from clinic.what_was_asked import what_was_asked

_MESSAGE = re.compile(r"(?P<attempt_id>[A-Za-z0-9_-]{1,64})\.(?P<step>[0-9]{1,4})")
"""A message as `OutgoingMessage.key` names it."""
_FROM_A_PERSON = (EventKind.REPLY, EventKind.OPTED_OUT, EventKind.NOTICE)
_NEVER_ARRIVES = (EventKind.BOUNCED, EventKind.RETURNED)
_CHANGES_NOTHING = (EventKind.NOTICE, EventKind.UNKNOWN)

_log = structlog.get_logger()


class Reception:
    """Takes in what providers report, by webhooks or fetched.

    Args:
        folder: The clinic's folder: its templates say what a message asked.
        key: The key of the address hashes.
    """

    def __init__(self, folder: ClinicFolder, key: SecretStr) -> None:
        self._folder = folder
        self._key = key
        lexicon()  # takes a while to read; no patient's first word has to wait for it

    async def receive(
        self,
        session: AsyncSession,
        channel: str,
        event: ProviderEvent,
        *,
        named: str = "",
        now: datetime,
    ) -> None:
        """Store an event for everybody whom it concerns; a repeat changes nothing.

        Args:
            session: A writing transaction; the provider is answered once it is committed.
            channel: The channel's name.
            event: What the provider reports; its channel has verified it.
            named: Which message a status URL was given for, as `OutgoingMessage.key`.
            now: Aware UTC.
        """
        if await inbox.is_stored(session, channel, event.key):
            _log.info("event received", channel=channel, kind=event.kind.value, new=False)
            return
        message = await _message_of(session, channel, event, named)
        is_words = event.from_address is not None and event.kind in _FROM_A_PERSON
        if is_words or event.kind is EventKind.REPLY:
            targets = await self._words(session, channel, event, message, now)
        else:
            targets = await self._report(session, channel, event, message, now)
        for target in targets:
            is_new = await inbox.store(session, target, now=now, key=self._key)
            _log.info("event received", channel=channel, kind=target.kind.value, new=is_new)
        if event.from_address and any(one.kind is EventKind.OPTED_OUT for one in targets):
            # the address itself, also where it is nobody's on the register, or not any more
            await suppression.suppress(
                session, event.from_address, source=channel, now=now, key=self._key
            )

    async def _words(
        self,
        session: AsyncSession,
        channel: str,
        event: ProviderEvent,
        message: Message | None,
        now: datetime,
    ) -> Sequence[inbox.Received]:
        """Return what somebody wrote, read as far as that needs no person."""
        written_from = event.from_address or ""
        about = message or await latest_message_to(session, channel, written_from, self._key)
        asks = await what_was_asked(session, about, self._folder) if about is not None else None
        names = [self._folder.profile.name, *await _first_names(session, about)]
        reading = read(event.body, asks, names=names)
        received = inbox.Received(
            source=channel,
            source_key=event.key,
            kind=_meant(event.kind, reading, asks),
            body=event.body,
            details=_details_of(event, reading),
        )
        # a number is written to for many things, and answers the one it was written for last; a
        # mail says itself which one it answers
        if message is not None and ("@" in written_from or not written_from):
            of_message = received.model_copy(
                update={
                    "attempt_id": message.attempt_id,
                    "details": received.details | {"step": message.step},
                }
            )
            concerned = await household.for_each(session, of_message, message.step)
            return [await _to_whom_it_still_concerns(session, one) for one in concerned]
        if not written_from:
            return [received]
        return await self._of_address(session, received, written_from, now)

    async def _of_address(
        self, session: AsyncSession, received: inbox.Received, address: str, now: datetime
    ) -> Sequence[inbox.Received]:
        concerned = await who_wrote(
            session,
            channel=received.source,
            address=address,
            says_stop=received.kind is EventKind.OPTED_OUT,
            now=now,
            key=self._key,
        )
        if not concerned:
            return [received.model_copy(update={"from_address": address})]
        by_patient = {
            patient_id: received.model_copy(
                update={
                    "source_key": f"{received.source_key}.{number}"
                    if number
                    else received.source_key,
                    "patient_id": patient_id,
                    "attempt_id": attempt_id,
                }
            )
            for number, (patient_id, attempt_id) in enumerate(concerned)
        }
        # in one order, as in `household.for_each`: two who stop a family can't wait for each other
        return [by_patient[patient_id] for patient_id in sorted(by_patient)]

    async def _report(
        self,
        session: AsyncSession,
        channel: str,
        event: ProviderEvent,
        message: Message | None,
        now: datetime,
    ) -> Sequence[inbox.Received]:
        """Return what became of a message, as it concerns everybody whom it names."""
        if message is None:
            if event.misconfigured:
                await _hold(session, channel, event, now)
            return [_unknown(channel, event)]
        kind = _became(event, message)
        if kind is EventKind.RETURNED and await _is_its_own_trouble(session, message):
            kind = EventKind.BOUNCED
        if event.status is not None and not _is_of_another_sending(event, message):
            message.provider_status = message_status.furthest(message.provider_status, event.status)
        details: dict[str, Any] = {"step": message.step}
        if kind is EventKind.BOUNCED and (event.misconfigured or not event.bad_address):
            details["bad_address"] = False
        details |= {"status": event.status} if event.status else {}
        details |= {"failure": event.failure} if event.failure else {}
        about = inbox.Received(
            source=channel,
            source_key=event.key,
            kind=kind,
            attempt_id=message.attempt_id,
            body=event.body,
            details=details,
        )
        if kind in _CHANGES_NOTHING:
            return [about]
        if kind is EventKind.BOUNCED:
            # before any patient's row: who forgets one of a family locks in this order
            await ledger.lock(session, message)
        everybody = await household.for_each(session, about, message.step)
        if kind is EventKind.RETURNED:
            await _hold(session, channel, event, now)
            if message.address_hash:  # of a person who was forgotten, nothing leads to them
                # by it a later word is known as one on this try, not on the one that follows
                message.provider_id = message.provider_id or event.provider_id
            await ledger.set_aside(session, message, event.failure or "", now)
        return everybody


async def _hold(session: AsyncSession, channel: str, event: ProviderEvent, now: datetime) -> None:
    code = event.failure or "misconfigured"
    if await channel_hold.hold(session, channel, code=code, now=now):
        tell_of_hold(channel, code)


async def _is_its_own_trouble(session: AsyncSession, message: Message) -> bool:
    """Whether a message has come back after every resume: no word on us any more."""
    before = await ledger.times_set_aside(session, message.attempt_id, message.step)
    return before >= channel_hold.HOLDS_AT_MOST


def _became(event: ProviderEvent, message: Message) -> EventKind:
    """Return what a report means, by what is known of its message."""
    if event.kind is EventKind.OPTED_OUT:  # stop is stop, whatever became of the message
        return event.kind
    arrived = message_status.has_arrived(message.provider_status)
    is_late = message.try_number != 1 or _is_of_another_sending(event, message)
    if is_late or (event.kind in _NEVER_ARRIVES and arrived):
        # a late word on a message that was set aside, or one that contradicts an earlier word
        return EventKind.NOTICE
    return EventKind.RETURNED if event.misconfigured else event.kind


def _is_of_another_sending(event: ProviderEvent, message: Message) -> bool:
    """Whether a report names our message by our key, and means another sending of it."""
    return event.provider_id is not None and message.provider_id not in (None, event.provider_id)


def _meant(kind: EventKind, reading: Reading, asks: str | None) -> EventKind:
    """Return what an event is, once its words were read; in doubt a reply, which a person reads."""
    if kind is not EventKind.REPLY:
        return kind
    match reading.meaning:
        case Meaning.OPT_OUT:
            return EventKind.OPTED_OUT
        case Meaning.NO if asks is not None:
            return EventKind.DECLINED
        case _:
            return EventKind.REPLY


def _details_of(event: ProviderEvent, reading: Reading) -> dict[str, Any]:
    if event.kind is EventKind.NOTICE:  # written by a machine
        return {}
    return {"reading": reading.meaning.value} | ({"says_more": True} if reading.says_more else {})


def _unknown(channel: str, event: ProviderEvent) -> inbox.Received:
    details = {"status": event.status, "failure": event.failure}
    return inbox.Received(
        source=channel,
        source_key=event.key,
        kind=EventKind.UNKNOWN,
        body=event.body,
        details={name: value for name, value in details.items() if value},
    )


async def _to_whom_it_still_concerns(
    session: AsyncSession, received: inbox.Received
) -> inbox.Received:
    """Return an answer to an older message as one to the attempt that is open by now, if any."""
    attempt = await session.get(Attempt, received.attempt_id)
    if attempt is None or attempt.state != AttemptState.ENDED.value:
        return received
    return received.model_copy(update={"attempt_id": None, "patient_id": attempt.patient_id})


async def _message_of(
    session: AsyncSession, channel: str, event: ProviderEvent, named: str
) -> Message | None:
    """Find the message that an event is about: by the provider's key, else by ours.

    Ours is that of a step, which may be delivered more than once.
    """
    if event.provider_id is not None:
        message = await ledger.message_of(session, channel, event.provider_id)
        if message is not None:
            return message
    elif event.message is None:
        return None
    # the report may be faster than the worker's note of the id; the provider's signature covers
    # what the request's URL names
    return await _named(session, channel, event.message or named)


async def _named(session: AsyncSession, channel: str, named: str) -> Message | None:
    """Return the message of a step that stands, or else the last one that was set aside."""
    parts = _MESSAGE.fullmatch(named)
    if parts is None:
        return None
    of_step = select(Message).where(
        Message.attempt_id == parts["attempt_id"],
        Message.step == int(parts["step"]),
        Message.channel == channel,
    )
    by_try = of_step.order_by(Message.try_number != 1, Message.try_number.desc())
    return await session.scalar(by_try.limit(1))


async def _first_names(session: AsyncSession, message: Message | None) -> Sequence[str]:
    if message is None:
        return []
    query = select(Patient.first_name).join(Attempt, Attempt.patient_id == Patient.id)
    return (await session.scalars(query.where(Attempt.id == message.attempt_id))).all()
