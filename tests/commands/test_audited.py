"""What is seen and done at the command line stands in the audit log, as what the console does."""

import os
import pwd
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from clinic.attempt import AttemptState
from clinic.plan import Plan
from clinic.tables import Attempt, AuditEntry, CallTask, Campaign
from commands.audited import login_name

if TYPE_CHECKING:
    from tests.commands.conftest import Desk

THEN = datetime(2026, 1, 5, 17, 0, tzinfo=UTC)
PLAN = Plan.model_validate(
    {"name": "calls", "steps": [{"channel": "call", "template": "come-back", "wait": "2 days"}]}
)


@pytest.fixture(autouse=True)
def _a_patient_on_the_call_list(desk: "Desk") -> None:
    patient = desk.patient("A-0042", id="pt-1", loss_reason="price")
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
        ("segments price-was-the-reason", ("viewed", None, None)),
        ("preview never-returned --plan standard", ("viewed", None, None)),
        ("duplicates", ("viewed", None, None)),
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
    assert lines == [(login_name(), *noted)]


def test_an_import_is_noted_at_its_beginning_and_with_what_became_of_the_rows(
    desk: "Desk", tmp_path: Path
) -> None:
    listed = tmp_path / "patients.csv"
    listed.write_text("Patient ID,First name,Email\nA-0043,Ana,ana@example.com\n")
    desk.says("import", str(listed), "--dry-run")
    assert desk.all(AuditEntry) == []
    desk.says("import", str(listed), "--rejects", str(tmp_path / "rejects.csv"))
    lines = [(line.who, line.action, line.details) for line in desk.all(AuditEntry)]
    counts = {"new": 1, "updated": 0, "unchanged": 0, "rejected": 0}
    assert lines == [
        (login_name(), "imported", {"step": "began"}),
        (login_name(), "imported", {"step": "done", **counts}),
    ]


def test_nobody_is_noted_under_a_name_that_the_environment_says(
    desk: "Desk", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "vera")
    desk.says("pause", "spring")
    [line] = desk.all(AuditEntry)
    assert line.who == pwd.getpwuid(os.getuid()).pw_name


def test_where_the_user_has_no_name_a_command_works_all_the_same(
    desk: "Desk", monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 54321)
    desk.says("stop", "spring")
    [line] = desk.all(AuditEntry)
    assert line.who == "uid-54321"


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
