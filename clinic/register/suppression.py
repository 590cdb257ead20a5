"""Addresses that nobody may write to, kept as keyed hashes: they outlive the patient's erasure."""

from collections.abc import Iterable
from datetime import datetime

from pydantic import SecretStr
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.conflict_free_insert import insert_if_new
from clinic.register.address import address_hash
from clinic.register.contact import is_minor
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
    """Make sure that nobody writes to a patient again, nor to the addresses of theirs."""
    patient = await session.get_one(Patient, patient_id)
    patient.opted_out_at = patient.opted_out_at or now
    for address in addresses_of(patient, now):
        await suppress(session, address, source=source, now=now, key=key)


async def opt_in(
    session: AsyncSession, patient_id: str, *, now: datetime, key: SecretStr
) -> list[str]:
    """Take an opt-out back, at the patient's own wish.

    Returns:
        The addresses that may be written to again.
    """
    patient = await session.get_one(Patient, patient_id)
    patient.opted_out_at = None
    return [
        address for address in addresses_of(patient, now) if await lift(session, address, key=key)
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
    written = [patient.email, patient.phone, patient.other_phone]
    if is_minor(patient, now.date()):
        written += [patient.guardian_email, patient.guardian_phone]
    # in one order: two who suppress the same addresses can't wait for each other
    return sorted({address for address in written if address})
