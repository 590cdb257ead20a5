"""How many bytes each page of the console is, with all that a browser fetches to show it.

Every page that a GET opens without knowing an id is looked for among the console's own doors, so
that none is forgotten; those of a call, of a patient's link and after an answer are added.
"""

import gzip
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import update

from benchmarks.call_list import clinic_on, cookie_of_admin
from benchmarks.figures import PageSize
from benchmarks.large_register import LargeRegister
from benchmarks.open_calls import write_open_calls
from clinic import ledger
from clinic.attempt import AttemptState
from clinic.clinic import Clinic
from clinic.database import Database
from clinic.tables import Attempt
from console.app import build_app

_PATIENTS, _CALLS = 1_000, 500
_MOST_FOR_PATIENTS = 50_000
"""Bytes, with all that belongs to a page: it is read on a phone, wherever the patient is."""
_ZIPPED_AS_A_PROXY_DOES = 6
_UNDER_WAY, _ENDED = "at-call-1", "at-call-2"
"""Attempts of the call list, which get a message here."""
_LONG_AGO = timedelta(days=90)
_LINKED = re.compile(r'(?:src|href)="(/assets/[^"]+)"')


async def measure() -> list[PageSize]:
    """Measure the pages of a small clinic; the call list shows as many rows as it ever does."""
    with TemporaryDirectory(prefix="regresa-benchmarks-") as directory:
        async with Database(f"sqlite:///{Path(directory) / 'clinic.db'}") as database:
            await LargeRegister(_PATIENTS).write(database)
            await write_open_calls(database, _CALLS)
            clinic = clinic_on(database)
            async with clinic.opened():
                await _write_to_two(clinic)
                return await _sizes(clinic)


async def _sizes(clinic: Clinic) -> list[PageSize]:
    app = build_app(clinic, {})
    staff = {"Cookie": await cookie_of_admin(clinic)}
    transport = httpx.ASGITransport(app=app)
    patients_link = f"/p/{_token(clinic, _UNDER_WAY)}"
    async with httpx.AsyncClient(transport=transport, base_url="http://console") as web:

        async def measured(name: str, answer: httpx.Response, aim: int | None = None) -> PageSize:
            assets = [(await web.get(path)).content for path in _assets(answer.text)]
            return _size(name, answer.content, assets, aim)

        sizes = [await measured("/login", await web.get("/login"))]
        for path in [*_pages_of(app), "/calls/ct-call-1"]:
            answer = await web.get(path, headers=staff)
            if _is_page(answer) and path != "/login":
                sizes.append(await measured(path.replace("ct-call-1", "{task_id}"), answer))
        sizes += [
            await measured(name, answer, _MOST_FOR_PATIENTS)
            for name, answer in (
                ("patient: the page", await web.get(patients_link)),
                ("patient: thanks", await web.post(f"{patients_link}/call")),
                ("patient: expired", await web.get(f"/p/{_token(clinic, _ENDED)}")),
                ("patient: not a link", await web.get("/p/nonsense")),
            )
        ]
    return sizes


def _pages_of(app: FastAPI) -> Iterator[str]:
    """Give the paths of all that a GET opens without an id."""
    schema: dict[str, Any] = app.openapi()
    for path, doors in sorted(schema["paths"].items()):
        if "get" in doors and "{" not in path:
            yield path


def _is_page(answer: httpx.Response) -> bool:
    is_html = answer.headers.get("content-type", "").startswith("text/html")
    return answer.status_code == httpx.codes.OK and is_html


def _assets(html: str) -> Sequence[str]:
    return list(dict.fromkeys(_LINKED.findall(html)))


def _size(name: str, html: bytes, assets: Sequence[bytes], aim: int | None) -> PageSize:
    return PageSize(
        measured=name,
        assets=len(assets),
        html=len(html),
        total=sum(len(each) for each in (html, *assets)),
        zipped=sum(len(gzip.compress(each, _ZIPPED_AS_A_PROXY_DOES)) for each in (html, *assets)),
        aim=aim,
    )


async def _write_to_two(clinic: Clinic) -> None:
    now = datetime.now(UTC)
    async with clinic.database.writing() as session:
        for attempt_id in (_UNDER_WAY, _ENDED):
            await ledger.claim(
                session,
                attempt_id=attempt_id,
                step=0,
                channel="email",
                address_hash="",
                now=now - _LONG_AGO,
            )
        await session.execute(
            update(Attempt)
            .where(Attempt.id == _ENDED)
            .values(state=AttemptState.ENDED.value, ended_at=now - _LONG_AGO)
        )


def _token(clinic: Clinic, attempt_id: str) -> str:
    return clinic.links.link_to(attempt_id, 0).rpartition("/")[2]
