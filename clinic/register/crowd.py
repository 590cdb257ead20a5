"""Addresses that too many patients share to be a household's: a front desk's, a placeholder."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Select,
    bindparam,
    exists,
    func,
    or_,
    select,
    union,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from clinic.tables import Patient

MOST_IN_A_HOUSEHOLD = 8
"""More people than this at one address are no family, and nobody knows who reads there (the
product's design: a message to such an address would reach a stranger, and one stop there would
silence everybody)."""

_ENOUGH = MOST_IN_A_HOUSEHOLD + 1
"""Nobody needs to know how many more there are: thousands are looked up as fast as nine."""


async def crowded_addresses(session: AsyncSession, patient_ids: Sequence[str]) -> frozenset[str]:
    """Return those of some patients' and their guardians' addresses that a crowd shares.

    Args:
        session: Any transaction.
        patient_ids: Whose addresses to look at, of those who may share one (`may_be_crowded`).
    """
    if not patient_ids:
        return frozenset()
    return frozenset(await session.scalars(_CROWDED, {"patient_ids": patient_ids}))


def may_be_crowded() -> ColumnElement[bool]:
    """Return the condition that anybody shares an address of a patient's, or of a guardian's.

    Most patients share none: what is asked of them is a look-up in an index each.
    """
    other = aliased(Patient)
    same_address = (
        exists().where(other.email == Patient.email, other.id != Patient.id),
        exists().where(other.phone == Patient.phone, other.id != Patient.id),
    )
    wards = (
        exists().where(other.guardian_email == Patient.email),
        exists().where(other.guardian_phone == Patient.phone),
        exists().where(other.guardian_number == Patient.external_id),
    )
    of_guardian = (Patient.guardian_email, Patient.guardian_phone, Patient.guardian_number)
    return or_(*(column.is_not(None) for column in of_guardian), *same_address, *wards)


def _crowded() -> Select[str]:
    """Return the query for the crowded addresses of some patients; it is built once."""
    asked = (
        select(
            Patient.email,
            Patient.guardian_email,
            Patient.phone,
            Patient.guardian_phone,
            Patient.guardian_number,
        )
        .where(Patient.id.in_(bindparam("patient_ids", expanding=True)))
        .cte("asked")
    )
    either = union_all(
        _crowded_of(asked, Patient.email, Patient.guardian_email),
        _crowded_of(asked, Patient.phone, Patient.guardian_phone),
    ).subquery()
    return select(either.c.address)


def _crowded_of(
    asked: CTE,
    own: InstrumentedAttribute[str | None],
    of_guardian: InstrumentedAttribute[str | None],
) -> Select[Any]:
    guardian = aliased(Patient)
    guardians_own = getattr(guardian, own.key)
    written = union(
        select(asked.c[own.key].label("address")),
        select(asked.c[of_guardian.key]),
        select(guardians_own).join(asked, asked.c.guardian_number == guardian.external_id),
    ).subquery()
    people = _people_at(written.c.address, own, of_guardian).correlate(written)
    return select(written.c.address).where(
        written.c.address.is_not(None), people.scalar_subquery() >= _ENOUGH
    )


def _people_at(
    address: ColumnElement[str],
    own: InstrumentedAttribute[str | None],
    of_guardian: InstrumentedAttribute[str | None],
) -> Select[int]:
    """Return how many are reached at an address, as far as it matters; a look-up in an index."""
    # a row that stands for somebody twice is not one more of the family
    counts = Patient.duplicate_of.is_(None)
    guardians = (
        select(Patient.external_id)
        .where(own == address)
        .correlate(address.table)
        .limit(_ENOUGH)
        .subquery()
    )
    branches = (
        select(Patient.id).where(own == address, counts),
        select(Patient.id).where(of_guardian == address, counts),
        select(Patient.id)
        .join(guardians, guardians.c.external_id == Patient.guardian_number)
        .where(counts),
    )
    few = [branch.correlate(address.table).limit(_ENOUGH).subquery() for branch in branches]
    people = union(*(select(each.c.id) for each in few)).subquery()
    return select(func.count()).select_from(people)


_CROWDED = _crowded()
