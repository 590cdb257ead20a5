"""Seconds from an event's arrival to the end of the attempt that it ends.

Attempts wait for an answer to their email; bookings come in one after the other, spaced out, with
nothing else to do. The clock starts before the event is handed to the inbox and stops when the
client is told that the workflow has closed, so storing, relaying, the workflow's task and its
closing of the attempt's row are all in it. Beside it, the same with a bare workflow and a signal.
"""

import asyncio
import random
import time
from datetime import timedelta
from statistics import quantiles

from benchmarks import providers
from benchmarks.figures import Delay
from benchmarks.ground import Ground
from benchmarks.sides import BareSide, EngineSide, Side, settled
from clinic.event import EventKind

_WAIT = timedelta(hours=1)
_LONGEST_PAUSE = 0.25
"""Seconds between two events, at random: longer than the relay's own, so any moment is met."""


async def measure(ground: Ground, *, n: int) -> list[Delay]:
    """Let n events happen on each side."""
    sides: tuple[tuple[str, Side], ...] = (
        ("attempt, by inbox and relay", EngineSide(ground, _WAIT, kind=EventKind.BOOKED)),
        ("bare workflow, by a signal", BareSide(ground, _WAIT)),
    )
    async with (
        providers.in_memory(ground) as channels,
        EngineSide.worker(ground, channels),
        BareSide.worker(ground),
    ):
        return [summary(name, await _delays(ground, side, n)) for name, side in sides]


async def _delays(ground: Ground, side: Side, n: int) -> list[float]:
    ids = await side.prepare(n)
    ground.activities.expect(n)
    async with side.at_work():
        handles = await asyncio.gather(*(side.start(one) for one in ids))
        await ground.activities.reached()
        await asyncio.gather(*(settled(handle) for handle in handles))
        chance = random.Random(n)  # noqa: S311 - spreads events, guards nothing
        delays: list[float] = []
        for workflow_id, handle in zip(ids, handles, strict=True):
            closing = asyncio.create_task(handle.result())
            began = time.perf_counter()
            await side.answer(workflow_id)
            await closing
            delays.append(time.perf_counter() - began)
            await asyncio.sleep(chance.uniform(0, _LONGEST_PAUSE))
    return delays


def summary(measured: str, delays: list[float]) -> Delay:
    """Summarise delays, in seconds."""
    cuts = quantiles(delays, n=100, method="inclusive")
    return Delay(measured=measured, n=len(delays), p50=cuts[49], p99=cuts[98], most=max(delays))
