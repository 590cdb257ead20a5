"""What one patient would read at each step of a plan, before anything is sent."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel, ConfigDict, SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.contact_policy import ContactPolicy
from clinic.delivery_check import AddressOf, StepContent, address_on, calendar_of
from clinic.folder import ClinicFolder
from clinic.forecast import Forecast, forecast
from clinic.identifiers import new_id
from clinic.link import PatientLinks
from clinic.plan import Plan, Step
from clinic.register.standing import Standing, standings
from clinic.template import Words
from clinic.wording import language_for, words_for


class PreviewedMessage(BaseModel):
    """What one step says to a patient.

    Attributes:
        step: The step.
        words: Subject and text, or the script for the person who calls.
        link: The patient's own page: of no attempt there is, so that it leads nowhere.
        stop_url: The one-click unsubscribe, in the same way.
    """

    model_config = ConfigDict(frozen=True)

    step: Step
    words: Words
    link: str
    stop_url: str


class MessagePreview(BaseModel):
    """What one patient would get.

    Attributes:
        forecast: What would be delivered when, and what not and why.
        language: In which the messages are.
        messages: One for each step of the plan, delivered or not.
    """

    model_config = ConfigDict(frozen=True)

    forecast: Forecast
    language: str
    messages: tuple[PreviewedMessage, ...]


async def messages_for(
    session: AsyncSession,
    patient_id: str,
    plan: Plan,
    channels: Mapping[str, AddressOf],
    *,
    policy: ContactPolicy,
    folder: ClinicFolder,
    links: PatientLinks,
    key: SecretStr,
    now: datetime,
) -> MessagePreview:
    """Write every message of a plan as one patient would get it, on their own.

    Where people share an address, what is sent names them all; here it names this patient.

    Args:
        session: Any transaction.
        patient_id: The patient; there is one.
        plan: The plan.
        channels: How each of the plan's channels reads a patient's address.
        policy: The contact policy.
        folder: The clinic's folder: its calendar, and what templates say.
        links: Makes the links.
        key: The key of the suppression hashes.
        now: Aware UTC; when the attempt would start.
    """
    clinic = folder.profile.calendar
    patient = (await standings(session, [patient_id], now, key, zone=clinic.zone))[patient_id]
    messages = _messages(patient, plan, folder, links)
    contents = [
        StepContent(kind=folder.template(said.step.template).kind, text=said.words.text)
        for said in messages
    ]
    return MessagePreview(
        forecast=forecast(
            patient,
            plan,
            {
                step.channel: address_on(channels[step.channel], patient.contact, key)
                for step in plan.steps
            },
            contents,
            policy=policy,
            calendar=calendar_of(patient.contact, policy, clinic),
            now=now,
        ),
        language=language_for(patient.language, folder.profile),
        messages=messages,
    )


def _messages(
    patient: Standing, plan: Plan, folder: ClinicFolder, links: PatientLinks
) -> tuple[PreviewedMessage, ...]:
    nobodys = new_id("at")  # there is no such attempt: its link opens nothing
    said = []
    for index, step in enumerate(plan.steps):
        link = links.link_to(nobodys, index)
        for_guardian = patient.contact.for_guardian is not None and not step.by_person
        words = words_for(
            folder.template(step.template),
            step,
            first_name=patient.first_name,
            language=language_for(patient.language, folder.profile),
            link=link,
            profile=folder.profile,
            # about the child, not to the child
            together=[patient.first_name] if for_guardian else (),
        )
        stop_url = links.stop_url(nobodys, index)
        said.append(PreviewedMessage(step=step, words=words, link=link, stop_url=stop_url))
    return tuple(said)
