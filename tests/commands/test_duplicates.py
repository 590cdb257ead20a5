"""`regresa duplicates`: somebody looks at two rows, and says whether they are one person."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from clinic.tables import Duplicate, Patient

if TYPE_CHECKING:
    from tests.commands.conftest import Desk


@pytest.fixture
def pair(desk: "Desk") -> None:
    kept, later = desk.patient("A-1"), desk.patient("A-2", email="other@example.com")
    found = {"reason": "name and phone", "found_at": datetime(2027, 3, 2, tzinfo=UTC)}
    desk.add(Duplicate(patient_id=later.id, other_id=kept.id, **found))


def test_nobody_twice_is_said(desk: "Desk") -> None:
    assert "Nobody seems to be on the register twice." in desk.says("duplicates")


@pytest.mark.usefixtures("pair")
def test_the_list_shows_what_tells_one_from_the_other_and_how_to_settle(desk: "Desk") -> None:
    said = " ".join(desk.says("duplicates").split())
    assert "A-2 Sofía Rojas, +13055550142, other@example.com A-1 Sofía Rojas" in said
    assert "regresa duplicates A-2 A-1 --same" in said
    [told] = json.loads(desk.says("duplicates", "--json"))
    assert (told["patient"]["external_id"], told["reason"]) == ("A-2", "name and phone")


@pytest.mark.usefixtures("pair")
def test_one_person_is_one_row_afterwards(desk: "Desk") -> None:
    said = desk.says("duplicates", "A-1", "A-2", "--same", "--as", "vera")
    assert "A-1 and A-2 are one person" in said
    rows = {row.external_id: row for row in desk.all(Patient)}
    assert rows["A-2"].duplicate_of == rows["A-1"].id
    assert [(row.verdict, row.settled_by) for row in desk.all(Duplicate)] == [("same", "vera")]
    assert "Nobody seems" in desk.says("duplicates")


@pytest.mark.usefixtures("pair")
def test_two_people_stay_two(desk: "Desk") -> None:
    assert "are two people" in desk.says("duplicates", "A-2", "A-1", "--different")
    assert [row.duplicate_of for row in desk.all(Patient)] == [None, None]


@pytest.mark.usefixtures("pair")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("A-1", "A-2"), "--same or --different", id="no verdict"),
        pytest.param(("A-1", "A-2", "--same", "--different"), "--same or --different", id="both"),
        pytest.param(("A-1", "--same"), "name the other patient", id="one patient"),
        pytest.param(("--same",), "name both patients", id="no patient"),
        pytest.param(("A-1", "A-9", "--same"), "no patient `A-9`", id="an unknown one"),
        pytest.param(("A-1", "A-1", "--same"), "not found to be alike", id="the same twice"),
    ],
)
def test_what_cannot_be_settled_says_why(
    desk: "Desk", arguments: tuple[str, ...], said: str
) -> None:
    assert said in desk.says("duplicates", *arguments, code=2)
    assert [row.verdict for row in desk.all(Duplicate)] == [None]
