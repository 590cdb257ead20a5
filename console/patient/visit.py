"""Somebody who followed the link in a message: whose it is, and whether it still leads anywhere."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from fastapi import HTTPException
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.clinic import Clinic
from clinic.link import LinkedMessage
from clinic.multilingual import LANGUAGES
from clinic.register import household
from clinic.register.standing import contacts_of
from clinic.tables import Attempt, Message, Patient
from clinic.wording import language_for
from console.patient.call_times import CallTime, call_times
from console.patient.said_before import SaidBefore, said_before

LINK_LASTS = timedelta(days=30)
"""After the attempt's end (the product's design: a message may be read weeks after it came; a
link that somebody finds in an old one should not be there for good)."""


class Visit(NamedTuple):
    """Somebody who followed a link.

    Attributes:
        token: The link's.
        linked: The message that it stands in.
        language: To speak: what was chosen, else the patient's.
        times: When they may ask to be called.
        over: The link has expired; that they want no more messages is heard all the same.
        before: What they have said, and what is known, already.
    """

    token: str
    linked: LinkedMessage
    language: str
    times: list[CallTime]
    over: bool
    before: SaidBefore


async def followed(clinic: Clinic, token: str, lang: str, now: datetime) -> Visit:
    """Return who has followed a link.

    Args:
        clinic: Whose message it was.
        token: The link's.
        lang: The language that they chose; anything else: none.
        now: Aware UTC.

    Raises:
        HTTPException: 404, it is no link of ours, or that of a person who was forgotten.
    """
    linked = clinic.links.read(token)
    if linked is None:
        raise _no_such_page()
    async with clinic.database.reading() as session:
        attempts = await _attempts(session, linked)
        patient = await session.get_one(Patient, attempts[0].patient_id)
        contacts = await contacts_of(session, [patient], now, clinic.profile.zone)
        before = await said_before(session, linked, attempts, clinic.profile.zone, now)
    phone = contacts[patient.id].phone
    return Visit(
        token=token,
        linked=linked,
        language=lang if lang in LANGUAGES else language_for(patient.language, clinic.profile),
        times=call_times(clinic.policy, clinic.calendar, phone, now),
        over=is_over([attempt.ended_at for attempt in attempts], now),
        before=before,
    )


def is_over(ends: Sequence[datetime | None], now: datetime) -> bool:
    """Say whether a link has expired.

    Args:
        ends: When the attempts ended of those whom the message names, aware UTC; None: under way.
        now: Aware UTC.
    """
    return all(end is not None and now >= end + LINK_LASTS for end in ends)


async def _attempts(session: AsyncSession, linked: LinkedMessage) -> list[Attempt]:
    """Return the attempts of all whom the message names, the one that its link names first."""
    # a message that came back is set aside, and its row's number with it: its link stays
    of_step = Message.attempt_id == linked.attempt_id, Message.step == linked.step
    if await session.scalar(select(Message.attempt_id).where(*of_step).limit(1)) is None:
        raise _no_such_page()
    own = await session.get_one(Attempt, linked.attempt_id)
    patient = await session.get_one(Patient, own.patient_id)
    # a household may have no other link
    carried = await household.carried_by(session, *linked)
    # of a person who was forgotten nothing is held again
    if patient.erased_at is not None and not carried:
        raise _no_such_page()
    return [own, *carried]


def _no_such_page() -> HTTPException:
    return HTTPException(404, "no such page")
