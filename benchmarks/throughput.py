"""Attempts a second: from the start to an exhausted end, against the bare workflow.

A run takes n attempts up the whole plan at once: email, wait, SMS, wait, call task (first leg);
then everybody's call goes unanswered, and all of them close (second leg). Both legs are timed;
between them stands an untimed pause until every workflow waits for the outcome of its call, so
that all take the same way. Waits are a millisecond: what is measured is work.
"""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial

from benchmarks import providers
from benchmarks.figures import Rate
from benchmarks.ground import Ground
from benchmarks.rounds import Stopwatch, alternate
from benchmarks.sides import BareSide, EngineSide, Side, SignalledEngineSide, settled

_AIM = 0.7
WAIT = timedelta(milliseconds=1)
_DELIVERIES = 3
WARM_UP = 5
_LOOPBACK_QUEUE = "engine-on-loopback"


async def measure(ground: Ground, *, rounds: int, n: int) -> list[Rate]:
    """Measure with messages taken in memory, with real protocols, and without the inbox.

    Args:
        ground: The server and the clinic.
        rounds: Pairs of runs for each.
        n: Attempts in a run.
    """
    bare = BareSide(ground, WAIT)
    variants: list[tuple[str, float | None, Side]] = [
        ("in memory", _AIM, EngineSide(ground, WAIT)),
        (
            "by SMTP and HTTP",
            _AIM,
            EngineSide(ground, WAIT, task_queue=_LOOPBACK_QUEUE),
        ),
        ("in memory, signalled", None, SignalledEngineSide(ground, WAIT)),
    ]
    async with AsyncExitStack() as stack:
        in_memory = await stack.enter_async_context(providers.in_memory(ground))
        on_loopback = await stack.enter_async_context(providers.on_loopback(ground))
        await stack.enter_async_context(BareSide.worker(ground))
        await stack.enter_async_context(EngineSide.worker(ground, in_memory))
        await stack.enter_async_context(EngineSide.worker(ground, on_loopback, _LOOPBACK_QUEUE))
        for side in (bare, *(side for _, _, side in variants)):
            await run(ground, side, WARM_UP)
        return [
            Rate(
                measured=f"attempts, {name}",
                n=n,
                aim=aim,
                rounds=await alternate(
                    partial(run, ground, engine, n),
                    partial(run, ground, bare, n),
                    rounds=rounds,
                    n=n,
                ),
            )
            for name, aim, engine in variants
        ]


async def run(ground: Ground, side: Side, n: int) -> Stopwatch:
    """Take n attempts of a side up the whole plan; return what the two legs took."""
    ids = await side.prepare(n)
    watch = Stopwatch()
    ground.activities.expect(_DELIVERIES * n)
    async with side.at_work():
        with watch.running():
            handles = await asyncio.gather(*(side.start(one) for one in ids))
            await ground.activities.reached()
        await asyncio.gather(*(settled(handle) for handle in handles))
        with watch.running():
            await asyncio.gather(*(side.answer(one) for one in ids))
            await asyncio.gather(*(handle.result() for handle in handles))
    return watch
