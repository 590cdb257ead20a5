"""Patients of a batch who may be on the register already, under another number."""

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import func, insert, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.tables import Duplicate, Patient

NATIONAL_ID, BIRTH_DATE, PHONE = "national id", "name and birth date", "name and phone"
"""Why two rows may be one person, from the strongest reason to the weakest."""

_MOST_OTHERS = 3
"""Pairs noted for one patient; more would bury who has to settle them."""


class Person(NamedTuple):
    """What a patient is compared by.

    Attributes:
        id: The patient's opaque id.
        number: The number on the register.
        kept_id: The row that stands for this person, where staff said that this one does not.
    """

    id: str
    number: str
    kept_id: str
    name_key: str
    national_id: str | None
    birth_date: date | None
    phone: str | None


class Found(NamedTuple):
    """Two rows of the register that may be one person; `other` was there before."""

    person: Person
    other: Person
    reason: str


async def find(session: AsyncSession, people: Sequence[Person]) -> list[Found]:
    """Find who of some people resembles another on the register, or an earlier one of them.

    People share what is compared if their national id is the same; or their name and the birth
    date; or their name and the phone, unless their birth dates say that they are, say, father
    and son. Two national ids that differ are two people.

    Args:
        session: The transaction in which the people are, or will be, written.
        people: In the order of the file.
    """
    keys = [_keys(person) for person in people]
    index: defaultdict[tuple[str, ...], list[Person]] = defaultdict(list)
    ours = {person.id for person in people}
    for other in await _sharing(session, [key for each in keys for key in each]):
        if other.id not in ours:
            for key in _keys(other):
                index[key].append(other)
    found: list[Found] = []
    for person, shared in zip(people, keys, strict=True):
        others: dict[str, Found] = {}
        for key in shared:
            if key not in index:
                continue
            for other in index[key]:
                if other.kept_id not in (person.id, person.kept_id) and _may_be(person, other):
                    others.setdefault(other.kept_id, Found(person, other, key[0]))
        found += list(others.values())[:_MOST_OTHERS]
        for key in shared:
            index[key].append(person)
    return found


async def note(session: AsyncSession, found: Sequence[Found], now: datetime) -> list[Found]:
    """Note pairs for somebody to settle; return those that were not noted before."""
    if not found:
        return []
    ids = {pair.person.id for pair in found}
    known = {
        frozenset(pair)
        for pair in await session.execute(
            select(Duplicate.patient_id, Duplicate.other_id).where(
                or_(Duplicate.patient_id.in_(ids), Duplicate.other_id.in_(ids))
            )
        )
    }
    new = [pair for pair in found if {pair.person.id, pair.other.kept_id} not in known]
    if new:
        rows = [
            {
                "patient_id": pair.person.id,
                "other_id": pair.other.kept_id,
                "reason": pair.reason,
                "found_at": now,
            }
            for pair in new
        ]
        connection = await session.connection()
        await connection.execute(insert(Duplicate.__table__), rows)  # type: ignore[arg-type]
    return new


def _keys(person: Person) -> list[tuple[str, ...]]:
    """Return what a person is compared by: the reason, then what would be shared."""
    keys: list[tuple[str, ...]] = []
    if person.national_id is not None:
        keys.append((NATIONAL_ID, person.national_id))
    if person.name_key and person.birth_date is not None:
        keys.append((BIRTH_DATE, person.name_key, person.birth_date.isoformat()))
    if person.name_key and person.phone is not None:
        keys.append((PHONE, person.name_key, person.phone))
    return keys


def _may_be(person: Person, other: Person) -> bool:
    if person.national_id is not None and other.national_id is not None:
        return person.national_id == other.national_id
    if person.birth_date is not None and other.birth_date is not None:
        return person.birth_date == other.birth_date
    return True


async def _sharing(session: AsyncSession, keys: Sequence[tuple[str, ...]]) -> list[Person]:
    """Return the register's rows that have any of the keys."""
    rows: list[Any] = []
    if national_ids := [key[1] for key in keys if key[0] == NATIONAL_ID]:
        query = select(*_COLUMNS).where(
            Patient.national_id.in_(national_ids), Patient.erased_at.is_(None)
        )
        rows += await session.execute(query)
    is_embedded = session.get_bind().dialect.name == "sqlite"
    for reason, statements in _BY_PAIR.items():
        pairs = dict.fromkeys(key[1:] for key in keys if key[0] == reason)
        if not pairs:
            continue
        if is_embedded:
            given: dict[str, Any] = {"pairs": json.dumps(list(pairs))}
        else:
            names, values = zip(*pairs, strict=True)
            given = {"names": list(names), "shared": list(values)}
        rows += await session.execute(statements[is_embedded], given)
    return list({row.id: Person(*row) for row in rows}.values())


_KEPT = func.coalesce(Patient.duplicate_of, Patient.id).label("kept_id")
_COLUMNS = (
    Patient.id,
    Patient.external_id,
    _KEPT,
    Patient.name_key,
    Patient.national_id,
    Patient.birth_date,
    Patient.phone,
)
_SELECT = """
SELECT patients.id, patients.external_id,
    coalesce(patients.duplicate_of, patients.id) AS kept_id,
    patients.name_key, patients.national_id, patients.birth_date, patients.phone
"""
# A thousand pairs are one parameter, so that a statement is prepared once. Each search has an
# index of both columns: a name may be common, and some clinics write their own phone for all
# who have none.
_POSTGRESQL = f"""{_SELECT}
FROM unnest(CAST(:names AS text[]), CAST(:shared AS text[])) AS pair(name, shared)
JOIN patients ON patients.name_key = pair.name AND patients.erased_at IS NULL AND
"""
_SQLITE = f"""{_SELECT}
FROM json_each(:pairs) AS pair
CROSS JOIN patients ON patients.name_key = json_extract(pair.value, '$[0]')
AND patients.erased_at IS NULL AND
"""
_SHARED_ON_SQLITE = "json_extract(pair.value, '$[1]')"
_BY_PAIR = {
    BIRTH_DATE: (
        text(f"{_POSTGRESQL} patients.birth_date = CAST(pair.shared AS date)").columns(*_COLUMNS),
        text(f"{_SQLITE} patients.birth_date = {_SHARED_ON_SQLITE}").columns(*_COLUMNS),
    ),
    PHONE: (
        text(f"{_POSTGRESQL} patients.phone = pair.shared").columns(*_COLUMNS),
        text(f"{_SQLITE} patients.phone = {_SHARED_ON_SQLITE}").columns(*_COLUMNS),
    ),
}
"""The searches for a name and something shared: on PostgreSQL, on SQLite."""
