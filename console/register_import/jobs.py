"""Lists that are being read at this moment: one at a time, each in a process of its own."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from pydantic import ValidationError

from clinic.tables import Account
from console.register_import.report import Kind, Order, Progress

_GOING_SECONDS = 15.0
"""For a process that was told to stop: the batch under way is written to its end."""

_log = structlog.get_logger()

Done = Callable[[], Awaitable[None]]


@dataclass
class Job:
    """One list that is read, or waits until another one has been.

    Attributes:
        upload_id: The list's.
        kind: What is done with it.
        who: Who asked for it.
        began: When, as the import's run has it; aware UTC.
        progress: None: nothing was read so far.
        is_waiting: Another one is read first.
    """

    upload_id: str
    kind: Kind
    who: Account
    began: datetime
    progress: Progress | None = None
    is_waiting: bool = True
    _process: asyncio.subprocess.Process | None = field(default=None, repr=False)

    async def work(self, order: Order) -> None:
        """Have the list read, and heed how far it is."""
        self._process = process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "console.register_import.apart",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdin is not None  # noqa: S101 - it was asked for
        assert process.stdout is not None  # noqa: S101 - it was asked for
        try:
            with suppress(ConnectionError):  # it went at once: no report says so
                process.stdin.write(order.model_dump_json().encode() + b"\n")
                await process.stdin.drain()
            async for line in process.stdout:
                with suppress(ValidationError):
                    self.progress = Progress.model_validate_json(line)
            await process.wait()
        except asyncio.CancelledError:
            await _let_go(process)
            raise


class Jobs:
    """Has lists read, one after the other: two imports at once would be in each other's way."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._jobs: dict[str, Job] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def under_way(self, upload_id: str) -> Job | None:
        """Return what is done with a list just now."""
        return self._jobs.get(upload_id)

    def first(self) -> Job | None:
        """Return what is being read, and not what waits."""
        return next((job for job in self._jobs.values() if not job.is_waiting), None)

    def imports_begun(self) -> frozenset[datetime]:
        """Return when the imports began that are under way, or wait."""
        return frozenset(job.began for job in self._jobs.values() if job.kind is Kind.IMPORT)

    @property
    def busy(self) -> frozenset[str]:
        """The lists that are read, or wait."""
        return frozenset(self._jobs)

    def begin(self, upload_id: str, order: Order, who: Account, done: Done) -> None:
        """Have a list read as soon as the others have been.

        Args:
            upload_id: The list's, with which nothing is done yet.
            order: What is to be done.
            who: Who asked for it.
            done: Called at the end, also where the work did not come to its own.
        """
        job = self._jobs[upload_id] = Job(upload_id, order.kind, who, order.now)
        task = asyncio.create_task(self._run(job, order, done))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @asynccontextmanager
    async def ending(self) -> AsyncIterator[None]:
        """Stop what is under way at the block's end."""
        try:
            yield
        finally:
            for task in (tasks := list(self._tasks)):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, job: Job, order: Order, done: Done) -> None:
        try:
            async with self._turn:
                job.is_waiting = False
                await job.work(order)
        except OSError as error:
            _log.error("a list can't be read", upload=job.upload_id, cause=type(error).__name__)
        finally:
            try:
                await done()
            finally:
                del self._jobs[job.upload_id]


async def _let_go(process: asyncio.subprocess.Process) -> None:
    """Tell a process that nobody waits for it any more, and see it go."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(_GOING_SECONDS):
            while process.stdout is not None and await process.stdout.read(65536):
                pass
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
