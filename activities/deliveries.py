"""Deliver one step of an attempt: read fresh, check, claim, send, record."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from pydantic import SecretStr
from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.interface import DeliveryActivities
from channels import errors
from channels.protocol import Channel, OutgoingMessage
from clinic import inbox, ledger
from clinic.attempt import AttemptState, DeliverInput
from clinic.campaigns import CampaignState
from clinic.contact_policy import ContactPolicy, next_opening
from clinic.database import Database
from clinic.delivery import (
    Deferred,
    Delivery,
    Failed,
    FailReason,
    Sent,
    Skipped,
    SkipReason,
)
from clinic.delivery_check import AttemptFacts, address_on, check_delivery
from clinic.folder import ClinicFolder
from clinic.ledger import Claim
from clinic.link import PatientLinks
from clinic.plan import Plan, Step
from clinic.standing import Standing, standings
from clinic.tables import Attempt, Campaign, Message, Patient
from clinic.wording import language_for, words_for

GIVE_UP_AFTER = timedelta(days=2)
"""A provider that takes nothing for so long: the ladder climbs to the next channel."""

_MEND_PAUSE = timedelta(minutes=1)
"""While our settings are wrong, look again this often; nobody loses their place."""

_READY_WITHIN = timedelta(seconds=5)
"""A try that takes longer to begin sending gives up: it might overlap with the next."""

CLAIM_SETTLES = timedelta(seconds=30)
"""A claim without a record may be another try's that still sends, for as long as one may last
(`workflows.activity_options`); only after that the provider is asked."""

_log = structlog.get_logger()


class _Unsettled(errors.SendError):
    """The provider was asked and can't tell what became of a message."""


@dataclass(frozen=True)
class _Ready:
    """A message whose ledger row is claimed, and what the claim said."""

    claim: Claim
    message: OutgoingMessage
    channel: Channel


