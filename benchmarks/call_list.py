"""How long the call list's page takes, against the bare statements that it needs.

The page is asked for as a browser does: of the real console, a process of its own on the loopback,
signed in, `GET /calls`. The other side are the very statements that it sends to the database,
sent once more by the bare driver, without SQLAlchemy, to the same database in the same run.
"""

import asyncio
import http.client
import os
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from statistics import median, quantiles

import httpx
from pydantic import SecretStr

from benchmarks import databases
from benchmarks.bare_statements import BareDriver, Statement, recorded
from benchmarks.figures import PageRound, PageTime
from benchmarks.ground import ROOT
from benchmarks.large_register import LargeRegister
from benchmarks.open_calls import write_open_calls
from clinic import accounts
from clinic.accounts import Role
from clinic.clinic import Clinic
from clinic.database import Database
from clinic.settings import ClinicSettings
from console.app import build_app
from console.doors.session_cookie import COOKIE, SessionClaim, SessionCookies

_AIM = 2.0
_KEY = "benchmarks-hold-no-secret-of-anybody"
_PAGE = "/calls"
_REQUESTS = 20
"""In each round, on each side."""
_START_SECONDS = 30.0


async def measure(*, rounds: int, patients: int, tasks: int) -> list[PageTime]:
    """Measure the page on SQLite and on PostgreSQL.

    Args:
        rounds: Pairs of runs for each ratio.
        patients: On the register.
        tasks: Open ones, of as many patients.
    """
    times = []
    for opened in (databases.sqlite, databases.postgresql):
        async with opened() as database:
            await LargeRegister(patients).write(database)
            await write_open_calls(database, min(tasks, patients))
            pairs, durations = await _pairs(database, rounds)
            times.append(
                PageTime(
                    measured=f"GET {_PAGE}",
                    database=database.url.get_backend_name(),
                    n=min(tasks, patients),
                    patients=patients,
                    p50=median(durations),
                    p95=quantiles(durations, n=20, method="inclusive")[18],
                    aim=_AIM,
                    rounds=pairs,
                )
            )
    return times


async def _pairs(database: Database, rounds: int) -> tuple[list[PageRound], list[float]]:
    clinic = clinic_on(database)
    async with clinic.opened():
        cookie = await cookie_of_admin(clinic)
        statements = await _statements(clinic, cookie)
    bare = BareDriver(database)
    await bare.open()
    durations: list[float] = []
    pairs: list[PageRound] = []
    async with _console(clinic.settings) as port:

        async def page() -> list[float]:
            return await asyncio.to_thread(_ask, port, cookie)

        async def by_driver() -> list[float]:
            return [await bare.send(statements) for _ in range(_REQUESTS)]

        await page(), await by_driver()  # both sides find their pages in memory
        for number in range(rounds):
            if number % 2:
                bare_took, page_took = await by_driver(), await page()
            else:
                page_took, bare_took = await page(), await by_driver()
            durations += page_took
            pairs.append(PageRound(page=median(page_took), bare=median(bare_took)))
    await bare.close()
    return pairs, durations


def clinic_on(database: Database) -> Clinic:
    """Return the example clinic on a database that holds its register."""
    return Clinic(
        ClinicSettings(
            _env_file=None,
            clinic=ROOT / "examples" / "clinic",
            database_url=_plain_url(database),
            secret_key=SecretStr(_KEY),
        )
    )


async def cookie_of_admin(clinic: Clinic) -> str:
    """Return the cookie of somebody new who has just signed in, and sees every page."""
    now = datetime.now(UTC)
    async with clinic.database.writing() as session:
        account = await accounts.create(session, "Vera", Role.ADMIN, os.urandom(12).hex(), now=now)
    return f"{COOKIE}={SessionCookies(clinic.key).write(SessionClaim.new(account.id, now))}"


async def _statements(clinic: Clinic, cookie: str) -> list[Statement]:
    """Return what one showing of the page sends to the database."""
    transport = httpx.ASGITransport(app=build_app(clinic, {}))
    async with httpx.AsyncClient(transport=transport, base_url="http://console") as client:
        # who has seen whom is noted once a day: what is measured is the page of every other time
        await client.get(_PAGE, headers={"Cookie": cookie})
        with recorded() as statements:
            answer = await client.get(_PAGE, headers={"Cookie": cookie})
    assert answer.status_code == http.HTTPStatus.OK, answer.text
    return statements


def _ask(port: int, cookie: str) -> list[float]:
    """Ask for the page again and again on one connection; return the seconds of each."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.connect()
    durations = []
    for _ in range(_REQUESTS):
        began = time.perf_counter()
        connection.request("GET", _PAGE, headers={"Cookie": cookie})
        answer = connection.getresponse()
        page = answer.read()
        durations.append(time.perf_counter() - began)
        assert answer.status == http.HTTPStatus.OK, page[:500]
    connection.close()
    return durations


@asynccontextmanager
async def _console(settings: ClinicSettings) -> AsyncIterator[int]:
    """Run `python -m console` on a free port of the loopback."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "console", "--port", str(port)),
        cwd=ROOT,
        env=os.environ
        | {
            "REGRESA_CLINIC": str(settings.clinic),
            "REGRESA_DATABASE_URL": settings.database_url,
            "REGRESA_SECRET_KEY": _KEY,
            "REGRESA_CHANNELS": '["call"]',
            "REGRESA_LOG_LEVEL": "error",
        },
    )
    try:
        async with asyncio.timeout(_START_SECONDS):
            await _until_it_listens(port)
        yield port
    finally:
        process.terminate()
        await process.wait()


async def _until_it_listens(port: int) -> None:
    while True:
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.05)


def _plain_url(database: Database) -> str:
    scheme = database.url.get_backend_name()
    return database.url.set(drivername=scheme).render_as_string(hide_password=False)
