"""The statements that something sends to its database, and the same sent by the bare driver."""

import sqlite3
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import asyncpg
from sqlalchemy import Engine, event

from clinic.database import Database

Statement = tuple[str, Sequence[Any]]


@contextmanager
def recorded() -> Iterator[list[Statement]]:
    """Collect every statement that this process sends within the block, as the driver gets it."""
    statements: list[Statement] = []

    def record(*sent: Any) -> None:
        _connection, _cursor, sql, parameters, *_ = sent
        statements.append((sql, parameters))

    event.listen(Engine, "before_cursor_execute", record)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", record)


Replay = Callable[[], Coroutine[Any, Any, float]]


class BareDriver:
    """One connection of the driver alone, with nothing of ours or of SQLAlchemy between.

    Args:
        database: Where it connects to.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sqlite: sqlite3.Connection | None = None
        self._postgresql: Any = None

    async def open(self) -> None:
        """Connect."""
        url = self._database.url
        if self._database.embedded:
            self._sqlite = sqlite3.connect(str(url.database), isolation_level=None)
        else:
            plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
            self._postgresql = await asyncpg.connect(plain)

    async def close(self) -> None:
        """Disconnect."""
        if self._sqlite is not None:
            self._sqlite.close()
        if self._postgresql is not None:
            await self._postgresql.close()

    async def send(self, statements: Sequence[Statement]) -> float:
        """Send statements one after the other and fetch all rows; return the seconds it took."""
        began = time.perf_counter()
        if self._sqlite is not None:
            for sql, parameters in statements:
                if sql.startswith("BEGIN") and self._sqlite.in_transaction:
                    self._sqlite.execute("COMMIT")
                self._sqlite.execute(sql, parameters).fetchall()
            if self._sqlite.in_transaction:
                self._sqlite.execute("COMMIT")
        else:
            async with self._postgresql.transaction():
                for sql, parameters in statements:
                    await self._postgresql.fetch(sql, *parameters)
        return time.perf_counter() - began