class Deliveries(DeliveryActivities):
    """The delivering activity and what it needs.

    Args:
        database: The clinic's database.
        folder: The clinic's folder: profile, templates.
        policy: The contact policy in force.
        channels: The channels in use, by name.
        links: Makes patients' links.
        key: The key of the suppression hashes.
        public_url: Where providers report what becomes of a message.
    """

    def __init__(
        self,
        *,
        database: Database,
        folder: ClinicFolder,
        policy: ContactPolicy,
        channels: Mapping[str, Channel],
        links: PatientLinks,
        key: SecretStr,
        public_url: str,
    ) -> None:
        self._database = database
        self._folder = folder
        self._policy = policy
        self._channels = channels
        self._links = links
        self._key = key
        self._public_url = public_url.rstrip("/")

    @activity.defn
    async def deliver(self, request: DeliverInput) -> Delivery:
        """Deliver one step, once, however often this is tried.

        Raises:
            ApplicationError: `Transient`, `Misconfigured` or `Uncertain`: Temporal tries again.
        """
        # the server's clock, also on a time-skipping one, and fresh on every try
        now = activity.info().started_time
        began = time.monotonic()
        async with self._database.writing() as session:
            prepared = await self._prepare(session, request, now)
        if not isinstance(prepared, _Ready):
            return prepared
        if time.monotonic() - began > _READY_WITHIN.total_seconds():
            # this try is late, and the next one may have begun: what it sends could come twice
            await self._release(prepared)
            raise ApplicationError("late", type="Transient")
        try:
            provider_id = await self._hand_over(prepared)
        except errors.SendError as error:
            return await self._failed(prepared, error, now)
        async with self._database.writing() as session:
            await ledger.record_sent(
                session,
                attempt_id=request.attempt_id,
                step=request.step,
                provider_id=provider_id,
                now=now,
            )
        return Sent()

    async def _prepare(
        self, session: AsyncSession, request: DeliverInput, now: datetime
    ) -> _Ready | Delivery:
        attempt, campaign, earlier, answered = await _read(session, request)
        if earlier is not None and (settled := await _settled(session, earlier)) is not None:
            return settled
        patient = (await standings(session, [attempt.patient_id], now, self._key))[
            attempt.patient_id
        ]
        step = Plan.model_validate(campaign.plan).steps[request.step]
        channel = self._channel(step)
        address = address_on(channel.address_of, patient.contact, self._key)
        blocked = check_delivery(
            AttemptFacts(
                over=attempt.state != AttemptState.OPEN.value
                or campaign.state == CampaignState.STOPPED.value,
                answered=answered,
                campaign_paused=campaign.state == CampaignState.PAUSED.value,
                campaign_over=campaign.until is not None and now > campaign.until,
            ),
            patient,
            address,
            by_person=step.by_person,
            policy=self._policy,
            zone=self._folder.profile.zone,
            now=now,
        )
        if blocked is not None or address.address is None:
            attempt.held = isinstance(blocked, Deferred) and blocked.until is None
            return blocked or Skipped(reason=SkipReason.NO_ADDRESS)
        said, row = await ledger.claim(
            session,
            attempt_id=attempt.id,
            step=request.step,
            channel=step.channel,
            address_hash=address.hashed,
            now=now,
        )
        if (settled := await _settled(session, row)) is not None:
            return settled  # a slow earlier try has recorded its end in between
        if row.address_hash != address.hashed:
            # claimed for an address that has changed since: nobody can tell what became of it
            return Failed(reason=FailReason.UNCERTAIN)
        unsettled_for = row.claimed_at + CLAIM_SETTLES - now
        if said is Claim.UNCERTAIN and unsettled_for > timedelta(0):
            raise ApplicationError(
                "claimed just now", type="Uncertain", next_retry_delay=unsettled_for
            )
        message = self._compose(request, step, patient, address.address, row.claimed_at)
        return _Ready(said, message, channel)

    def _channel(self, step: Step) -> Channel:
        channel = self._channels.get(step.channel)
        if channel is None:
            _log.error("channel not in use", channel=step.channel)
            raise ApplicationError(
                f"channel {step.channel} is not in use here (REGRESA_CHANNELS)",
                type="Misconfigured",
                next_retry_delay=_MEND_PAUSE,
            )
        return channel

    def _compose(
        self,
        request: DeliverInput,
        step: Step,
        patient: Standing,
        to: str,
        claimed_at: datetime,
    ) -> OutgoingMessage:
        profile = self._folder.profile
        link = self._links.link_to(request.attempt_id, request.step)
        language = language_for(patient.language, profile)
        words = words_for(
            self._folder.template(step.template),
            step,
            first_name=patient.first_name,
            language=language,
            link=link,
            profile=profile,
        )
        return OutgoingMessage(
            key=f"{request.attempt_id}.{request.step}",
            attempt_id=request.attempt_id,
            step=request.step,
            to=to,
            language=language,
            sender=profile.name,
            subject=words.subject,
            text=words.script if step.by_person else words.text,
            link=link,
            stop_url=self._links.stop_url(request.attempt_id, request.step),
            status_url=f"{self._public_url}/webhooks/{step.channel}"
            f"?message={request.attempt_id}.{request.step}",
            claimed_at=claimed_at,
            due_at=next_opening(self._policy, profile.zone, claimed_at + step.wait),
            tries=step.tries,
        )

    async def _hand_over(self, ready: _Ready) -> str:
        if ready.claim is Claim.UNCERTAIN:
            try:
                receipt = await ready.channel.reconcile(ready.message)
            except errors.Uncertain as error:
                raise _Unsettled(error.code) from None
            if receipt is not None:
                return receipt.provider_id
        return (await ready.channel.send(ready.message)).provider_id

    async def _failed(self, ready: _Ready, error: errors.SendError, now: datetime) -> Failed:
        _log.info(
            "not sent",
            channel=ready.channel.name,
            meaning=type(error).__name__,
            code=error.code,
        )
        given_up = now - activity.info().scheduled_time > GIVE_UP_AFTER
        match error:
            case errors.Permanent():
                await self._record_refusal(ready, error, now)
                return Failed(reason=FailReason.REFUSED)
            case errors.OptedOut():
                await self._record_opt_out(ready, error, now)
                return Failed(reason=FailReason.OPTED_OUT)
            case _Unsettled():
                return Failed(reason=FailReason.UNCERTAIN)
            case errors.Uncertain() if not (ready.channel.settles or ready.claim is Claim.FRESH):
                return Failed(reason=FailReason.UNCERTAIN)
            case errors.Uncertain() if given_up:
                return Failed(reason=FailReason.UNCERTAIN)
            case errors.Uncertain():  # the claim stays: the next try asks before it sends
                raise _again(error, CLAIM_SETTLES) from None
            case errors.Misconfigured():
                await self._release(ready)
                _log.error("channel is misconfigured", channel=ready.channel.name, code=error.code)
                raise _again(error, _MEND_PAUSE) from None
            case _:
                await self._release(ready)
        if given_up:
            unsettled = ready.claim is Claim.UNCERTAIN
            return Failed(reason=FailReason.UNCERTAIN if unsettled else FailReason.UNAVAILABLE)
        raise _again(error, getattr(error, "retry_after", None)) from None

    async def _record_refusal(self, ready: _Ready, error: errors.SendError, now: datetime) -> None:
        async with self._database.writing() as session:
            await _record_failure(session, ready, error, now)
            patient = await _patient_of(session, ready)
            inbox.mark_bad(patient, ready.channel.name, now)

    async def _record_opt_out(self, ready: _Ready, error: errors.SendError, now: datetime) -> None:
        async with self._database.writing() as session:
            await _record_failure(session, ready, error, now)
            patient = await _patient_of(session, ready)
            source = ready.channel.name
            await inbox.opt_out(session, patient.id, source=source, now=now, key=self._key)

    async def _release(self, ready: _Ready) -> None:
        # a claim that an earlier try left behind may stand for a message that was sent
        if ready.claim is Claim.FRESH:
            async with self._database.writing() as session:
                message = ready.message
                await ledger.release(session, attempt_id=message.attempt_id, step=message.step)


