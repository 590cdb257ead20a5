"""Patients' rows of the register, read and written many at a time."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, String, any_, bindparam, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from clinic.plain_text import name_key
from clinic.register_import.bulk_insert import insert_many
from clinic.register_import.patient_fields import FIELDS, Fields
from clinic.tables import Patient

_NAMES = frozenset({"first_name", "last_name"})
_PATIENTS: Any = Patient.__table__
_INSERTED = ("id", "external_id", "name_key", "phone_kind", *FIELDS)


@dataclass(slots=True)
class Entry:
    """A patient as the register will hold them once the batch is written.

    Attributes:
        id: The patient's opaque id.
        number: The number on the register.
        kept_id: The row that visits and appointments go to: another one where staff said that
            both are one person.
        fields: What the row holds.
        is_new: Whether the row has to be inserted.
        name_key: The name as names are compared; only of new rows and of those that changed.
    """

    id: str
    number: str
    kept_id: str
    fields: Fields
    is_new: bool
    name_key: str = ""

    def compare_name(self) -> None:
        """Work out `name_key`."""
        self.name_key = name_key(self.fields.get("first_name"), self.fields.get("last_name"))


async def read_entries(session: AsyncSession, numbers: Collection[str]) -> dict[str, Entry]:
    """Return who of some numbers is on the register, by number.

    The rows are locked: another import, or whoever changes one, waits, and takes them in the same
    order. Whoever only names one in another table's row does not: an edit that finds a patient of
    this batch alike would wait for the batch, and the batch for the edit. The rows that stand for
    some of these are locked too: what the list says of a person's past is written to them.
    """
    columns = (_PATIENTS.c[name] for name in ("id", "external_id", "duplicate_of", "phone_kind"))
    # a parameter for each number takes PostgreSQL and its driver longer than the search itself
    is_embedded = session.get_bind().dialect.name == "sqlite"
    is_one: ColumnElement[bool] = Patient.external_id.in_(numbers)
    if not is_embedded:
        is_one = _is_one_of(Patient.external_id, numbers)
        stand_for = select(Patient.duplicate_of).where(is_one, Patient.duplicate_of.is_not(None))
        if kept := (await session.scalars(stand_for)).all():
            is_one = or_(is_one, _is_one_of(Patient.id, kept))
    asked = frozenset(numbers)
    rows = await session.execute(
        select(*columns, *(_PATIENTS.c[name] for name in FIELDS))
        .where(is_one)
        .order_by(Patient.id)
        .with_for_update(key_share=True)
    )
    return {
        number: Entry(
            id=patient_id,
            number=number,
            kept_id=duplicate_of or patient_id,
            fields=Fields(values, phone_kind),
            is_new=False,
        )
        for patient_id, number, duplicate_of, phone_kind, *values in rows
        if number in asked
    }


def _is_one_of(
    column: InstrumentedAttribute[str], values: Collection[str | None]
) -> ColumnElement[bool]:
    return column == any_(literal(list(values), ARRAY(String)))


async def insert_entries(session: AsyncSession, entries: Sequence[Entry]) -> None:
    """Write new patients."""
    if not entries:
        return
    rows = [
        (
            entry.id,
            entry.number,
            entry.name_key,
            entry.fields.phone_kind,
            *entry.fields.values,
        )
        for entry in entries
    ]
    await insert_many(session, _PATIENTS, _INSERTED, rows)


async def update_entries(session: AsyncSession, entries: Sequence[Entry]) -> None:
    """Write what changed of known patients, and nothing else of them."""
    alike: defaultdict[frozenset[str], list[Entry]] = defaultdict(list)
    for entry in entries:
        alike[frozenset(entry.fields.changed)].append(entry)
    connection = await session.connection()
    for columns, changed in alike.items():
        written = {*columns, "name_key"} if columns & _NAMES else columns
        statement = (
            update(_PATIENTS)
            .where(_PATIENTS.c.id == bindparam("of"))
            .values({name: bindparam(f"new_{name}") for name in written})
        )
        await connection.execute(
            statement,
            [
                {"of": entry.id} | {f"new_{name}": _column(entry, name) for name in written}
                for entry in changed
            ],
        )


def _column(entry: Entry, name: str) -> Any:
    return entry.name_key if name == "name_key" else entry.fields.column(name)
