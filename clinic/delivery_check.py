"""May this step be delivered now? The pure rules that every contact passes, in their order."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, SecretStr

from clinic.contact_policy import (
    ContactCalendar,
    ContactPolicy,
    Content,
    calendar_for,
    consent_lacking,
    cooled_down,
    may_contact,
    too_long,
)
from clinic.delivery import Deferred, Skipped, SkipReason
from clinic.plan import Plan, Step
from clinic.register.address import address_hash
from clinic.register.contact import LANDLINE, Contact
from clinic.register.crowd import MOST_IN_A_HOUSEHOLD
from clinic.register.standing import PatientStatus, Standing


class Address(BaseModel):
    """A patient's address on one channel.

    Attributes:
        address: None where the patient has none.
        bad: It is known not to work.
        hashed: Its keyed hash.
    """

    model_config = ConfigDict(frozen=True)

    address: str | None
    bad: bool = False
    hashed: str = ""


AddressOf = Callable[[Contact], tuple[str | None, bool]]
"""How a channel answers: the patient's address on it, and whether it is known to be bad."""


def address_on(address_of: AddressOf, contact: Contact, key: SecretStr) -> Address:
    """Return a patient's address on a channel, with its keyed hash."""
    address, bad = address_of(contact)
    hashed = address_hash(key, address) if address else ""
    return Address(address=address, bad=bad, hashed=hashed)


class AttemptFacts(BaseModel):
    """What is known about an attempt and its campaign at this moment.

    Attributes:
        over: The attempt has ended, or was never opened.
        answered: The patient, or staff, said something that stops the machine's messages; the
            attempt may not have heard it yet.
        campaign_paused: Nothing is sent until the campaign resumes.
        campaign_over: The campaign's end date has passed.
    """

    model_config = ConfigDict(frozen=True)

    over: bool
    answered: bool
    campaign_paused: bool
    campaign_over: bool


class LeftOut(StrEnum):
    """Why a patient of the segment gets no attempt."""

    DECEASED = "deceased"
    MOVED = "moved"
    INACTIVE = "inactive"
    OPTED_OUT = "opted_out"
    ALREADY_BOOKED = "already_booked"
    OPEN_ATTEMPT = "open_attempt"
    COOL_DOWN = "cool_down"
    NO_WAY_TO_REACH = "no_way_to_reach"
    POSSIBLE_DUPLICATE = "possible_duplicate"
    ERASED = "erased"
    CAMPAIGN_OVER = "campaign_over"
    CAMPAIGN_STOPPED = "campaign_stopped"


class StepContent(BaseModel):
    """What a step says.

    Attributes:
        kind: An offer needs other consent than a reminder.
        text: What the patient would read; empty where a person speaks, or it is not known yet.
    """

    model_config = ConfigDict(frozen=True)

    kind: Content
    text: str = ""


def calendar_of(
    contact: Contact, policy: ContactPolicy, clinic: ContactCalendar
) -> ContactCalendar:
    """Return the calendar in which a patient's hours and days are meant."""
    return calendar_for(policy, clinic, contact.phone)


def check_delivery(
    attempt: AttemptFacts,
    patient: Standing,
    address: Address,
    *,
    step: Step,
    content: StepContent,
    policy: ContactPolicy,
    calendar: ContactCalendar,
    now: datetime,
) -> Skipped | Deferred | None:
    """Answer whether a step may be delivered; None is yes.

    The policy binds a person's call as it binds a message: the task opens when a call is allowed.
    """
    if attempt.over:
        return Skipped(reason=SkipReason.ATTEMPT_OVER)
    if (reason := not_contactable(patient)) is not None:
        return Skipped(reason=reason)
    if attempt.answered:
        return Deferred(until=None, rule="an answer is on its way to this attempt")
    if attempt.campaign_paused:
        return Deferred(until=None, rule="the campaign is paused")
    if attempt.campaign_over:
        return Skipped(reason=SkipReason.CAMPAIGN_OVER)
    today = calendar.day_of(now)
    if (closed := why_closed(step, content, address, patient, policy, today)) is not None:
        return closed
    blocked = may_contact(policy, calendar, step.channel, now, patient.contacts)
    return None if blocked is None else Deferred(until=blocked.until, rule=blocked.rule)


