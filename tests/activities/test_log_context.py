"""Every log line says which attempt it is about, and none says who the patient is."""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import structlog
from temporalio.testing import WorkflowEnvironment

from activities import delivery_errors, names
from activities.log_context import configure_logging
from channels.protocol import Channel
from clinic.attempt import AttemptInput
from clinic.clinic import Clinic
from clinic.outcome import Outcome
from clinic.plan import Plan
from worker import build_worker

if TYPE_CHECKING:
    from tests.activities.conftest import Desk

    Configure = Callable[[str, str], None]

NOISY = ("aiosmtplib", "twilio", "aiosqlite", "asyncio", "httpx", "mail")
FIRST_MESSAGE = (
    {"channel": "email", "template": "come-back", "wait": "1 second"},
    {"channel": "sms", "template": "come-back", "wait": "1 second"},
)


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> Iterator["Configure"]:
    """Configure logging as a process does, and put everything back afterwards."""
    before = structlog.get_config()
    levels = {name: logging.getLogger(name).level for name in (*NOISY, None)}
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    # a logger keeps the configuration of its first line: this one is new, and thrown away
    monkeypatch.setattr(delivery_errors, "_log", structlog.get_logger())

    def run(log_format: str, level: str) -> None:
        configure_logging(log_format, level)
        structlog.configure(cache_logger_on_first_use=False)

    yield run
    structlog.configure(**before)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def lines_of(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


async def test_a_delivery_logs_its_ids_and_nothing_of_the_patient(
    configure: "Configure",
    capsys: pytest.CaptureFixture[str],
    desk: "Desk",
    clinic: Clinic,
    channels: Mapping[str, Channel],
    temporal: WorkflowEnvironment,
) -> None:
    plan = Plan.model_validate({"name": "two messages", "steps": FIRST_MESSAGE})
    # the first try of the email fails, the SMS is refused with the number in the provider's words
    patient = await desk.patient(
        email=f"greylisted+{uuid4().hex}@example.com", phone="+15005550009"
    )
    attempt = await desk.attempt(patient, await desk.campaign(*FIRST_MESSAGE))
    task_queue = f"test-{uuid4().hex}"
    configure("json", "debug")
    async with build_worker(temporal.client, clinic, channels, task_queue):
        outcome = await temporal.client.execute_workflow(
            names.RECOVERY_WORKFLOW,
            AttemptInput(attempt_id=attempt.id, patient_id=patient.id, plan=plan),
            id=names.attempt_workflow_id(patient.id),
            task_queue=task_queue,
            execution_timeout=timedelta(minutes=5),
            result_type=Outcome,
        )
    assert outcome is Outcome.EXHAUSTED
    output = capsys.readouterr().err
    lines = [json.loads(line) for line in output.splitlines()]
    told = [line for line in lines if line["event"] == "not sent"]
    assert [(line["channel"], line["code"]) for line in told] == [
        ("email", "smtp 451"),
        ("sms", "twilio 21614"),
    ]
    for line in told:
        assert line["workflow_id"] == names.attempt_workflow_id(patient.id)
        assert (line["attempt_id"], line["activity"]) == (attempt.id, "deliver")
        assert (line["level"], line["logger"]) == ("info", "activities.delivery_errors")
        assert line["timestamp"].endswith("Z")
    link = clinic.links.link_to(attempt.id, 0).rpartition(".")[2]
    words = "Le escribimos de", "Un saludo", "Le esperamos"
    for personal in (
        str(patient.email).partition("@")[0],
        str(patient.phone),
        patient.first_name,
        patient.last_name,
        patient.external_id + '"',
        link,
        *words,
    ):
        assert personal not in output
        assert json.dumps(personal)[1:-1] not in output


def test_temporals_own_lines_carry_the_ids_too(
    configure: "Configure",
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure("json", "info")
    context = {"workflow_id": "attempt-pt-1", "attempt": 2, "activity_type": "deliver"}
    logging.getLogger("temporalio.activity").warning(
        "Completing activity as failed (%s)", context, extra={"temporal_activity": context}
    )
    (line,) = lines_of(capsys)
    assert line["event"] == "Completing activity as failed"
    assert (line["workflow_id"], line["attempt_number"]) == ("attempt-pt-1", 2)
    assert "temporal_activity" not in line


@pytest.mark.parametrize("name", NOISY)
def test_libraries_that_write_addresses_are_heard_from_warnings_on(
    configure: "Configure", capsys: pytest.CaptureFixture[str], name: str
) -> None:
    configure("json", "debug")
    for speaker in (name, f"{name}.child"):
        logging.getLogger(speaker).info("RCPT TO:<sofia@example.com>")
        logging.getLogger(speaker).warning("connection lost")
    assert [line["event"] for line in lines_of(capsys)] == ["connection lost"] * 2


def test_the_level_is_the_least_severity_that_is_logged(
    configure: "Configure", capsys: pytest.CaptureFixture[str]
) -> None:
    configure("json", "warning")
    logger = structlog.get_logger("test")
    logger.info("quiet")
    logger.warning("loud", attempt_id="at-1")
    (line,) = lines_of(capsys)
    assert (line["event"], line["level"], line["attempt_id"]) == ("loud", "warning", "at-1")


def test_an_exception_is_one_json_line(
    configure: "Configure", capsys: pytest.CaptureFixture[str]
) -> None:
    configure("json", "info")
    campaigns: dict[str, str] = {}
    try:
        campaigns["campaign"]
    except KeyError:
        structlog.get_logger("test").exception("failed")
    (line,) = lines_of(capsys)
    assert "KeyError: 'campaign'" in line["exception"]


def test_people_read_lines_that_are_no_json(
    configure: "Configure", capsys: pytest.CaptureFixture[str]
) -> None:
    configure("console", "info")
    structlog.get_logger("test").info("worker is ready", task_queue="regresa")
    written = capsys.readouterr().err
    assert "worker is ready" in written
    assert "task_queue=regresa" in written
    assert not written.startswith("{")
