"""Whom a person at the desk means: by the clinic's number, the opaque id, an email or a phone."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import SecretStr
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from clinic.refusal import Refusal
from clinic.register.address import address_hash, read_email, read_phone
from clinic.tables import Forgotten, Patient

_SUGGESTED = 3


async def find_patient(
    session: AsyncSession, written: str, *, key: SecretStr, country: str | None = None
) -> Patient:
    """Return the patient that somebody means; both numbers of one person mean the row kept.

    Args:
        session: Any transaction.
        written: The clinic's own number, or the opaque id.
        key: The key of the hashes by which the forgotten are known.
        country: ISO 3166 code; where given, an email or a phone is understood as well.

    Raises:
        Refusal: There is nobody, or several share the address, or the person was forgotten. It
            names numbers, no people.
    """
    return await _kept(session, await find_row(session, written, key=key, country=country))


async def find_row(
    session: AsyncSession, written: str, *, key: SecretStr, country: str | None = None
) -> Patient:
    """Return the very row that somebody means, also where another one was kept of this person.

    Args and errors are those of `find_patient`.
    """
    written = written.strip()
    found = await known_as(session, written)
    if found is not None and found.erased_at is None:
        return found
    forgotten_at = found.erased_at if found else await forgotten_at_of(session, written, key)
    if forgotten_at is not None:
        raise Refusal(
            f"patient `{written}` was forgotten on {forgotten_at:%Y-%m-%d}",
            "Nothing is held about them any more.",
        )
    address = read_address(written, country) if country else None
    at_address = await patients_at(session, address) if address else []
    sharing = [patient for patient in at_address if patient.duplicate_of is None]
    if len(sharing) > 1:
        numbers = ", ".join(patient.external_id for patient in sharing)
        raise Refusal(f"{len(sharing)} patients share `{written}`", f"Name one of: {numbers}")
    if not sharing:
        raise Refusal(f"no patient `{written}` on the register", await _nearly(session, written))
    return sharing[0]


async def _kept(session: AsyncSession, found: Patient) -> Patient:
    """Return the row that was kept, where staff said that this one is the same person."""
    if found.duplicate_of is None:
        return found
    return await _kept(session, await session.get_one(Patient, found.duplicate_of))


async def known_as(session: AsyncSession, written: str) -> Patient | None:
    """Return the patient with this very number or opaque id; None where there is none."""
    return await session.scalar(
        select(Patient).where(or_(Patient.external_id == written, Patient.id == written))
    )


def read_address(written: str, country: str) -> str | None:
    """Return an email or a phone number in its normal form; None where it is neither.

    Args:
        written: As people write it.
        country: ISO 3166 code, for numbers without a country prefix.
    """
    try:
        return read_email(written) if "@" in written else read_phone(written, country).number
    except ValueError:
        return None


async def patients_at(
    session: AsyncSession, address: str, *, at_most: int | None = None
) -> Sequence[Patient]:
    """Return everyone on whose row an address stands, also as their guardian's.

    Args:
        session: Any transaction.
        address: In its normal form: E.164, or an email.
        at_most: So many, by their numbers; None: all.
    """
    if "@" not in address:
        phones = (Patient.phone, Patient.other_phone, Patient.guardian_phone)
        return await _where_any(session, [of == address for of in phones], at_most)
    emails = (Patient.email, Patient.guardian_email)
    spelled = [of.in_([address, address.lower()]) for of in emails]
    found = await _where_any(session, spelled, at_most)
    # mail servers tell `Ana@` from `ana@` in theory alone, and people write either; to compare
    # them so means to read a whole index, so only where nobody was found
    return found or await _where_any(
        session,
        [of.in_(select(of).where(same_letters(session, of, address))) for of in emails],
        at_most,
    )


def same_letters(
    session: AsyncSession, column: InstrumentedAttribute[Any], written: str
) -> ColumnElement[bool]:
    """Return the condition that a column holds a text, in whatever case."""
    if _folds_by_itself(session, written):
        return column.collate("NOCASE") == written
    return func.lower(column) == written.lower()


def ends_alike(
    session: AsyncSession, column: InstrumentedAttribute[Any], ending: str
) -> ColumnElement[bool]:
    """Return the condition that a column ends with a text, in whatever case."""
    if _folds_by_itself(session, ending):
        return column.endswith(ending, autoescape=True)  # SQLite's LIKE knows no case of A to Z
    return func.lower(column).endswith(ending.lower(), autoescape=True)


def _folds_by_itself(session: AsyncSession, text: str) -> bool:
    """Whether SQLite compares a text without case; our own `lower` costs it many times as long."""
    return session.get_bind().dialect.name == "sqlite" and text.isascii()


async def _where_any(
    session: AsyncSession, conditions: Sequence[ColumnElement[bool]], at_most: int | None
) -> Sequence[Patient]:
    query = select(Patient).where(or_(*conditions)).order_by(Patient.external_id).limit(at_most)
    return (await session.scalars(query)).all()


async def rows_of_person(session: AsyncSession, patient_id: str) -> list[Patient]:
    """Return a person's rows: staff said of a later one that it is the same person."""
    found: dict[str, Patient] = {}
    fresh = {patient_id}
    while fresh:
        # a row that points at one of these, or at which one of these points
        pointed_at = select(Patient.duplicate_of).where(Patient.id.in_(fresh))
        rows = await session.scalars(
            select(Patient).where(
                or_(
                    Patient.id.in_(fresh),
                    Patient.duplicate_of.in_(fresh),
                    Patient.id.in_(pointed_at),
                )
            )
        )
        known = set(found)
        found |= {row.id: row for row in rows}
        fresh = set(found) - known - fresh
    return sorted(found.values(), key=lambda row: row.external_id)


def number_hash(key: SecretStr, external_id: str) -> str:
    """Return the keyed hash under which the clinic's number of a forgotten person is kept."""
    return address_hash(key, f"number:{external_id}")


def national_id_hash(key: SecretStr, national_id: str) -> str:
    """Return the keyed hash under which a forgotten person's national id is kept."""
    return address_hash(key, f"national-id:{national_id}")


async def forgotten_at_of(session: AsyncSession, written: str, key: SecretStr) -> datetime | None:
    """Return when the person with one of the clinic's numbers was forgotten, aware UTC."""
    forgotten = await session.get(Forgotten, number_hash(key, written))
    return forgotten.at if forgotten else None


async def _nearly(session: AsyncSession, written: str) -> str:
    """Suggest numbers that end alike: `42` or `a-0042` may mean `A-0042`."""
    ending = ends_alike(session, Patient.external_id, written)
    query = select(Patient.external_id).where(ending, Patient.erased_at.is_(None))
    numbers = (await session.scalars(query.limit(_SUGGESTED + 1))).all() if written else []
    if not 0 < len(numbers) <= _SUGGESTED:
        return ""
    return f"Is it {' or '.join(sorted(numbers))}?"
