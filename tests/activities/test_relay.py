"""Stored events reach their workflows, in order, as soon as Temporal can be reached."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from sqlalchemy import update
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, RetryConfig, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from activities import names
from activities.relay import Relay
from clinic.attempt import AttemptState, CampaignInput
from clinic.clinic import Clinic
from clinic.event import AttemptEvent, EventKind
from clinic.outcome import LossReason
from clinic.tables import Attempt, CallTask, Event

if TYPE_CHECKING:
    from tests.activities.conftest import Desk

    Handle = WorkflowHandle[Any, Any]


ONE_KIND = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what the database has no part in."""


@pytest.fixture
def task_queue() -> str:
    """Nobody listens here: what reaches a workflow stays in its history."""
    return f"test-{uuid4().hex}"


@pytest.fixture
def relay(clinic: Clinic, temporal: WorkflowEnvironment, task_queue: str) -> Relay:
    return Relay(temporal.client, clinic.database, task_queue)


async def start(temporal: WorkflowEnvironment, attempt: Attempt, task_queue: str) -> "Handle":
    return await temporal.client.start_workflow(
        names.RECOVERY_WORKFLOW,
        id=names.attempt_workflow_id(attempt.patient_id),
        task_queue=task_queue,
    )


async def heard(temporal: WorkflowEnvironment, handle: "Handle") -> list[AttemptEvent]:
    """Return the events that a workflow was told of, in their order."""
    history = await handle.fetch_history()
    return [
        (
            await temporal.client.data_converter.decode(
                event.workflow_execution_signaled_event_attributes.input.payloads, [AttemptEvent]
            )
        )[0]
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
        and event.workflow_execution_signaled_event_attributes.signal_name == names.ATTEMPT_EVENT
    ]


async def relayed_in_the_end(relay: Relay, desk: "Desk", event: Event) -> Event:
    """Relay until an event that was put off has arrived."""
    while (row := await event_again(desk, event)).relayed_at is None:
        await relay.relay_due()
        await asyncio.sleep(0.01)
    return row


async def event_again(desk: "Desk", event: Event) -> Event:
    events: list[Event] = await desk.all(Event)
    return next(row for row in events if row.id == event.id)


async def test_an_event_reaches_its_attempt_by_its_id_alone(
    desk: "Desk", relay: Relay, temporal: WorkflowEnvironment, task_queue: str
) -> None:
    attempt = await desk.attempt()
    handle = await start(temporal, attempt, task_queue)
    event = await desk.event(EventKind.REPLY, attempt_id=attempt.id, body="Soy Sofía, llámenme")
    assert await relay.relay_due() == 1
    assert await heard(temporal, handle) == [AttemptEvent(event_id=event.id, kind=EventKind.REPLY)]
    assert "llámenme" not in (await handle.fetch_history()).to_json()
    row = await event_again(desk, event)
    assert row.relay_result == "signalled"
    assert row.relayed_at is not None


async def test_why_a_patient_declined_is_told_and_noted(
    desk: "Desk", relay: Relay, temporal: WorkflowEnvironment, task_queue: str
) -> None:
    attempt = await desk.attempt()
    handle = await start(temporal, attempt, task_queue)
    await desk.event(
        EventKind.DECLINED, attempt_id=attempt.id, details={"step": 1, "loss_reason": "price"}
    )
    assert await relay.relay_due() == 1
    (told,) = await heard(temporal, handle)
    assert (told.kind, told.loss_reason) == (EventKind.DECLINED, LossReason.PRICE)
    assert (await desk.patient_of(attempt)).loss_reason == "price"


async def test_a_backlog_arrives_in_few_turns_and_each_event_once(
    desk: "Desk", relay: Relay, temporal: WorkflowEnvironment, task_queue: str
) -> None:
    handles = []
    for _ in range(60):
        attempt = await desk.attempt()
        handles.append(await start(temporal, attempt, task_queue))
        await desk.event(EventKind.REPLY, attempt_id=attempt.id)
    assert [await relay.relay_due(), await relay.relay_due()] == [60, 0]
    for handle in handles[::20]:
        assert len(await heard(temporal, handle)) == 1


async def test_what_has_arrived_is_not_relayed_again(
    desk: "Desk", relay: Relay, temporal: WorkflowEnvironment, task_queue: str
) -> None:
    attempt = await desk.attempt()
    handle = await start(temporal, attempt, task_queue)
    await desk.event(EventKind.BOOKED, attempt_id=attempt.id)
    assert [await relay.relay_due(), await relay.relay_due()] == [1, 0]
    assert len(await heard(temporal, handle)) == 1


async def test_an_attempts_events_arrive_in_their_order(
    desk: "Desk", relay: Relay, temporal: WorkflowEnvironment, task_queue: str
) -> None:
    attempts = [await desk.attempt() for _ in range(3)]
    handles = [await start(temporal, attempt, task_queue) for attempt in attempts]
    kinds = [EventKind.BOUNCED, EventKind.REPLY, EventKind.BOOKED, EventKind.OPTED_OUT]
    for kind in kinds:
        for attempt in attempts:
            await desk.event(kind, attempt_id=attempt.id)
    assert await relay.relay_due() == 12
    for handle in handles:
        assert [event.kind for event in await heard(temporal, handle)] == kinds


