"""A patient's card: all that staff and ops look at when they ask what became of a patient."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, SecretStr
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.register.attempt_card import AttemptCard, CallLine, Said, attempt_cards, calls_of, said
from clinic.register.contact import Contact, is_minor
from clinic.register.others_there import Other, name_of, others_at
from clinic.register.sent_text import SentTexts
from clinic.register.standing import contacts_of
from clinic.register.suppression import addresses_of, suppressed
from clinic.tables import Appointment, CallTask, Consent, Duplicate, Event, Patient, Visit


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Twin(Other):
    """A row that may be the same person.

    Attributes:
        verdict: What staff said; None: nobody has settled it.
    """

    reason: str
    verdict: str | None


class VisitLine(_Part):
    """A visit to the clinic."""

    day: date
    treatment: str


class AppointmentLine(_Part):
    """An appointment, aware UTC, and who told of it."""

    at: datetime
    source: str


class ConsentLine(_Part):
    """The newest word on a channel and content; `at` is aware UTC."""

    channel: str
    content: str
    given: bool
    source: str
    at: datetime


class SuppressedAddress(_Part):
    """An address nobody writes to; `since` is aware UTC."""

    address: str
    since: datetime
    source: str


class Card(_Part):
    """What the clinic knows of a patient.

    Attributes:
        contact: How the patient is reached: a minor by the guardian's addresses.
        other_phone: Called, never written to.
        opted_out_at: Aware UTC; since then nobody writes to the patient.
        guardian: Whom messages to a minor go to; None where they go to the patient.
        household: Others who share an address; of a crowd the first.
        household_more: How many more there are: thousands may stand at a clinic's own number.
        same_person: Rows that may be the same person, and what staff said about it.
        said: What the patient said outside any attempt.
        open_tasks: Call tasks about that which are open.
        calls: Calls that staff made about that.
        reported_visits: How many visits the clinic's list counts; it may know more than `visits`.
    """

    patient_id: str
    external_id: str
    name: str
    status: str
    birth_date: date | None
    language: str | None
    preferred_channel: str | None
    loss_reason: str | None
    contact: Contact
    other_phone: str | None
    opted_out_at: datetime | None
    guardian: str | None
    household: tuple[Other, ...]
    same_person: tuple[Twin, ...]
    visits: tuple[VisitLine, ...]
    reported_visits: int | None
    appointments: tuple[AppointmentLine, ...]
    consents: tuple[ConsentLine, ...]
    suppressed: tuple[SuppressedAddress, ...]
    attempts: tuple[AttemptCard, ...]
    said: tuple[Said, ...]
    open_tasks: tuple[str, ...] = ()
    calls: tuple[CallLine, ...] = ()
    household_more: int = 0

    @property
    def observations(self) -> list[CallLine]:
        """What staff noted on calls, over all attempts, the latest first."""
        made = [*self.calls, *(call for attempt in self.attempts for call in attempt.calls)]
        noted = [call for call in made if call.note.strip()]
        return sorted(noted, key=lambda call: call.at, reverse=True)


async def card_of(
    session: AsyncSession,
    patient: Patient,
    *,
    now: datetime,
    zone: ZoneInfo,
    key: SecretStr,
    texts: SentTexts | None = None,
) -> Card:
    """Read a patient's card.

    Args:
        session: Any transaction.
        patient: Whose card.
        now: Aware UTC.
        zone: The clinic's time zone, whose day decides who is a minor.
        key: The key of the suppression hashes.
        texts: Says what each message said; None: the card goes without.
    """
    contact = (await contacts_of(session, [patient], now, zone))[patient.id]
    reached_at = {contact.email, contact.phone} - {None}
    addresses = {*addresses_of(patient, now), *(address for address in reached_at if address)}
    tasks = await _tasks(session, patient)
    household, more = await others_at(session, patient, addresses)
    outside = (Event.patient_id == patient.id, Event.attempt_id.is_(None))
    return Card(
        patient_id=patient.id,
        external_id=patient.external_id,
        name=name_of(patient),
        status=patient.status,
        birth_date=patient.birth_date,
        language=patient.language,
        preferred_channel=patient.preferred_channel,
        loss_reason=patient.loss_reason,
        contact=contact,
        other_phone=patient.other_phone,
        opted_out_at=patient.opted_out_at,
        guardian=_guardian(patient, contact, now.astimezone(zone).date()),
        household=household,
        household_more=more,
        same_person=await _same_person(session, patient),
        visits=await _visits(session, patient),
        reported_visits=patient.reported_visits,
        appointments=await _appointments(session, patient),
        consents=await _consents(session, patient),
        suppressed=await _suppressed(session, addresses, key),
        attempts=await attempt_cards(session, patient.id, texts),
        said=await said(session, *outside),
        open_tasks=tuple(task.id for task in tasks if task.closed_at is None),
        calls=await calls_of(session, [task.id for task in tasks]),
    )


async def _tasks(session: AsyncSession, patient: Patient) -> Sequence[CallTask]:
    """Return the tasks about what the patient said outside any attempt."""
    loose = (CallTask.patient_id == patient.id, CallTask.attempt_id.is_(None))
    return (
        await session.scalars(select(CallTask).where(*loose).order_by(CallTask.opened_at))
    ).all()


def _guardian(patient: Patient, contact: Contact, today: date) -> str | None:
    if not is_minor(patient, today) or contact.for_guardian is None:
        return None
    named = contact.for_guardian
    number = f"({patient.guardian_number})" if patient.guardian_number else ""
    return f"{named} {number}".strip() or None


async def _same_person(session: AsyncSession, patient: Patient) -> tuple[Twin, ...]:
    concerned = or_(Duplicate.patient_id == patient.id, Duplicate.other_id == patient.id)
    rows = await session.execute(
        select(Duplicate, Patient)
        .join(Patient, Patient.id.in_([Duplicate.patient_id, Duplicate.other_id]))
        .where(concerned, Patient.id != patient.id)
        .order_by(Patient.external_id)
    )
    return tuple(
        Twin(
            external_id=other.external_id,
            name=name_of(other),
            reason=duplicate.reason,
            verdict=duplicate.verdict,
        )
        for duplicate, other in rows
    )


async def _visits(session: AsyncSession, patient: Patient) -> tuple[VisitLine, ...]:
    rows = await session.scalars(
        select(Visit).where(Visit.patient_id == patient.id).order_by(Visit.day.desc(), Visit.id)
    )
    return tuple(VisitLine(day=row.day, treatment=row.treatment) for row in rows)


async def _appointments(session: AsyncSession, patient: Patient) -> tuple[AppointmentLine, ...]:
    rows = await session.scalars(
        select(Appointment)
        .where(Appointment.patient_id == patient.id)
        .order_by(Appointment.at.desc())
    )
    return tuple(AppointmentLine(at=row.at, source=row.source) for row in rows)


async def _consents(session: AsyncSession, patient: Patient) -> tuple[ConsentLine, ...]:
    rows = await session.scalars(
        select(Consent).where(Consent.patient_id == patient.id).order_by(Consent.at, Consent.id)
    )
    newest = {(row.channel, row.content): row for row in rows}
    return tuple(
        ConsentLine(
            channel=row.channel, content=row.content, given=row.given, source=row.source, at=row.at
        )
        for _, row in sorted(newest.items())
    )


async def _suppressed(
    session: AsyncSession, addresses: Iterable[str], key: SecretStr
) -> tuple[SuppressedAddress, ...]:
    found = await suppressed(session, addresses, key)
    return tuple(
        SuppressedAddress(address=address, since=row.since, source=row.source)
        for address, row in sorted(found.items())
    )
