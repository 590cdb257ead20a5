"""The process that hosts workflows and activities, and relays stored events."""

import asyncio
import signal
import sys
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

import structlog
import typer
from temporalio.client import Client
from temporalio.worker import Worker

from activities import names
from activities.attempt_records import AttemptRecords
from activities.campaign_pages import CampaignPages
from activities.deliveries import Deliveries
from activities.log_context import LogContext, configure_logging
from activities.relay import Relay
from activities.temporal_connection import connect
from channels import registry
from channels.loopback import is_loopback
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
"""Activities in one worker. Whatever a killed worker was sending has to be settled with the
providers afterwards: few in flight is little to settle, and more gain nothing on one database."""

_log = structlog.get_logger()

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def build_worker(
    client: Client,
    clinic: Clinic,
    channels: Mapping[str, Channel],
    task_queue: str = names.TASK_QUEUE,
) -> Worker:
    """Wire workflows and activities to a clinic.

    Args:
        client: A connection with the pydantic data converter.
        clinic: The clinic, its database prepared.
        channels: The channels in use, by name.
        task_queue: Where to listen for work.
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
    return Worker(
        client,
        task_queue=task_queue,
        workflows=[RecoveryWorkflow, CampaignWorkflow],
        activities=[
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


def refuse_unsafe_demonstration(clinic: Clinic, channels: Mapping[str, Channel]) -> None:
    """Refuse a policy that protects nobody, where a message could reach somebody.

    Raises:
        Refusal: The policy is for demonstrations and a channel's provider is no loopback address.
    """
    if not clinic.policy.demonstration:
        return
    for channel in channels.values():
        if not is_loopback(channel.host):
            raise Refusal(
                f"the contact policy is for demonstrations, and channel `{channel.name}` reaches "
                f"{channel.host}",
                "Choose a real policy in clinic.yaml (and unset REGRESA_CONTACT_POLICY).",
            )


def refuse_unreachable_console(clinic: Clinic, channels: Mapping[str, Channel]) -> None:
    """Refuse to send links that lead nowhere.

    Raises:
        Refusal: The public URL is this machine's own, and a channel's provider is another's.
    """
    url = clinic.settings.public_url
    if not is_loopback(urlsplit(url).hostname or ""):
        return
    for channel in channels.values():
        if not is_loopback(channel.host):
            raise Refusal(
                f"{PREFIX}PUBLIC_URL is {url}, which nobody reaches from outside, and channel "
                f"`{channel.name}` reaches {channel.host}: patients' links would be dead",
                f"Set {PREFIX}PUBLIC_URL to where patients and providers reach the console.",
            )


async def serve(clinic: Clinic, *, wait: timedelta = timedelta(0)) -> None:
    """Serve until SIGTERM or SIGINT, then let what runs finish.

    Args:
        clinic: The clinic.
        wait: How long to wait for Temporal at the start.

    Raises:
        Refusal: A setting, the database or Temporal is wrong or missing.
    """
    channels = registry.in_use(clinic.settings.channels)
    refuse_unknown_channels(clinic.policy, registry.installed())
    refuse_unsafe_demonstration(clinic, channels)
    refuse_unreachable_console(clinic, channels)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with clinic.opened():
        client = await _connect_within(wait)
        relay = Relay(client, clinic.database)
        worker = build_worker(client, clinic, channels)
        running = asyncio.create_task(worker.run())
        relaying = asyncio.create_task(relay.run(stop))
        stopping = asyncio.create_task(stop.wait())
        _log.info("worker is ready", task_queue=worker.task_queue, channels=list(channels))
        await asyncio.wait({running, relaying, stopping}, return_when=asyncio.FIRST_COMPLETED)
        _log.info("worker stops")
        stop.set()
        await worker.shutdown()
        results = await asyncio.gather(running, relaying, return_exceptions=True)
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
) -> None:
    """Host the workflows and activities of one clinic.

    Settings are read from the environment or a .env file; .env.example lists them.

    Example: python worker.py --wait 30
    """
    try:
        settings = load_settings(ClinicSettings, PREFIX)
        configure_logging(settings.log_format, settings.log_level)
        asyncio.run(serve(Clinic(settings), wait=timedelta(seconds=wait)))
    except Refusal as refusal:
        typer.echo(f"worker: {refusal}", err=True)
        sys.exit(2)


async def _connect_within(wait: timedelta) -> Client:
    deadline = asyncio.get_running_loop().time() + wait.total_seconds()
    while True:
        try:
            return await connect()
        except Refusal:
            if asyncio.get_running_loop().time() >= deadline:
                raise
            await asyncio.sleep(0.2)


if __name__ == "__main__":
    app()
