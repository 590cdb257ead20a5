"""What a plan would do: who would get what when if nobody answered, and who is left out."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict, SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.contact_policy import (
    ContactCalendar,
    ContactPolicy,
    PastContact,
    may_contact,
)
from clinic.delivery import SkipReason
from clinic.delivery_check import (
    Address,
    AddressOf,
    LeftOut,
    StepContent,
    address_on,
    calendar_of,
    why_closed,
    why_left_out,
)
from clinic.folder import ClinicFolder
from clinic.link import PatientLinks
from clinic.plan import Plan
from clinic.register.standing import Standing, standings
from clinic.segments.rule import Segment
from clinic.segments.size import member_pages
from clinic.template import Template
from clinic.wording import language_for, words_for

_SOME_ATTEMPT = "at-0123456789abcdef"
"""An attempt's id is part of the link, and the link part of a text's length."""


class ForecastStep(BaseModel):
    """One step of a forecast.

    Attributes:
        at: Aware UTC; when the step would be delivered. None: it would be skipped.
        skipped: Why it would be skipped.
        rule: Which rule of the contact policy put it off, or had it skipped, if any did.
    """

    model_config = ConfigDict(frozen=True)

    channel: str
    template: str
    at: datetime | None = None
    skipped: SkipReason | None = None
    rule: str = ""


class Forecast(BaseModel):
    """What one patient of a segment would get, or why and by which rule nothing."""

    model_config = ConfigDict(frozen=True)

    patient_id: str
    external_id: str
    name: str
    left_out: LeftOut | None = None
    left_out_rule: str = ""
    steps: tuple[ForecastStep, ...] = ()


def forecast(
    patient: Standing,
    plan: Plan,
    addresses: Mapping[str, Address],
    contents: Sequence[StepContent],
    *,
    policy: ContactPolicy,
    calendar: ContactCalendar,
    now: datetime,
) -> Forecast:
    """Climb the plan for one patient who never answers.

    Args:
        patient: Where the patient stands.
        plan: The plan.
        addresses: The patient's address on each of the plan's channels.
        contents: What each of the plan's steps says, in their order.
        policy: The contact policy.
        calendar: Of the patient.
        now: Aware UTC; when the attempt would start.
    """
    left_out = why_left_out(patient, plan, addresses, contents, policy, calendar, now)
    reason, rule = left_out or (None, "")
    climbed = _climb(patient, plan, addresses, contents, policy, calendar, now)
    return Forecast(
        patient_id=patient.patient_id,
        external_id=patient.external_id,
        name=f"{patient.first_name} {patient.last_name}".strip(),
        left_out=reason,
        left_out_rule=rule,
        steps=tuple(climbed) if left_out is None else (),
    )


def _climb(
    patient: Standing,
    plan: Plan,
    addresses: Mapping[str, Address],
    contents: Sequence[StepContent],
    policy: ContactPolicy,
    calendar: ContactCalendar,
    now: datetime,
) -> list[ForecastStep]:
    steps: list[ForecastStep] = []
    contacts = list(patient.contacts)
    clock = now
    for step, content in zip(plan.steps, contents, strict=True):
        planned = {"channel": step.channel, "template": step.template}
        address, today = addresses[step.channel], calendar.day_of(clock)
        closed = why_closed(step, content, address, patient, policy, today)
        if closed is not None:
            steps.append(ForecastStep(**planned, skipped=closed.reason, rule=closed.rule))
            continue
        blocked = may_contact(policy, calendar, step.channel, clock, contacts)
        clock = clock if blocked is None else blocked.until
        rule = "" if blocked is None else blocked.rule
        steps.append(ForecastStep(**planned, at=clock, rule=rule))
        # a person is taken to call as soon as the task stands on the call list
        contacts.append(PastContact(at=clock, channel=step.channel))
        clock += step.wait
    return steps


async def forecast_segment(
    session: AsyncSession,
    segment: Segment,
    plan: Plan,
    channels: Mapping[str, AddressOf],
    *,
    policy: ContactPolicy,
    folder: ClinicFolder,
    links: PatientLinks,
    key: SecretStr,
    now: datetime,
) -> AsyncIterator[Forecast]:
    """Climb the plan for everybody in a segment, in the order of the clinic's own numbers.

    Patients are read a few hundred at a time, so that memory stays flat over a million.

    Args:
        session: Any transaction, open until the last forecast has been given.
        segment: Who.
        plan: What.
        channels: How each of the plan's channels reads a patient's address.
        policy: The contact policy.
        folder: The clinic's folder: its calendar, and what templates say.
        links: Makes patients' links, which are part of a text's length.
        key: The key of the suppression hashes.
        now: Aware UTC; when the campaign would start.
    """
    clinic = folder.profile.calendar
    templates = [folder.template(step.template) for step in plan.steps]
    links_in = [links.link_to(_SOME_ATTEMPT, index) for index in range(len(plan.steps))]
    async for page in member_pages(session, segment, now=now, calendar=clinic):
        found = await standings(session, page, now, key, zone=clinic.zone)
        for patient_id in page:
            patient = found[patient_id]
            yield forecast(
                patient,
                plan,
                {
                    step.channel: address_on(channels[step.channel], patient.contact, key)
                    for step in plan.steps
                },
                _contents(patient, plan, templates, links_in, policy, folder),
                policy=policy,
                calendar=calendar_of(patient.contact, policy, clinic),
                now=now,
            )


def _contents(
    patient: Standing,
    plan: Plan,
    templates: Sequence[Template],
    links_in: Sequence[str],
    policy: ContactPolicy,
    folder: ClinicFolder,
) -> list[StepContent]:
    """Return what each step would say; texts only where their length matters."""
    limited = {rule.channel for rule in policy.length}
    contents: list[StepContent] = []
    for step, template, link in zip(plan.steps, templates, links_in, strict=True):
        text = ""
        if step.channel in limited:
            text = words_for(
                template,
                step,
                first_name=patient.first_name,
                language=language_for(patient.language, folder.profile),
                link=link,
                profile=folder.profile,
                # about the child, not to the child
                together=[patient.first_name] if patient.contact.for_guardian is not None else (),
            ).text
        contents.append(StepContent(kind=template.kind, text=text))
    return contents
