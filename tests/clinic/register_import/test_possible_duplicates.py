"""Patients who may be on the register twice are found, and never merged."""

from typing import TYPE_CHECKING

import pytest

from clinic.event import EventKind
from clinic.register.standing import standings
from clinic.tables import Duplicate, Patient, Visit

if TYPE_CHECKING:
    from tests.clinic.register_import.conftest import Desk

HEADER = "patient_id,first_name,last_name,birth_date,phone,ssn"
ANA = "A-1,Ana,Gil,1960-05-01,305-555-0101,536-90-4399"


async def pairs(desk: "Desk") -> list[tuple[str, str, str]]:
    numbers = {patient.id: patient.external_id for patient in await desk.rows.all(Patient)}
    return [
        (numbers[pair.patient_id], numbers[pair.other_id], pair.reason)
        for pair in await desk.rows.all(Duplicate)
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        pytest.param("A-2,Anna,Gill,,,536-90-4399", "national id", id="national id"),
        pytest.param("A-2,Ana,Gil,1960-05-01,,", "name and birth date", id="birth date"),
        pytest.param("A-2,Ana,Gil,,305-555-0101,", "name and phone", id="phone"),
        pytest.param("A-2,GIL,ána,1960-05-01,,", "name and birth date", id="names swapped"),
        pytest.param("A-2,Ana,Gil,1960-05-01,305-555-0101,536-90-4399", "national id", id="all"),
    ],
)
@pytest.mark.parametrize("where", ["in one list", "in two batches", "in two lists"])
async def test_a_new_row_that_resembles_another_is_imported_and_noted(
    desk: "Desk", row: str, reason: str, where: str
) -> None:
    if where == "in two lists":
        await desk.imports(HEADER, ANA)
        result = await desk.imports(HEADER, row)
    else:
        between = [f"F-{each},Eva,Paz,,," for each in range(4)] if "two" in where else []
        result = await desk.imports(HEADER, ANA, *between, row)
    assert await pairs(desk) == [("A-2", "A-1", reason)]
    assert result.duplicates == 1
    [found] = result.first_duplicates
    assert (found.person.number, found.other.number, found.reason) == ("A-2", "A-1", reason)
    assert {"A-1", "A-2"} <= {patient.external_id for patient in await desk.rows.all(Patient)}


@pytest.mark.parametrize(
    "row",
    [
        pytest.param("A-2,Ana,Gil,1990-05-01,305-555-0101,", id="mother and daughter"),
        pytest.param("A-2,Eva,Gil,1960-05-01,305-555-0101,", id="a couple"),
        pytest.param("A-2,Ana,Gil,,305-555-0102,", id="a namesake"),
        pytest.param("A-2,Ana,Gil,1960-05-01,305-555-0101,536-90-4398", id="two national ids"),
    ],
)
async def test_people_who_only_share_something_are_not_noted(desk: "Desk", row: str) -> None:
    result = await desk.imports(HEADER, ANA, row)
    assert (result.new, result.duplicates) == (2, 0)


async def test_a_pair_is_noted_once(desk: "Desk") -> None:
    await desk.imports(HEADER, ANA, "A-2,Ana,Gil,1960-05-01,,")
    again = await desk.imports_again()
    assert (again.unchanged, again.duplicates) == (2, 0)
    await desk.imports(HEADER, "A-2,Ana,Gil,1960-05-01,305-555-0101,")
    assert len(await pairs(desk)) == 1


async def test_a_row_that_comes_to_resemble_another_is_noted_as_well(desk: "Desk") -> None:
    await desk.imports(HEADER, ANA, "A-2,Ana,Gil,,,")
    assert await pairs(desk) == []
    result = await desk.imports(HEADER, "A-2,Ana,Gil,1960-05-01,,")
    assert (result.updated, result.duplicates) == (1, 1)
    assert await pairs(desk) == [("A-2", "A-1", "name and birth date")]


async def test_a_third_row_is_noted_with_each_of_the_others(desk: "Desk") -> None:
    rows = [ANA.replace("A-1", f"A-{number}") for number in (1, 2, 3)]
    await desk.imports(HEADER, *rows)
    assert {pair[:2] for pair in await pairs(desk)} == {
        ("A-2", "A-1"),
        ("A-3", "A-1"),
        ("A-3", "A-2"),
    }


async def test_a_later_list_brings_the_history_of_a_settled_row_to_the_one_that_was_kept(
    desk: "Desk",
) -> None:
    kept = await desk.rows.patient(external_id="A-1", birth_date=None)
    await desk.rows.patient(external_id="A-2", first_name="Ana", duplicate_of=kept.id)
    attempt = await desk.rows.attempt(patient=kept)
    result = await desk.imports(
        "patient_id,first_name,last_visit,phone", "A-2,Ana,2027-03-01,", "A-2,Ana,2026-02-10,"
    )
    assert result.updated == 2
    assert {visit.patient_id for visit in await desk.rows.all(Visit)} == {kept.id}
    [ended] = await desk.rows.events(EventKind.BOOKED)
    assert ended.attempt_id == attempt.id
    assert (await desk.imports_again()).unchanged == 2


@pytest.mark.parametrize("status", ["deceased", "moved"])
async def test_who_died_or_moved_by_a_later_list_did_under_the_number_that_was_kept(
    desk: "Desk", status: str
) -> None:
    kept = await desk.rows.patient(external_id="A-1")
    await desk.rows.patient(external_id="A-2", first_name="Ana", duplicate_of=kept.id)
    attempt = await desk.rows.attempt(patient=kept)
    await desk.imports("patient_id,first_name,status", f"A-2,Ana,{status}")
    clinic = desk.rows.clinic
    async with clinic.database.reading() as session:
        found = await standings(
            session, [kept.id], desk.rows.now, clinic.key, zone=clinic.profile.zone
        )
    assert found[kept.id].status == status
    [ended] = await desk.rows.events(EventKind.EXCLUDED)
    assert ended.attempt_id == attempt.id
