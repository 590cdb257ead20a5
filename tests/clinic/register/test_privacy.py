"""Nothing about a person is left out of their export, and nothing is left when they are forgotten.

The tables are walked as they are declared: a column that is added fails here until somebody has
decided what becomes of it.
"""

import json
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from clinic.clinic import Clinic
from clinic.database import Database
from clinic.plan import Plan
from clinic.register import erasure
from clinic.register.patient_export import WITHHELD, export_patient
from clinic.tables import Patient, Table, UtcMoment

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows

GIVEN: dict[tuple[str, str], object] = {
    ("patients", "status"): "active",
    ("patients", "erased_at"): None,
    ("patients", "duplicate_of"): None,
    ("attempts", "state"): "open",
    ("call_tasks", "closed_at"): None,
    ("events", "relayed_at"): None,
    ("events", "relay_tries"): 0,
    ("messages", "carried_by"): None,
    ("messages", "step"): 0,
    ("step_notes", "step"): 0,
}
"""What must be one of a closed list, or empty, for the rows to fit together."""

OF_THE_CLINIC = {
    ("attempts", "left_out_reason"),
    ("attempts", "left_out_rule"),
    ("attempts", "outcome"),
    ("attempts", "loss_reason"),
    ("attempts", "held_channel"),
    ("messages", "channel"),
    ("messages", "provider_status"),
    ("messages", "failure"),
    ("call_tasks", "kind"),
    ("call_tasks", "event_id"),
    ("call_tasks", "claimed_by"),
    ("calls", "made_by"),
    ("calls", "outcome"),
    ("events", "source"),
    ("events", "kind"),
    ("events", "relay_result"),
}
"""What stays when a person is forgotten: closed lists for the reports, staff, opaque ids."""

Marks = dict[tuple[str, str], Any]


class Person:
    """Someone of whom every table holds a row, with a value of its own in every column."""

    def __init__(self, campaign_id: str, other: Patient) -> None:
        self.rows: list[tuple[sa.Table, dict[str, Any]]] = []
        self.marks: Marks = {}
        self._ids: dict[str, object] = {"campaigns": campaign_id}
        self._other = other
        for table in Table.metadata.sorted_tables:
            if table.name == "patients" or self._is_about_the_person(table):
                self.rows.append((table, self._row(table)))

    @property
    def id(self) -> str:
        return str(self._ids["patients"])

    def _is_about_the_person(self, table: sa.Table) -> bool:
        targets = {key.column.table.name for key in table.foreign_keys}
        return bool(targets & (self._ids.keys() - {"campaigns"}))

    def _row(self, table: sa.Table) -> dict[str, Any]:
        row = {
            column.name: value
            for column in table.columns
            if (value := self._value(table, column)) is not None
        }
        key = next(iter(table.primary_key.columns))
        self._ids[table.name] = row.get(key.name, 1)
        return row

    def _value(self, table: sa.Table, column: sa.Column[Any]) -> object:
        of = (table.name, column.name)
        if of in GIVEN:
            return GIVEN[of]
        if column.name == "other_id":
            return self._other.id
        for key in column.foreign_keys:
            return self._ids[key.column.table.name]
        if column.primary_key and isinstance(column.type, sa.Integer):
            return 1 if column.name in ("id", "try_number", "number") else 0
        self.marks[of] = self._mark(column, len(self.marks))
        return self.marks[of]

    @staticmethod
    def _mark(column: sa.Column[Any], number: int) -> object:
        match column.type:
            case sa.JSON():
                return {"said": f"mark{number}mark"}
            case UtcMoment():
                return datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=number)
            case sa.Date():
                return date(2015, 1, 1) + timedelta(days=number)
            case sa.Boolean():
                return True
            case sa.Integer():
                return 7_000 + number
            case _:
                return f"mark{number}mark"


async def person_in(rows: "Rows", plan: Plan) -> Person:
    campaign = await rows.campaign(plan=plan.model_dump(mode="json"))
    person = Person(campaign.id, await rows.patient())
    async with rows.clinic.database.writing() as session:
        for table, row in person.rows:
            await session.execute(sa.insert(table).values(row))
    return person


async def everything(clinic: Clinic) -> dict[tuple[str, str], str]:
    """Return every column of every table as text."""
    found: dict[tuple[str, str], str] = {}
    async with clinic.database.reading() as session:
        for table in Table.metadata.sorted_tables:
            for row in (await session.execute(sa.select(table))).mappings():
                for name, value in row.items():
                    of = (table.name, name)
                    found[of] = found.get(of, "") + f" {value}"
    return found


def as_text(mark: object) -> str:
    return str(mark["said"] if isinstance(mark, dict) else mark)


async def test_an_export_holds_every_column_of_every_table_about_the_person(
    rows: "Rows", plan: Plan, now: datetime
) -> None:
    person = await person_in(rows, plan)
    async with rows.clinic.database.reading() as session:
        patient = await session.get_one(Patient, person.id)
        exported = await export_patient(
            session, patient, clinic="Aurora", now=now, key=rows.clinic.key
        )
    text = json.dumps(exported, ensure_ascii=False)
    missing = [
        (table, column)
        for (table, column), mark in person.marks.items()
        if column not in WITHHELD
        and f'"{column}": {json.dumps(mark, default=lambda at: at.isoformat())}' not in text
    ]
    assert missing == []


async def test_nothing_of_a_forgotten_person_is_found_in_any_column(
    rows: "Rows", plan: Plan, now: datetime
) -> None:
    person = await person_in(rows, plan)
    before = await everything(rows.clinic)
    assert [of for of, mark in person.marks.items() if as_text(mark) not in before[of]] == []
    async with rows.clinic.database.writing() as session:
        await erasure.forget(session, person.id, now=now, key=rows.clinic.key)
    after = await everything(rows.clinic)
    left = {
        of: mark
        for of, mark in person.marks.items()
        if isinstance(mark, str | dict) or type(mark) is date
        if any(as_text(mark) in text for text in after.values())
    }
    assert left.keys() - OF_THE_CLINIC == {("patients", "id"), *_ids(person)}


def _ids(person: Person) -> set[tuple[str, str]]:
    return {of for of in person.marks if of[1] == "id"}


def bytes_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("clinic.db*"))


# what PostgreSQL leaves on its disk is its vacuum's matter
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_no_byte_of_a_forgotten_person_is_left_in_the_file(
    rows: "Rows", plan: Plan, now: datetime, prepared_sqlite: Path, tmp_path: Path
) -> None:
    clinic = rows.clinic
    # a file that no other test has written to
    clinic.database = Database(f"sqlite:///{shutil.copy(prepared_sqlite, tmp_path / 'clinic.db')}")
    person = await person_in(rows, plan)
    async with clinic.database.writing() as session:
        (await session.get_one(Patient, person.id)).email = "changed@example.com"
    async with clinic.database.writing() as session:
        await erasure.forget(session, person.id, now=now, key=clinic.key)
    assert await clinic.database.leave_no_traces()
    stored = bytes_in(tmp_path)
    kept = OF_THE_CLINIC | _ids(person)
    assert person.id.encode() in stored
    for of, mark in person.marks.items():
        if of not in kept and isinstance(mark, str | dict):
            assert as_text(mark).encode() not in stored, of
    assert b"changed@example.com" not in stored
    await clinic.database.close()
