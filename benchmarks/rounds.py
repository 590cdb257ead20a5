"""Pairs of runs, one of each side, in alternating order: noise of the machine meets both."""

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.figures import Round


@dataclass
class Stopwatch:
    """Adds up the time of its blocks, by the clock and by this process's CPU."""

    seconds: float = 0.0
    cpu: float = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Time a block."""
        began, cpu_began = time.perf_counter(), time.process_time()
        yield
        self.seconds += time.perf_counter() - began
        self.cpu += time.process_time() - cpu_began


Run = Callable[[], Awaitable[Stopwatch]]
"""One run of one side."""


async def alternate(engine: Run, bare: Run, *, rounds: int, n: int) -> list[Round]:
    """Run both sides so many times, taking turns in going first.

    Args:
        engine: One run of the engine.
        bare: One run of the bare workflow.
        rounds: How many pairs.
        n: What one run does so many times.
    """
    pairs: list[Round] = []
    for number in range(rounds):
        if number % 2:
            bare_took, engine_took = await bare(), await engine()
        else:
            engine_took, bare_took = await engine(), await bare()
        pairs.append(
            Round(
                engine=n / engine_took.seconds,
                bare=n / bare_took.seconds,
                engine_cpu=engine_took.cpu / n,
                bare_cpu=bare_took.cpu / n,
            )
        )
    return pairs
