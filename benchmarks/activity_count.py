"""Counts the activities that workers have executed, so that a measurement knows when to stop."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from temporalio import activity, client, worker

AttemptOf = Callable[[Any], str]
"""Reads from an activity's argument which attempt it is about."""


class ActivityCount(client.Interceptor, worker.Interceptor):
    """An interceptor of the client, which every worker on that client takes over.

    It costs both sides of a ratio the same.

    Attributes:
        ended_at: When the activities that `note` names ended, by attempt (`time.perf_counter`).
    """

    def __init__(self) -> None:
        self.ended_at: dict[str, float] = {}
        self._noted = ""
        self._attempt_of: AttemptOf = str
        self._missing = 0
        self._done = asyncio.Event()

    def note(self, name: str, attempt_of: AttemptOf) -> None:
        """Begin to note when each activity of a name ends, the first time for each attempt."""
        self._noted, self._attempt_of = name, attempt_of
        self.ended_at = {}

    def expect(self, count: int) -> None:
        """Begin to count down."""
        self._missing = count
        self._done.clear()

    async def reached(self) -> None:
        """Wait until as many activities as expected have been executed."""
        await self._done.wait()

    def intercept_activity(
        self,
        next: worker.ActivityInboundInterceptor,  # noqa: A002 - the SDK's own name
    ) -> worker.ActivityInboundInterceptor:
        """Wrap an activity."""
        return _Counted(next, self)

    def count(self, argument: object) -> None:
        """Count one."""
        if activity.info().activity_type == self._noted:
            self.ended_at.setdefault(self._attempt_of(argument), time.perf_counter())
        self._missing -= 1
        if self._missing == 0:
            self._done.set()


class _Counted(worker.ActivityInboundInterceptor):
    def __init__(self, following: worker.ActivityInboundInterceptor, total: ActivityCount) -> None:
        super().__init__(following)
        self._total = total

    async def execute_activity(self, input: worker.ExecuteActivityInput) -> Any:  # noqa: A002
        """Run an activity, and count it where it did not fail."""
        result = await super().execute_activity(input)
        self._total.count(input.args[0])
        return result
