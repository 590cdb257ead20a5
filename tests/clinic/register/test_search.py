"""A person at the desk says a number, an id, an email or a phone; one patient is meant."""

from typing import TYPE_CHECKING

import pytest

from clinic.refusal import Refusal
from clinic.register.search import find_patient, find_row, patients_at
from clinic.tables import Patient

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows


async def find(rows: "Rows", written: str, *, country: str | None = None) -> Patient:
    async with rows.clinic.database.reading() as session:
        return await find_patient(session, written, key=rows.clinic.key, country=country)


async def test_a_patient_is_found_by_the_clinics_number_and_by_the_opaque_id(rows: "Rows") -> None:
    patient = await rows.patient(external_id="A-0042")
    for written in ("A-0042", " A-0042 ", patient.id):
        assert (await find(rows, written)).id == patient.id


@pytest.mark.parametrize(
    "written", ["ana@example.com", "Ana@Example.com", "305-555-0142", "+1 305 555 0142"]
)
async def test_a_patient_is_found_by_an_address_as_people_write_it(
    rows: "Rows", written: str
) -> None:
    patient = await rows.patient(email="Ana@example.com", phone="+13055550142")
    await rows.patient()
    assert (await find(rows, written, country="US")).id == patient.id


async def test_an_address_finds_nobody_where_only_a_number_is_meant(rows: "Rows") -> None:
    await rows.patient(email="ana@example.com")
    with pytest.raises(Refusal, match=r"no patient `ana@example\.com`"):
        await find(rows, "ana@example.com")


@pytest.mark.parametrize("written", ["a-0042", "0042", "42"])
async def test_a_number_that_is_nearly_right_is_suggested(rows: "Rows", written: str) -> None:
    await rows.patient(external_id="A-0042")
    await rows.patient(external_id="A-0007")
    with pytest.raises(Refusal) as refused:
        await find(rows, written)
    assert refused.value.remedy == "Is it A-0042?"


@pytest.mark.parametrize("written", ["", "%", "_", "A"])
async def test_nobody_is_suggested_by_a_sign_that_stands_for_any(
    rows: "Rows", written: str
) -> None:
    await rows.patient(external_id="A-0042")
    with pytest.raises(Refusal) as refused:
        await find(rows, written)
    assert refused.value.remedy == ""


async def test_a_register_that_is_full_of_candidates_is_not_recited(rows: "Rows") -> None:
    for number in range(5):
        await rows.patient(external_id=f"{number}-42")
    with pytest.raises(Refusal) as refused:
        await find(rows, "42")
    assert refused.value.remedy == ""


async def test_of_a_family_at_one_address_the_numbers_are_named_and_no_names(rows: "Rows") -> None:
    for number in ("A-1", "A-2"):
        await rows.patient(external_id=number, email="family@example.com")
    await rows.patient(external_id="A-3", guardian_email="family@example.com")
    with pytest.raises(Refusal) as refused:
        await find(rows, "family@example.com", country="US")
    assert str(refused.value) == (
        "3 patients share `family@example.com`\nName one of: A-1, A-2, A-3"
    )


@pytest.mark.parametrize("column", ["phone", "other_phone", "guardian_phone"])
async def test_everybody_at_a_phone_is_found(rows: "Rows", column: str) -> None:
    patient = await rows.patient(**{"phone": None, column: "+13055550142"})
    async with rows.clinic.database.reading() as session:
        assert [row.id for row in await patients_at(session, "+13055550142")] == [patient.id]


async def test_both_numbers_of_one_person_mean_the_row_that_was_kept(rows: "Rows") -> None:
    kept = await rows.patient(external_id="A-1")
    other = await rows.patient(external_id="B-1", duplicate_of=kept.id)
    async with rows.clinic.database.reading() as session:
        for written in ("B-1", other.id, "A-1"):
            found = await find_patient(session, written, key=rows.clinic.key)
            assert found.id == kept.id
        assert (await find_row(session, "B-1", key=rows.clinic.key)).id == other.id
