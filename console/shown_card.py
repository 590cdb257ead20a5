"""A patient's card as the console's pages show it."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from clinic.clinic import Clinic
from clinic.register.card import Card, card_of
from clinic.register.sent_text import SentTexts
from clinic.tables import Patient


async def shown_card(
    session: AsyncSession, patient: Patient, clinic: Clinic, now: datetime
) -> Card:
    """Read a patient's card, with what each message said.

    Args:
        session: Any transaction.
        patient: Whose card.
        clinic: Whose register.
        now: Aware UTC.
    """
    return await card_of(
        session,
        patient,
        now=now,
        zone=clinic.profile.zone,
        key=clinic.key,
        texts=SentTexts(clinic.folder, clinic.links, now),
    )
