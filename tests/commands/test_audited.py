"""What is seen and done at the command line stands in the audit log, as what the console does."""

import getpass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from clinic.attempt import AttemptState
from clinic.plan import Plan
from clinic.tables import Attempt, AuditEntry, CallTask, Campaign

if TYPE_CHECKING:
    from tests.commands.conftest import Desk

THEN = datetime(2026, 1, 5, 17, 0, tzinfo=UTC)
PLAN = Plan.model_validate(
    {"name": "calls", "steps": [{"channel": "call", "template": "come-back", "wait": "2 days"}]}
)


@pytest.fixture(autouse=True)
def _a_patient_on_the_call_list(desk: "Desk") -> None:
    patient = desk.patient("A-0042", id="pt-1")
    desk.add(
        Campaign(
            id="ca-1",
            name="spring",
            segment="all",
            plan=PLAN.model_dump(mode="json"),
            started_at=THEN,
        ),
        Attempt(
            id="at-1",
            campaign_id="ca-1",
            patient_id=patient.id,
            state=AttemptState.OPEN.value,
            started_at=THEN,
        ),
        CallTask(
            id="ct-1",
            attempt_id="at-1",
            patient_id=patient.id,
            step=0,
            kind="call",
            priority=3,
            due_at=THEN,
            opened_at=THEN - timedelta(days=1),
            tries_allowed=1,
        ),
    )


@pytest.mark.parametrize(
    ("typed", "noted"),
    [
        ("calls", ("viewed", None, None)),
        ("claim ct-1 --as Vera", ("claimed", "pt-1", "ct-1")),
        ("complete ct-1 --outcome no-answer --as Vera", ("completed", "pt-1", "ct-1")),
        ("event A-0042 replied --text Hola", ("changed", "pt-1", None)),
        ("card A-0042", ("viewed", "pt-1", None)),
        ("consent A-0042", ("viewed", "pt-1", None)),
        (
            "consent A-0042 --channel sms --for all --withdrawn --source phone",
            ("changed", "pt-1", None),
        ),
        ("suppress A-0042", ("changed", "pt-1", None)),
        ("suppress A-0042 --lift --yes", ("changed", "pt-1", None)),
        ("suppress +13055550199", ("changed", None, None)),
        ("export A-0042", ("exported", "pt-1", None)),
        ("forget A-0042 --yes", ("forgotten", "pt-1", None)),
        ("pause spring", ("campaign_paused", None, "ca-1")),
        ("stop spring", ("campaign_stopped", None, "ca-1")),
    ],
)
def test_a_command_is_noted_under_the_login_name(
    desk: "Desk", typed: str, noted: tuple[str, str | None, str | None]
) -> None:
    desk.says(*typed.split())
    lines = [
        (line.who, line.action, line.patient_id, line.subject) for line in desk.all(AuditEntry)
    ]
    assert lines == [(getpass.getuser(), *noted)]


def test_what_changed_nothing_is_not_noted_as_a_change(desk: "Desk") -> None:
    desk.says("resume", "spring")
    desk.says("pause", "spring")
    desk.says("pause", "spring")
    desk.says("resume", "spring")
    actions = [line.action for line in desk.all(AuditEntry)]
    assert actions == ["campaign_paused", "campaign_resumed"]


def test_what_was_refused_is_not_noted(desk: "Desk") -> None:
    desk.says("complete", "ct-1", "--outcome", "declined", code=2)
    desk.says("card", "A-9999", code=2)
    assert desk.all(AuditEntry) == []
