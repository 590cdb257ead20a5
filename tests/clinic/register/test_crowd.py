"""Addresses that more people share than a household has."""

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from clinic.register.address import address_hash
from clinic.register.crowd import MOST_IN_A_HOUSEHOLD
from clinic.register.standing import standings
from clinic.tables import Patient

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows

PHONE, EMAIL = "+13055550123", "desk@example.com"
CHILD = date(2018, 10, 18)


async def crowded(rows: "Rows", patient: Patient) -> set[str]:
    """Return which of the two addresses a crowd shares, as the patient's standing says it."""
    clinic = rows.clinic
    async with clinic.database.reading() as session:
        found = await standings(
            session, [patient.id], rows.now, clinic.key, zone=clinic.calendar.zone
        )
    shared = found[patient.id].crowded
    return {each for each in (PHONE, EMAIL) if address_hash(clinic.key, each) in shared}


@pytest.mark.parametrize(
    "others",
    [
        pytest.param({"phone": PHONE}, id="the same number"),
        pytest.param(
            {"phone": None, "birth_date": CHILD, "guardian_phone": PHONE}, id="the guardian's"
        ),
        pytest.param(
            {"phone": None, "birth_date": CHILD, "guardian_number": "A-1"},
            id="that of the guardian's own row",
        ),
    ],
)
async def test_nine_people_at_a_number_are_a_crowd_however_they_are_reached_there(
    rows: "Rows", others: dict[str, Any]
) -> None:
    patient = await rows.patient(external_id="A-1", phone=PHONE)
    family = [await rows.patient(**others) for _ in range(MOST_IN_A_HOUSEHOLD - 1)]
    assert await crowded(rows, patient) == set()
    assert await crowded(rows, family[0]) == set()
    one_more = await rows.patient(**others)
    for one in (patient, family[0], one_more):
        assert await crowded(rows, one) == {PHONE}


async def test_who_is_reached_in_three_ways_is_one_person(rows: "Rows") -> None:
    patient = await rows.patient(external_id="A-1", phone=PHONE)
    given = {"birth_date": CHILD, "phone": PHONE, "guardian_phone": PHONE, "guardian_number": "A-1"}
    for _ in range(MOST_IN_A_HOUSEHOLD - 1):
        await rows.patient(**given)
    assert await crowded(rows, patient) == set()


async def test_a_row_that_is_known_to_be_anothers_is_no_further_person(rows: "Rows") -> None:
    patient = await rows.patient(phone=PHONE)
    for _ in range(MOST_IN_A_HOUSEHOLD):
        await rows.patient(phone=PHONE, duplicate_of=patient.id)
    assert await crowded(rows, patient) == set()


async def test_an_email_address_and_a_number_are_looked_at_each_on_its_own(rows: "Rows") -> None:
    patient = await rows.patient(phone=PHONE, email=EMAIL)
    for _ in range(MOST_IN_A_HOUSEHOLD):
        await rows.patient(email=EMAIL)
    assert await crowded(rows, patient) == {EMAIL}
