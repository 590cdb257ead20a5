"""Staff at the call list: who else answers at the number, and who is on the phone with them."""

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from clinic.attempt import AttemptState
from clinic.call_task import TaskKind
from clinic.plan import Plan
from clinic.tables import Attempt, Call, CallTask, Campaign, Event

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


@pytest.fixture
def written(desk: "Desk") -> tuple[str, str]:
    """The tasks of a patient, and of somebody nobody knows, who wrote without an attempt."""
    patient = desk.patient("A-7", first_name="Zoila", language="es")
    for own, priority, who in (
        ("1", 0, {"patient_id": patient.id}),
        ("2", 1, {"from_address": "+13055550177"}),
    ):
        reading = "yes" if priority == 0 else "unclear"
        desk.add(
            Event(
                id=f"ev-{own}",
                source="sms",
                source_key=own,
                kind="reply",
                body=f"Hola {own}",
                details={"reading": reading},
                received_at=THEN,
                **who,
            ),
            CallTask(
                id=f"ct-{own}",
                patient_id=who.get("patient_id"),
                event_id=f"ev-{own}",
                step=0,
                kind=TaskKind.REPLY.value,
                priority=priority,
                due_at=THEN,
                opened_at=THEN,
                tries_allowed=3,
            ),
        )
    return "ct-1", "ct-2"


@pytest.mark.usefixtures("written")
def test_who_wrote_without_being_asked_is_on_the_call_list(desk: "Desk") -> None:
    said = desk.says("calls")
    for expected in ("Zoila", "says yes", "“Hola 1”", "not on the register", "+13055550177"):
        assert expected in said
    assert "says unclear" not in said


@pytest.mark.usefixtures("written")
def test_a_long_call_list_is_shown_from_its_top(desk: "Desk") -> None:
    said = desk.says("calls", "--limit", "1")
    assert "Zoila" in said
    assert "+13055550177" not in said
    assert "... and 1 more" in said
    [shown] = json.loads(desk.says("calls", "--limit", "1", "--json"))
    assert shown["words"] == "Hola 1"


def test_whoever_takes_such_a_task_reads_what_was_written(
    desk: "Desk", written: tuple[str, str]
) -> None:
    known, unknown = (desk.says("claim", task, "--as", "Vera") for task in written)
    assert "They wrote: “Hola 1”" in known
    assert "They wrote from +13055550177: “Hola 2”" in unknown
    closed = desk.says("complete", written[1], "--as", "Vera", "--outcome", "do-not-contact")
    assert "is closed as do_not_contact" in closed


@pytest.mark.usefixtures("written")
def test_the_card_shows_how_an_answer_was_read(desk: "Desk") -> None:
    said = desk.says("card", "A-7")
    assert "reply (sms, says yes): “Hola 1”" in said
    assert "on the call list: ct-1" in said


def test_a_task_that_nobody_may_call_about_is_closed_without_a_call(
    desk: "Desk", tasks: list[str]
) -> None:
    task = tasks[0]
    assert "can't be closed without a call" in desk.says("close", task, code=2)
    desk.says("event", "A-0", "opted-out")
    assert f"regresa close {task}" in desk.says("claim", task, code=2)
    assert "closed as do_not_contact; nobody has called" in desk.says("close", task)
    assert desk.all(Call) == []
