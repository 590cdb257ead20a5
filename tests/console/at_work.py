"""Somebody who is signed in, without a real browser: for what needs no script."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI

from console.doors import csrf
from console.doors.session_cookie import COOKIE, SessionClaim, SessionCookies


class AtWork:
    """Keeps the session, and sends its token with every form."""

    def __init__(self, web: httpx.AsyncClient, csrf: str) -> None:
        self.web = web
        self.csrf = csrf

    async def page(self, path: str, *, status: int = 200) -> str:
        answer = await self.web.get(path)
        assert answer.status_code == status, answer.text
        return answer.text

    async def press(self, path: str, **fields: str) -> httpx.Response:
        return await self.web.post(path, data={"csrf": self.csrf} | fields)


Signed = Callable[..., Coroutine[Any, Any, AtWork]]
"""See the fixture `signed`."""


@asynccontextmanager
async def at_work(
    app: FastAPI, claim: SessionClaim, key: Any, language: str
) -> AsyncIterator[AtWork]:
    """Sit somebody down at a browser of their own."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url="http://console",
        cookies={COOKIE: SessionCookies(key).write(claim)},
        headers={"Accept-Language": language},
    ) as web:
        yield AtWork(web, csrf.token_of(key, claim.session_id))
