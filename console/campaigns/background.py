"""Work over a whole register, done beside the console's own: pages show how far it has come.

It runs in a thread with an event loop and a connection of its own, so that the call list answers
meanwhile. What comes of it is kept for a while, in this process alone.
"""

import asyncio
import time
import traceback
from collections.abc import Awaitable, Callable, Hashable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, Generic, TypeVar

import structlog

from clinic.database import Database

_Result = TypeVar("_Result")
_MOST_KEPT = 200
"""Results, and what waits for its turn; no result holds more than a few patients."""
LONG = 1.0
"""Seconds; what takes longer is not done again at once, however often it is asked for."""
_FRAMES = 4
"""Of an error, in the log."""
_REST = 5
"""So many times as long as it took, it rests."""

_log = structlog.get_logger()


class _Left(Exception):
    """The console is being closed."""


@dataclass
class Look(Generic[_Result]):
    """A piece of work, and how far it has come.

    Attributes:
        begun_at: Aware UTC.
        total: How many patients are to be looked at; 0: not known yet.
        looked_at: How many have been.
        result: What came of it; None: nothing yet.
        counted_at: Aware UTC; as of when the result is. None: there is none.
        running: Whether somebody is still at it.
        failed: It broke, and there will be no result.
        stopped: Whether it is to be left.
        asked: When it was asked for, by the process's own clock.
        took: Seconds.
    """

    begun_at: datetime
    total: int = 0
    looked_at: int = 0
    result: _Result | None = None
    counted_at: datetime | None = None
    running: bool = True
    failed: bool = False
    stopped: bool = False
    asked: float = field(default_factory=time.monotonic)
    took: float = 0.0

    def count(self, patients: int) -> None:
        """Take note of patients that have been looked at.

        Raises:
            _Left: The console is being closed.
        """
        if self.stopped:
            raise _Left
        self.looked_at += patients


Work = Callable[[Database, Look[_Result]], Awaitable[_Result]]
"""Does it, with a database of its own; it tells the look of its progress."""


class Background:
    """Does one piece of work after the other.

    Args:
        url: The database's.
        kept_for: For how long a result is good enough.
    """

    def __init__(self, url: str, kept_for: timedelta) -> None:
        self._url = url
        self._kept_for = kept_for
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="looks")
        self._looks: dict[Hashable, Look[Any]] = {}
        self._futures: dict[Hashable, Future[None]] = {}

    def look(
        self,
        key: Hashable,
        work: Work[_Result],
        now: datetime,
        *,
        anew: bool = False,
    ) -> Look[_Result]:
        """Return a piece of work, which is begun where there is no result that is new enough.

        Args:
            key: What tells it from all others.
            work: How it is done.
            now: Aware UTC.
            anew: Begin again, however new the result is.
        """
        known = self._looks.get(key)
        if known is not None and (known.running or not (anew or self._is_old(known, now))):
            return known
        if known is None and len(self._looks) >= _MOST_KEPT:
            self._forget_one()
        begun: Look[_Result] = Look(begun_at=now)
        if known is not None:
            begun.result, begun.counted_at = known.result, known.counted_at
        self._looks[key] = begun
        self._futures[key] = self._worker.submit(self._run, work, begun)
        return begun

    async def wait(self, keys: Iterable[Hashable], at_most: float) -> None:
        """Wait until pieces of work are done, but no longer than so many seconds.

        What was asked for longer ago than that is not waited for again.
        """
        ago = time.monotonic() - at_most
        fresh = [key for key in keys if key in self._looks and self._looks[key].asked > ago]
        running = [self._futures[key] for key in fresh]
        pending = [asyncio.wrap_future(each) for each in running if not each.done()]
        if pending:
            await asyncio.wait(pending, timeout=at_most)

    def close(self) -> None:
        """Leave what is being done."""
        for look in self._looks.values():
            look.stopped = True
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _is_old(self, look: Look[Any], now: datetime) -> bool:
        rest = look.took * _REST if look.took > LONG else 0.0
        kept_for = timedelta(0) if look.failed else self._kept_for
        return now - look.begun_at >= max(kept_for, timedelta(seconds=rest))

    def _forget_one(self) -> None:
        done = (key for key, look in self._looks.items() if not look.running)
        not_begun = (key for key, future in self._futures.items() if future.cancel())
        oldest = next(chain(done, not_begun), None)
        if oldest is not None:
            del self._looks[oldest], self._futures[oldest]

    def _run(self, work: Work[_Result], look: Look[_Result]) -> None:
        begun = time.monotonic()
        try:
            result = asyncio.run(self._done(work, look))
            # first, for a page may look in between: it never shows a result of no time
            look.counted_at = look.begun_at
            look.result = result
        except _Left:
            look.failed = True
        except Exception as error:  # noqa: BLE001 - whatever it is: the page says so, the log names it
            look.failed = True
            # an error's text may hold a patient's data: where it broke is enough
            _log.warning("a count broke", error=type(error).__name__, where=_where(error))
        finally:
            look.took = time.monotonic() - begun
            look.running = False

    async def _done(self, work: Work[_Result], look: Look[_Result]) -> _Result:
        database = Database(self._url)
        try:
            return await work(database, look)
        finally:
            await database.close()


def _where(error: Exception) -> list[str]:
    """Return which lines of code an error went through, the innermost last."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return [f"{frame.filename}:{frame.lineno}" for frame in frames]
