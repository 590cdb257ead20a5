"""A dry run does what the import does, and leaves nothing behind."""

from datetime import date
from typing import TYPE_CHECKING

import pytest

from clinic.refusal import Refusal
from clinic.tables import Appointment, Duplicate, Event, ImportRun, Patient, Visit, Vocabulary

if TYPE_CHECKING:
    from tests.clinic.register_import.conftest import Desk

HEADER = "patient_id,first_name,last_name,phone,last_visit,treatment,next_appointment"
KNOWN = "A-1,Ana,Gil,305-555-0101,2026-01-10,filling,2027-04-01 10:00"
LATER = [
    "A-1,Ana,Gil,305-555-0199,2027-03-01,control,",
    "A-2,Ana,Gil,305-555-0199,2026-02-10,implant,",
    "A-3,Eva,Paz,12,2026-02-30,,",
    "A-4,Eva,Paz,12,2026-02-10,,",
    "A-5,Ada,Sol,305-555-0105,2026-02-10,Implant,2027-04-01 10:00",
]
TABLES = (Patient, Visit, Appointment, Duplicate, Vocabulary, Event, ImportRun)


async def counts(desk: "Desk") -> dict[str, int]:
    return {table.__tablename__: len(await desk.rows.all(table)) for table in TABLES}


async def test_a_dry_run_tells_what_the_import_will_do_and_writes_nothing(desk: "Desk") -> None:
    await desk.imports(HEADER, KNOWN)
    await desk.rows.attempt(patient=await desk.patient())
    before = await counts(desk)
    desk.writes(HEADER, *LATER)
    async with desk.rows.clinic.database.discarding() as trial:
        told = await desk.imports_again(database=trial)
    assert await counts(desk) == before
    assert (await desk.patient()).phone == "+13055550101"

    done = await desk.imports_again()
    assert told.counts == done.counts == {"new": 3, "updated": 1, "unchanged": 0, "rejected": 1}
    assert told.rejects == done.rejects
    assert [(found.person.number, found.reason) for found in told.first_duplicates] == [
        ("A-2", "name and phone")
    ]
    assert told.duplicates == done.duplicates
    assert (await counts(desk))["events"] == before["events"] + 1


async def test_two_imports_into_one_trial_see_each_other(desk: "Desk") -> None:
    desk.writes(HEADER, KNOWN)
    async with desk.rows.clinic.database.discarding() as trial:
        await desk.imports_again(database=trial)
        again = await desk.imports_again(database=trial)
    assert again.unchanged == 1
    assert await desk.rows.all(Patient) == []


async def test_the_clinic_works_on_while_a_dry_run_lasts(desk: "Desk") -> None:
    """Neither a lock of the trial nor the trial's rows stand in a webhook's way."""
    ana = await desk.rows.patient(external_id="A-1")
    desk.writes(HEADER, *LATER)
    async with desk.rows.clinic.database.discarding() as trial:
        await desk.imports_again(database=trial)
        await desk.rows.add(Visit(patient_id=ana.id, day=date(2026, 1, 1), treatment=""))
        await desk.rows.patient(external_id="A-2")
    assert {patient.external_id for patient in await desk.rows.all(Patient)} == {"A-1", "A-2"}


async def test_a_dry_run_that_fails_leaves_nothing_either(desk: "Desk") -> None:
    desk.writes(HEADER, *LATER)
    source = desk.source()
    desk.writes(HEADER, KNOWN, "and another line")
    async with desk.rows.clinic.database.discarding() as trial:
        with pytest.raises(Refusal):
            await desk.imports_from(source, database=trial)
    assert await desk.rows.all(ImportRun) == []


async def test_the_rows_to_show_are_those_that_bring_something(desk: "Desk") -> None:
    """Also where they stand at the end of a list that is otherwise known."""
    known = [f"A-{number},Ana,Gil,305-555-010{number},,," for number in range(1, 8)]
    done = await desk.imports(HEADER, *known)
    assert [row.external_id for row in done.first_changes] == ["A-1", "A-2", "A-3"]
    moved = "A-7,Ana,Gil,305-555-0117,,,"
    new = "A-8,Eva,Paz,305-555-0108,,,"
    told = await desk.imports(HEADER, *known[:6], moved, new)
    assert [row.external_id for row in told.first_changes] == ["A-7", "A-8"]
    assert [row.external_id for row in told.first_rows] == ["A-1", "A-2", "A-3"]
    assert (await desk.imports_again()).first_changes == []
