"""A worker's own metrics, read over HTTP while it works on the real server."""

import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING
from uuid import uuid4

import httpx
import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from activities import names
from activities.worker_metrics import runtime_for
from channels.protocol import Channel
from clinic.attempt import AttemptInput
from clinic.clinic import Clinic
from clinic.outcome import Outcome
from clinic.plan import Plan
from clinic.refusal import Refusal
from worker import build_worker, serve

if TYPE_CHECKING:
    from tests.activities.conftest import Desk

ONE_KIND = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what the database has no part in."""

STEPS = ({"channel": "email", "template": "come-back", "wait": "1 second"},)


def free_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"


@ONE_KIND
async def test_they_tell_of_the_work_and_of_nobody(
    desk: "Desk",
    clinic: Clinic,
    channels: Mapping[str, Channel],
    temporal: WorkflowEnvironment,
) -> None:
    address = free_address()
    runtime = runtime_for(address)
    client = await Client.connect(
        temporal.client.service_client.config.target_host,
        data_converter=pydantic_data_converter,
        runtime=runtime,
    )
    patient = await desk.patient()
    attempt = await desk.attempt(patient, await desk.campaign(*STEPS))
    task_queue = f"test-{uuid4().hex}"
    async with build_worker(client, clinic, channels, task_queue):
        await client.execute_workflow(
            names.RECOVERY_WORKFLOW,
            AttemptInput(
                attempt_id=attempt.id,
                patient_id=patient.id,
                plan=Plan.model_validate({"name": "one message", "steps": STEPS}),
            ),
            id=names.attempt_workflow_id(patient.id),
            task_queue=task_queue,
            result_type=Outcome,
        )
        async with httpx.AsyncClient() as web:
            told = (await web.get(f"http://{address}/metrics")).text
    assert "temporal_workflow_completed_total{" in told
    assert 'activity_type="deliver"' in told
    for personal in (patient.id, attempt.id, patient.first_name, str(patient.email)):
        assert personal not in told


def test_without_an_address_nothing_is_served() -> None:
    assert runtime_for("") is None


def test_an_address_where_nobody_can_listen_is_refused_by_the_settings_name() -> None:
    with pytest.raises(Refusal, match="REGRESA_WORKER_METRICS_ADDRESS: invalid Prometheus"):
        runtime_for("localhost")


@ONE_KIND
async def test_a_worker_whose_port_is_taken_does_not_begin(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic.settings.channels = ["call"]
    monkeypatch.setenv("REGRESA_DATABASE_URL", clinic.settings.database_url)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(Refusal, match="failed starting Prometheus exporter"):
            await serve(clinic, metrics_address=address)