def not_contactable(patient: Standing) -> SkipReason | None:
    """Return why nobody may contact a patient on any channel; None where that is fine."""
    by_status = {
        PatientStatus.DECEASED: SkipReason.DECEASED,
        PatientStatus.MOVED: SkipReason.MOVED,
        PatientStatus.INACTIVE: SkipReason.INACTIVE,
    }
    if patient.erased:
        return SkipReason.ERASED
    if patient.status in by_status:
        return by_status[patient.status]
    if patient.opted_out:
        return SkipReason.OPTED_OUT
    if patient.booked:
        return SkipReason.ALREADY_BOOKED
    return SkipReason.POSSIBLE_DUPLICATE if patient.possible_duplicate else None


def why_closed(
    step: Step,
    content: StepContent,
    address: Address,
    patient: Standing,
    policy: ContactPolicy,
    today: date,
) -> Skipped | None:
    """Return why a step's channel can't carry its content to a patient; None where it can.

    Args:
        step: The step.
        content: What it says.
        address: The patient's address on its channel.
        patient: Where the patient stands.
        policy: Whose rules on consent and length count.
        today: The local day; a rule that comes into force later does not count yet.
    """
    if address.address is None:
        return Skipped(reason=SkipReason.NO_ADDRESS)
    if address.bad:
        return Skipped(reason=SkipReason.BAD_ADDRESS, rule=_landline(address, patient.contact))
    if address.hashed in patient.suppressed:
        return Skipped(reason=SkipReason.SUPPRESSED)
    if address.hashed in patient.crowded and not step.by_person:
        crowd = f"{step.channel}: the address is shared by more than {MOST_IN_A_HOUSEHOLD} patients"
        return Skipped(reason=SkipReason.BAD_ADDRESS, rule=crowd)
    channel, kind = step.channel, content.kind
    lacking = consent_lacking(policy, channel, kind, patient.consents, on=today)
    if lacking is not None:
        return Skipped(reason=SkipReason.NO_CONSENT, rule=lacking)
    if (rule := too_long(policy, channel, kind, content.text, on=today)) is not None:
        return Skipped(reason=SkipReason.TOO_LONG, rule=rule)
    return None


def why_left_out(
    patient: Standing,
    plan: Plan,
    addresses: Mapping[str, Address],
    contents: Sequence[StepContent],
    policy: ContactPolicy,
    calendar: ContactCalendar,
    now: datetime,
) -> tuple[LeftOut, str] | None:
    """Return why a patient of the segment gets no attempt, and by which rule; None: one starts.

    Args:
        patient: Where the patient stands.
        plan: The campaign's plan.
        addresses: The patient's address on each of the plan's channels.
        contents: What each of the plan's steps says, in their order.
        policy: Whose cool-down, and whose rules on consent, count.
        calendar: Of the patient.
        now: Aware UTC.
    """
    if (reason := not_contactable(patient)) is not None:
        return LeftOut(reason.value), ""
    if patient.open_attempt_id is not None:
        return LeftOut.OPEN_ATTEMPT, ""
    if (rests := cooled_down(policy, patient.last_ended_at, now)) is not None:
        return LeftOut.COOL_DOWN, rests.rule
    today = calendar.day_of(now)
    closed = [
        (step.channel, why_closed(step, content, addresses[step.channel], patient, policy, today))
        for step, content in zip(plan.steps, contents, strict=True)
    ]
    if any(why is None for _, why in closed):
        return None
    said = [why.in_words(channel) for channel, why in closed if why is not None]
    return LeftOut.NO_WAY_TO_REACH, "; ".join(dict.fromkeys(said))


def _landline(address: Address, contact: Contact) -> str:
    """Name what no status of the register says: the number itself takes no text messages."""
    is_phone = address.address == contact.phone
    only_no_sms = is_phone and not contact.phone_bad and contact.phone_kind == LANDLINE
    return "a landline takes no text messages" if only_no_sms else ""
