"""No request's body is read beyond a size or for longer than a time, at whatever door.

A door that takes files has bounds of its own, and reads nothing before it knows who is there.
"""

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 64 * 1024
"""Bytes; the largest that is meant for these doors, a provider's form, has a few thousand."""

BODY_SECONDS = 15.0
"""For a whole body; providers give up on an answer after about as long."""


class Bounds(NamedTuple):
    """How much of a body is read, and for how long.

    Attributes:
        largest: In bytes.
        seconds: For the whole body.
    """

    largest: int = LARGEST_BODY
    seconds: float = BODY_SECONDS


_DIGITS = 18
"""A longer number is not even read."""


class BoundedBody:
    """Refuses a body that is too large (413) or too slow (408), as soon as a door reads it.

    A door that reads none is not disturbed. Whoever declares too much is refused at once; who
    declares nothing is stopped at the limit, and no more than that is ever held.

    Args:
        app: What is protected.
        largest: In bytes.
        seconds: For the whole body.
        apart: The bounds of single paths that have their own.
    """

    def __init__(
        self,
        app: ASGIApp,
        largest: int = LARGEST_BODY,
        seconds: float = BODY_SECONDS,
        apart: Mapping[str, Bounds] | None = None,
    ) -> None:
        self._app = app
        self._bounds = Bounds(largest, seconds)
        self._apart = apart or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        bounds = self._apart.get(scope.get("path", ""), self._bounds)
        declared = Headers(scope=scope).get("content-length", "")
        too_large = declared.isdecimal() and (
            len(declared) > _DIGITS or int(declared) > bounds.largest
        )
        await self._app(scope, self._bounded(receive, bounds, too_large=too_large), send)

    def _bounded(self, receive: Receive, bounds: Bounds, *, too_large: bool) -> Receive:
        size = 0
        complete = False
        until = asyncio.get_running_loop().time() + bounds.seconds

        async def bounded() -> Message:
            nonlocal size, complete
            if too_large:
                raise HTTPException(413, "too large")
            if complete:  # what comes now is only the client's leaving, however long that takes
                return await receive()
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, "too slow") from None
            size += len(message.get("body", b""))
            if size > bounds.largest:
                raise HTTPException(413, "too large")
            complete = not message.get("more_body", False)
            return message

        return bounded
