"""Answers that do not arrive: the client cannot know what became of its request."""

import asyncio
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_CREATED: Final = 201


class NeverAnswered(Response):
    """Says nothing until the client hangs up, or until the server stops."""

    def __init__(self, closing: asyncio.Event) -> None:
        """Be silent until `closing` is set, at the latest."""
        super().__init__()
        self._closing = closing

    async def __call__(self, _scope: Scope, receive: Receive, _send: Send) -> None:
        """Wait for the end of the connection."""
        ends = (
            asyncio.ensure_future(receive()),
            asyncio.ensure_future(self._closing.wait()),
        )
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()


class AnswerBrokenOff(Response):
    """Sends the head of an answer with a body announced, and breaks off."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send the head only: the server closes a connection that it left unfinished."""
        headers = [(b"content-type", b"application/json"), (b"content-length", b"1024")]
        await send({"type": "http.response.start", "status": _CREATED, "headers": headers})
