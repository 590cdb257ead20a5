"""`python -m console.register_import.apart`: reads one list, in a process of its own.

The console goes on answering meanwhile: a patient's page never waits for a list. The order comes
as a line on the standard input. Whoever closes that, or ends, stops the work: an import after the
batch that is being written.
"""

import asyncio
import contextlib
import os
import sys
import threading
import time
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from clinic.database import Database, Transactions
from clinic.refusal import Refusal
from clinic.register_import.file_refusal import FileRefusal
from clinic.register_import.import_result import ImportResult
from clinic.register_import.import_run import import_register
from clinic.register_import.source_file import open_source
from console.register_import.kept_rejects import KeptRejects
from console.register_import.report import (
    End,
    Kind,
    Order,
    Progress,
    Refused,
    RejectLine,
    Report,
)

if TYPE_CHECKING:
    from clinic.register_import.register_row import Source

ROWS_AT_ONCE = 500
"""Rows in a transaction, fewer than a command's: patients and webhooks write in between."""
_PAUSE_SECONDS = 0.02
"""Between two of them. On SQLite, who waits for the lock asks for it now and then only."""
_YIELDING = 5
"""The system gives the console's own process its time first (`nice`)."""


def main() -> None:
    """Do what the order says, and leave a report in the upload's folder."""
    order = Order.model_validate_json(sys.stdin.readline())
    os.umask(0o077)
    os.nice(_YIELDING)
    os.chdir(order.folder)
    report = asyncio.run(_Work(order).run())
    name = f"{order.kind}.json"
    Path(f"{name}.part").write_text(report.model_dump_json(), encoding="utf-8")
    Path(f"{name}.part").rename(name)


class _Work:
    def __init__(self, order: Order) -> None:
        self._order = order
        self._result = ImportResult()
        self._source: Source | None = None
        self._began = time.monotonic()

    async def run(self) -> Report:
        """Do the work to its end, to a refusal, or until it is stopped."""
        working = asyncio.create_task(self._read())
        _stop_with_the_console(working, lambda: self._source is None)
        try:
            await working
        except asyncio.CancelledError:
            return self._report(End.STOPPED)
        except FileRefusal as refusal:
            why = Refused(
                why=refusal.why,
                problem=self._without_paths(refusal.problem),
                line=refusal.line,
                named=refusal.named,
            )
            return self._report(End.REFUSED, why)
        except Refusal as refusal:
            why = Refused(problem=self._without_paths(refusal.problem))
            return self._report(End.REFUSED, why)
        except Exception as error:  # noqa: BLE001 - whatever broke, the console has to be told
            # an error's text may hold a patient's data: where it broke is enough
            traceback.print_tb(error.__traceback__)
            return self._report(End.BROKEN, Refused(problem=type(error).__name__))
        return self._report(End.DONE)

    async def _read(self) -> None:
        order = self._order
        source = await asyncio.to_thread(
            open_source,
            order.list_file,
            country=order.country,
            language=order.language,
            zone=ZoneInfo(order.zone),
            today=order.today,
            mapping=order.mapping,
            encoding=order.encoding or None,
        )
        self._source = source
        with KeptRejects(Path(f"{order.kind}.rejects.jsonl"), source.header) as rejects:
            async with self._register() as database:
                self._tell(0)
                await import_register(
                    database,
                    source,
                    now=order.now,
                    key=order.key,
                    zone=ZoneInfo(order.zone),
                    rows_at_once=ROWS_AT_ONCE,
                    result=self._result,
                    on_reject=rejects.add,
                    on_progress=self._tell,
                )

    @asynccontextmanager
    async def _register(self) -> AsyncIterator[Transactions]:
        async with Database(self._order.database_url.get_secret_value()) as database:
            if self._order.kind is Kind.IMPORT:
                yield database
                return
            async with database.discarding() as trial:
                yield trial

    def _tell(self, position: int) -> None:
        assert self._source is not None  # noqa: S101 - rows are read from it
        told = Progress(position=position, size=self._source.size, rows=self._result.rows)
        with contextlib.suppress(BrokenPipeError):  # nobody listens: the work is stopped as well
            print(told.model_dump_json(), flush=True)  # noqa: T201 - to the console, by the pipe
        if self._order.kind is Kind.IMPORT:
            time.sleep(_PAUSE_SECONDS)

    def _report(self, end: End, refused: Refused | None = None) -> Report:
        source, result = self._source, self._result
        return Report(
            end=end,
            at=self._order.now,
            seconds=time.monotonic() - self._began,
            refused=refused,
            reading=source.reading if source else None,
            columns=source.understood if source else {},
            ignored=list(source.ignored) if source else [],
            counts=result.counts,
            line=result.line,
            first_rows=result.first_rows,
            first_changes=result.first_changes,
            unusable=result.unusable,
            rejects=[RejectLine.of_reject(each) for each in result.rejects],
            duplicates=result.duplicates,
        )

    def _without_paths(self, problem: str) -> str:
        for path in filter(None, (self._order.list_file, self._order.mapping)):
            problem = problem.replace(str(path), path.name)
        return problem


def _stop_with_the_console(
    working: "asyncio.Task[None]", is_only_looking: Callable[[], bool]
) -> None:
    """Stop the work when the standard input ends."""
    loop = asyncio.get_running_loop()

    def wait() -> None:
        # not by `sys.stdin`: a process that is forked meanwhile would wait for its lock for ever
        while os.read(0, 4096):
            pass
        if is_only_looking():
            os._exit(1)  # nothing was written, and the thread that looks can't be told to stop
        loop.call_soon_threadsafe(working.cancel)

    threading.Thread(target=wait, daemon=True).start()


if __name__ == "__main__":
    main()
