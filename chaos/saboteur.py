"""Kills the programs at seeded random moments, until it is asked to stop."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from itertools import chain
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from chaos.figures import Kills
from chaos.programs import Programs

_SERVER, _CONSOLE = "temporal", "console"
_IN_A_BURST = (0.3, 3.0)
_AT_ONCE = (0.0, 0.5)
_BETWEEN_BURSTS = (15.0, 30.0)
_BURST_ENDS = 0.25
"""Strikes come in bursts, in seconds: a worker's death is noticed by a heartbeat that stays out for
twenty, and what it was sending is taken up again after thirty. Without a calm nothing would happen
that could go wrong."""

_LOOK_AGAIN = 0.05
_REACHED_WITHIN = 15.0
"""If nothing is sent for so many seconds, no worker reaches a fail point just now."""


class Strike(StrEnum):
    """One way to strike; that of a fail point bears its name."""

    WORKER = "worker"
    AT_SENT = "sent"
    AT_CLAIMED = "claimed"
    SERVER = "server"
    CONSOLE = "console"


class Moment(BaseModel):
    """When to strike, how, and how long what was killed stays away; in seconds."""

    model_config = ConfigDict(frozen=True)

    after: float
    strike: Strike
    away: float


def quota_for(attempts: int) -> Kills:
    """Return the least that a run of so many attempts has to go through.

    A thousand attempts are to meet twenty kills of the worker and five of the server; the worker's
    are spread over any moment and the two windows that matter most. A short run has one of each.
    """
    share = min(attempts, 1000) / 1000
    at_each_window = max(1, round(6 * share))
    return Kills(
        worker=max(2, round(22 * share)),
        between_acceptance_and_record=at_each_window,
        between_claim_and_sending=at_each_window,
        server=max(1, round(6 * share)),
        console=max(1, round(4 * share)),
    )


def schedule(quota: Kills, seed: int, *, calm: bool = True) -> Iterator[Moment]:
    """Return the moments of a run, without end: first those of the quota, in a seeded order.

    Args:
        quota: What must come to pass. The kills at fail points count among the worker's.
        seed: The same seed gives the same moments.
        calm: Whether there is a calm between bursts. A short run has but one burst, and begins
            with the fail points: it has sent everything within seconds, and a point that nobody
            comes by would have to wait for the next try of something.
    """
    chance = random.Random(seed)  # noqa: S311 - moments, no secrets
    first = _strikes_of(quota)
    if calm:
        chance.shuffle(first)
    for strike in chain(first, _without_end(first, chance)):
        pause = _BETWEEN_BURSTS if calm and chance.random() < _BURST_ENDS else _IN_A_BURST
        if not calm:
            pause = _AT_ONCE
        yield Moment(
            after=chance.uniform(*pause), strike=strike, away=chance.choice((0.0, 0.3, 1.0, 2.5))
        )


def _strikes_of(quota: Kills) -> list[Strike]:
    at_points = quota.between_acceptance_and_record + quota.between_claim_and_sending
    counts = {
        Strike.AT_SENT: quota.between_acceptance_and_record,
        Strike.AT_CLAIMED: quota.between_claim_and_sending,
        Strike.WORKER: max(0, quota.worker - at_points),
        Strike.SERVER: quota.server,
        Strike.CONSOLE: quota.console,
    }
    return list(Counter(counts).elements())


def _without_end(strikes: list[Strike], chance: random.Random) -> Iterator[Strike]:
    while True:
        yield chance.choice(strikes)


class Saboteur:
    """Strikes by a schedule. It leaves every program running when it is asked to stop.

    Args:
        programs: What it kills and starts again.
        fail_points: The folder in which a file makes the worker kill itself.
        quota: What must come to pass before it may stop.
        seed: Decides which worker it is, where there are several.
    """

    def __init__(self, programs: Programs, fail_points: Path, quota: Kills, *, seed: int) -> None:
        self._programs = programs
        self._fail_points = fail_points
        self._quota = quota
        self._chance = random.Random(seed)  # noqa: S311 - whom to strike, no secret
        self._done: Counter[Strike] = Counter()
        self.gave_up: Counter[str] = Counter()
        """How often a program ended by itself, which it should not; it was started again."""

    @property
    def kills(self) -> Kills:
        """What was killed so far."""
        at_points = self._done[Strike.AT_SENT] + self._done[Strike.AT_CLAIMED]
        return Kills(
            worker=self._done[Strike.WORKER] + at_points,
            between_acceptance_and_record=self._done[Strike.AT_SENT],
            between_claim_and_sending=self._done[Strike.AT_CLAIMED],
            server=self._done[Strike.SERVER],
            console=self._done[Strike.CONSOLE],
        )

    @property
    def quota_is_met(self) -> bool:
        """Whether everything that must come to pass has."""
        return self.kills.reach(self._quota)

    async def work(self, moments: Iterator[Moment], stop: asyncio.Event) -> None:
        """Strike until asked to stop."""
        missed: list[Moment] = []
        while not stop.is_set():
            moment = missed.pop() if missed else next(moments)
            await self._pass(moment.after, stop)
            if stop.is_set():
                return
            if not await self._strike(moment, stop):
                # nobody came by the fail point: another strike first, then once more
                missed = [moment]
                moment = next(moments)
                await self._strike(moment, stop)

    async def keep_up(self) -> None:
        """Start what has ended by itself."""
        for name in (*self._programs.workers, _SERVER, _CONSOLE):
            if self._programs.has_ended(name):
                self.gave_up[name] += 1
                self._programs.kill(name)
                await self._programs.start(name)

    async def _pass(self, seconds: float, stop: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while loop.time() < until and not stop.is_set():
            await self.keep_up()
            await asyncio.sleep(_LOOK_AGAIN)

    async def _strike(self, moment: Moment, stop: asyncio.Event) -> bool:
        match moment.strike:
            case Strike.SERVER:
                await self._kill(_SERVER, moment.away)
            case Strike.CONSOLE:
                await self._kill(_CONSOLE, moment.away)
            case Strike.WORKER:
                await self._kill(self._chance.choice(self._programs.workers), moment.away)
            case Strike.AT_SENT | Strike.AT_CLAIMED as point:
                name = await self._killed_at(point, stop)
                if name is None:
                    return False
                await self._kill(name, moment.away)
        self._done[moment.strike] += 1
        return True

    async def _killed_at(self, point: Strike, stop: asyncio.Event) -> str | None:
        """Set a trap at a fail point, and wait until a worker has killed itself there."""
        trap = self._fail_points / point.value
        trap.touch()
        deadline = asyncio.get_running_loop().time() + _REACHED_WITHIN
        while (name := self._killed()) is None:
            late = asyncio.get_running_loop().time() > deadline
            if late or stop.is_set():
                trap.unlink(missing_ok=True)
                await asyncio.sleep(_LOOK_AGAIN)  # it may have been sprung in this very moment
                return self._killed()
            await asyncio.sleep(_LOOK_AGAIN)
        return name

    def _killed(self) -> str | None:
        return next((one for one in self._programs.workers if self._programs.was_killed(one)), None)

    async def _kill(self, name: str, away: float) -> None:
        self._programs.kill(name)
        await asyncio.sleep(away)
        await self._programs.start(name)
