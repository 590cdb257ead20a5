"""Deliver one step of an attempt: read fresh, check, claim, send, record."""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from pydantic import SecretStr
from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import fail_point
from activities.delivery_errors import CLAIM_SETTLES, GIVE_UP_AFTER, DeliveryErrors
from activities.due_step import DueStep, DueSteps
from activities.handing_over import hand_over
from activities.interface import DeliveryActivities
from activities.outgoing import Occasion, Outgoing, Ready
from activities.shared_message import SharedMessages, wait_for_carrier
from channels import errors
from channels.protocol import Channel
from clinic import channel_hold, inbox, ledger
from clinic.attempt import DeliverInput
from clinic.contact_policy import ContactPolicy, too_long
from clinic.database import Database
from clinic.delivery import (
    Deferred,
    Delivery,
    Failed,
    FailReason,
    Sent,
)
from clinic.folder import ClinicFolder
from clinic.last_heard import last_heard
from clinic.ledger import Claim
from clinic.link import PatientLinks
from clinic.register import household
from clinic.step_notes import note_down
from clinic.tables import Attempt, Campaign, Message, Patient
from clinic.template import Words

_READY_WITHIN = timedelta(seconds=5)
"""A try that takes longer to begin sending gives up: it might overlap with the next."""

CARRIER_SETTLES = GIVE_UP_AFTER + timedelta(hours=1)
"""A message that carries others and is not settled after so long never will be."""


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
        self._policy = policy
        self._errors = DeliveryErrors(database, key)
        self._outgoing = Outgoing(folder=folder, policy=policy, links=links, public_url=public_url)
        self._due_steps = DueSteps(self._outgoing, folder, policy, channels, key)
        self._shared = SharedMessages(folder=folder, policy=policy, channels=channels, key=key)

    @activity.defn
    async def deliver(self, request: DeliverInput) -> Delivery:
        """Deliver one step, once, however often this is tried.

        Raises:
            ApplicationError: `Transient` or `Uncertain`, or `Misconfigured` where this worker lacks
                the channel: Temporal tries again.
        """
        # the server's clock, also on a time-skipping one, and fresh on every try
        now = activity.info().started_time
        began = time.monotonic()
        async with self._database.writing() as session:
            prepared = await self._prepare(session, request, now, began)
            if not isinstance(prepared, Ready):
                await note_down(session, request.attempt_id, request.step, prepared, now)
                return prepared
        fail_point.reach(fail_point.CLAIMED)
        if prepared.lasted > _READY_WITHIN:
            # this try is late, and the next one may have begun: what it sends could come twice
            await self._errors.release(prepared)
            raise ApplicationError("late", type="Transient")
        try:
            provider_id = await hand_over(prepared)
        except errors.SendError as error:
            became = await self._errors.answer(prepared, error, now)
            async with self._database.writing() as session:
                await note_down(session, request.attempt_id, request.step, became, now)
            return became
        fail_point.reach(fail_point.SENT)
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
        self, session: AsyncSession, request: DeliverInput, now: datetime, began: float
    ) -> Ready | Delivery:
        attempt, campaign, earlier, answered = await _read(session, request)
        if earlier is not None and (settled := await _settled(session, earlier)) is not None:
            return settled
        due = await self._due_steps.read(session, request, attempt, campaign, now)
        blocked = self._due_steps.blocked(due, campaign, answered=answered)
        if blocked is not None:
            attempt.held = isinstance(blocked, Deferred) and blocked.until is None
            attempt.held_channel = None
            return blocked
        if not due.step.by_person:
            waiting = await channel_hold.wait(session, attempt, due.step.channel)
            if waiting is not None:
                return waiting
        others = await _sharing(session, due) if earlier is None else []
        said, row = await ledger.claim(
            session,
            attempt_id=attempt.id,
            step=request.step,
            channel=due.step.channel,
            address_hash=due.address.hashed,
            now=now,
        )
        if (standing := await _standing_in_the_way(session, said, row, due)) is not None:
            return standing
        words = await self._claimed_words(session, said, row, due, others)
        occasion = Occasion(
            to=due.to,
            calendar=due.calendar,
            heard_at=await _heard(session, due),
            claimed_at=row.claimed_at,
            now=now,
        )
        message = self._outgoing.message(request, due.step, words, due.patient, occasion)
        return Ready(said, message, due.channel, began)

    async def _claimed_words(
        self, session: AsyncSession, said: Claim, row: Message, due: DueStep, others: Sequence[str]
    ) -> Words:
        """Return what the message says once it is claimed: to the patient, or to a household."""
        if said is Claim.FRESH:
            names = await self._shared.name_others(session, row, due.plan, others, due.now)
        else:  # whom the first try has named, as far as they may still be written to
            names = await self._shared.name_again(session, row, due.plan, due.now)
        if len(names) <= 1:
            return due.words
        shared = self._outgoing.words(due.request, due.step, due.template, due.patient, names)
        today = due.calendar.day_of(due.now)
        if said is Claim.FRESH and too_long(
            self._policy, due.step.channel, due.template.kind, shared.text, on=today
        ):  # each gets their own, which may be sent
            await ledger.put_down(session, row.attempt_id, row.step)
            return due.words
        return shared


async def _sharing(session: AsyncSession, due: DueStep) -> Sequence[str]:
    if due.step.by_person:
        return []
    return await household.sharing(session, due.attempt, due.to)


async def _heard(session: AsyncSession, due: DueStep) -> datetime | None:
    if due.step.by_person:
        return None
    return await last_heard(session, due.attempt.patient_id, due.step.channel)


async def _standing_in_the_way(
    session: AsyncSession, said: Claim, row: Message, due: DueStep
) -> Delivery | None:
    """Return what an earlier claim of the step makes of this try; None: it may be sent.

    Raises:
        ApplicationError: `Uncertain`: the earlier try may be sending just now.
    """
    if (settled := await _settled(session, row)) is not None:
        return settled  # a slow earlier try has recorded its end in between
    if row.carried_by is not None:
        return await wait_for_carrier(session, row, CARRIER_SETTLES, due.now)
    if row.address_hash != due.address.hashed:
        # claimed for an address that has changed since: nobody can tell what became of it
        return Failed(reason=FailReason.UNCERTAIN)
    unsettled_for = row.claimed_at + CLAIM_SETTLES - due.now
    if said is Claim.UNCERTAIN and unsettled_for > timedelta(0):
        raise ApplicationError("claimed just now", type="Uncertain", next_retry_delay=unsettled_for)
    return None


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
