"""Somebody who looks after the register and brings lists, without a real browser."""

import asyncio
import re
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from clinic.clinic import Clinic
from console.app import build_app
from console.register_import.pages import PATH

LIST = (
    "Nº paciente;Nombre;Apellidos;Celular;Fecha nacimiento;Estado;Color\n"
    "A-1;Elena;Ruiz;+1 305 555 0101;02/03/1980;activo;azul\n"
    "A-2;Bruno;Paz;+1 305 555 0102;31/12/1975;activo;rojo\n"
    "A-3;;;+1 305 555 0103;01/05/1990;activo;rojo\n"
    "A-4;Olga;Sanz;=1+1;13/06/1991;activo;rojo\n"
).encode()
"""Three rows that are taken, one of them without its phone, and one that is not."""

_SECONDS = 60.0


class RunningConsole:
    """A console with all that it does by itself: it may be stopped, and started again."""

    def __init__(self, clinic: Clinic, now: datetime) -> None:
        self._clinic = clinic
        self._running = AsyncExitStack()
        self._app: FastAPI | None = None
        self.now = now

    async def start(self) -> None:
        self._app = build_app(self._clinic, {}, clock=lambda: self.now)
        await self._running.enter_async_context(self._app.router.lifespan_context(self._app))

    async def stop(self) -> None:
        await self._running.aclose()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, by whatever console runs."""
        assert self._app is not None
        await self._app(scope, receive, send)


@dataclass
class Keeper:
    """Brings lists and waits for what becomes of them."""

    web: httpx.AsyncClient
    csrf: str

    async def bring(
        self, content: bytes, name: str = "pacientes.csv", *, mapping: str = "", encoding: str = ""
    ) -> httpx.Response:
        """Post a list as a browser does: the token first."""
        files: dict[str, Any] = {
            "csrf": (None, self.csrf),
            "list": (name, content),
            "encoding": (None, encoding),
            "mapping": ("", mapping.encode()),
        }
        return await self.web.post(PATH, files=files)

    async def looked_at(self, content: bytes, name: str = "pacientes.csv", **given: Any) -> str:
        """Bring a list, wait until it was looked at, and return its address."""
        answer = await self.bring(content, name, **given)
        assert answer.status_code == 303, answer.text
        await self.until_read(answer.headers["location"])
        return str(answer.headers["location"])

    async def until_read(self, address: str) -> str:
        """Wait until nothing is done with a list any more, and return its page."""
        async with asyncio.timeout(_SECONDS):
            while "data-work" in (page := await self.page(address)):
                await asyncio.sleep(0.02)
        return page

    async def page(self, address: str, *, status: int = 200) -> str:
        answer = await self.web.get(address)
        assert answer.status_code == status, answer.text
        return answer.text

    async def press(self, address: str, **fields: str) -> httpx.Response:
        return await self.web.post(address, data={"csrf": self.csrf} | fields)


Keeping = Callable[..., Coroutine[Any, Any, Keeper]]
"""See the fixture `keeping`."""


def shown(page: str) -> str:
    """Return a page's words alone."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())
