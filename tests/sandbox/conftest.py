"""A sandbox on free ports, and a stand-in for the product's web app that keeps what it is sent."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from sandbox import Sandbox, SandboxSettings

ACCOUNT_SID = "AC" + "0123456789abcdef" * 2


@dataclass
class Received:
    """One request that reached the product."""

    method: str
    path: str
    form: dict[str, str]
    json: Any
    headers: dict[str, str]


@dataclass
class Product:
    """A web server in the product's place.

    `answers` holds statuses to give to the next requests, oldest first; then all get 200.
    """

    url: str = ""
    requests: list[Received] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    redirects: dict[str, str] = field(default_factory=dict)

    def posts(self, path: str) -> list[Received]:
        return [one for one in self.requests if one.method == "POST" and one.path == path]

    def gets(self, path: str) -> list[Received]:
        return [one for one in self.requests if one.method == "GET" and one.path == path]

    async def take(self, request: web.Request) -> web.Response:
        is_json = request.content_type == "application/json"
        self.requests.append(
            Received(
                method=request.method,
                path=request.path,
                form={} if is_json else {k: str(v) for k, v in (await request.post()).items()},
                json=await request.json() if is_json else None,
                headers=dict(request.headers),
            )
        )
        status = self.answers.pop(0) if self.answers else 200
        if request.path in self.redirects:
            return web.Response(status=303, headers={"Location": self.redirects[request.path]})
        answer = web.Response(status=status)
        answer.set_cookie("visit", "1")
        return answer


@pytest.fixture
async def product() -> AsyncIterator[Product]:
    made = Product()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    made.url = f"http://{host}:{port}"
    yield made
    await runner.cleanup()


@pytest.fixture
def settings(tmp_path: Path, product: Product) -> Callable[..., SandboxSettings]:
    """Make settings for free ports; keyword arguments replace or add."""

    def make(**changes: Any) -> SandboxSettings:
        given: dict[str, Any] = {
            "smtp_port": 0,
            "http_port": 0,
            "smtp_password": "a password of the tests",
            "ca_file": tmp_path / "ca.pem",
            "twilio_account_sid": ACCOUNT_SID,
            "twilio_auth_token": "a token of the tests",
            "webhook_url": f"{product.url}/webhooks/sms",
            "webhook_pauses": (0.01, 0.01),
        }
        return SandboxSettings(**{**given, **changes})

    return make


@pytest.fixture
async def sandbox(settings: Callable[..., SandboxSettings]) -> AsyncIterator[Sandbox]:
    async with Sandbox(settings()) as running:
        yield running
