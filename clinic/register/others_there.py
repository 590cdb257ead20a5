"""Who else a card names: whoever shares one of a patient's addresses."""

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict
from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.register.search import patients_at
from clinic.tables import Patient

NAMED = 20
"""More are no household, and nobody reads so many names: thousands may stand at a clinic's own
number."""


class Other(BaseModel):
    """Another row of the register: the clinic's number and the name."""

    model_config = ConfigDict(frozen=True)

    external_id: str
    name: str


def name_of(patient: Patient) -> str:
    """Return a patient's name in full."""
    return f"{patient.first_name} {patient.last_name}".strip()


async def others_at(
    session: AsyncSession, patient: Patient, addresses: Iterable[str]
) -> tuple[tuple[Other, ...], int]:
    """Return the first of those who share an address, and how many more there are.

    Args:
        session: Any transaction.
        patient: Who is not among them.
        addresses: In their normal form.
    """
    found = {
        other.id: Other(external_id=other.external_id, name=name_of(other))
        for address in sorted(addresses)
        # one more than are named, and the patient: then it is known that there are more
        for other in await patients_at(session, address, at_most=NAMED + 2)
        if other.id != patient.id
    }
    named = tuple(sorted(found.values(), key=lambda other: other.external_id))[:NAMED]
    if len(found) <= NAMED:
        return named, 0
    return named, await _count(session, patient, addresses) - NAMED


async def _count(session: AsyncSession, patient: Patient, addresses: Iterable[str]) -> int:
    written = {*addresses, *(address.lower() for address in addresses)}
    columns = (
        Patient.email,
        Patient.phone,
        Patient.other_phone,
        Patient.guardian_email,
        Patient.guardian_phone,
    )
    stands_there = or_(*(column.in_(written) for column in columns))
    query = select(func.count()).where(stands_there, Patient.id != patient.id)
    return await session.scalar(query) or 0
