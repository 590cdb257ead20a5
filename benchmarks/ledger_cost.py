"""What the ledger costs: attempts a second with it, against the same engine without it.

Without it, nothing is claimed before a message is sent and nothing recorded after: a worker that
is killed in between would send again. All else is the same, the two transactions around the
sending included, in which the rest of a delivery is read and noted down.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from unittest import mock

from benchmarks import providers
from benchmarks.figures import Rate
from benchmarks.ground import Ground
from benchmarks.rounds import alternate
from benchmarks.sides import EngineSide
from benchmarks.throughput import WAIT, WARM_UP, run
from clinic import ledger
from clinic.ledger import Claim
from clinic.tables import Message

_AIM = 0.8


async def measure(ground: Ground, *, rounds: int, n: int) -> Rate:
    """Measure both, messages taken in memory.

    Args:
        ground: The server and the clinic.
        rounds: Pairs of runs.
        n: Attempts in a run.
    """
    engine, without = EngineSide(ground, WAIT), _SideWithoutLedger(ground, WAIT)
    async with (
        providers.in_memory(ground) as channels,
        EngineSide.worker(ground, channels),
    ):
        for side in (engine, without):
            await run(ground, side, WARM_UP)
        return Rate(
            measured="attempts, against no ledger",
            n=n,
            aim=_AIM,
            rounds=await alternate(
                partial(run, ground, engine, n),
                partial(run, ground, without, n),
                rounds=rounds,
                n=n,
            ),
        )


class _SideWithoutLedger(EngineSide):
    """The engine, with the ledger taken out while it is at work."""

    def at_work(self) -> AbstractAsyncContextManager[None]:
        """Run the relay, and let nothing be claimed or recorded."""
        return self._at_work()

    @asynccontextmanager
    async def _at_work(self) -> AsyncIterator[None]:
        with (
            mock.patch.object(ledger, "claim", _claim_nothing),
            mock.patch.object(ledger, "record_sent", _record_nothing),
        ):
            async with super().at_work():
                yield


async def _claim_nothing(session: object, **claimed: object) -> tuple[Claim, Message]:
    del session
    now = claimed.pop("now")
    return Claim.FRESH, Message(**claimed, try_number=1, claimed_at=now)


async def _record_nothing(session: object, **sent: object) -> None:
    del session, sent
