"""Where a patient stands with the clinic at this moment, read fresh before every contact."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, SecretStr
from sqlalchemy import ColumnElement, Select, bindparam, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.attempt import AttemptState
from clinic.contact_policy import PastContact
from clinic.event import CallOutcome, EventKind
from clinic.register.address import address_hash
from clinic.register.consent import consents_of
from clinic.register.contact import Contact, contact_of, is_minor
from clinic.register.past_contacts import past_contacts
from clinic.tables import (
    Appointment,
    Attempt,
    CallTask,
    Consent,
    Duplicate,
    Event,
    Patient,
    Suppression,
    UtcMoment,
)

BOOKED_FOR = timedelta(days=30)
"""Who booked without telling for when is taken to have an appointment for so long."""

_AT_ONCE = 500


class PatientStatus(StrEnum):
    """Whether a person is still the clinic's patient."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    DECEASED = "deceased"
    MOVED = "moved"


class Standing(BaseModel):
    """Everything about a patient that decides whether a contact may happen.

    Attributes:
        suppressed: Keyed hashes of those of the patient's addresses that nobody may write to.
        open_attempt_id: The patient's open attempt in any campaign.
        last_ended_at: When the patient's latest attempt ended, aware UTC.
        contacts: Whoever was reached at one of the patient's addresses in the last eight days.
        consents: (channel, content) to the newest word: given, or refused.
        possible_duplicate: The row may be the same person as another one, and nobody has settled
            it; or it is, and the other row is the one that counts.
        erased: The person was forgotten.
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
    contacts: tuple[PastContact, ...] = ()
    consents: Mapping[tuple[str, str], bool] = {}
    possible_duplicate: bool = False
    erased: bool = False


def _facts() -> Select[Any]:
    """Return the query for patients and what is known of each; its parameters are given later.

    It is built once: to build it again would take longer than SQLite takes to answer it.
    """
    of_patient = Attempt.patient_id == Patient.id
    # the partial unique index lets at most one row be open
    is_open = Attempt.state == AttemptState.OPEN.value
    last_ended = select(func.max(Attempt.ended_at)).where(of_patient)
    unsettled = exists().where(Duplicate.patient_id == Patient.id, Duplicate.verdict.is_(None))
    return select(
        Patient,
        _is_booked().label("booked"),
        select(Attempt.id).where(of_patient, is_open).scalar_subquery().label("open_attempt_id"),
        last_ended.scalar_subquery().label("last_ended_at"),
        unsettled.label("unsettled"),
        exists().where(Consent.patient_id == Patient.id).label("said_something"),
    ).where(Patient.id.in_(bindparam("patient_ids", expanding=True)))


def _is_booked() -> ColumnElement[bool]:
    """Return the condition that a patient has a future appointment, or said so lately."""
    now, lately = bindparam("now", type_=UtcMoment), bindparam("lately", type_=UtcMoment)
    in_the_book = exists().where(Appointment.patient_id == Patient.id, Appointment.at > now)
    said_so = exists().where(
        Event.patient_id == Patient.id,
        Event.kind == EventKind.BOOKED.value,
        Event.received_at > lately,
    )
    told_staff = exists().where(
        CallTask.patient_id == Patient.id,
        CallTask.outcome == CallOutcome.BOOKED.value,
        CallTask.closed_at > lately,
    )
    return or_(in_the_book, said_so, told_staff)


_FACTS = _facts()
_SUPPRESSED = select(Suppression.address_hash).where(
    Suppression.address_hash.in_(bindparam("hashes", expanding=True))
)


async def standings(
    session: AsyncSession,
    patient_ids: Sequence[str],
    now: datetime,
    key: SecretStr,
    *,
    zone: ZoneInfo,
) -> dict[str, Standing]:
    """Read where patients stand, by their id.

    Args:
        session: Any transaction.
        patient_ids: Whom to read; ids that are not on the register are left out.
        now: Aware UTC.
        key: The key of the suppression hashes.
        zone: The clinic's time zone, whose day decides who is a minor.
    """
    found: dict[str, Standing] = {}
    for start in range(0, len(patient_ids), _AT_ONCE):
        found |= await _read(session, patient_ids[start : start + _AT_ONCE], now, key, zone)
    return found


async def _read(
    session: AsyncSession, patient_ids: Sequence[str], now: datetime, key: SecretStr, zone: ZoneInfo
) -> dict[str, Standing]:
    asked = {"patient_ids": patient_ids, "now": now, "lately": now - BOOKED_FOR}
    rows = (await session.execute(_FACTS, asked)).all()
    contact = await contacts_of(session, [row.Patient for row in rows], now, zone)
    hashes = {patient_id: _hashes(contact[patient_id], key) for patient_id in contact}
    suppressed = await _suppressed(session, hashes.values())
    contacts = await past_contacts(session, list(hashes), hashes, now)
    # most clinics record no consent: who said nothing costs no query
    consents = await consents_of(session, [row.Patient.id for row in rows if row.said_something])
    return {
        patient.id: Standing(
            patient_id=patient.id,
            external_id=patient.external_id,
            first_name=patient.first_name,
            last_name=patient.last_name,
            language=patient.language,
            status=PatientStatus(patient.status),
            opted_out=patient.opted_out_at is not None,
            booked=row.booked,
            contact=contact[patient.id],
            suppressed=hashes[patient.id] & suppressed,
            open_attempt_id=row.open_attempt_id,
            last_ended_at=row.last_ended_at,
            contacts=contacts[patient.id],
            consents=consents.get(patient.id, {}),
            possible_duplicate=row.unsettled or patient.duplicate_of is not None,
            erased=patient.erased_at is not None,
        )
        for patient, row in ((row.Patient, row) for row in rows)
    }


async def contacts_of(
    session: AsyncSession, patients: Sequence[Patient], now: datetime, zone: ZoneInfo
) -> dict[str, Contact]:
    """Return how patients can be reached, by their id.

    Args:
        session: Any transaction.
        patients: Rows of the register.
        now: Aware UTC.
        zone: The clinic's time zone, whose day decides who is a minor.
    """
    today = now.astimezone(zone).date()
    numbers = {row.guardian_number for row in patients if is_minor(row, today)} - {None}
    guardians: dict[str | None, Patient] = {}
    if numbers:
        found = await session.scalars(
            select(Patient).where(
                Patient.external_id.in_(numbers),
                Patient.status != PatientStatus.DECEASED.value,
                Patient.erased_at.is_(None),
            )
        )
        guardians = {guardian.external_id: guardian for guardian in found}
    return {
        patient.id: contact_of(patient, guardians.get(patient.guardian_number), today)
        for patient in patients
    }


def _hashes(contact: Contact, key: SecretStr) -> frozenset[str]:
    addresses = (contact.email, contact.phone)
    return frozenset(address_hash(key, address) for address in addresses if address)


async def _suppressed(session: AsyncSession, hashes: Iterable[frozenset[str]]) -> frozenset[str]:
    every_hash = list(frozenset[str]().union(*hashes))
    return frozenset(await session.scalars(_SUPPRESSED, {"hashes": every_hash}))
