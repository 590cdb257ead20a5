"""A patient, a campaign and a running worker: what a test of an attempt starts from."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from activities import names
from activities.relay import Relay
from channels.protocol import Channel
from clinic import inbox
from clinic.attempt import AttemptInput, AttemptState
from clinic.clinic import Clinic
from clinic.event import EventKind
from clinic.identifiers import new_id
from clinic.outcome import Outcome
from clinic.plan import Plan
from clinic.tables import Attempt, Campaign, Message, Patient
from worker import build_worker
from workflows.recovery import RecoveryWorkflow

EMAIL = {"channel": "email", "template": "come-back", "wait": "3 days"}
SMS = {"channel": "sms", "template": "come-back", "wait": "4 days"}
CALL = {"channel": "call", "template": "come-back", "wait": "2 days", "tries": 2}


@dataclass
class Recovery:
    """A running worker, and the ways in which a test reaches its attempts."""

    clinic: Clinic
    temporal: WorkflowEnvironment
    task_queue: str
    attempts: list[str] = field(default_factory=list)
    emails: list[str] = field(default_factory=list)

    async def start(
        self, *steps: Mapping[str, object], real_waits: bool = False, **patient: object
    ) -> "WorkflowHandle[RecoveryWorkflow, Outcome]":
        """Start one attempt for a new patient; the plan's steps as they stand in a file."""
        plan = Plan.model_validate({"name": "test", "steps": steps or (EMAIL, SMS, CALL)})
        attempt = await self.add_attempt(plan, **patient)
        return await self.start_attempt(attempt, plan, real_waits=real_waits)

    async def start_attempt(
        self, attempt: Attempt, plan: Plan, *, real_waits: bool = False
    ) -> WorkflowHandle[RecoveryWorkflow, Outcome]:
        with self.temporal.with_time_skipping_disabled() if real_waits else nullcontext():
            return await self.temporal.client.start_workflow(
                RecoveryWorkflow.run,
                AttemptInput(attempt_id=attempt.id, patient_id=attempt.patient_id, plan=plan),
                id=names.attempt_workflow_id(attempt.patient_id),
                task_queue=self.task_queue,
            )

    async def add_attempt(self, plan: Plan, **given: object) -> Attempt:
        number = uuid4().hex[:8]
        fields: dict[str, object] = {
            "external_id": number,
            "first_name": "Sofía",
            "language": "es",
            "email": f"p{number}@example.com",
            "phone": f"+1305555{int(number, 16) % 10000:04}",
        }
        patient = Patient(id=new_id("pt"), **(fields | given))
        self.emails.append(str(patient.email))
        now = datetime.now().astimezone()
        campaign = Campaign(
            id=new_id("ca"),
            name=number,
            segment="test",
            plan=plan.model_dump(mode="json"),
            started_at=now,
        )
        attempt = Attempt(
            id=new_id("at"),
            campaign_id=campaign.id,
            patient_id=patient.id,
            state=AttemptState.OPEN.value,
            started_at=now,
        )
        async with self.clinic.database.writing() as session:
            session.add_all([patient, campaign])
            await session.flush()
            session.add(attempt)
        self.attempts.append(attempt.id)
        return attempt

    async def say(self, kind: EventKind, body: str = "", **details: object) -> None:
        """Let something happen to the latest attempt, through the inbox as it would."""
        received = inbox.Received(
            source="test",
            source_key=uuid4().hex,
            kind=kind,
            attempt_id=self.attempts[-1],
            body=body,
            details=details,
        )
        async with self.clinic.database.writing() as session:
            now = datetime.now().astimezone()
            await inbox.store(session, received, now=now, key=self.clinic.key)

    async def row(self) -> Attempt:
        async with self.clinic.database.reading() as session:
            return await session.get_one(Attempt, self.attempts[-1])

    async def message(self, step: int) -> Message | None:
        async with self.clinic.database.reading() as session:
            return await session.get(Message, (self.attempts[-1], step, 1))

    async def forward(
        self, handle: "WorkflowHandle[RecoveryWorkflow, Outcome]", by: timedelta
    ) -> None:
        await self.temporal.fast_forward(handle, by)


@pytest.fixture
async def recovery(
    clinic: Clinic, channels: Mapping[str, Channel], temporal: WorkflowEnvironment
) -> AsyncIterator[Recovery]:
    """A worker and a relay on a task queue of their own."""
    task_queue = f"test-{uuid4().hex}"
    relay = Relay(temporal.client, clinic.database, task_queue)
    async with build_worker(temporal.client, clinic, channels, task_queue):
        stop = asyncio.Event()
        relaying = asyncio.create_task(relay.run(stop))
        yield Recovery(clinic, temporal, task_queue)
        stop.set()
        await relaying
