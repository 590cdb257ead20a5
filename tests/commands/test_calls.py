"""Staff at the call list: who else answers at the number, and who is on the phone with them."""

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from clinic.attempt import AttemptState
from clinic.call_task import TaskKind
from clinic.plan import Plan
from clinic.tables import Attempt, CallTask, Campaign

if TYPE_CHECKING:
    from tests.commands.conftest import Desk

THEN = datetime(2026, 1, 5, 17, 0, tzinfo=UTC)
PLAN = Plan.model_validate(
    {"name": "calls", "steps": [{"channel": "call", "template": "come-back", "wait": "2 days"}]}
)


@pytest.fixture
def tasks(desk: "Desk") -> list[str]:
    """The call tasks of Ana and Eva, who share a number."""
    desk.add(
        Campaign(
            id="ca-1",
            name="spring",
            segment="all",
            plan=PLAN.model_dump(mode="json"),
            started_at=THEN,
        )
    )
    for number, name in enumerate(("Ana", "Eva")):
        patient = desk.patient(f"A-{number}", first_name=name, language="es")
        attempt = Attempt(
            id=f"at-{number}",
            campaign_id="ca-1",
            patient_id=patient.id,
            state=AttemptState.OPEN.value,
            started_at=THEN,
        )
        task = CallTask(
            id=f"ct-{number}",
            attempt_id=attempt.id,
            patient_id=patient.id,
            step=0,
            kind=TaskKind.CALL.value,
            priority=TaskKind.CALL.priority,
            due_at=THEN + timedelta(days=number),
            opened_at=THEN,
            tries_allowed=1,
        )
        desk.add(attempt, task)
    return ["ct-0", "ct-1"]


@pytest.mark.usefixtures("tasks")
def test_the_call_list_says_who_else_answers(desk: "Desk") -> None:
    said = desk.says("calls")
    assert "also: A-1 Eva" in said
    assert "also: A-0 Ana" in said
    first, second = json.loads(desk.says("calls", "--json"))
    assert [one["external_id"] for one in first["household"]] == ["A-1"]
    assert [one["external_id"] for one in second["household"]] == ["A-0"]


def test_a_claim_tells_who_is_calling_the_household_just_now(
    desk: "Desk", tasks: list[str]
) -> None:
    ana, eva = tasks
    first = desk.says("claim", ana, "--as", "Vera")
    assert "Comparten este teléfono Ana y Eva" in first
    assert "Wait a little" not in first
    second = desk.says("claim", eva, "--as", "Max")
    assert "Wait a little: Vera is calling A-0 Ana at the same number." in second
    again = desk.says("claim", eva, "--as", "Max", "--json")
    assert json.loads(again)["household"][0]["claimed_by"] == "Vera"


def test_who_claims_both_is_not_told_of_themselves(desk: "Desk", tasks: list[str]) -> None:
    for task in tasks:
        assert "Wait a little" not in desk.says("claim", task, "--as", "Vera")
