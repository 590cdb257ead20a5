"""What a channel's failure means for the step: try again, climb, end, wait, or ask a person."""

from datetime import datetime, timedelta

import structlog
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.hold_notice import tell_of_hold
from activities.outgoing import Ready
from activities.shared_message import patients_named
from channels import errors
from clinic import channel_hold, inbox, ledger
from clinic.database import Database
from clinic.delivery import Deferred, Delivery, Failed, FailReason
from clinic.ledger import Claim
from clinic.register import suppression
from clinic.tables import Attempt, Message, Patient

GIVE_UP_AFTER = timedelta(days=2)
"""A provider that takes nothing for so long: the ladder climbs to the next channel."""

CLAIM_SETTLES = timedelta(seconds=30)
"""A claim without a record may be another try's that still sends, for as long as one may last
(`workflows.activity_options`); only after that the provider is asked."""

_OURS_FOR = CLAIM_SETTLES - timedelta(seconds=5)
"""So long after its beginning a try may give its claim back; later, the next one relies on it."""

_TRIES_AT_LEAST = 10
"""Nobody is given up before: a message may have waited for days for its first try, in the queue of
a channel that has a rate or was not in use."""

_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=1), timedelta(minutes=5)
"""Before a provider that does not say when is asked again; it doubles with every try."""

_LONGEST_SAID = timedelta(hours=1)
"""No provider's word keeps a patient waiting for longer; one that means more says it again."""

_log = structlog.get_logger()


class Unsettled(errors.SendError):
    """The provider was asked and can't tell what became of a message."""


class DeliveryErrors:
    """Answers failures, and records what follows from them.

    Args:
        database: The clinic's database.
        key: The key of the suppression hashes.
    """

    def __init__(self, database: Database, key: SecretStr) -> None:
        self._database = database
        self._key = key

    async def answer(self, ready: Ready, error: errors.SendError, now: datetime) -> Delivery:
        """Return what became of a step whose message was not certainly sent.

        Args:
            ready: The message, claimed.
            error: What its channel said.
            now: Aware UTC.

        Raises:
            ApplicationError: `Transient` or `Uncertain`: Temporal tries again.
        """
        _log.info(
            "not sent",
            channel=ready.channel.name,
            meaning=type(error).__name__,
            code=error.code,
        )
        match error:
            case errors.Permanent():
                await self._record_refusal(ready, error, now)
                return Failed(reason=FailReason.REFUSED)
            case errors.OptedOut():
                await self._record_opt_out(ready, error, now)
                return Failed(reason=FailReason.OPTED_OUT)
            case errors.Misconfigured():
                return await self._held_or_given_up(ready, error, now)
            case Unsettled():
                return Failed(reason=FailReason.UNCERTAIN)
            case errors.Uncertain() if not (ready.channel.settles or ready.claim is Claim.FRESH):
                return Failed(reason=FailReason.UNCERTAIN)
            case errors.Uncertain() if _given_up(now):
                return Failed(reason=FailReason.UNCERTAIN)
            case errors.Uncertain():  # the claim stays: the next try asks before it sends
                raise _again(error, CLAIM_SETTLES) from None
            case _:
                await self.release(ready)
        if _given_up(now):
            unsettled = ready.claim is Claim.UNCERTAIN
            return Failed(reason=FailReason.UNCERTAIN if unsettled else FailReason.UNAVAILABLE)
        raise _again(error, _pause(error)) from None

    async def release(self, ready: Ready) -> None:
        """Give a claim back that this try has made; nothing was sent.

        A try that has waited too long keeps it: the next one has found it by then, and whatever
        that sends has to stand in the ledger.
        """
        async with self._database.writing() as session:
            await _release(session, ready)

    async def _held_or_given_up(
        self, ready: Ready, error: errors.Misconfigured, now: datetime
    ) -> Deferred | Failed:
        """Hold the channel for everybody: the next delivery would fail as this one did.

        A message that has done so before, and is refused again after every resume, climbs.
        """
        name, message = ready.channel.name, ready.message
        async with self._database.writing() as session:
            before = await ledger.times_set_aside(session, message.attempt_id, message.step)
            if before >= channel_hold.HOLDS_AT_MOST and _is_ours(ready):
                await _record_failure(session, ready, error, now)
                return Failed(reason=FailReason.UNAVAILABLE)
            is_new = await channel_hold.hold(session, name, code=error.code, now=now)
            if _is_ours(ready):
                row = await session.get_one(Message, (message.attempt_id, message.step, 1))
                await ledger.set_aside(session, row, error.code, now)
            attempt = await session.get_one(Attempt, ready.message.attempt_id)
            waiting = await channel_hold.wait(session, attempt, name)
        if is_new:
            tell_of_hold(name, error.code)
        assert waiting is not None  # noqa: S101 - it was held above, in the same transaction
        return waiting

    async def _record_refusal(self, ready: Ready, error: errors.SendError, now: datetime) -> None:
        async with self._database.writing() as session:
            await _record_failure(session, ready, error, now)
            for patient in await _patients_of(session, ready):
                inbox.mark_bad(patient, ready.channel.name, now, address=ready.message.to)

    async def _record_opt_out(self, ready: Ready, error: errors.SendError, now: datetime) -> None:
        async with self._database.writing() as session:
            await _record_failure(session, ready, error, now)
            source, to = ready.channel.name, ready.message.to
            for patient in await _patients_of(session, ready):
                await suppression.opt_out(
                    session, patient.id, source=source, now=now, key=self._key
                )
            # the address that said stop may be a guardian's, on another row of the register
            await suppression.suppress(session, to, source=source, now=now, key=self._key)


async def _release(session: AsyncSession, ready: Ready) -> None:
    if _is_ours(ready):
        message = ready.message
        await ledger.release(session, attempt_id=message.attempt_id, step=message.step)


def _is_ours(ready: Ready) -> bool:
    """Whether this try may give its claim back: one left behind may stand for a sent message."""
    return ready.claim is Claim.FRESH and ready.lasted < _OURS_FOR


async def _record_failure(
    session: AsyncSession, ready: Ready, error: errors.SendError, now: datetime
) -> None:
    await ledger.record_failed(
        session,
        attempt_id=ready.message.attempt_id,
        step=ready.message.step,
        failure=error.code,
        now=now,
    )


async def _patients_of(session: AsyncSession, ready: Ready) -> list[Patient]:
    return await patients_named(session, ready.message.attempt_id, ready.message.step)


def _given_up(now: datetime) -> bool:
    info = activity.info()
    return now - info.scheduled_time > GIVE_UP_AFTER and info.attempt >= _TRIES_AT_LEAST


def _pause(error: errors.SendError) -> timedelta:
    said = error.retry_after if isinstance(error, errors.Transient) else None
    if said is not None:
        return min(max(said, _FIRST_PAUSE), _LONGEST_SAID)
    doublings = min(activity.info().attempt - 1, _TRIES_AT_LEAST)
    return min(_FIRST_PAUSE * (1 << doublings), _LONGEST_PAUSE)


def _again(error: errors.SendError, pause: timedelta) -> ApplicationError:
    """Ask Temporal to try again; only the provider's code goes into the history."""
    return ApplicationError(error.code, type=type(error).__name__, next_retry_delay=pause)
