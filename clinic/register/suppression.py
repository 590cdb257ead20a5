"""Addresses that nobody may write to, kept as keyed hashes: they outlive the patient's erasure."""

from collections.abc import Iterable
from datetime import datetime

from pydantic import SecretStr
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.conflict_free_insert import insert_if_new
from clinic.register.address import address_hash
from clinic.register.contact import is_minor
from clinic.register.search import rows_of_person
from clinic.tables import Patient, Suppression


async def suppress(
    session: AsyncSession, address: str, *, source: str, now: datetime, key: SecretStr
) -> bool:
    """Make sure that nobody writes to an address again, whosever it is.

    Returns:
        False where it was suppressed before; the first date and source stay.
    """
    return await suppress_hash(session, address_hash(key, address), source=source, now=now)


async def suppress_hash(session: AsyncSession, hashed: str, *, source: str, now: datetime) -> bool:
    """Suppress an address of which only the keyed hash is known, as of a message that was sent.

    Returns:
        False where it was suppressed before.
    """
    row = {"address_hash": hashed, "since": now, "source": source}
    return await insert_if_new(session, Suppression, row)


async def lift(session: AsyncSession, address: str, *, key: SecretStr) -> bool:
    """Let the clinic write to an address again.

    Returns:
        False where it was not suppressed.
    """
    lifted = await session.scalar(
        delete(Suppression)
        .where(Suppression.address_hash == address_hash(key, address))
        .returning(Suppression.address_hash)
    )
    return lifted is not None


async def opt_out(
    session: AsyncSession, patient_id: str, *, source: str, now: datetime, key: SecretStr
) -> None:
    """Make sure that nobody writes to a person again, nor to any address they are reached at.

    That are all rows that staff said are the same person; a minor's guardian is the one who said
    it, so every address of theirs is silent, also those on the guardian's own row.
    """
    addresses: set[str] = set()
    for row in await _in_order(session, patient_id):
        row.opted_out_at = row.opted_out_at or now
        guardian = await _guardian_of(session, row, now)
        addresses.update(addresses_of(row, now), _own(guardian))
    # in one order: two who suppress the same addresses can't wait for each other
    for address in sorted(addresses):
        await suppress(session, address, source=source, now=now, key=key)


async def opt_in(
    session: AsyncSession, patient_id: str, *, now: datetime, key: SecretStr
) -> list[str]:
    """Take an opt-out back, at the patient's own wish.

    Returns:
        The addresses that may be written to again; a guardian who said stop in their own name
        keeps theirs.
    """
    addresses: set[str] = set()
    kept: set[str] = set()
    for row in await _in_order(session, patient_id):
        row.opted_out_at = None
        guardian = await _guardian_of(session, row, now)
        addresses.update(addresses_of(row, now), _own(guardian))
        if guardian is not None and guardian.opted_out_at is not None:
            kept.update(_own(guardian))
    return [
        address for address in sorted(addresses - kept) if await lift(session, address, key=key)
    ]


async def suppressed(
    session: AsyncSession, addresses: Iterable[str], key: SecretStr
) -> dict[str, Suppression]:
    """Return which of some addresses are suppressed, with since when and by which source."""
    by_hash = {address_hash(key, address): address for address in addresses}
    rows = await session.scalars(select(Suppression).where(Suppression.address_hash.in_(by_hash)))
    return {by_hash[row.address_hash]: row for row in rows}


def addresses_of(patient: Patient, now: datetime) -> list[str]:
    """Return every address that stands on a patient's row, once each.

    A minor's guardian speaks for the child, so the guardian's count as well. Those on the row
    of somebody who is of age do not: the guardian of old said nothing.
    """
    written = _own(patient)
    if is_minor(patient, now.date()):
        of_guardian = (patient.guardian_email, patient.guardian_phone)
        written |= {address for address in of_guardian if address}
    # in one order: two who suppress the same addresses can't wait for each other
    return sorted(written)


def _own(patient: Patient | None) -> set[str]:
    if patient is None:
        return set()
    written = (patient.email, patient.phone, patient.other_phone)
    return {address for address in written if address}


async def _guardian_of(session: AsyncSession, patient: Patient, now: datetime) -> Patient | None:
    if patient.guardian_number is None or not is_minor(patient, now.date()):
        return None
    return await session.scalar(
        select(Patient).where(Patient.external_id == patient.guardian_number)
    )


async def _in_order(session: AsyncSession, patient_id: str) -> list[Patient]:
    """Return a person's rows in the order in which an import locks them."""
    return sorted(await rows_of_person(session, patient_id), key=lambda row: row.id)