@pytest.mark.parametrize(
    ("kind", "relayed"),
    [(EventKind.UNKNOWN, 0), (EventKind.NOTICE, 0), (EventKind.REPLY, 1)],
    ids=["of an unknown kind", "that changes nothing", "of nobody we know"],
)
async def test_an_event_that_concerns_no_attempt_is_kept(
    desk: "Desk", relay: Relay, kind: EventKind, relayed: int
) -> None:
    attempt = await desk.attempt()
    about = None if kind is EventKind.REPLY else attempt.id
    event = await desk.event(kind, attempt_id=about, body="¿Quién es?")
    assert await relay.relay_due() == relayed
    row = await event_again(desk, event)
    assert (row.relay_result, row.body) == ("kept", "¿Quién es?")


@pytest.mark.parametrize(
    ("kind", "tasks"),
    [
        pytest.param(EventKind.REPLY, ["reply"], id="a reply becomes a task"),
        pytest.param(EventKind.BOOKED, [], id="a booking needs nobody"),
        pytest.param(EventKind.DECLINED, [], id="a clear no needs nobody"),
        pytest.param(EventKind.BOUNCED, [], id="what came back is noted"),
    ],
)
@pytest.mark.parametrize(
    "state",
    [
        pytest.param(AttemptState.ENDED, id="the row has ended"),
        pytest.param(AttemptState.OPEN, id="the workflow has closed"),
    ],
)
async def test_an_event_after_the_attempts_end(
    desk: "Desk", relay: Relay, state: AttemptState, kind: EventKind, tasks: list[str]
) -> None:
    attempt = await desk.attempt(state=state.value)
    event = await desk.event(kind, attempt_id=attempt.id)
    assert await relay.relay_due() == 1
    assert (await event_again(desk, event)).relay_result == "attempt is over"
    assert [task.kind for task in await desk.all(CallTask)] == tasks


async def test_an_event_that_comes_before_the_attempt_waits_for_it(
    desk: "Desk", relay: Relay, temporal: WorkflowEnvironment, task_queue: str
) -> None:
    attempt = await desk.attempt(started_at=None)
    event = await desk.event(EventKind.STOPPED, attempt_id=attempt.id)
    assert await relay.relay_due() == 0
    row = await event_again(desk, event)
    assert (row.relay_tries, row.relay_result) == (1, "attempt is about to start")
    assert row.relayed_at is None
    handle = await start(temporal, attempt, task_queue)
    assert (await relayed_in_the_end(relay, desk, event)).relay_result == "signalled"
    assert len(await heard(temporal, handle)) == 1


async def test_a_reply_that_comes_before_the_attempts_workflow_is_a_task_at_once(
    desk: "Desk", relay: Relay, temporal: WorkflowEnvironment, task_queue: str
) -> None:
    # a household's message began the attempt, and its page may be held for long
    attempt = await desk.attempt(started_at=None)
    event = await desk.event(EventKind.REPLY, attempt_id=attempt.id, body="Llamen a Eva")
    assert await relay.relay_due() == 0
    (task,) = await desk.all(CallTask)
    assert (task.kind, task.attempt_id, task.event_id) == ("reply", attempt.id, event.id)
    handle = await start(temporal, attempt, task_queue)
    assert (await relayed_in_the_end(relay, desk, event)).relay_result == "signalled"
    assert [each.event_id for each in await heard(temporal, handle)] == [event.id]
    assert len(await desk.all(CallTask)) == 1


async def test_no_event_overtakes_one_that_was_put_off(
    desk: "Desk", relay: Relay, clinic: Clinic, temporal: WorkflowEnvironment, task_queue: str
) -> None:
    attempt, other = await desk.attempt(), await desk.attempt()
    handle = await start(temporal, attempt, task_queue)
    await start(temporal, other, task_queue)
    first = await desk.event(EventKind.BOOKED, attempt_id=attempt.id)
    async with clinic.database.writing() as session:
        later = datetime.now(UTC) + timedelta(hours=1)
        await session.execute(update(Event).where(Event.id == first.id).values(relay_after=later))
    await desk.event(EventKind.OPTED_OUT, attempt_id=attempt.id)
    await desk.event(EventKind.REPLY, attempt_id=other.id)
    assert await relay.relay_due() == 1  # the other attempt does not wait for this one
    assert await heard(temporal, handle) == []
    async with clinic.database.writing() as session:
        await session.execute(
            update(Event).where(Event.id == first.id).values(relay_after=datetime.now(UTC))
        )
    assert await relay.relay_due() == 2
    kinds = [event.kind for event in await heard(temporal, handle)]
    assert kinds == [EventKind.BOOKED, EventKind.OPTED_OUT]


