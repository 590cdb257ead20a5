"""What all doors share: headers, limits, refusals in their reader's way, and whether they work."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from starlette.types import Message, Receive, Scope, Send

from clinic import migrations
from clinic.clinic import Clinic
from clinic.database import Database
from clinic.tables import Event
from console.bounded_body import BoundedBody
from console.patient.view import language_accepted
from tests.console.raw_request import RawRequest

if TYPE_CHECKING:
    from tests.console.conftest import Desk

ONE_KIND = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what the database has no part in."""
FORM = (b"content-type", b"application/x-www-form-urlencoded")


@ONE_KIND
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/healthz", 200),
        ("HEAD", "/healthz", 200),
        ("OPTIONS", "/bookings", 204),
        ("GET", "/bookings", 405),
        ("POST", "/webhooks/none", 404),
        ("GET", "/nowhere", 404),
        ("GET", "/p/nobody", 404),
        ("GET", "/assets/patient.css", 200),
    ],
)
async def test_every_answer_tells_the_browser_to_be_careful(
    web: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await web.request(method, path)
    assert answer.status_code == status
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    keeps = "public, max-age=3600" if "assets" in path else "no-store"
    assert answer.headers["Cache-Control"] == keeps
    if method == "HEAD":
        assert (answer.content, int(answer.headers["Content-Length"]) > 0) == (b"", True)


@ONE_KIND
async def test_a_method_that_no_door_takes_is_told_which_there_are(
    desk: "Desk", web: httpx.AsyncClient
) -> None:
    token = desk.token(await desk.written_to())
    told = {
        path: (await web.request("PUT", path)).headers["Allow"]
        for path in ("/bookings", "/healthz", f"/p/{token}/stop")
    }
    assert list(told.values()) == [
        "OPTIONS, POST",
        "GET, HEAD, OPTIONS",
        "GET, HEAD, OPTIONS, POST",
    ]


@ONE_KIND
@pytest.mark.parametrize("door", ["/call", "/why", "/stop", "", "/no/such/door"])
@pytest.mark.parametrize("method", ["PUT", "POST", "GET"])
async def test_a_patient_reads_no_json(
    desk: "Desk", web: httpx.AsyncClient, door: str, method: str
) -> None:
    token = desk.token(await desk.written_to())
    answer = await web.request(
        method,
        f"/p/{token}{door}",
        content=b"--x\r\nbroken",
        headers={"Content-Type": "multipart/form-data; boundary=x", "Accept-Language": "en-GB"},
    )
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.text.startswith("<!doctype html>")


@ONE_KIND
async def test_a_file_in_the_place_of_words_is_refused_in_words(
    desk: "Desk", web: httpx.AsyncClient
) -> None:
    token = desk.token(await desk.written_to())
    answer = await web.post(f"/p/{token}/call", files={"words": b"words"})
    assert (answer.status_code, "Inténtelo otra vez" in answer.text) == (422, True)
    assert await desk.all(Event) == []


@ONE_KIND
async def test_a_machine_is_told_what_was_wrong_and_nothing_that_it_sent(
    web: httpx.AsyncClient,
) -> None:
    answer = await web.post(
        "/bookings",
        json={"key": {"secret": "Ana"}},
        headers={"Authorization": "Bearer bookings-token"},
    )
    assert answer.status_code == 422
    assert "Ana" not in answer.text


@ONE_KIND
async def test_what_breaks_is_said_in_words_and_with_all_headers(
    app: FastAPI, clinic: Clinic, desk: "Desk", monkeypatch: pytest.MonkeyPatch
) -> None:
    token = desk.token(await desk.written_to())

    @asynccontextmanager
    async def broken() -> AsyncIterator[None]:
        raise RuntimeError("Ana, +13055550123")
        yield

    monkeypatch.setattr(clinic.database, "reading", broken)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://console") as web:
        answer = await web.get(f"/p/{token}")
    assert answer.status_code == 500
    assert "Algo falló por nuestra parte" in answer.text
    assert "Ana" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


@ONE_KIND
@pytest.mark.parametrize(
    ("path", "headers"),
    [
        pytest.param("/p/{token}/call", (FORM,), id="a patient's page"),
        pytest.param("/p/{token}/why", (FORM,), id="a patient's reason"),
        pytest.param("/webhooks/sms", (FORM,), id="a webhook"),
        pytest.param("/bookings", ((b"authorization", b"Bearer bookings-token"),), id="bookings"),
    ],
)
@pytest.mark.parametrize("declared", [b"", b"70000", b"9" * 40, b"5"])
async def test_no_door_reads_more_than_it_has_room_for(
    app: FastAPI, desk: "Desk", path: str, headers: tuple[Any, ...], declared: bytes
) -> None:
    token = desk.token(await desk.written_to())
    pieces = [b"words=" + b"a" * 1018] + [b"a" * 1024] * 1000
    length = ((b"content-length", declared),) if declared else ()
    request = RawRequest("POST", path.format(token=token).encode(), (*headers, *length), pieces)
    answer = await request.sent_to(app)
    assert answer.status == 413
    assert await desk.all(Event) == []


async def test_a_body_that_never_ends_is_given_up() -> None:
    async def reads_all(_scope: Scope, receive: Receive, _send: Send) -> None:
        while (await receive()).get("more_body"):
            pass

    async def trickles() -> Message:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b"a", "more_body": True}

    async def nobody(_message: Message) -> None:
        raise AssertionError

    bounded = BoundedBody(reads_all, seconds=0.1)
    with pytest.raises(Exception, match="too slow") as refused:
        await bounded({"type": "http", "headers": []}, trickles, nobody)
    assert getattr(refused.value, "status_code", None) == 408


