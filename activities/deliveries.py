"""Deliver one step of an attempt: read fresh, check, claim, send, record."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from pydantic import SecretStr
from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.interface import DeliveryActivities
from activities.shared_message import SharedMessages, patients_named, wait_for_carrier
from channels import errors
from channels.protocol import Channel, OutgoingMessage
from clinic import inbox, ledger
from clinic.attempt import AttemptState, DeliverInput
from clinic.campaigns import CampaignState
from clinic.contact_policy import ContactPolicy, next_opening, too_long
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
from clinic.delivery_check import (
    AttemptFacts,
    StepContent,
    address_on,
    calendar_of,
    check_delivery,
)
from clinic.folder import ClinicFolder
from clinic.ledger import Claim
from clinic.link import PatientLinks
from clinic.plan import Plan, Step
from clinic.register import household, suppression
from clinic.register.standing import Standing, standings
from clinic.step_notes import note_down
from clinic.tables import Attempt, Campaign, Message, Patient
from clinic.template import Template, Words
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

CARRIER_SETTLES = GIVE_UP_AFTER + timedelta(hours=1)
"""A message that carries others and is not settled after so long never will be."""

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
        self._shared = SharedMessages(folder=folder, policy=policy, channels=channels, key=key)

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
                await note_down(session, request.attempt_id, request.step, prepared, now)
                return prepared
        if time.monotonic() - began > _READY_WITHIN.total_seconds():
            # this try is late, and the next one may have begun: what it sends could come twice
            await self._release(prepared)
            raise ApplicationError("late", type="Transient")
        try:
            provider_id = await self._hand_over(prepared)
        except errors.SendError as error:
            failed = await self._failed(prepared, error, now)
            async with self._database.writing() as session:
                await note_down(session, request.attempt_id, request.step, failed, now)
            return failed
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
        clinic = self._folder.profile.calendar
        found = await standings(
            session,
            [attempt.patient_id],
            now,
            self._key,
            zone=clinic.zone,
            besides=request,
            in_turn=True,
        )
        patient = found[attempt.patient_id]
        plan = Plan.model_validate(campaign.plan)
        step = plan.steps[request.step]
        channel = self._channel(step)
        address = address_on(channel.address_of, patient.contact, self._key)
        calendar = calendar_of(patient.contact, self._policy, clinic)
        template = self._folder.template(step.template)
        words = self._words(request, step, template, patient)
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
            step=step,
            content=StepContent(kind=template.kind, text="" if step.by_person else words.text),
            policy=self._policy,
            calendar=calendar,
            now=now,
        )
        if blocked is not None or address.address is None:
            attempt.held = isinstance(blocked, Deferred) and blocked.until is None
            return blocked or Skipped(reason=SkipReason.NO_ADDRESS)
        others = (
            []
            if step.by_person or earlier is not None
            else await household.sharing(session, attempt, address.address)
        )
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
        if row.carried_by is not None:
            return await wait_for_carrier(session, row, CARRIER_SETTLES, now)
        if row.address_hash != address.hashed:
            # claimed for an address that has changed since: nobody can tell what became of it
            return Failed(reason=FailReason.UNCERTAIN)
        unsettled_for = row.claimed_at + CLAIM_SETTLES - now
        if said is Claim.UNCERTAIN and unsettled_for > timedelta(0):
            raise ApplicationError(
                "claimed just now", type="Uncertain", next_retry_delay=unsettled_for
            )
        if said is Claim.FRESH:
            names = await self._shared.name_others(session, row, plan, others, now)
        else:  # whom the first try has named, as far as they may still be written to
            names = await self._shared.name_again(session, row, plan, now)
        if len(names) > 1:
            shared = self._words(request, step, template, patient, names)
            today = calendar.day_of(now)
            if said is Claim.FRESH and too_long(
                self._policy, step.channel, template.kind, shared.text, on=today
            ):  # each gets their own, which may be sent
                await ledger.put_down(session, attempt.id, request.step)
            else:
                words = shared
        message = self._compose(
            request,
            step,
            words,
            language=language_for(patient.language, self._folder.profile),
            to=address.address,
            claimed_at=row.claimed_at,
            due_at=next_opening(self._policy, calendar, row.claimed_at + step.wait),
        )
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

    def _words(
        self,
        request: DeliverInput,
        step: Step,
        template: Template,
        patient: Standing,
        names: Sequence[str] = (),
    ) -> Words:
        profile = self._folder.profile
        if not names and patient.contact.for_guardian is not None and not step.by_person:
            names = [patient.first_name]  # about the child, not to the child
        return words_for(
            template,
            step,
            first_name=patient.first_name,
            language=language_for(patient.language, profile),
            link=self._links.link_to(request.attempt_id, request.step),
            profile=profile,
            together=names,
        )

    def _compose(
        self,
        request: DeliverInput,
        step: Step,
        words: Words,
        *,
        language: str,
        to: str,
        claimed_at: datetime,
        due_at: datetime,
    ) -> OutgoingMessage:
        return OutgoingMessage(
            key=f"{request.attempt_id}.{request.step}",
            attempt_id=request.attempt_id,
            step=request.step,
            to=to,
            language=language,
            sender=self._folder.profile.name,
            subject=words.subject,
            text=words.script if step.by_person else words.text,
            link=self._links.link_to(request.attempt_id, request.step),
            stop_url=self._links.stop_url(request.attempt_id, request.step),
            status_url=f"{self._public_url}/webhooks/{step.channel}"
            f"?message={request.attempt_id}.{request.step}",
            claimed_at=claimed_at,
            due_at=due_at,
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
            for patient in await _patients_of(session, ready):
                inbox.mark_bad(patient, ready.channel.name, now)

    async def _record_opt_out(self, ready: _Ready, error: errors.SendError, now: datetime) -> None:
        async with self._database.writing() as session:
            await _record_failure(session, ready, error, now)
            source, to = ready.channel.name, ready.message.to
            for patient in await _patients_of(session, ready):
                await suppression.opt_out(
                    session, patient.id, source=source, now=now, key=self._key
                )
            # the address that said stop may be a guardian's, on another row of the register
            await suppression.suppress(session, to, source=source, now=now, key=self._key)

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
    bounced_early = row.carried_by is not None and row.failed_at is not None
    if row.sent_at is not None and not bounced_early:
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


async def _patients_of(session: AsyncSession, ready: _Ready) -> list[Patient]:
    return await patients_named(session, ready.message.attempt_id, ready.message.step)


def _again(error: errors.SendError, pause: timedelta | None) -> ApplicationError:
    """Ask Temporal to try again; only the provider's code goes into the history."""
    return ApplicationError(error.code, type=type(error).__name__, next_retry_delay=pause)
