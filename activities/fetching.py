"""The fetching: brings in what providers do not report by themselves, such as mail."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import structlog

from activities.reception import Reception
from channels.errors import SendError
from channels.protocol import Channel, Fetched
from clinic.database import Database

_PAUSE = timedelta(seconds=5)
"""Between two looks at a provider that had nothing: a reply is acted on within seconds."""

_LONGEST_PAUSE = timedelta(minutes=1)

_REMINDS_EVERY = timedelta(hours=1)
"""A provider that goes on failing in the same way is told of this often."""

_EAGERNESS = 10
"""By how much a pause is shorter after something was there: a full mailbox is emptied in turn,
and a provider that takes no acknowledgement is not asked without a pause."""

_log = structlog.get_logger()


class Fetching:
    """Runs in every worker. Two may fetch the same thing; what is stored twice changes nothing.

    Args:
        database: The clinic's database.
        channels: The channels in use, by name; of those that fetch nothing, nothing is asked.
        reception: Stores what was fetched.
        pause: Between two looks at a provider that had nothing new.
        reminds_every: How often it is told that a provider goes on failing in the same way.
    """

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        reception: Reception,
        pause: timedelta = _PAUSE,
        reminds_every: timedelta = _REMINDS_EVERY,
    ) -> None:
        self._database = database
        self._channels = [channel for channel in channels.values() if channel.fetches]
        self._reception = reception
        self._pause = pause
        self._reminds_every = reminds_every.total_seconds()
        self._not_stored: set[str] = set()
        """Receipts of what could not be stored, and was told of."""

    async def run(self, stop: asyncio.Event) -> None:
        """Fetch until asked to stop. A provider that fails is asked again, and fails nobody else.

        It is asked, not cancelled: a cancellation in the middle of a transaction can get lost in
        the database driver.
        """
        await asyncio.gather(*(self._go_on(channel, stop) for channel in self._channels))

    async def fetch_once(self, channel: Channel) -> int:
        """Fetch from one channel, store, and acknowledge what was stored.

        Returns:
            How many of the things fetched were stored.

        Raises:
            SendError: The provider could not be asked, or told.
        """
        stored = [
            fetched for fetched in await channel.fetch() if await self._stored(fetched, channel)
        ]
        await channel.acknowledge(stored)
        return len(stored)

    async def _go_on(self, channel: Channel, stop: asyncio.Event) -> None:
        failing: str | None = None
        told_at = 0.0
        pause = self._pause
        while not stop.is_set():
            try:
                fetched = await self.fetch_once(channel)
            except Exception as error:  # noqa: BLE001 - a worker does more than fetch
                failed = error.code if isinstance(error, SendError) else type(error).__name__
                clock = asyncio.get_running_loop().time()
                if failed != failing or clock - told_at >= self._reminds_every:
                    _tell(channel, error, failed)
                    told_at = clock
                failing, fetched = failed, 0
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                if failing is not None:
                    _log.info("fetches again", channel=channel.name)
                failing, pause = None, self._pause
            # where there was something, more may be there
            wait = pause / _EAGERNESS if fetched else pause
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), wait.total_seconds())

    async def _stored(self, fetched: Fetched, channel: Channel) -> bool:
        """Store what one thing reports, all of it or nothing."""
        try:
            async with self._database.writing() as session:
                for event in fetched.events:
                    await self._reception.receive(
                        session, channel.name, event, now=datetime.now(UTC)
                    )
        except Exception as error:  # noqa: BLE001 - it is fetched again, and keeps none waiting
            if fetched.receipt not in self._not_stored:
                self._not_stored.add(fetched.receipt)
                reason = type(error).__name__
                _log.error("fetched, and not stored", channel=channel.name, reason=reason)
            return False
        self._not_stored.discard(fetched.receipt)
        return True


def _tell(channel: Channel, error: Exception, code: str) -> None:
    look_at = error.look_at if isinstance(error, SendError) else ""
    more = {"look_at": look_at} if look_at else {}
    reason = type(error).__name__
    _log.error("can't fetch", channel=channel.name, reason=reason, code=code, **more)
