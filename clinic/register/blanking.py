"""Takes out of each table what tells who a forgotten person was; the caller locks the rows."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.identifiers import new_id
from clinic.plain_text import name_key
from clinic.register.standing import PatientStatus
from clinic.register.suppression import addresses_of
from clinic.register.written_from import tells_of, wrote_from
from clinic.tables import (
    Appointment,
    Consent,
    Duplicate,
    Event,
    Message,
    Patient,
    StepNote,
    Visit,
)


def blank(patient: Patient, now: datetime) -> None:
    """Blank the person's row, but for its opaque id.

    Args:
        patient: The row; it has been read for update.
        now: Aware UTC.
    """
    # by the table and not by name: a column that is added is blanked as well
    for column in Patient.__table__.columns:
        if column.name != "id":
            setattr(patient, column.name, None if column.nullable else "")
    patient.external_id = new_id("forgotten")
    patient.status = PatientStatus.INACTIVE.value
    patient.erased_at = now


async def delete_what_was_theirs(
    session: AsyncSession, patient: Patient, attempt_ids: Sequence[str]
) -> None:
    """Delete the rows that are about nobody but the person."""
    for table in (Visit, Appointment, Consent):
        await session.execute(delete(table).where(table.patient_id == patient.id))
    in_pair = or_(Duplicate.patient_id == patient.id, Duplicate.other_id == patient.id)
    await session.execute(delete(Duplicate).where(in_pair))
    await session.execute(delete(StepNote).where(StepNote.attempt_id.in_(attempt_ids)))


async def blank_messages(session: AsyncSession, attempt_ids: Sequence[str]) -> None:
    """Blank where the messages of some attempts went, and what their providers call them."""
    await session.execute(
        update(Message)
        .where(Message.attempt_id.in_(attempt_ids))
        .values(address_hash="", provider_id=None)
        .execution_options(synchronize_session=False)
    )


async def blank_events(
    session: AsyncSession,
    patient: Patient,
    attempt_ids: Sequence[str],
    now: datetime,
    *,
    told: str,
) -> None:
    """Blank what happened, also the source's own key, which may name the person elsewhere.

    Args:
        session: A writing transaction.
        patient: The person's row, as it was.
        attempt_ids: The row's attempts.
        now: Aware UTC.
        told: Why nobody hears any more of what was on its way.
    """
    addresses = addresses_of(patient, now)
    of_person = or_(
        Event.patient_id == patient.id,
        Event.attempt_id.in_(attempt_ids),
        wrote_from(addresses),
        *([tells_of(addresses)] if addresses else []),
    )
    await session.execute(
        update(Event)
        .where(of_person, Event.relayed_at.is_(None))
        .values(relayed_at=now, relay_result=told)
        .execution_options(synchronize_session=False)
    )
    await session.execute(
        update(Event)
        .where(of_person)
        .values(body="", details={}, source_key=Event.id, from_address=None)
        .execution_options(synchronize_session=False)
    )


def is_ward_of(patient: Patient) -> ColumnElement[bool]:
    """Return the condition that a row names somebody as guardian, or gives an address of theirs.

    Args:
        patient: Who may be the guardian.
    """
    return or_(
        Patient.guardian_number == patient.external_id,
        Patient.guardian_email.in_([patient.email] if patient.email else []),
        Patient.guardian_phone.in_(_phones_of(patient)),
    )


async def let_go_of_wards(session: AsyncSession, patient: Patient) -> None:
    """Take the person off the rows of the minors whose guardian they are."""
    names = name_key(patient.first_name, patient.last_name)
    phones = _phones_of(patient)
    for ward in (await session.scalars(select(Patient).where(is_ward_of(patient)))).all():
        if ward.guardian_number == patient.external_id:
            ward.guardian_number = None
        if ward.guardian_name and name_key(ward.guardian_name, "") == names:
            ward.guardian_name = None
        if ward.guardian_email == patient.email:
            ward.guardian_email = None
        if ward.guardian_phone in phones:
            ward.guardian_phone = None


def _phones_of(patient: Patient) -> list[str]:
    return [phone for phone in (patient.phone, patient.other_phone) if phone]
