"""Each channel has a task queue of its own, on which the server keeps the channel's rate."""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import pytest
import structlog
from temporalio.client import Client, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from activities import names
from activities.start_checks import name_channels_nobody_serves
from channels.protocol import Channel, OutgoingMessage, Receipt
from channels.sms import SmsChannel, SmsSettings
from clinic.clinic import Clinic
from clinic.event import EventKind
from clinic.outcome import Outcome
from clinic.plan import Plan
from clinic.tables import Campaign
from tests.workflows.conftest import Recovery
from worker import ClinicWorker, build_worker
from workflows.recovery import RecoveryWorkflow

SMS = {"channel": "sms", "template": "come-back", "wait": "1 day"}
PER_SECOND = 5.0
PATIENTS = 20

ONE_KIND = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class RatedChannel(SmsChannel):
    """Takes everything at once, and notes when."""

    def __init__(self, settings: SmsSettings, per_second: float | None) -> None:
        super().__init__(settings)
        self._rate = per_second
        self.taken: list[float] = []

    @property
    def per_second(self) -> float | None:
        return self._rate

    async def send(self, message: OutgoingMessage) -> Receipt:
        self.taken.append(time.monotonic())
        return Receipt(provider_id=message.key)


async def all_sent(
    clinic: Clinic, channel: RatedChannel, temporal: WorkflowEnvironment, *, workers: int
) -> float:
    """Have workers write to everybody; return how many seconds lay between first and last."""
    task_queue = f"test-{uuid4().hex}"
    recovery = Recovery(clinic, temporal, task_queue)
    handles = [await recovery.start(SMS, real_waits=True) for _ in range(PATIENTS)]
    async with AsyncExitStack() as stack:
        for _ in range(workers):
            client = await of_another_process(temporal)
            worker = build_worker(client, clinic, {"sms": channel}, task_queue)
            await stack.enter_async_context(worker)
        async with asyncio.timeout(60):
            while len(channel.taken) < PATIENTS:
                await asyncio.sleep(0.05)
        await asyncio.gather(*(terminate(handle) for handle in handles))
    return channel.taken[-1] - channel.taken[0]


async def of_another_process(temporal: WorkflowEnvironment) -> Client:
    """Return a connection of its own: the SDK lets one have no two workers on a queue."""
    target = temporal.client.service_client.config.target_host
    return await Client.connect(target, data_converter=pydantic_data_converter)


async def terminate(handle: WorkflowHandle[RecoveryWorkflow, Outcome]) -> None:
    await handle.terminate()


@ONE_KIND
async def test_two_workers_together_keep_a_channels_rate(
    clinic: Clinic, sms_settings: Callable[..., SmsSettings], temporal: WorkflowEnvironment
) -> None:
    rated = RatedChannel(sms_settings(), PER_SECOND)
    took = await all_sent(clinic, rated, temporal, workers=2)
    # the first second's worth may go out at once; two rates side by side would take half as long
    at_least = (PATIENTS - PER_SECOND) / PER_SECOND
    assert took > at_least * 0.8


@ONE_KIND
async def test_messages_wait_for_a_worker_that_has_their_channel(
    clinic: Clinic,
    channels: Mapping[str, Channel],
    sms_settings: Callable[..., SmsSettings],
    temporal: WorkflowEnvironment,
) -> None:
    task_queue = f"test-{uuid4().hex}"
    recovery = Recovery(clinic, temporal, task_queue)
    sms = RatedChannel(sms_settings(), None)
    only_email = {"email": channels["email"]}
    async with build_worker(temporal.client, clinic, only_email, task_queue):
        waiting = await recovery.start(SMS, real_waits=True)
        answered = await recovery.start(SMS, real_waits=True)
        for handle in (waiting, answered):
            await has_asked_for_its_delivery(handle)
        # whoever answers meanwhile is heard all the same
        await answered.signal(
            names.ATTEMPT_EVENT, {"event_id": "ev-1", "kind": EventKind.BOOKED.value}
        )
        assert await answered.result() is Outcome.BOOKED
        assert sms.taken == []
        client = await of_another_process(temporal)
        async with build_worker(client, clinic, {"sms": sms}, task_queue):
            async with asyncio.timeout(20):
                while not sms.taken:
                    await asyncio.sleep(0.02)
            await waiting.terminate()
    assert len(sms.taken) == 1


async def has_asked_for_its_delivery(handle: WorkflowHandle[RecoveryWorkflow, Outcome]) -> None:
    while not (await handle.describe()).raw_description.pending_activities:
        await asyncio.sleep(0.02)


@ONE_KIND
async def test_what_an_earlier_version_asked_for_on_the_main_queue_is_delivered(
    clinic: Clinic,
    sms_settings: Callable[..., SmsSettings],
    temporal: WorkflowEnvironment,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sms = RatedChannel(sms_settings(), None)
    task_queue = f"test-{uuid4().hex}"
    worker = build_worker(temporal.client, clinic, {"sms": sms}, task_queue)
    # as it was scheduled then
    monkeypatch.setattr(names, "delivery_queue", lambda queue, _channel: queue)
    async with worker:
        handle = await Recovery(clinic, temporal, task_queue).start(SMS, real_waits=True)
        async with asyncio.timeout(20):
            while not sms.taken:
                await asyncio.sleep(0.02)
        await handle.terminate()
    assert len(sms.taken) == 1


@ONE_KIND
async def test_a_worker_that_lacks_a_channel_says_which_campaigns_need_it(
    clinic: Clinic, temporal: WorkflowEnvironment
) -> None:
    recovery = Recovery(clinic, temporal, "a queue")
    attempt = await recovery.add_attempt(Plan.model_validate({"name": "texts", "steps": [SMS]}))
    async with clinic.database.reading() as session:
        campaign = await session.get_one(Campaign, attempt.campaign_id)
    with structlog.testing.capture_logs() as logs:
        await name_channels_nobody_serves(clinic, ["email", "sms"])
        assert logs == []
        await name_channels_nobody_serves(clinic, ["email"])
    (log,) = logs
    assert (log["log_level"], log["channel"]) == ("error", "sms")
    assert log["campaigns"] == [campaign.name]


class Part:
    """Runs until it is asked to stop, or fails at once."""

    task_queue = "a queue"

    def __init__(self, *, fails: bool = False) -> None:
        self._fails = fails
        self.stopped = asyncio.Event()

    async def run(self) -> None:
        if self._fails:
            raise RuntimeError("fails")
        await self.stopped.wait()

    async def shutdown(self) -> None:
        self.stopped.set()


async def test_a_worker_whose_part_fails_stops_as_a_whole() -> None:
    parts: list[Any] = [Part(), Part(fails=True), Part()]
    async with asyncio.timeout(10):
        with pytest.raises(RuntimeError, match="fails"):
            await ClinicWorker(parts[0], parts[1:]).run()
    assert [part.stopped.is_set() for part in parts] == [True, True, True]
