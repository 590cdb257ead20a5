"""Where a patient stands with the clinic at this moment, read fresh before every contact."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, SecretStr
from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.address import address_hash
from clinic.attempt import AttemptState
from clinic.event import CallOutcome, EventKind
from clinic.plan import CALL
from clinic.segment_sql import has_future_appointment
from clinic.tables import Attempt, CallTask, Event, Message, Patient, Suppression

_CONTACTS_WITHIN = timedelta(days=2)

BOOKED_FOR = timedelta(days=30)
"""Who booked without telling for when is taken to have an appointment for so long."""

_AT_ONCE = 500


class PatientStatus(StrEnum):
    """Whether a person is still the clinic's patient."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    DECEASED = "deceased"
    MOVED = "moved"


class Contact(BaseModel):
    """How a patient can be reached, as the channels see it.

    Attributes:
        email: Normal form; None where there is none.
        phone: E.164; None where there is none.
        email_bad: The address is known not to work.
        phone_bad: The number is known not to be the patient's.
        sms_bad: The number takes no text messages; it may be called.
    """

    model_config = ConfigDict(frozen=True)

    email: str | None
    phone: str | None
    email_bad: bool = False
    phone_bad: bool = False
    sms_bad: bool = False


class Standing(BaseModel):
    """Everything about a patient that decides whether a contact may happen.

    Attributes:
        suppressed: Keyed hashes of those of the patient's addresses that nobody may write to.
        open_attempt_id: The patient's open attempt in any campaign.
        last_ended_at: When the patient's latest attempt ended, aware UTC.
        contacted_at: When the machine wrote to the patient in the last two days, aware UTC.
    """

    model_config = ConfigDict(frozen=True)

    patient_id: str
    external_id: str
    first_name: str
    last_name: str
    language: str | None
    status: PatientStatus
    opted_out: bool
    booked: bool
    contact: Contact
    suppressed: frozenset[str]
    open_attempt_id: str | None
    last_ended_at: datetime | None
    contacted_at: tuple[datetime, ...]


async def standings(
    session: AsyncSession, patient_ids: Sequence[str], now: datetime, key: SecretStr
) -> dict[str, Standing]:
    """Read where patients stand, by their id.

    Args:
        session: Any transaction.
        patient_ids: Whom to read; ids that are not on the register are left out.
        now: Aware UTC.
        key: The key of the suppression hashes.
    """
    found: dict[str, Standing] = {}
    for start in range(0, len(patient_ids), _AT_ONCE):
        found |= await _read(session, patient_ids[start : start + _AT_ONCE], now, key)
    return found


async def _read(
    session: AsyncSession, patient_ids: Sequence[str], now: datetime, key: SecretStr
) -> dict[str, Standing]:
    # the partial unique index lets at most one row be open
    open_attempt = (
        select(Attempt.id)
        .where(Attempt.patient_id == Patient.id, Attempt.state == AttemptState.OPEN.value)
        .scalar_subquery()
    )
    last_ended = (
        select(func.max(Attempt.ended_at)).where(Attempt.patient_id == Patient.id).scalar_subquery()
    )
    rows = (
        await session.execute(
            select(Patient, is_booked(now), open_attempt, last_ended).where(
                Patient.id.in_(patient_ids)
            )
        )
    ).all()
    hashes = {patient.id: _hashes(patient, key) for patient, *_ in rows}
    every_hash = [hashed for of_one in hashes.values() for hashed in of_one]
    suppressed = set(
        await session.scalars(
            select(Suppression.address_hash).where(Suppression.address_hash.in_(every_hash))
        )
    )
    contacted = await _contacted_at(session, patient_ids, now)
    return {
        patient.id: Standing(
            patient_id=patient.id,
            external_id=patient.external_id,
            first_name=patient.first_name,
            last_name=patient.last_name,
            language=patient.language,
            status=PatientStatus(patient.status),
            opted_out=patient.opted_out_at is not None,
            booked=booked,
            contact=contact_of(patient),
            suppressed=frozenset(hashes[patient.id]) & suppressed,
            open_attempt_id=open_attempt_id,
            last_ended_at=last_ended_at,
            contacted_at=tuple(contacted.get(patient.id, ())),
        )
        for patient, booked, open_attempt_id, last_ended_at in rows
    }


def is_booked(now: datetime) -> ColumnElement[bool]:
    """Return the condition that a patient has a future appointment, or said so lately."""
    said_so = exists().where(
        Event.patient_id == Patient.id,
        Event.kind == EventKind.BOOKED.value,
        Event.received_at > now - BOOKED_FOR,
    )
    told_staff = exists().where(
        CallTask.patient_id == Patient.id,
        CallTask.outcome == CallOutcome.BOOKED.value,
        CallTask.closed_at > now - BOOKED_FOR,
    )
    return or_(has_future_appointment(now), said_so, told_staff)


def contact_of(patient: Patient) -> Contact:
    """Return how a patient can be reached."""
    return Contact(
        email=patient.email,
        phone=patient.phone,
        email_bad=patient.email_bad_at is not None,
        phone_bad=patient.phone_bad_at is not None,
        sms_bad=patient.sms_bad_at is not None,
    )


def _hashes(patient: Patient, key: SecretStr) -> set[str]:
    return {address_hash(key, address) for address in (patient.email, patient.phone) if address}


async def _contacted_at(
    session: AsyncSession, patient_ids: Sequence[str], now: datetime
) -> dict[str, list[datetime]]:
    contacted: dict[str, list[datetime]] = {}
    rows = await session.execute(
        select(Attempt.patient_id, Message.sent_at)
        .join(Message, Message.attempt_id == Attempt.id)
        .where(
            Attempt.patient_id.in_(patient_ids),
            Message.sent_at > now - _CONTACTS_WITHIN,
            Message.channel != CALL,  # a task for a person: nobody was written to
        )
    )
    for patient_id, sent_at in rows:
        if sent_at is not None:  # the query asks for no other; the type does not know it
            contacted.setdefault(patient_id, []).append(sent_at)
    return contacted
