"""Work the sandbox does after it has answered: callbacks, and patients who think it over."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

import structlog

log: Final = structlog.get_logger(__name__)


class BackgroundWork:
    """A set of running tasks: it can be waited for, and it forgets no failure."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._failures: list[BaseException] = []

    def start(self, work: Coroutine[Any, Any, None], *, name: str) -> None:
        """Run `work` beside everything else; `name` is for logs and holds no personal data."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def settled(self) -> None:
        """Wait until nothing runs any more, what was started meanwhile included.

        Raises:
            ExceptionGroup: Some of the work failed; a failure is raised once.
        """
        while self._tasks:
            await asyncio.wait(self._tasks)
        self._raise_failures()

    async def close(self) -> None:
        """Stop what still runs.

        Raises:
            ExceptionGroup: Some of the work had failed.
        """
        for task in self._tasks:
            task.cancel()
        await self.settled()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            log.error("background_work_failed", work=task.get_name(), error=type(error).__name__)
            self._failures.append(error)

    def _raise_failures(self) -> None:
        if self._failures:
            failures, self._failures = self._failures, []
            raise BaseExceptionGroup("work of the sandbox failed", failures)
