"""Where a patient stands with the clinic at this moment, read fresh before every contact."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, SecretStr
from sqlalchemy import Select, bindparam, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.attempt import AttemptState, DeliverInput
from clinic.contact_policy import PastContact
from clinic.register.address import address_hash
from clinic.register.address_turn import take_turn
from clinic.register.consent import consents_of
from clinic.register.contact import Contact, Guardian, contact_of, is_minor
from clinic.register.crowd import crowded_addresses, may_be_crowded
from clinic.register.past_contacts import past_contacts
from clinic.register.same_person import (
    BOOKED_FOR,
    NOTHING_ELSEWHERE,
    SaidElsewhere,
    has_others,
    is_booked,
    said_elsewhere,
)
from clinic.tables import Attempt, Consent, Duplicate, Patient, Suppression

_AT_ONCE = 500


class PatientStatus(StrEnum):
    """Whether a person is still the clinic's patient."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    DECEASED = "deceased"
    MOVED = "moved"


class Standing(BaseModel):
    """Everything about a patient that decides whether a contact may happen.

    Status, opt-out, booking and refusals are the person's: the strictest word on any of the rows
    that are, or may be, the same person's (`clinic.register.same_person`).

    Attributes:
        suppressed: Keyed hashes of those of the patient's addresses that nobody may write to.
        crowded: Keyed hashes of those that more people share than a household has.
        open_attempt_id: The patient's open attempt in any campaign.
        last_ended_at: When the patient's latest attempt ended, aware UTC.
        contacts: Whoever was reached at one of the patient's addresses in the last eight days.
        consents: (channel, content) to the newest word: given, or refused; what a minor's
            guardian refused is refused for the minor.
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
    crowded: frozenset[str] = frozenset()
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
        is_booked().label("booked"),
        select(Attempt.id).where(of_patient, is_open).scalar_subquery().label("open_attempt_id"),
        last_ended.scalar_subquery().label("last_ended_at"),
        unsettled.label("unsettled"),
        exists().where(Consent.patient_id == Patient.id).label("said_something"),
        may_be_crowded().label("may_be_crowded"),
        has_others().label("has_others"),
    ).where(Patient.id.in_(bindparam("patient_ids", expanding=True)))


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
    besides: DeliverInput | None = None,
    in_turn: bool = False,
) -> dict[str, Standing]:
    """Read where patients stand, by their id.

    Args:
        session: Any transaction.
        patient_ids: Whom to read; ids that are not on the register are left out.
        now: Aware UTC.
        key: The key of the suppression hashes.
        zone: The clinic's time zone, whose day decides who is a minor.
        besides: The delivery that asks; its own claims are no contacts.
        in_turn: Whether to keep other deliveries to shared addresses waiting from here to the
            end of the transaction, so that each finds the contacts that the others claim.
    """
    found: dict[str, Standing] = {}
    for start in range(0, len(patient_ids), _AT_ONCE):
        page = patient_ids[start : start + _AT_ONCE]
        found |= await _read(session, page, now, key, zone, besides, in_turn=in_turn)
    return found


async def _read(
    session: AsyncSession,
    patient_ids: Sequence[str],
    now: datetime,
    key: SecretStr,
    zone: ZoneInfo,
    besides: DeliverInput | None,
    *,
    in_turn: bool,
) -> dict[str, Standing]:
    asked = {"patient_ids": patient_ids, "now": now, "lately": now - BOOKED_FOR}
    rows = (await session.execute(_FACTS, asked)).all()
    contact = await contacts_of(session, [row.Patient for row in rows], now, zone)
    hashes = {patient_id: _hashes(contact[patient_id], key) for patient_id in contact}
    if in_turn and any(row.may_be_crowded for row in rows):  # somebody shares an address
        await take_turn(session, frozenset[str]().union(*hashes.values()))
    suppressed = await _suppressed(session, hashes.values())
    # most people share no address: they cost no query
    shared = await crowded_addresses(
        session, [row.Patient.id for row in rows if row.may_be_crowded]
    )
    crowded = {address_hash(key, address) for address in shared}
    contacts = await past_contacts(session, list(hashes), hashes, now, besides=besides)
    # most clinics record no consent: who said nothing costs no query
    consents = await consents_of(session, [row.Patient.id for row in rows if row.said_something])
    elsewhere = await said_elsewhere(
        session, [row.Patient.id for row in rows if row.has_others], now
    )
    by_guardian = await _refused_by_guardians(session, [row.Patient for row in rows], now, zone)
    return {
        patient.id: Standing(
            patient_id=patient.id,
            external_id=patient.external_id,
            first_name=patient.first_name,
            last_name=patient.last_name,
            language=patient.language,
            status=_strictest(patient.status, other.statuses),
            opted_out=patient.opted_out_at is not None or other.opted_out,
            booked=row.booked or other.booked,
            contact=contact[patient.id],
            suppressed=hashes[patient.id] & suppressed,
            crowded=hashes[patient.id] & crowded,
            open_attempt_id=row.open_attempt_id,
            last_ended_at=row.last_ended_at,
            contacts=contacts[patient.id],
            consents=consents.get(patient.id, {})
            | dict.fromkeys([*other.refused, *by_guardian.get(patient.id, ())], False),
            possible_duplicate=row.unsettled or patient.duplicate_of is not None,
            erased=patient.erased_at is not None,
        )
        for patient, row, other in (
            (row.Patient, row, elsewhere.get(row.Patient.id, NOTHING_ELSEWHERE)) for row in rows
        )
    }


async def contacts_of(
    session: AsyncSession, patients: Sequence[Patient], now: datetime, zone: ZoneInfo
) -> dict[str, Contact]:
    """Return how patients can be reached, by their id.

    Nobody writes to a guardian who died or said stop, also where the register knows that of
    another row of theirs.

    Args:
        session: Any transaction.
        patients: Rows of the register.
        now: Aware UTC.
        zone: The clinic's time zone, whose day decides who is a minor.
    """
    today = now.astimezone(zone).date()
    numbers = {row.guardian_number for row in patients if is_minor(row, today)} - {None}
    guardians = await _guardians(session, numbers, now) if numbers else {}
    return {
        patient.id: contact_of(patient, guardians.get(patient.guardian_number), today)
        for patient in patients
    }


async def _guardians(
    session: AsyncSession, numbers: Iterable[str | None], now: datetime
) -> dict[str | None, Guardian]:
    found = await session.execute(
        select(Patient, has_others().label("has_others")).where(
            Patient.external_id.in_(numbers), Patient.erased_at.is_(None)
        )
    )
    rows = found.all()
    elsewhere = await said_elsewhere(
        session, [row.Patient.id for row in rows if row.has_others], now
    )
    return {
        guardian.external_id: Guardian(
            guardian, silent=_is_silent(guardian, elsewhere.get(guardian.id, NOTHING_ELSEWHERE))
        )
        for guardian in (row.Patient for row in rows)
    }


async def _refused_by_guardians(
    session: AsyncSession, patients: Sequence[Patient], now: datetime, zone: ZoneInfo
) -> dict[str, list[tuple[str, str]]]:
    """Return what guardians refused, by their wards' ids: it is they who would be written to."""
    today = now.astimezone(zone).date()
    wards = {row.id: row.guardian_number for row in patients if is_minor(row, today)}
    numbers = {number for number in wards.values() if number}
    if not numbers:
        return {}
    of_number = select(Patient.external_id, Patient.id).where(Patient.external_id.in_(numbers))
    found = await session.execute(of_number)
    guardians = {row.external_id: row.id for row in found}
    said = await consents_of(session, list(guardians.values()))
    return {
        ward: [word for word, given in said.get(guardians.get(number, ""), {}).items() if not given]
        for ward, number in wards.items()
        if number
    }


def _is_silent(guardian: Patient, other: SaidElsewhere) -> bool:
    died = PatientStatus.DECEASED.value in {guardian.status, *other.statuses}
    return died or guardian.opted_out_at is not None or other.opted_out


def _strictest(own: str, of_others: frozenset[str]) -> PatientStatus:
    for gone in (PatientStatus.DECEASED, PatientStatus.MOVED):
        if gone.value in {own, *of_others}:
            return gone
    return PatientStatus(own)


def _hashes(contact: Contact, key: SecretStr) -> frozenset[str]:
    addresses = (contact.email, contact.phone)
    return frozenset(address_hash(key, address) for address in addresses if address)


async def _suppressed(session: AsyncSession, hashes: Iterable[frozenset[str]]) -> frozenset[str]:
    every_hash = list(frozenset[str]().union(*hashes))
    return frozenset(await session.scalars(_SUPPRESSED, {"hashes": every_hash}))