async def test_who_has_sent_all_may_wait_for_the_answer() -> None:
    async def works_long(_scope: Scope, receive: Receive, _send: Send) -> None:
        await receive()
        assert (await receive())["type"] == "http.disconnect"

    pieces: list[Message] = [{"type": "http.request", "body": b"a", "more_body": False}]

    async def leaves_late() -> Message:
        if pieces:
            return pieces.pop()
        await asyncio.sleep(0.1)
        return {"type": "http.disconnect"}

    async def nobody(_message: Message) -> None:
        raise AssertionError

    await BoundedBody(works_long, seconds=0.05)(
        {"type": "http", "headers": []}, leaves_late, nobody
    )


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("ru", "ru"),
        ("es-CL,es;q=0.9,en;q=0.8", "es"),
        ("de,en;q=0.5,ru;q=0.7", "ru"),
        ("EN-us", "en"),
        ("de-DE", None),
        ("ru;q=0", None),
        ("*", None),
        ("", None),
        ("ru;q=9,;;,=,\x00", None),
    ],
)
def test_a_browser_says_what_it_likes_to_read(header: str, language: str | None) -> None:
    assert language_accepted(header) == language


async def test_it_is_ready_while_its_database_is(web: httpx.AsyncClient) -> None:
    answer = await web.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_it_is_not_ready_on_a_database_of_another_version(
    web: httpx.AsyncClient, clinic: Clinic
) -> None:
    to_revision = text("UPDATE alembic_version SET version_num = :revision")
    async with clinic.database.writing() as session:
        await session.execute(to_revision, {"revision": "0001"})
    answer = await web.get("/readyz")
    async with clinic.database.writing() as session:
        await session.execute(to_revision, {"revision": migrations.latest()})
    assert answer.status_code == 503
    assert answer.json()["reason"].startswith("the database is at revision 0001, this version")


@ONE_KIND
async def test_it_is_not_ready_without_tables(
    web: httpx.AsyncClient, clinic: Clinic, tmp_path: Any
) -> None:
    clinic.database = Database(f"sqlite:///{tmp_path / 'empty.db'}")
    answer = await web.get("/readyz")
    await clinic.database.close()
    assert (answer.status_code, "regresa migrate" in answer.json()["reason"]) == (503, True)


@ONE_KIND
async def test_it_is_not_ready_without_a_database_and_tells_nobody_where_that_is(
    web: httpx.AsyncClient, clinic: Clinic
) -> None:
    clinic.database = Database("postgresql://nobody:secret@127.0.0.1:1/none")
    answer = await web.get("/readyz")
    await clinic.database.close()
    assert answer.status_code == 503
    assert answer.json() == {"status": "not ready", "reason": "the database can't be reached"}
    assert (await web.get("/healthz")).status_code == 200
