"""The process that hosts workflows and activities, relays stored events, and fetches answers."""

import asyncio
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Annotated, Self

import structlog
import typer
from temporalio.client import Client
from temporalio.runtime import Runtime
from temporalio.worker import Worker

from activities import names
from activities.attempt_records import AttemptRecords
from activities.campaign_pages import CampaignPages
from activities.deliveries import Deliveries
from activities.fetching import Fetching
from activities.log_context import LogContext, configure_logging
from activities.reception import Reception
from activities.relay import Relay
from activities.start_checks import (
    name_channels_held,
    name_channels_nobody_serves,
    refuse_unreachable_console,
    refuse_unsafe_demonstration,
)
from activities.temporal_connection import connect
from activities.worker_metrics import SETTING, runtime_for
from channels import registry
from channels.protocol import Channel
from clinic.clinic import Clinic
from clinic.contact_policy import refuse_unknown_channels
from clinic.refusal import Refusal
from clinic.settings import PREFIX, ClinicSettings, load_settings
from workflows.campaign import CampaignWorkflow
from workflows.recovery import RecoveryWorkflow

_FINISH_WITHIN = timedelta(seconds=20)
"""Activities that run when a worker is asked to stop may finish; a message is sent in less."""

_AT_ONCE = 20
"""Pages and book-keeping in one worker: more gain nothing on one database."""

_SENT_AT_ONCE = 10
"""Messages of one channel in one worker. Whatever a killed worker was sending has to be settled
with the providers afterwards: few in flight is little to settle. A provider that is slow holds up
its own messages only."""