async def _read(
    session: AsyncSession, request: DeliverInput
) -> tuple[Attempt, Campaign, Message | None, bool]:
    """Read the attempt, its campaign, the step's row of the ledger, and whether it was answered."""
    of_step = and_(
        Message.attempt_id == Attempt.id, Message.step == request.step, Message.try_number == 1
    )
    rows = await session.execute(
        select(Attempt, Campaign, Message, inbox.is_silenced(request.attempt_id))
        .join(Campaign, Campaign.id == Attempt.campaign_id)
        .outerjoin(Message, of_step)
        .where(Attempt.id == request.attempt_id)
        # shared lock: a resume that runs meanwhile waits, and then finds this attempt held
        .with_for_update(read=True, of=Campaign)
    )
    attempt, campaign, message, answered = rows.one()
    return attempt, campaign, message, answered


async def _settled(session: AsyncSession, row: Message) -> Delivery | None:
    """Return what the ledger says about a step that an earlier try finished."""
    if row.sent_at is not None:
        return Sent()
    if row.failed_at is None:
        return None
    attempt = await session.get_one(Attempt, row.attempt_id)
    patient = await session.get_one(Patient, attempt.patient_id)
    said_stop = patient.opted_out_at is not None
    return Failed(reason=FailReason.OPTED_OUT if said_stop else FailReason.REFUSED)


async def _record_failure(
    session: AsyncSession, ready: _Ready, error: errors.SendError, now: datetime
) -> None:
    await ledger.record_failed(
        session,
        attempt_id=ready.message.attempt_id,
        step=ready.message.step,
        failure=error.code,
        now=now,
    )


async def _patient_of(session: AsyncSession, ready: _Ready) -> Patient:
    attempt = await session.get_one(Attempt, ready.message.attempt_id)
    return await session.get_one(Patient, attempt.patient_id)


def _again(error: errors.SendError, pause: timedelta | None) -> ApplicationError:
    """Ask Temporal to try again; only the provider's code goes into the history."""
    return ApplicationError(error.code, type=type(error).__name__, next_retry_delay=pause)
