"""The console as a process sees it: on a real port, from its start to its end."""

import asyncio
import os
import re
import socket
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from twilio.request_validator import RequestValidator

from channels.email import EmailChannel
from channels.protocol import Channel
from clinic.clinic import Clinic
from clinic.database import Database
from clinic.tables import Event
from sandbox.stand_ins import Sandbox
from tests.console.serving import serving

if TYPE_CHECKING:
    from tests.console.conftest import Desk

ONE_KIND = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what the database has no part in."""
ROOT = Path(__file__).parents[2]


class ClosableChannel(EmailChannel):
    closed = 0

    async def close(self) -> None:
        self.closed += 1


async def test_all_doors_stand_on_one_port(
    desk: "Desk",
    clinic: Clinic,
    channels: Mapping[str, Channel],
    sandbox: Sandbox,
    now: datetime,
) -> None:
    written = await desk.written_to(external_id="A-7")
    number = str(written.patient.phone)
    reply = {"MessageSid": "SM-reply", "From": number, "Body": "¿Mañana?"}
    token = sandbox.settings.twilio_auth_token.get_secret_value()
    async with (
        serving(clinic, channels, now) as address,
        httpx.AsyncClient(base_url=address) as web,
    ):
        assert (await web.get("/healthz")).json() == {"status": "ok"}
        public = f"{clinic.settings.public_url}/webhooks/sms"
        signature = RequestValidator(token).compute_signature(public, reply)
        answers = [
            await web.post("/webhooks/sms", data=reply, headers={"X-Twilio-Signature": signature}),
            await web.post("/webhooks/sms", data=reply),
            await web.post(f"/p/{desk.token(written)}/call"),
            await web.post(
                "/bookings",
                json={"key": "1", "patient": "A-7", "appointment_at": "2027-03-10T10:00:00Z"},
                headers={"Authorization": "Bearer bookings-token"},
            ),
            await web.get(f"/p/{desk.token(written)}"),
        ]
        style = await web.get("/assets/patient.css")
    assert [answer.status_code for answer in answers] == [204, 403, 200, 200, 200]
    assert (style.status_code, style.headers["Content-Type"]) == (200, "text/css; charset=utf-8")
    assert [event.kind for event in await desk.all(Event)] == ["reply", "reply", "booked"]


@ONE_KIND
async def test_it_prepares_the_database_at_its_start_and_closes_the_channels_at_its_end(
    clinic: Clinic, channels: Mapping[str, Channel], tmp_path: Path, now: datetime
) -> None:
    clinic.database = Database(f"sqlite:///{tmp_path / 'new.db'}")
    email = channels["email"]
    assert isinstance(email, EmailChannel)
    closable = ClosableChannel(email._settings)  # noqa: SLF001 - any settings will do
    async with serving(clinic, {"email": closable}, now) as address:
        async with httpx.AsyncClient(base_url=address) as web:
            assert (await web.get("/healthz")).status_code == 200
        async with clinic.database.reading() as session:
            assert await session.get(Event, 1) is None  # the tables are there
        assert closable.closed == 0
    assert closable.closed == 1


RAW = [
    pytest.param(
        b"POST /bookings HTTP/1.1\r\nHost: c\r\nAuthorization: Bearer bookings-token\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n" + (b"400\r\n" + b"a" * 1024 + b"\r\n") * 200,
        b"413",
        id="chunks without end",
    ),
    pytest.param(
        b"POST /bookings HTTP/1.1\r\nHost: c\r\nAuthorization: Bearer bookings-token\r\n"
        b"Content-Length: 99999999999\r\n\r\n",
        b"413",
        id="a length that nobody has room for",
    ),
    pytest.param(
        b"POST /bookings HTTP/1.1\r\nHost: c\r\nContent-Length: 99999999999\r\n\r\n",
        b"401",
        id="the same from a stranger",
    ),
    pytest.param(
        b"POST /bookings HTTP/1.1\r\nHost: c\r\nContent-Length: -1\r\n\r\n",
        b"400",
        id="a length below nothing",
    ),
    pytest.param(
        b"GET /healthz HTTP/1.1\r\nHost: c\r\nX: " + b"a" * 100_000, b"400", id="huge headers"
    ),
    pytest.param(b"\x16\x03\x01\0\0\r\n\r\n", b"400", id="no HTTP at all"),
    pytest.param(b"GET /p/%00%ff%FE HTTP/1.1\r\nHost: c\r\n\r\n", b"404", id="bytes in a path"),
]


@ONE_KIND
@pytest.mark.parametrize(("sent", "status"), RAW)
async def test_what_no_browser_sends_is_refused_on_the_wire(
    desk: "Desk",
    clinic: Clinic,
    channels: Mapping[str, Channel],
    now: datetime,
    sent: bytes,
    status: bytes,
) -> None:
    async with serving(clinic, channels, now) as address:
        port = int(address.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        answer = await asyncio.wait_for(reader.readline(), 5)
        writer.close()
        assert answer.split()[1] == status
        async with httpx.AsyncClient(base_url=address) as web:  # and goes on working
            assert (await web.get("/healthz")).status_code == 200
    assert await desk.all(Event) == []


@ONE_KIND
@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json", "/assets/../app.py"])
async def test_there_are_no_other_doors(web: httpx.AsyncClient, path: str) -> None:
    assert (await web.get(path)).status_code == 404


def environment(tmp_path: Path, **given: str) -> dict[str, str]:
    """Return what `python -m console` is told; nothing of a developer's own."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("REGRESA_")}
    return own | {
        "PYTHONPATH": str(ROOT),
        "REGRESA_CLINIC": str(ROOT / "examples" / "clinic"),
        "REGRESA_DATABASE_URL": f"sqlite:///{tmp_path / 'console.db'}",
        "REGRESA_SECRET_KEY": "a-secret-that-is-32-characters-long",
        "REGRESA_CHANNELS": '["call"]',
        **given,
    }


async def start(tmp_path: Path, *arguments: str, **given: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "console", *arguments),
        env=environment(tmp_path, **given),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def test_wrong_settings_are_named_at_the_start(tmp_path: Path) -> None:
    process = await start(tmp_path, REGRESA_CHANNELS='["sms"]')
    written, _ = await process.communicate()
    assert process.returncode == 2
    assert written.decode().startswith("console: ")
    assert "REGRESA_SMS_ACCOUNT_SID" in written.decode()
    assert "Traceback" not in written.decode()


async def test_as_a_program_it_serves_until_it_is_told_to_stop_and_logs_no_links(
    tmp_path: Path,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = await start(tmp_path, "--port", str(port), REGRESA_LOG_FORMAT="json")
    assert process.stdout is not None
    lines: list[str] = []
    while not re.search(r"running on", lines[-1] if lines else ""):
        line = await process.stdout.readline()
        assert line, lines
        lines.append(line.decode())
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as web:
        assert (await web.get("/healthz")).json() == {"status": "ok"}
        assert (await web.get("/p/a-patients-own-link")).status_code == 404
    process.terminate()
    rest, _ = await process.communicate()
    assert "a-patients-own-link" not in "".join(lines) + rest.decode()
    assert (tmp_path / "console.db").exists()
