"""Who may be meant by what somebody types in one field: a name, a number, an address.

Words of a name may stand in any order and be cut short: `roj sof` finds Sofía Rojas. That means to
read an index from end to end where few are found, which takes a fifth of a second for a million
patients on either database; whatever is written in full is found by a look-up.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from pydantic import SecretStr
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from clinic.plain_text import legible, plain
from clinic.register.search import (
    ends_alike,
    forgotten_at_of,
    national_id_hash,
    patients_at,
    read_address,
)
from clinic.register_import.national_id import read_national_id
from clinic.tables import Forgotten, Patient

MOST = 50
"""Hits that are given; whoever gets more has to say more."""

LONGEST = 200
"""Characters that are looked at."""

_MOST_WORDS = 8
_SHORTEST_ID = 5
"""Characters, see `clinic.register_import.national_id`."""
_SHORTEST_PHONE = 4
"""Digits at a phone number's end by which people ask for it."""


class FoundBy(StrEnum):
    """What of a patient is what was written."""

    EXACT = "exact"
    """The number, an address, or the national id."""
    NAME = "name"
    ENDING = "ending"
    """A number or a phone ends so; nothing is so in full."""


@dataclass(frozen=True)
class Hit:
    """A patient who may be meant."""

    patient_id: str
    external_id: str
    name: str
    birth_date: date | None
    language: str | None
    status: str
    opted_out: bool


@dataclass(frozen=True)
class Hits:
    """Who may be meant.

    Attributes:
        found: At most `MOST`, by their names; of a person with several rows the one that was kept.
        by: What was found to be so; None: nobody was found.
        more: Whether there are others.
        forgotten_at: Aware UTC; when the person with this number or national id was forgotten.
    """

    found: tuple[Hit, ...] = ()
    by: FoundBy | None = None
    more: bool = False
    forgotten_at: datetime | None = None


async def look_up(session: AsyncSession, written: str, *, key: SecretStr, country: str) -> Hits:
    """Return who may be meant.

    Args:
        session: Any transaction.
        written: Words of a name, the clinic's number, a phone, an email or a national id.
        key: The key of the hashes by which the forgotten are known.
        country: ISO 3166 code, for phones without a prefix and for national ids.
    """
    written = legible(written[:LONGEST])
    if not written:
        return Hits()
    address = read_address(written, country)
    ids = await _exactly(session, written, address, country)
    if ids:
        return await _hits(session, ids, FoundBy.EXACT)
    if address is not None:
        return Hits()
    forgotten_at = await _forgotten_at(session, written, key, country)
    if forgotten_at is not None:
        return Hits(forgotten_at=forgotten_at)
    if any(map(str.isalpha, written)) and "@" not in written:
        ids = await _by_name(session, plain(written).split()[:_MOST_WORDS])
        if ids:
            return await _hits(session, ids, FoundBy.NAME)
    if any(map(str.isdigit, written)) and "@" not in written:
        return await _hits(session, await _by_ending(session, written), FoundBy.ENDING)
    return Hits()


async def _exactly(
    session: AsyncSession, written: str, address: str | None, country: str
) -> list[str]:
    number = Patient.external_id.in_({written, written.upper(), written.lower()})
    ids = await _ids(session, or_(number, Patient.id == written))
    if address is not None:
        ids += [row.id for row in await patients_at(session, address, at_most=MOST + 1)]
    if national_ids := _national_ids(written, country):
        ids += await _ids(session, Patient.national_id.in_(national_ids))
    return ids


async def _by_name(session: AsyncSession, words: Sequence[str]) -> list[str]:
    if not words:
        return []
    # the whole name first: what is cut short finds others before it
    in_full = await _ids(session, Patient.name_key == " ".join(sorted(words)))
    if len(in_full) > MOST:
        return in_full
    begun = [
        or_(Patient.name_key.like(f"{word}%"), Patient.name_key.like(f"% {word}%"))
        for word in sorted(words, key=len, reverse=True)  # the longest rules out most
    ]
    return in_full + await _ids(session, _among(Patient.name_key, *begun))


async def _by_ending(session: AsyncSession, written: str) -> list[str]:
    number = ends_alike(session, Patient.external_id, written)
    ids = await _ids(session, _among(Patient.external_id, number))
    digits = "".join(filter(str.isdecimal, written))
    if len(digits) < _SHORTEST_PHONE or any(map(str.isalpha, written)):
        return ids
    for phone in (Patient.phone, Patient.other_phone):
        ends = phone.endswith(digits, autoescape=True)
        ids += await _ids(session, _among(phone, phone.is_not(None), ends))
    return ids


def _among(
    column: InstrumentedAttribute[Any], *conditions: ColumnElement[bool]
) -> ColumnElement[bool]:
    """Return the condition that a column holds one of the first values that fulfil others.

    The inner search needs nothing but the column's index, which is a tenth of the table.
    """
    first = select(column).where(*conditions).distinct().order_by(column).limit(MOST + 1)
    return column.in_(first)


async def _ids(session: AsyncSession, condition: ColumnElement[bool]) -> list[str]:
    query = select(Patient.id).where(condition, Patient.erased_at.is_(None)).limit(MOST + 1)
    return list(await session.scalars(query))


async def _hits(session: AsyncSession, ids: Iterable[str], by: FoundBy) -> Hits:
    first = list(dict.fromkeys(ids))
    more, first = len(first) > MOST, first[:MOST]
    rows = await _rows(session, first)
    others = {row.duplicate_of for row in rows if row.duplicate_of} - {row.id for row in rows}
    rows += await _rows(session, [kept for kept in others if kept])
    found = [_hit(row) for row in rows if row.duplicate_of is None]
    found.sort(key=lambda hit: (plain(hit.name), hit.external_id))
    return Hits(tuple(found), by if found else None, more)


async def _rows(session: AsyncSession, ids: Sequence[str]) -> list[Patient]:
    if not ids:
        return []
    return list(await session.scalars(select(Patient).where(Patient.id.in_(ids))))


def _hit(row: Patient) -> Hit:
    return Hit(
        patient_id=row.id,
        external_id=row.external_id,
        name=f"{row.first_name} {row.last_name}".strip(),
        birth_date=row.birth_date,
        language=row.language,
        status=row.status,
        opted_out=row.opted_out_at is not None,
    )


def _national_ids(written: str, country: str) -> set[str]:
    """Return how the register may hold what was written, were it a national id."""
    compact = "".join(filter(str.isalnum, written)).upper()
    if len(compact) < _SHORTEST_ID or not any(map(str.isdigit, compact)):
        return set()
    try:
        return {compact, read_national_id(written, country)}
    except ValueError:  # a digit is wrong, or the register had it before that was checked
        return {compact}


async def _forgotten_at(
    session: AsyncSession, written: str, key: SecretStr, country: str
) -> datetime | None:
    at = await forgotten_at_of(session, written, key)
    if at is not None:
        return at
    hashes = [national_id_hash(key, each) for each in _national_ids(written, country)]
    query = select(Forgotten.at).where(Forgotten.number_hash.in_(hashes)).limit(1)
    return await session.scalar(query)
