"""May this step be delivered now? The pure rules that every contact passes, in their order."""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, SecretStr

from clinic.address import address_hash
from clinic.contact_policy import ContactPolicy, may_contact
from clinic.delivery import Deferred, Skipped, SkipReason
from clinic.plan import Plan
from clinic.standing import Contact, PatientStatus, Standing


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
    CAMPAIGN_OVER = "campaign_over"
    CAMPAIGN_STOPPED = "campaign_stopped"


def check_delivery(
    attempt: AttemptFacts,
    patient: Standing,
    address: Address,
    *,
    by_person: bool,
    policy: ContactPolicy,
    zone: ZoneInfo,
    now: datetime,
) -> Skipped | Deferred | None:
    """Answer whether a step may be delivered; None is yes.

    A person may be asked to call at any hour (the task's due time lies within the hours), so
    the policy binds the machine alone.
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
    if (reason := unusable(address, patient)) is not None:
        return Skipped(reason=reason)
    if by_person:
        return None
    blocked = may_contact(policy, zone, now, patient.contacted_at)
    return None if blocked is None else Deferred(until=blocked.until, rule=blocked.rule)


def not_contactable(patient: Standing) -> SkipReason | None:
    """Return why nobody may contact a patient on any channel; None where that is fine."""
    by_status = {
        PatientStatus.DECEASED: SkipReason.DECEASED,
        PatientStatus.MOVED: SkipReason.MOVED,
        PatientStatus.INACTIVE: SkipReason.INACTIVE,
    }
    if patient.status in by_status:
        return by_status[patient.status]
    if patient.opted_out:
        return SkipReason.OPTED_OUT
    return SkipReason.ALREADY_BOOKED if patient.booked else None


def unusable(address: Address, patient: Standing) -> SkipReason | None:
    """Return why an address can't be used; None where it can."""
    if address.address is None:
        return SkipReason.NO_ADDRESS
    if address.bad:
        return SkipReason.BAD_ADDRESS
    return SkipReason.SUPPRESSED if address.hashed in patient.suppressed else None


def why_left_out(
    patient: Standing,
    plan: Plan,
    addresses: Mapping[str, Address],
    policy: ContactPolicy,
    now: datetime,
) -> LeftOut | None:
    """Return why a patient of the segment gets no attempt; None where one is started.

    Args:
        patient: Where the patient stands.
        plan: The campaign's plan.
        addresses: The patient's address on each of the plan's channels.
        policy: Whose cool-down counts.
        now: Aware UTC.
    """
    if (reason := not_contactable(patient)) is not None:
        return LeftOut(reason.value)
    if patient.open_attempt_id is not None:
        return LeftOut.OPEN_ATTEMPT
    if patient.last_ended_at is not None and now < patient.last_ended_at + policy.cool_down:
        return LeftOut.COOL_DOWN
    if all(unusable(addresses[step.channel], patient) is not None for step in plan.steps):
        return LeftOut.NO_WAY_TO_REACH
    return None
