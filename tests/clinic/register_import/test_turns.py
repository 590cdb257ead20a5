"""An import, and whoever edits or forgets its patients meanwhile, never wait in a circle."""

import asyncio
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from clinic.register import erasure, suppression
from clinic.register.address import address_hash
from clinic.register.patient_edit import save
from clinic.register.typed_fields import Desk as EditDesk
from clinic.register.typed_fields import shown
from clinic.register.vocabulary import WordKind, spell
from clinic.register_import.register_entry import read_entries
from clinic.tables import Patient, Suppression, Visit

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows
    from tests.clinic.register_import.conftest import Desk

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
PHONE = "+13055550142"


async def begun(step: Any) -> "asyncio.Task[None]":
    """Begin a step, and let it come to where it has to wait."""
    task = asyncio.create_task(step)
    await asyncio.wait([task], timeout=0.3)
    return task


async def forget(rows: "Rows", patient: Patient) -> None:
    async with rows.clinic.database.writing() as session:
        await erasure.forget(session, patient.id, now=rows.now, key=rows.clinic.key)


async def read(rows: "Rows", *patients: Patient) -> None:
    async with rows.clinic.database.writing() as session:
        await read_entries(session, [patient.external_id for patient in patients])


async def forget_while_an_import_reads(rows: "Rows", person: Patient, *imported: Patient) -> None:
    """Have an import come to the same people half-way: when a row of the person's is locked."""
    hashed = address_hash(rows.clinic.key, PHONE)
    async with rows.clinic.database.writing() as session:
        session.add(Suppression(address_hash=hashed, since=rows.now, source="somebody"))
        await session.flush()
        forgetting = await begun(forget(rows, person))
        importing = await begun(read(rows, *imported))
    await asyncio.gather(forgetting, importing)


async def test_a_guardian_is_forgotten_while_the_child_is_imported(rows: "Rows") -> None:
    guardian = await rows.patient(id="pt-2", phone=PHONE)
    child = await rows.patient(id="pt-1", guardian_number=guardian.external_id)
    await forget_while_an_import_reads(rows, guardian, child, guardian)
    assert (await rows.get(Patient, child.id)).guardian_number is None


async def test_all_rows_of_a_person_are_forgotten_while_they_are_imported(rows: "Rows") -> None:
    kept = await rows.patient(id="pt-1", external_id="A-2")
    later = await rows.patient(id="pt-2", external_id="A-1", phone=PHONE, duplicate_of=kept.id)
    await forget_while_an_import_reads(rows, kept, kept, later)
    assert (await rows.get(Patient, later.id)).erased_at == rows.now


async def test_a_person_is_forgotten_while_a_visit_under_another_number_is_imported(
    rows: "Rows",
) -> None:
    kept = await rows.patient(id="pt-1")
    later = await rows.patient(id="pt-2", duplicate_of=kept.id)
    async with rows.clinic.database.writing() as session:
        await read_entries(session, [later.external_id])
        forgetting = await begun(forget(rows, kept))
        session.add(Visit(patient_id=kept.id, day=rows.now.date()))
        await session.flush()
    await forgetting
    assert await rows.all(Visit) == []


async def test_new_words_are_typed_while_a_list_brings_them(rows: "Rows") -> None:
    patient = await rows.patient()
    first = dict(shown(patient))
    typed = first | {"district": "Centro", "occupation": "Maestra"}
    desk = EditDesk("US", ZoneInfo("America/New_York"), rows.now.date())

    async def edit() -> None:
        async with rows.clinic.database.writing() as session:
            key = rows.clinic.key
            await save(session, patient.id, typed, first, desk=desk, now=rows.now, key=key)

    async with rows.clinic.database.writing() as session:
        await spell(session, WordKind.OCCUPATION, ["Maestra"])
        editing = await begun(edit())
        await spell(session, WordKind.DISTRICT, ["Centro"])
    await editing
    assert (await rows.get(Patient, patient.id)).occupation == "Maestra"


async def test_a_child_who_is_there_twice_says_stop_while_both_rows_are_imported(
    rows: "Rows", monkeypatch: pytest.MonkeyPatch
) -> None:
    child: dict[str, Any] = {"guardian_number": "A-9", "birth_date": rows.now.date()}
    kept = await rows.patient(id="pt-1", external_id="A-2", **child)
    later = await rows.patient(id="pt-2", external_id="A-1", duplicate_of=kept.id, **child)
    importing: list[asyncio.Task[None]] = []
    guardian_of = suppression._guardian_of  # noqa: SLF001 - where the first row is written

    async def then_import(*given: Any) -> Patient | None:
        found = await guardian_of(*given)
        if not importing:
            importing.append(await begun(read(rows, kept, later)))
        return found

    monkeypatch.setattr(suppression, "_guardian_of", then_import)
    async with rows.clinic.database.writing() as session:
        await suppression.opt_out(
            session, kept.id, source="staff", now=rows.now, key=rows.clinic.key
        )
    await asyncio.gather(*importing)
    assert (await rows.get(Patient, later.id)).opted_out_at == rows.now


async def test_who_is_forgotten_while_a_list_of_theirs_is_imported_does_not_come_back(
    rows: "Rows", desk: "Desk"
) -> None:
    sofia = await rows.patient(external_id="A-1")
    async with rows.clinic.database.writing() as session:
        await erasure.forget(session, sofia.id, now=rows.now, key=rows.clinic.key)
        lines = "patient_id,name,phone", "A-1,Sofía,305-555-0101", "A-2,Eva,305-555-0102"
        importing = asyncio.create_task(desk.imports(*lines))
        await asyncio.wait([importing], timeout=0.5)
    result = await importing
    assert (result.new, result.rejected) == (1, 1)
    assert [reject.reason for reject in desk.rejects] == ["was forgotten at their own wish"]
    assert {row.first_name for row in await rows.all(Patient)} == {"", "Eva"}
