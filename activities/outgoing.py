"""What goes out: the words of a step for one patient or a household, and the message of them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from channels.protocol import Channel, OutgoingMessage
from clinic.attempt import DeliverInput
from clinic.contact_policy import ContactCalendar, ContactPolicy, closes_at, next_opening
from clinic.folder import ClinicFolder
from clinic.ledger import Claim
from clinic.link import PatientLinks
from clinic.plan import Step
from clinic.register.standing import Standing
from clinic.template import Template, Words
from clinic.wording import language_for, words_for


@dataclass(frozen=True)
class Ready:
    """A message whose ledger row is claimed.

    Attributes:
        claim: What the claim said.
        message: The message.
        channel: By which it is sent.
        began: When this try began, by the process's own clock (`time.monotonic`).
    """

    claim: Claim
    message: OutgoingMessage
    channel: Channel
    began: float

    @property
    def lasted(self) -> timedelta:
        """For how long this try has lasted."""
        return timedelta(seconds=time.monotonic() - self.began)


@dataclass(frozen=True)
class Occasion:
    """What a message depends on besides its words.

    Attributes:
        to: The patient's address.
        calendar: Of the patient.
        heard_at: Aware UTC; when the patient last wrote on this channel.
        claimed_at: Aware UTC; when the step was first claimed.
        now: Aware UTC.
    """

    to: str
    calendar: ContactCalendar
    heard_at: datetime | None
    claimed_at: datetime
    now: datetime


class Outgoing:
    """Writes messages.

    Args:
        folder: The clinic's folder: profile, templates.
        policy: The contact policy in force.
        links: Makes patients' links.
        public_url: Where providers report what becomes of a message.
    """

    def __init__(
        self, *, folder: ClinicFolder, policy: ContactPolicy, links: PatientLinks, public_url: str
    ) -> None:
        self._folder = folder
        self._policy = policy
        self._links = links
        self._public_url = public_url.rstrip("/")

    def words(
        self,
        request: DeliverInput,
        step: Step,
        template: Template,
        patient: Standing,
        names: Sequence[str] = (),
    ) -> Words:
        """Return what a step says to a patient.

        Args:
            request: Which step of which attempt.
            step: The step.
            template: Its content.
            patient: Where the patient stands.
            names: The first names of everybody whom the message names, where they are several.
        """
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

    def message(
        self,
        request: DeliverInput,
        step: Step,
        words: Words,
        patient: Standing,
        occasion: Occasion,
    ) -> OutgoingMessage:
        """Return the message of a step's words."""
        closing = closes_at(self._policy, occasion.calendar, occasion.now)
        return OutgoingMessage(
            key=f"{request.attempt_id}.{request.step}",
            attempt_id=request.attempt_id,
            step=request.step,
            to=occasion.to,
            language=language_for(patient.language, self._folder.profile),
            sender=self._folder.profile.name,
            subject=words.subject,
            text=words.script if step.by_person else words.text,
            link=self._links.link_to(request.attempt_id, request.step),
            stop_url=self._links.stop_url(request.attempt_id, request.step),
            status_url=f"{self._public_url}/webhooks/{step.channel}"
            f"?message={request.attempt_id}.{request.step}",
            claimed_at=occasion.claimed_at,
            valid_for=None if step.by_person or closing is None else closing - occasion.now,
            heard_at=occasion.heard_at,
            approved_text=words.approved_text,
            values=words.values,
            due_at=next_opening(self._policy, occasion.calendar, occasion.claimed_at + step.wait),
            tries=step.tries,
        )
