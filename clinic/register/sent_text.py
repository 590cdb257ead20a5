"""What a message said, for the patient's card: no text is kept, so it is put together again.

It is made of the campaign's plan as it was, and of the template and the patient's name and language
as they are today. Whether a template read differently on the day nobody can tell.
"""

from datetime import datetime

from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.folder import ClinicFolder
from clinic.link import PatientLinks
from clinic.plan import Step
from clinic.refusal import Refusal
from clinic.register.household import names_on
from clinic.register.standing import contacts_of
from clinic.tables import Attempt, Message, Patient
from clinic.template import Template
from clinic.wording import language_for, words_for

PERSONAL_LINK = "[link]"
"""Stands in a text where the patient's own link stood: nobody else is to open that page."""


class SentText(BaseModel):
    """What a message said.

    Attributes:
        subject: Of an email; else empty.
        text: Empty where the template is gone, or has no words any more for this channel in this
            language.
        language: `es`, `ru` or `en`.
    """

    model_config = ConfigDict(frozen=True)

    subject: str = ""
    text: str = ""
    language: str


class SentTexts:
    """Puts together again what messages said.

    Args:
        folder: The clinic's folder: profile, templates.
        links: As the messages had them; a text's length may decide what it says.
        now: Aware UTC; its day at the clinic decides who is a minor.
    """

    def __init__(self, folder: ClinicFolder, links: PatientLinks, now: datetime) -> None:
        self._folder = folder
        self._links = links
        self._now = now

    async def of(self, session: AsyncSession, message: Message, step: Step) -> SentText:
        """Return what a message said.

        Args:
            session: Any transaction.
            message: Its row in the ledger; where another's message carries it, that one is meant.
            step: The campaign's step by which it was sent.
        """
        profile = self._folder.profile
        carrier = await session.get_one(Attempt, message.carried_by or message.attempt_id)
        patient = await session.get_one(Patient, carrier.patient_id)
        language = language_for(patient.language, profile)
        template = self._template(step)
        if template is None or not template.speaks(language, step.channel):
            return SentText(language=language)
        link = self._links.link_to(carrier.id, message.step)
        words = words_for(
            template,
            step,
            first_name=patient.first_name,
            language=language,
            link=link,
            profile=profile,
            together=await self._named(session, carrier, patient, message.step),
        )
        return SentText(
            subject=words.subject.replace(link, PERSONAL_LINK),
            text=words.text.replace(link, PERSONAL_LINK),
            language=language,
        )

    def _template(self, step: Step) -> Template | None:
        try:
            return self._folder.template(step.template)
        except (Refusal, OSError):
            return None

    async def _named(
        self, session: AsyncSession, carrier: Attempt, patient: Patient, step: int
    ) -> list[str]:
        """Return whom a message names, where it is not to one patient about themselves."""
        names = await names_on(session, carrier.id, step)
        if len(names) > 1:
            return names
        zone = self._folder.profile.zone
        contact = (await contacts_of(session, [patient], self._now, zone))[patient.id]
        return [patient.first_name] if contact.for_guardian is not None else []
