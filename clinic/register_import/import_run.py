"""The import of a clinic's patient list: every row ends as new, updated, unchanged or rejected.

    an export -> rows (`source_file`) -> batches (`batch`) -> the register

Each batch is a transaction of its own, so that webhooks and deliveries never wait long. How far
a run came is committed with it: one that was interrupted says so, and the same command again
finishes it.
"""

import asyncio
import gc
import sqlite3
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import asyncpg
from pydantic import SecretStr
from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.database import Transactions, cause_of
from clinic.identifiers import new_id
from clinic.refusal import Refusal
from clinic.register_import.batch import BatchWriter
from clinic.register_import.import_result import AGAIN, ImportResult
from clinic.register_import.numbers_seen import Doubt, NumbersSeen
from clinic.register_import.register_row import ReadRow, Source
from clinic.register_import.rejects import Reject
from clinic.register_import.rows_ahead import rows_ahead
from clinic.tables import Appointment, ImportRun

__all__ = ["ImportResult", "import_register", "unfinished_imports"]

_Done = TypeVar("_Done")

_BATCH = 2_000
"""Rows in a transaction: on SQLite, all other writers wait while it lasts."""
_CACHE_KIB = 16_384
_MANY_NEW = 10_000
"""Patients; so many more make PostgreSQL's plans for the register as it was wrong."""
_TAKEN = (IntegrityError, asyncpg.IntegrityConstraintViolationError)
_FAILURES = (DBAPIError, sqlite3.Error, asyncpg.PostgresError, asyncpg.InterfaceError, OSError)


def _ignore(_: object) -> None:
    pass


async def import_register(
    database: Transactions,
    source: Source,
    *,
    now: datetime,
    key: SecretStr,
    zone: ZoneInfo,
    rows_at_once: int = _BATCH,
    result: ImportResult | None = None,
    on_reject: Callable[[Reject], None] = _ignore,
    on_progress: Callable[[int], None] = _ignore,
) -> ImportResult:
    """Import an export into the register, batch by batch.

    A row updates the patient with the same number; what it does not say stays as it was. Where
    rows of one file contradict each other, the first stands. The same file again changes
    nothing.

    Args:
        database: The register; `Database.discarding()` gives one for a trial that leaves nothing.
        source: The export, looked through.
        now: Aware UTC.
        key: For the inbox, and for the hashes of those who were forgotten.
        zone: The clinic's time zone.
        rows_at_once: Rows in a transaction.
        result: Filled as the import goes, for who wants to see it also when it is interrupted.
        on_reject: Called for each row or cell that could not be used, in the file's order.
        on_progress: Called after each batch with the source's position.

    Raises:
        Refusal: The import could not go on; it says how far it came.
    """
    result = ImportResult() if result is None else result
    try:
        with _collecting_what_is_new(), NumbersSeen() as seen:
            writer = BatchWriter(source.name, now=now, key=key, zone=zone, seen=seen)
            run = _Run(database, source, writer, result, now)
            await _to_its_end(run.begin())
            await run.write_rows(rows_at_once, on_reject, on_progress)
            await _to_its_end(run.finish(seen))
    except _TAKEN as error:
        raise _stopped(source, result, "somebody else imports at the same time") from error
    except _FAILURES as error:
        raise _stopped(source, result, cause_of(error)) from error
    except Refusal as refusal:
        raise _stopped(source, result, refusal.problem) from refusal
    return result


