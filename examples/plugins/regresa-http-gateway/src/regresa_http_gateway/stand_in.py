"""A gateway on this machine, to try the channel without an account: it sends nothing to anybody.

`python -m regresa_http_gateway.stand_in --port 8030 --webhook-url URL` reads key and secret from
the channel's own settings. What it took: `GET /stand-in/messages`; a patient answers by
`POST /stand-in/reply {"from", "text"}`; a message gets lost by
`POST /stand-in/report {"to", "status", "code"}`.
"""

import argparse
import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from aiohttp import ClientSession, web

from regresa_http_gateway.settings import GatewaySettings
from regresa_http_gateway.webhooks import signature


@dataclass
class Refusal:
    """How the next message to a number is refused, or lost."""

    status: int
    code: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    takes_it: bool = False
    """The message is taken, and the connection breaks before the answer."""


@dataclass
class Gateway:
    """The stand-in: what it was told, and what it took.

    Attributes:
        api_key: The only key that it accepts.
        secret: Signs its webhooks.
        webhook_url: Where it posts what patients write, and reports.
        refusals: By number, in digits: what becomes of the next message to it.
        taken: Every message, as it was posted; one posted again under its id is there twice,
            and the second time it would reach nobody.
    """

    api_key: str
    secret: str
    webhook_url: str = ""
    refusals: dict[str, Refusal] = field(default_factory=dict)
    taken: list[dict[str, Any]] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    @property
    def app(self) -> web.Application:
        """Its API, and the doors for whoever plays with it."""
        app = web.Application()
        app.router.add_post("/messages", self._take)
        app.router.add_get("/messages/{id}", self._show)
        app.router.add_get("/stand-in/messages", self._show_all)
        app.router.add_post("/stand-in/reply", self._reply)
        app.router.add_post("/stand-in/report", self._report)
        return app

    def message(self, words: str, sender: str) -> tuple[bytes, str]:
        """Return the body of a patient's message, and its signature."""
        given = {"event": "message", "id": f"in-{next(self._numbers)}"}
        return self._signed(given | {"from": sender.removeprefix("+"), "text": words})

    def report(self, known: dict[str, Any], status: str, code: str | None) -> tuple[bytes, str]:
        """Return the body of a report about a message that was taken, and its signature."""
        about = {"event": "report", "id": known["known_as"], "client_id": known["id"]}
        return self._signed(about | {"status": status, "code": code})

    async def _take(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {self.api_key}":
            return _refuse(401, "bad_key")
        given: dict[str, Any] = (
            await request.json()
            if request.content_type == "application/json"
            else dict(await request.post())
        )
        refusal = self.refusals.pop(given["to"], None)
        if refusal is not None and not refusal.takes_it:
            return _refuse(refusal.status, refusal.code, refusal.headers)
        known = self._find(given["id"])
        known_as = known["known_as"] if known else f"gw-{next(self._numbers)}"
        self.taken.append({**given, "known_as": known_as})
        if refusal is not None and request.transport is not None:
            request.transport.close()
        return web.json_response({"id": known_as}, status=201)

    async def _show(self, request: web.Request) -> web.Response:
        known = self._find(request.match_info["id"])
        if known is None:
            return _refuse(404, "unknown_message")
        return web.json_response({"id": known["known_as"], "status": "sent"})

    async def _show_all(self, _request: web.Request) -> web.Response:
        return web.json_response(self.taken)

    async def _reply(self, request: web.Request) -> web.Response:
        given = await request.json()
        return await self._post(*self.message(given["text"], given["from"]))

    async def _report(self, request: web.Request) -> web.Response:
        given = await request.json()
        to = given["to"].removeprefix("+")
        known = next((each for each in self.taken if each["to"] == to), None)
        if known is None:
            return _refuse(404, "unknown_number")
        return await self._post(*self.report(known, given["status"], given.get("code")))

    async def _post(self, body: bytes, signed: str) -> web.Response:
        headers = {"Content-Type": "application/json", "X-Signature": signed}
        async with (
            ClientSession() as session,
            session.post(self.webhook_url, data=body, headers=headers) as answer,
        ):
            return web.json_response({"answered": answer.status})

    def _signed(self, given: dict[str, Any]) -> tuple[bytes, str]:
        body = json.dumps(given, ensure_ascii=False).encode()
        return body, signature(self.secret, body)

    def _find(self, own_id: str) -> dict[str, Any] | None:
        return next((each for each in self.taken if each["id"] == own_id), None)


def _refuse(status: int, code: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"error": {"code": code}}, status=status, headers=headers)


@asynccontextmanager
async def serving(gateway: Gateway, port: int = 0) -> AsyncIterator[str]:
    """Serve on the loopback; the URL. Port 0: any that is free."""
    runner = web.AppRunner(gateway.app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        host, given = runner.addresses[0][:2]
        yield f"http://{host}:{given}"
    finally:
        await runner.cleanup()


async def _run(port: int, webhook_url: str) -> None:
    settings = GatewaySettings()
    gateway = Gateway(
        api_key=settings.api_key.get_secret_value(),
        secret=settings.webhook_secret.get_secret_value(),
        webhook_url=webhook_url,
    )
    async with serving(gateway, port):
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8030)
    parser.add_argument("--webhook-url", default="http://127.0.0.1:8080/webhooks/gateway")
    given = parser.parse_args()
    asyncio.run(_run(given.port, given.webhook_url))
