"""A step that is due, with everything that decides about it, read at this moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession
from temporalio.exceptions import ApplicationError

from activities.outgoing import Outgoing
from channels.protocol import Channel
from clinic.attempt import AttemptState, DeliverInput
from clinic.campaigns import CampaignState
from clinic.contact_policy import ContactCalendar, ContactPolicy
from clinic.delivery import Deferred, Skipped
from clinic.delivery_check import (
    Address,
    AttemptFacts,
    StepContent,
    address_on,
    calendar_of,
    check_delivery,
)
from clinic.folder import ClinicFolder
from clinic.plan import Plan, Step
from clinic.register.standing import Standing, standings
from clinic.tables import Attempt, Campaign
from clinic.template import Template, Words

_MEND_PAUSE = timedelta(minutes=1)
"""While a worker lacks a channel, look again this often; nobody loses their place."""

_log = structlog.get_logger()


@dataclass(frozen=True)
class DueStep:
    """A step that is to be delivered, with all that was read about it at this moment."""

    request: DeliverInput
    attempt: Attempt
    plan: Plan
    step: Step
    channel: Channel
    patient: Standing
    address: Address
    calendar: ContactCalendar
    template: Template
    words: Words
    now: datetime

    @property
    def to(self) -> str:
        """The patient's address, once `DueSteps.blocked` says nothing against it."""
        assert self.address.address is not None  # noqa: S101 - else it is skipped
        return self.address.address


class DueSteps:
    """Reads steps, and asks the rules about them.

    Args:
        outgoing: Writes the words whose length may matter.
        folder: The clinic's folder: calendar, templates.
        policy: The contact policy in force.
        channels: The channels in use, by name.
        key: The key of the address hashes.
    """

    def __init__(
        self,
        outgoing: Outgoing,
        folder: ClinicFolder,
        policy: ContactPolicy,
        channels: Mapping[str, Channel],
        key: SecretStr,
    ) -> None:
        self._outgoing = outgoing
        self._folder = folder
        self._policy = policy
        self._channels = channels
        self._key = key

    async def read(
        self,
        session: AsyncSession,
        request: DeliverInput,
        attempt: Attempt,
        campaign: Campaign,
        now: datetime,
    ) -> DueStep:
        """Read everything fresh.

        Args:
            session: A writing transaction; it waits for its turn at the patient's addresses.
            request: Which step of which attempt.
            attempt: The attempt.
            campaign: Its campaign.
            now: Aware UTC.

        Raises:
            ApplicationError: `Misconfigured`: this worker lacks the channel.
        """
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
        template = self._folder.template(step.template)
        return DueStep(
            request=request,
            attempt=attempt,
            plan=plan,
            step=step,
            channel=channel,
            patient=patient,
            address=address_on(channel.address_of, patient.contact, self._key),
            calendar=calendar_of(patient.contact, self._policy, clinic),
            template=template,
            words=self._outgoing.words(request, step, template, patient),
            now=now,
        )

    def blocked(
        self, due: DueStep, campaign: Campaign, *, answered: bool
    ) -> Skipped | Deferred | None:
        """Return why a step may not be delivered now; None: it may, and has an address."""
        facts = AttemptFacts(
            over=due.attempt.state != AttemptState.OPEN.value
            or campaign.state == CampaignState.STOPPED.value,
            answered=answered,
            campaign_paused=campaign.state == CampaignState.PAUSED.value,
            campaign_over=campaign.until is not None and due.now > campaign.until,
        )
        text = "" if due.step.by_person else due.words.text
        return check_delivery(
            facts,
            due.patient,
            due.address,
            step=due.step,
            content=StepContent(kind=due.template.kind, text=text),
            policy=self._policy,
            calendar=due.calendar,
            now=due.now,
        )

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
