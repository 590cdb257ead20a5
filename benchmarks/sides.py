"""The two sides of every ratio: the engine, and the bare workflow of the same shape."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from temporalio.client import WorkflowHandle
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.worker import Worker

from activities import names
from activities.relay import Relay
from benchmarks.ground import Ground
from benchmarks.register import open_attempts
from benchmarks.shapes import (
    BareAttempt,
    BareInput,
    BarestAttempt,
    close_nothing,
    deliver_nothing,
)
from channels.protocol import Channel
from clinic import inbox
from clinic.event import AttemptEvent, CallOutcome, EventKind
from clinic.identifiers import new_id
from worker import ClinicWorker, build_worker

if TYPE_CHECKING:
    from clinic.attempt import AttemptInput

ENGINE_QUEUE, BARE_QUEUE = "engine", "bare"

STARTING_ATTRIBUTES = TypedSearchAttributes(
    [
        SearchAttributePair(names.CAMPAIGN, "benchmark"),
        SearchAttributePair(names.SEGMENT, "benchmark"),
        SearchAttributePair(names.PLAN, "standard"),
        SearchAttributePair(names.STAGE, names.STAGE_MACHINE),
    ]
)


class Side(Protocol):
    """One side of a ratio: prepares attempts, starts them, and answers them."""

    def at_work(self) -> AbstractAsyncContextManager[None]:
        """Run what this side needs besides its worker."""
        ...

    async def prepare(self, count: int) -> list[str]:
        """Make ready to start so many attempts; return their workflow ids."""
        ...

    async def start(self, workflow_id: str) -> WorkflowHandle[Any, Any]:
        """Start one."""
        ...

    async def answer(self, workflow_id: str) -> None:
        """Let the event happen that ends it."""
        ...


class BareSide:
    """The bare workflow; its answer is one signal.

    Args:
        ground: The server.
        wait: After the first and after the second step.
        task_queue: Where it is started; by default where `worker` listens.
    """

    def __init__(self, ground: Ground, wait: timedelta, task_queue: str = BARE_QUEUE) -> None:
        self._client = ground.client
        self._wait = wait.total_seconds()
        self._task_queue = task_queue

    @staticmethod
    def worker(ground: Ground) -> Worker:
        """Return the worker of the bare workflows."""
        return Worker(
            ground.client,
            task_queue=BARE_QUEUE,
            workflows=[BareAttempt, BarestAttempt],
            activities=[deliver_nothing, close_nothing],
        )

    def at_work(self) -> AbstractAsyncContextManager[None]:
        """Nothing else is needed."""
        return nullcontext()

    async def prepare(self, count: int) -> list[str]:
        """Make up ids."""
        return [new_id("bare") for _ in range(count)]

    async def start(self, workflow_id: str) -> WorkflowHandle[Any, Any]:
        """Start a workflow with the search attributes of an attempt."""
        return await self._client.start_workflow(
            BareAttempt.run,
            BareInput(attempt_id=workflow_id, wait_seconds=self._wait),
            id=workflow_id,
            task_queue=self._task_queue,
            search_attributes=STARTING_ATTRIBUTES,
            static_summary="benchmark: standard",
        )

    async def answer(self, workflow_id: str) -> None:
        """Signal."""
        await self._client.get_workflow_handle(workflow_id).signal(names.ATTEMPT_EVENT)


class EngineSide:
    """Attempts as they run in production, answered through the inbox and the relay.

    Args:
        ground: The server and the clinic.
        wait: After the email and after the SMS.
        kind: The event that ends an attempt.
        task_queue: Where `worker` of this side's channels listens.
        channels: Of the standard plan's steps, those to take.
    """

    def __init__(
        self,
        ground: Ground,
        wait: timedelta,
        *,
        kind: EventKind = EventKind.CALL_OUTCOME,
        task_queue: str = ENGINE_QUEUE,
        channels: Collection[str] = ("email", "sms", "call"),
    ) -> None:
        self._ground = ground
        self._wait = wait
        self._kind = kind
        self._task_queue = task_queue
        self._channels = channels
        self._attempts: dict[str, AttemptInput] = {}
        self._workflows: dict[str, str] = {}

    @staticmethod
    def worker(
        ground: Ground, channels: Mapping[str, Channel], task_queue: str = ENGINE_QUEUE
    ) -> ClinicWorker:
        """Return the product's own worker."""
        return build_worker(ground.client, ground.clinic, channels, task_queue)

    def at_work(self) -> AbstractAsyncContextManager[None]:
        """Run the relay."""
        return relaying(self._ground)

    async def prepare(self, count: int) -> list[str]:
        """Write a campaign, its patients and their open attempts into the clinic's database."""
        self._attempts = {
            names.attempt_workflow_id(attempt.patient_id): attempt
            for attempt in await open_attempts(self._ground, count, self._wait, self._channels)
        }
        self._workflows = {attempt.attempt_id: one for one, attempt in self._attempts.items()}
        return list(self._attempts)

    def workflow_of(self, attempt_id: str) -> str:
        """Return the workflow id of an attempt that `prepare` wrote."""
        return self._workflows[attempt_id]

    async def start(self, workflow_id: str) -> WorkflowHandle[Any, Any]:
        """Start an attempt's workflow."""
        return await self._ground.client.start_workflow(
            names.RECOVERY_WORKFLOW,
            self._attempts[workflow_id],
            id=workflow_id,
            task_queue=self._task_queue,
            search_attributes=STARTING_ATTRIBUTES,
            static_summary="benchmark: standard",
        )

    async def answer(self, workflow_id: str) -> None:
        """Store the event, as a webhook or a member of staff does."""
        await store_answer(self._ground, self._attempts[workflow_id].attempt_id, self._kind)


class SignalledEngineSide(EngineSide):
    """Attempts that are answered as the bare side is: by one signal, without inbox and relay."""

    def at_work(self) -> AbstractAsyncContextManager[None]:
        """Nothing else is needed."""
        return nullcontext()

    async def answer(self, workflow_id: str) -> None:
        """Signal."""
        event = AttemptEvent(
            event_id=new_id("ev"),
            kind=EventKind.CALL_OUTCOME,
            call_outcome=CallOutcome.NO_ANSWER,
        )
        handle = self._ground.client.get_workflow_handle(workflow_id)
        await handle.signal(names.ATTEMPT_EVENT, event)


async def store_answer(ground: Ground, attempt_id: str, kind: EventKind) -> None:
    """Store an event in the inbox; a call outcome is that nobody answered."""
    called = kind is EventKind.CALL_OUTCOME
    received = inbox.Received(
        source="benchmark",
        source_key=attempt_id,
        kind=kind,
        attempt_id=attempt_id,
        details={"call_outcome": CallOutcome.NO_ANSWER.value} if called else {},
    )
    async with ground.clinic.database.writing() as session:
        await inbox.store(session, received, now=datetime.now(UTC), key=ground.clinic.key)


@asynccontextmanager
async def relaying(ground: Ground) -> AsyncIterator[None]:
    """Run the relay for as long as the block lasts."""
    stop = asyncio.Event()
    relay = Relay(ground.client, ground.clinic.database, ENGINE_QUEUE)
    running = asyncio.create_task(relay.run(stop))
    try:
        yield
    finally:
        stop.set()
        await running


async def settled(handle: WorkflowHandle[Any, Any]) -> None:
    """Wait until a workflow has nothing to do but wait: an answer that comes now ends a wait."""
    while True:
        described = (await handle.describe()).raw_description
        if not (described.pending_activities or described.HasField("pending_workflow_task")):
            return
        await asyncio.sleep(0.02)
