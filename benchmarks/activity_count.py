"""Counts the activities that workers have executed, so that a measurement knows when to stop."""

import asyncio
from typing import Any

from temporalio import client, worker


class ActivityCount(client.Interceptor, worker.Interceptor):
    """An interceptor of the client, which every worker on that client takes over.

    It costs both sides of a ratio the same.
    """

    def __init__(self) -> None:
        self._missing = 0
        self._done = asyncio.Event()

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

    def count(self) -> None:
        """Count one."""
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
        self._total.count()
        return result