async def test_a_campaign_is_started_once_however_often_it_is_told(
    desk: "Desk", relay: Relay, temporal: WorkflowEnvironment
) -> None:
    campaign = await desk.campaign()
    told = [await desk.event(EventKind.CAMPAIGN_STARTED, campaign_id=campaign.id) for _ in range(2)]
    assert await relay.relay_due() == 2
    results = [(await event_again(desk, event)).relay_result for event in told]
    assert results == ["started", "started before"]
    handle = temporal.client.get_workflow_handle(names.campaign_workflow_id(campaign.id))
    history = await handle.fetch_history()
    begun = history.events[0].workflow_execution_started_event_attributes
    (given,) = await temporal.client.data_converter.decode(begun.input.payloads, [CampaignInput])
    assert given == CampaignInput(campaign_id=campaign.id)


@ONE_KIND
@pytest.mark.parametrize(
    ("kind", "signal"),
    [
        pytest.param(EventKind.CAMPAIGN_PAUSED, "paused", id="paused"),
        pytest.param(EventKind.CAMPAIGN_RESUMED, "resumed", id="resumed"),
        pytest.param(EventKind.CAMPAIGN_STOPPED, "stopped", id="stopped"),
    ],
)
async def test_news_of_a_campaign_reaches_it(
    desk: "Desk", relay: Relay, temporal: WorkflowEnvironment, kind: EventKind, signal: str
) -> None:
    campaign = await desk.campaign()
    await desk.event(EventKind.CAMPAIGN_STARTED, campaign_id=campaign.id)
    await desk.event(kind, campaign_id=campaign.id)
    assert await relay.relay_due() == 2
    handle = temporal.client.get_workflow_handle(names.campaign_workflow_id(campaign.id))
    signals = [
        event.workflow_execution_signaled_event_attributes.signal_name
        for event in (await handle.fetch_history()).events
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
    ]
    assert signals == [signal]


async def test_news_of_a_campaign_that_has_started_everybody_needs_nobody(
    desk: "Desk", relay: Relay
) -> None:
    campaign = await desk.campaign()
    event = await desk.event(EventKind.CAMPAIGN_STOPPED, campaign_id=campaign.id)
    assert await relay.relay_due() == 1
    assert (await event_again(desk, event)).relay_result == "campaign has started everybody"


@ONE_KIND
async def test_a_running_relay_hands_on_what_comes(
    desk: "Desk", relay: Relay, temporal: WorkflowEnvironment, task_queue: str
) -> None:
    attempt = await desk.attempt()
    handle = await start(temporal, attempt, task_queue)
    stop = asyncio.Event()
    running = asyncio.create_task(relay.run(stop))
    event = await desk.event(EventKind.REPLY, attempt_id=attempt.id)
    while (await event_again(desk, event)).relayed_at is None:
        await asyncio.sleep(0.01)
    assert len(await heard(temporal, handle)) == 1
    stop.set()
    await running


@dataclass
class Line:
    """A line to the Temporal server that can be cut and mended."""

    target: tuple[str, int]
    port: int = 0
    _server: asyncio.Server | None = None
    _pipes: set["asyncio.Task[None]"] = field(default_factory=set)

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        if self._server is not None:
            self._server.close()
        for pipe in self._pipes:
            pipe.cancel()
        await asyncio.gather(*self._pipes, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(*self.target)
        for source, sink in ((reader, back), (there, writer)):
            self._pipes.add(asyncio.create_task(_pipe(source, sink)))


async def _pipe(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    finally:
        sink.close()


@pytest.fixture
async def line(temporal: WorkflowEnvironment) -> AsyncIterator[Line]:
    host, _, port = temporal.client.service_client.config.target_host.rpartition(":")
    made = Line((host, int(port)))
    await made.mend()
    yield made
    await made.cut()


async def test_while_temporal_cannot_be_reached_events_wait_and_then_arrive_in_order(
    desk: "Desk", clinic: Clinic, temporal: WorkflowEnvironment, task_queue: str, line: Line
) -> None:
    client = await Client.connect(
        f"127.0.0.1:{line.port}",
        data_converter=pydantic_data_converter,
        retry_config=RetryConfig(max_retries=1, max_elapsed_time_millis=100),
    )
    relay = Relay(client, clinic.database, task_queue)
    attempt = await desk.attempt()
    handle = await start(temporal, attempt, task_queue)
    campaign = await desk.campaign()
    kinds = [EventKind.REPLY, EventKind.BOOKED]
    events = [await desk.event(kind, attempt_id=attempt.id) for kind in kinds]
    begin = await desk.event(EventKind.CAMPAIGN_STARTED, campaign_id=campaign.id)
    await line.cut()
    assert await relay.relay_due() == 0
    tries = [(await event_again(desk, event)).relay_tries for event in (*events, begin)]
    assert tries == [1, 0, 1]  # the second waits behind the first
    assert (await event_again(desk, begin)).relay_result == "UNAVAILABLE"
    await line.mend()
    for event in (*events, begin):
        await relayed_in_the_end(relay, desk, event)
    assert [event.kind for event in await heard(temporal, handle)] == kinds