@contextmanager
def _collecting_what_is_new() -> Iterator[None]:
    """Keep the garbage collector from looking through all that was there before, again and again.

    It goes on to look through the batches: with higher thresholds memory grew with the file.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


async def _to_its_end(transaction: Coroutine[Any, Any, _Done]) -> _Done:
    """Let a transaction end before an interrupt is heard: what is committed is counted as well."""
    task = asyncio.create_task(transaction)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # the interrupt comes first
        raise


def _stopped(source: Source, result: ImportResult, why: str) -> Refusal:
    return Refusal(f"{result.how_far(source.name)}: {why}", AGAIN)


async def unfinished_imports(session: AsyncSession) -> Sequence[ImportRun]:
    """Return the imports that did not reach their file's end, and were not run again since.

    One that is under way at this moment is among them.
    """
    run, later = ImportRun, ImportRun.__table__.alias("later")
    finished_since = select(later.c.id).where(
        later.c.file_name == run.file_name,
        later.c.finished_at.is_not(None),
        later.c.started_at >= run.started_at,
    )
    query = select(run).where(run.finished_at.is_(None), ~finished_since.exists())
    return (await session.scalars(query.order_by(run.started_at))).all()


class _Run:
    """One run of an import, and its row in the table of runs."""

    def __init__(
        self,
        database: Transactions,
        source: Source,
        writer: BatchWriter,
        result: ImportResult,
        now: datetime,
    ) -> None:
        self._database = database
        self._source = source
        self._writer = writer
        self._result = result
        self._now = now
        self._began = time.monotonic()
        self._id = new_id("im")

    async def begin(self) -> None:
        """Record that the import begins."""
        async with self._database.writing() as session:
            session.add(ImportRun(id=self._id, file_name=self._source.name, started_at=self._now))

    async def write_rows(
        self,
        at_once: int,
        on_reject: Callable[[Reject], None],
        on_progress: Callable[[int], None],
    ) -> None:
        """Write the file's rows: while the database takes one batch, the next one is read."""
        ahead = rows_ahead(self._source, at_once)
        reading = asyncio.create_task(asyncio.to_thread(ahead.take))
        try:
            while (batch := await reading).rows:
                reading = asyncio.create_task(asyncio.to_thread(ahead.take))
                for reject in await _to_its_end(self._write(batch.rows)):
                    on_reject(reject)
                on_progress(batch.position)
        finally:
            await asyncio.wait([reading])  # nothing is closed under the thread that reads
            ahead.close()
            if not reading.cancelled():
                reading.exception()  # whatever ended the import comes first

    async def _write(self, rows: list[ReadRow]) -> list[Reject]:
        async with self._database.writing() as session:
            await _keep_more_pages(session)
            batch = await self._writer.write(session, rows)
            reached = {"line": rows[-1].line, **self._result.with_batch(batch)}
            await self._record(session, reached)
        self._result.add(batch, rows)
        return batch.rejects

    async def finish(self, seen: NumbersSeen) -> None:
        """Take back the appointments that no longer stand, and record that the end was reached."""
        elapsed = timedelta(seconds=time.monotonic() - self._began)
        last_line = 0
        for gone in seen.appointments_gone(_BATCH):
            async with self._database.writing() as session:
                await _take_back(session, gone)
                for doubt in gone:
                    if doubt.row_was_unchanged and doubt.line != last_line:
                        self._result.unchanged -= 1
                        self._result.updated += 1
                        last_line = doubt.line
        async with self._database.writing() as session:
            finished = {"finished_at": self._now + elapsed, **self._result.counts}
            await self._record(session, finished)
            if self._result.new > _MANY_NEW:
                await _count_rows(session)

    async def _record(self, session: AsyncSession, reached: dict[str, Any]) -> None:
        await session.execute(update(ImportRun).where(ImportRun.id == self._id).values(reached))


async def _keep_more_pages(session: AsyncSession) -> None:
    """Let SQLite keep the indexes' pages in memory: new rows land all over them."""
    connection = await session.connection()
    if connection.dialect.name == "sqlite":
        await connection.exec_driver_sql(f"PRAGMA cache_size = -{_CACHE_KIB}")


async def _count_rows(session: AsyncSession) -> None:
    """Tell PostgreSQL how the tables have grown: until its own time comes, it plans as before."""
    connection = await session.connection()
    if connection.dialect.name == "postgresql":
        await connection.exec_driver_sql("ANALYZE patients, visits")


async def _take_back(session: AsyncSession, gone: list[Doubt]) -> None:
    table: Any = Appointment.__table__
    statement = delete(table).where(
        table.c.patient_id == bindparam("whose"), table.c.at == bindparam("then")
    )
    rows = [{"whose": doubt.patient_id, "then": doubt.at} for doubt in gone]
    await (await session.connection()).execute(statement, rows)