_log = structlog.get_logger()

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class ClinicWorker:
    """One process's worker: Temporal's own for the workflows, and one for each channel's messages.

    Args:
        main: Hosts the workflows and everything that is no channel's matter.
        channels: Deliver, each on its channel's task queue.
    """

    def __init__(self, main: Worker, channels: Sequence[Worker]) -> None:
        self.task_queue = main.task_queue
        self._parts = (main, *channels)

    async def run(self) -> None:
        """Work until asked to stop; if one part fails, none goes on.

        Raises:
            Exception: What made a part fail.
        """
        running = [asyncio.create_task(part.run()) for part in self._parts]
        try:
            await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await self.shutdown()
        await asyncio.gather(*running)

    async def shutdown(self) -> None:
        """Let what runs finish, within its time, and stop."""
        await asyncio.gather(*(part.shutdown() for part in self._parts))

    async def __aenter__(self) -> Self:
        """Work for as long as the block lasts."""
        self._running = asyncio.create_task(self.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop.

        Raises:
            Exception: What made a part fail.
        """
        await self.shutdown()
        await self._running


def build_worker(
    client: Client,
    clinic: Clinic,
    channels: Mapping[str, Channel],
    task_queue: str = names.TASK_QUEUE,
) -> ClinicWorker:
    """Wire workflows and activities to a clinic.

    Args:
        client: A connection with the pydantic data converter.
        clinic: The clinic, its database prepared.
        channels: The channels in use, by name.
        task_queue: Where to listen for work; messages wait on a queue for each channel.
    """
    deliveries = Deliveries(
        database=clinic.database,
        folder=clinic.folder,
        policy=clinic.policy,
        channels=channels,
        links=clinic.links,
        key=clinic.key,
        public_url=clinic.settings.public_url,
    )
    records = AttemptRecords(database=clinic.database, folder=clinic.folder, policy=clinic.policy)
    pages = CampaignPages(
        client=client,
        database=clinic.database,
        folder=clinic.folder,
        policy=clinic.policy,
        channels=channels,
        key=clinic.key,
        task_queue=task_queue,
    )
    main = Worker(
        client,
        task_queue=task_queue,
        workflows=[RecoveryWorkflow, CampaignWorkflow],
        activities=[
            # what an earlier version asked for on this queue
            deliveries.deliver,
            records.open_call_task,
            records.close_attempt,
            records.keep_late_events,
            pages.start_page,
        ],
        interceptors=[LogContext()],
        max_concurrent_activities=_AT_ONCE,
        graceful_shutdown_timeout=_FINISH_WITHIN,
    )
    by_channel = [
        Worker(
            client,
            task_queue=names.delivery_queue(task_queue, name),
            activities=[deliveries.deliver],
            interceptors=[LogContext()],
            max_concurrent_activities=_SENT_AT_ONCE,
            # the server keeps it, over all workers
            max_task_queue_activities_per_second=channel.per_second,
            graceful_shutdown_timeout=_FINISH_WITHIN,
        )
        for name, channel in channels.items()
    ]
    return ClinicWorker(main, by_channel)


async def serve(
    clinic: Clinic, *, wait: timedelta = timedelta(0), metrics_address: str = ""
) -> None:
    """Serve until SIGTERM or SIGINT, then let what runs finish.

    Args:
        clinic: The clinic.
        wait: How long to wait for Temporal at the start.
        metrics_address: Where Prometheus reads the worker's metrics; empty: nowhere.

    Raises:
        Refusal: A setting, the database or Temporal is wrong or missing.
    """
    channels = registry.in_use(clinic.settings.channels)
    refuse_unknown_channels(clinic.policy, registry.installed())
    refuse_unsafe_demonstration(clinic, channels)
    refuse_unreachable_console(clinic, channels)
    runtime = runtime_for(metrics_address)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with clinic.opened():
        client = await _connect_within(wait, stop, runtime)
        if client is None:
            return
        await name_channels_nobody_serves(clinic, channels)
        await name_channels_held(clinic)
        relay = Relay(client, clinic.database)
        fetching = Fetching(clinic.database, channels, Reception(clinic.folder, clinic.key))
        worker = build_worker(client, clinic, channels)
        running = asyncio.create_task(worker.run())
        relaying = asyncio.create_task(relay.run(stop))
        # it ends at once where nothing is to be fetched
        fetches = asyncio.create_task(fetching.run(stop))
        stopping = asyncio.create_task(stop.wait())
        _log.info("worker is ready", task_queue=worker.task_queue, channels=list(channels))
        await asyncio.wait({running, relaying, stopping}, return_when=asyncio.FIRST_COMPLETED)
        _log.info("worker stops")
        stop.set()
        await worker.shutdown()
        results = await asyncio.gather(running, relaying, fetches, return_exceptions=True)
        for channel in channels.values():
            await channel.close()
    for result in results:
        if isinstance(result, Exception):
            raise result


@app.command()
def main(
    wait: Annotated[
        float,
        typer.Option(
            envvar="REGRESA_WORKER_WAIT", help="Seconds to wait for Temporal at the start.", min=0
        ),
    ] = 0,
    metrics_address: Annotated[
        str,
        typer.Option(
            envvar=SETTING, help="IP and port where Prometheus reads this worker's metrics."
        ),
    ] = "",
) -> None:
    """Host the workflows and activities of one clinic.

    Settings are read from the environment or a .env file; .env.example lists them.

    Example: python worker.py --wait 30
    """
    try:
        settings = load_settings(ClinicSettings, PREFIX)
        configure_logging(settings.log_format, settings.log_level)
        asyncio.run(
            serve(Clinic(settings), wait=timedelta(seconds=wait), metrics_address=metrics_address)
        )
    except Refusal as refusal:
        typer.echo(f"worker: {refusal}", err=True)
        sys.exit(2)


async def _connect_within(
    wait: timedelta, stop: asyncio.Event, runtime: Runtime | None
) -> Client | None:
    """Wait for Temporal; None where it was asked to stop meanwhile."""
    deadline = asyncio.get_running_loop().time() + wait.total_seconds()
    while not stop.is_set():
        try:
            return await connect(runtime=runtime)
        except Refusal:
            if asyncio.get_running_loop().time() >= deadline:
                raise
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 0.2)
    return None


if __name__ == "__main__":
    app()
