"""INSERT of many rows, as fast as the driver takes them.

SQLAlchemy prepares each row as a dictionary, which takes longer than SQLite takes to write it:
here it makes the statement and converts the values, and the driver gets the rows as they are.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Date, Dialect, Table, bindparam, insert
from sqlalchemy.ext.asyncio import AsyncSession


async def insert_many(
    session: AsyncSession, table: Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert rows.

    Args:
        session: A writing transaction; nothing of it may be waiting to be flushed.
        table: Where to.
        columns: In the order of each row's values; the others get the database's default.
        rows: Values as Python has them.
    """
    if not rows:
        return
    prepared = _prepared(session.get_bind().dialect, table, columns)
    connection = await session.connection()
    await connection.exec_driver_sql(prepared.statement, [prepared.values(row) for row in rows])


@dataclass(frozen=True)
class _Prepared:
    statement: str
    in_order: Callable[[tuple[Any, ...]], tuple[Any, ...]]
    converts: tuple[tuple[int, Callable[[Any], Any]], ...]

    def values(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return a row as the driver takes it."""
        if not self.converts:
            return self.in_order(row)
        values = list(row)
        for position, convert in self.converts:
            values[position] = convert(values[position])
        return self.in_order(tuple(values))


def _converter(table: Table, name: str, dialect: Dialect) -> Callable[[Any], Any] | None:
    type_ = table.c[name].type
    if isinstance(type_, Date) and dialect.name == "sqlite":
        return _iso_day  # what SQLAlchemy writes, in a fifth of the time
    return type_.dialect_impl(dialect).bind_processor(dialect)


def _iso_day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


@lru_cache(32)
def _prepared(dialect: Dialect, table: Table, columns: tuple[str, ...]) -> _Prepared:
    statement = insert(table).values({name: bindparam(name) for name in columns}).inline()
    compiled: Any = statement.compile(dialect=dialect)
    converts = (
        (position, convert)
        for position, name in enumerate(columns)
        if (convert := _converter(table, name, dialect))
    )
    in_order = itemgetter(*(columns.index(name) for name in compiled.positiontup))
    return _Prepared(str(compiled), in_order, tuple(converts))
