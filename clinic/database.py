"""The clinic's database: SQLite (WAL) by default, PostgreSQL by its URL."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import (
    AbstractAsyncContextManager,
    asynccontextmanager,
    closing,
    nullcontext,
)
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol, Self
from weakref import WeakValueDictionary

import asyncpg
from sqlalchemy import Connection, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from clinic import migrations, trial
from clinic.refusal import Refusal


class Transactions(Protocol):
    """The two ways to use a database; `Database` is one, and so is what a trial works on."""

    def reading(self) -> AbstractAsyncContextManager[AsyncSession]:
        """Open a transaction that only reads."""

    def writing(self) -> AbstractAsyncContextManager[AsyncSession]:
        """Open a transaction that commits at the end of the block, or leaves nothing behind."""


_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
}
_BUSY_SECONDS = 30
_READERS = 8
_TURNS: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()


class Database:
    """One connection pool, and the two ways to use it: `reading()` and `writing()`.

    A transaction begins and ends with the block, nowhere deeper: commands and activities are
    its edge. On SQLite, a writing transaction takes its lock at the beginning, so that it never
    fails half-way for another writer's sake.

    Args:
        url: `sqlite:///path/file.db` or `postgresql://user:password@host/name`.

    Raises:
        Refusal: The URL names no database that the clinic can live in.
    """

    def __init__(self, url: str) -> None:
        try:
            parsed = make_url(url)
        except ArgumentError:
            raise Refusal(
                "REGRESA_DATABASE_URL is no database URL", "Write for example sqlite:///regresa.db"
            ) from None
        driver = _DRIVERS.get(parsed.drivername.partition("+")[0])
        if driver is None:
            raise Refusal(
                f"REGRESA_DATABASE_URL names `{parsed.drivername}`, which is not supported",
                "Use sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME",
            )
        self.url = parsed.set(drivername=driver)
        self.embedded = self.url.get_backend_name() == "sqlite"
        if self.embedded and self.url.database:
            try:
                Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
                # whole patients stand in it: nobody else on the machine reads along
                Path(self.url.database).touch(mode=0o600, exist_ok=True)
            except OSError as error:
                raise self._unreachable(error) from None
        # parameters are patients' names and numbers: an error's text must not carry them
        self._engine = create_async_engine(self.url, hide_parameters=True, **self._pool())
        # SQLite lets one write at a time. Who waits for a turn here waits in order; who waits
        # in SQLite sleeps and polls, which costs twice the time under load.
        self._turn: AbstractAsyncContextManager[None] = (
            _turns(str(self.url)) if self.embedded else nullcontext()
        )
        if self.embedded:
            event.listen(self._engine.sync_engine, "connect", _prepare_sqlite)
            event.listen(self._engine.sync_engine, "begin", _begin_sqlite)
        self._writing = self._engine.execution_options(writing=True)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction that only reads."""
        async with AsyncSession(self._engine, expire_on_commit=False) as session, session.begin():
            yield session

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction that commits at the end of the block, or leaves nothing behind."""
        async with (
            self._turn,
            AsyncSession(self._writing, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    @asynccontextmanager
    async def discarding(self) -> AsyncIterator[Transactions]:
        """Open the database as it stands, for a trial: nothing that is written stays.

        The clinic works on meanwhile, and neither waits for the other: on SQLite the trial has a
        copy of the file, on PostgreSQL temporary copies of the tables.

        Raises:
            Refusal: There is no room for a copy.
        """
        if self.embedded:
            with TemporaryDirectory(prefix="regresa-trial-") as folder:
                copy = Path(folder) / "trial.db"
                try:
                    await self._copy_to(copy)
                except (DBAPIError, sqlite3.Error) as error:
                    raise Refusal(f"no copy of the database for a trial: {_root(error)}") from None
                async with Database(f"sqlite:///{copy}") as database:
                    yield database
            return
        async with self._writing.connect() as connection:
            try:
                yield await trial.on_copied_tables(connection)
            finally:
                await connection.rollback()

    async def _copy_to(self, copy: Path) -> None:
        async with self._engine.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            with closing(sqlite3.connect(copy, check_same_thread=False)) as target:
                await driver.backup(target)

    def _pool(self) -> dict[str, Any]:
        if self.embedded:
            return {"pool_size": _READERS, "max_overflow": 0}
        return {"pool_pre_ping": True}

    async def prepare(self) -> None:
        """Make sure that the tables are there, and are those this version knows.

        A database without any table is set up. One that is behind or ahead is left alone.

        Raises:
            Refusal: The database can't be reached, or `migrate` has to be run first.
        """
        try:
            async with self._engine.connect() as connection:
                found = await connection.run_sync(migrations.revision_of)
        except (DBAPIError, asyncpg.PostgresError, OSError) as error:
            raise self._unreachable(error) from error
        if found is None:
            await self.migrate()
        elif found != migrations.latest():
            raise Refusal(
                f"the database is at revision {found}, this version needs {migrations.latest()}",
                "Make a backup, then run: regresa migrate",
            )

    def _unreachable(self, error: Exception) -> Refusal:
        return Refusal(
            f"no database at {self.url.render_as_string()}: {_root(error)}",
            "Check REGRESA_DATABASE_URL, and that the server runs.",
        )

    async def migrate(self) -> None:
        """Bring the tables to this version's revision."""
        async with self._writing.connect() as connection:
            await connection.run_sync(migrations.upgrade)
            await connection.commit()

    async def leave_no_traces(self) -> bool:
        """Empty SQLite's write-ahead log, which still holds rows as they once were.

        On PostgreSQL there is nothing to do here: its own vacuum clears old rows away.

        Returns:
            False where another process reads or writes just now; it is emptied later then.
        """
        if not self.embedded:
            return True
        async with self._turn, self._engine.connect() as connection:
            raw = await connection.get_raw_connection()
            emptied = await raw.driver_connection.execute_fetchall(  # type: ignore[union-attr]
                "PRAGMA wal_checkpoint(TRUNCATE)"
            )
        return not emptied[0][0]

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

    async def __aenter__(self) -> Self:
        """Prepare the database.

        Raises:
            Refusal: See `prepare`.
        """
        try:
            await self.prepare()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the database."""
        await self.close()


def cause_of(error: Exception) -> str:
    """Return what a database says is wrong, in a line without any patient's data."""
    # PostgreSQL's further lines name the values of a row
    return _root(error).partition("\n")[0]


def _turns(url: str) -> asyncio.Lock:
    """Return the one lock that this process's writers to a file share."""
    return _TURNS.setdefault(url, asyncio.Lock())


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver's own transactions are off: `_begin_sqlite` begins them, with the right lock.
    connection.isolation_level = None
    cursor = connection.cursor()
    # FULL: a claim in the ledger must survive a power cut, else a message could go out twice.
    for pragma in (
        f"busy_timeout = {_BUSY_SECONDS * 1000}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        # what is erased or overwritten must not stand in the file's free space
        "secure_delete = ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
    # SQLite's own knows only A to Z; PostgreSQL's also Ó and Ч
    connection.create_function("lower", 1, _lower, deterministic=True)


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _root(error: BaseException) -> str:
    origin = getattr(error, "orig", None) or error
    if isinstance(origin, sqlite3.Error | asyncpg.PostgresError | OSError):
        return str(origin)
    return type(origin).__name__
