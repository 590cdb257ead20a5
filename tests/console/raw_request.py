"""A request as it comes off the wire, handed to the application as its server does it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from starlette.types import ASGIApp, Message


@dataclass(frozen=True)
class RawAnswer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class RawRequest:
    """What a client sends; nothing of it is checked or mended, as a client of ours would.

    Attributes:
        target: Path and query, before they are decoded.
        chunks: The body, in the pieces in which it arrives.
        leaves: The client leaves before the body's end.
    """

    method: str
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    chunks: Sequence[bytes] = (b"",)
    leaves: bool = False

    async def sent_to(self, app: ASGIApp) -> RawAnswer:
        """Return the application's answer; what it raises is raised."""
        pieces: list[Message] = [
            {"type": "http.request", "body": chunk, "more_body": True} for chunk in self.chunks
        ]
        if pieces and not self.leaves:
            pieces[-1]["more_body"] = False
        pieces.append({"type": "http.disconnect"})
        sent: list[Message] = []

        async def receive() -> Message:
            return pieces.pop(0) if len(pieces) > 1 else pieces[0]

        async def send(message: Message) -> None:
            sent.append(message)

        await app(self._scope(), receive, send)
        return RawAnswer(
            status=sent[0]["status"],
            headers={name.decode().lower(): value.decode() for name, value in sent[0]["headers"]},
            body=b"".join(each.get("body", b"") for each in sent[1:]),
        )

    def _scope(self) -> dict[str, Any]:
        path, _, query = self.target.partition(b"?")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": self.method,
            "scheme": "http",
            "path": unquote(path.decode("ascii", "replace")),
            "raw_path": path,
            "root_path": "",
            "query_string": query,
            "headers": [(name.lower(), value) for name, value in self.headers],
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 8080),
            "state": {},
        }
