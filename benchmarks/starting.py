"""Attempts started a second by a campaign, against a bare client loop.

Nobody works the queue on which they are started, so nothing but the starting is timed. The
engine's side is a whole `CampaignWorkflow`: reading the segment's rows, deciding for each patient,
opening rows, starting workflows. The bare side is the better of two client loops, with 16 and
with 32 starts in flight.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from temporalio.worker import Worker

from activities import names
from activities.campaign_pages import CampaignPages
from benchmarks import providers
from benchmarks.figures import Rate
from benchmarks.ground import Ground
from benchmarks.register import plan_campaign
from benchmarks.rounds import Stopwatch, alternate
from benchmarks.sides import BareSide
from channels.protocol import Channel
from clinic.attempt import CampaignInput, PageState
from clinic.identifiers import new_id
from workflows.campaign import CampaignWorkflow

_AIM = 0.8
_WAIT = timedelta(days=3)
_CAMPAIGNS_QUEUE, _NOBODYS_QUEUE = "campaigns", "nobody-listens"
_IN_FLIGHT = (16, 32)
_WARM_UP = 10


async def measure(ground: Ground, *, rounds: int, n: int) -> Rate:
    """Start n attempts on each side in each round."""

    async def engine() -> Stopwatch:
        return await _campaign(ground, n)

    async def bare() -> Stopwatch:
        loops = [await _client_loop(ground, n, in_flight) for in_flight in _IN_FLIGHT]
        return min(loops, key=lambda watch: watch.seconds)

    async with providers.in_memory(ground) as channels, _worker(ground, channels):
        await _campaign(ground, _WARM_UP)
        await _client_loop(ground, _WARM_UP, _WARM_UP)
        pairs = await alternate(engine, bare, rounds=rounds, n=n)
    return Rate(measured="starts by a campaign", n=n, aim=_AIM, rounds=pairs)


def _worker(ground: Ground, channels: Mapping[str, Channel]) -> Worker:
    pages = CampaignPages(
        client=ground.client,
        database=ground.clinic.database,
        folder=ground.clinic.folder,
        policy=ground.clinic.policy,
        channels=channels,
        key=ground.clinic.key,
        task_queue=_NOBODYS_QUEUE,
    )
    return Worker(
        ground.client,
        task_queue=_CAMPAIGNS_QUEUE,
        workflows=[CampaignWorkflow],
        activities=[pages.start_page],
    )


async def _campaign(ground: Ground, n: int) -> Stopwatch:
    campaign_id, _ = await plan_campaign(ground, n, _WAIT)
    watch = Stopwatch()
    with watch.running():
        ended = await ground.client.execute_workflow(
            CampaignWorkflow.run,
            CampaignInput(campaign_id=campaign_id),
            id=names.campaign_workflow_id(campaign_id),
            task_queue=_CAMPAIGNS_QUEUE,
        )
    assert ended is PageState.FINISHED
    return watch


async def _client_loop(ground: Ground, n: int, in_flight: int) -> Stopwatch:
    side = BareSide(ground, _WAIT, _NOBODYS_QUEUE)
    ids = [new_id("bare") for _ in range(n)]
    free = asyncio.Semaphore(in_flight)

    async def start(workflow_id: str) -> None:
        async with free:
            await side.start(workflow_id)

    watch = Stopwatch()
    with watch.running():
        await asyncio.gather(*(start(one) for one in ids))
    return watch
