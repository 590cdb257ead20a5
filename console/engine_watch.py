"""Looks now and then whether answers and outcomes are passed on; no page ever waits for it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from enum import StrEnum

import asyncpg
import structlog
from sqlalchemy.exc import SQLAlchemyError
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.client import Client
from temporalio.service import RPCError

from activities.temporal_connection import connect
from clinic.database import Database
from clinic.refusal import Refusal
from clinic.unrelayed import waiting_since
from console.clock import Clock

EVERY = timedelta(seconds=5)
"""Between two looks."""
_ANSWERS_WITHIN = timedelta(seconds=3)
_RELAYED_WITHIN = timedelta(seconds=10)
"""An event is passed on within a second of its arrival, where a worker runs and keeps up."""

_log = structlog.get_logger()


class Delay(StrEnum):
    """Why what is recorded here is passed on later. Nothing of it is lost."""

    AWAY = "away"
    """Temporal does not answer."""
    WAITING = "waiting"
    """Temporal answers, and something waits all the same: no worker runs, or it has too much."""


class EngineWatch:
    """Knows whether what is recorded in the console reaches the workflows just now.

    Args:
        database: The clinic's.
        clock: What time it is.
        reach: Connects to Temporal.
        every: Between two looks.

    Attributes:
        delay: As the last look found it; None: all is passed on, or nobody has looked yet.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        reach: Callable[[], Awaitable[Client]] = connect,
        every: timedelta = EVERY,
    ) -> None:
        self.delay: Delay | None = None
        self._database = database
        self._clock = clock
        self._reach = reach
        self._every = every
        self._client: Client | None = None

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Look again and again during the block."""
        stop = asyncio.Event()
        # it is asked to stop, not cancelled: see `activities.relay.Relay.run`
        watching = asyncio.create_task(self._watch(stop))
        try:
            yield
        finally:
            stop.set()
            await watching

    async def look(self) -> None:
        """Look once."""
        before = self.delay
        self.delay = await self._found()
        if self.delay is not None and self.delay is not before:
            _log.warning("answers and outcomes are passed on later", reason=self.delay.value)
        elif self.delay is None and before is not None:
            _log.info("answers and outcomes are passed on again")

    async def _watch(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self.look()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self._every.total_seconds())

    async def _found(self) -> Delay | None:
        if not await self._answers():
            return Delay.AWAY
        try:
            async with self._database.reading() as session:
                since = await waiting_since(session)
        except (SQLAlchemyError, asyncpg.PostgresError, OSError):
            return self.delay  # every page says itself that the database is away
        late = since is not None and self._clock() - since > _RELAYED_WITHIN
        return Delay.WAITING if late else None

    async def _answers(self) -> bool:
        try:
            if self._client is None:
                self._client = await self._reach()
            await self._client.workflow_service.get_system_info(
                GetSystemInfoRequest(), timeout=_ANSWERS_WITHIN
            )
        except (Refusal, RPCError, RuntimeError, OSError):
            return False
        return True
