"""INSERT of many rows, as fast as the driver takes them.

SQLAlchemy prepares each row as a dictionary, which takes longer than the database takes to write
it: here it converts the values and makes the statement, and the driver gets the rows as they are.
PostgreSQL gets them as COPY, which spares it a round of its protocol for each row.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, partial
from typing import Any

from sqlalchemy import Date, Dialect, Table, bindparam, insert
from sqlalchemy.ext.asyncio import AsyncSession

_Convert = Callable[[Iterable[Any]], Iterable[Any]]


async def insert_many(
    session: AsyncSession, table: Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert rows.

    Args:
        session: A writing transaction in which something was read or written before; nothing of
            it may be waiting to be flushed.
        table: Where to.
        columns: In the order of each row's values; the others get the database's default.
        rows: Values as Python has them.

    Raises:
        sqlalchemy.exc.IntegrityError: A row is there already, on SQLite.
        asyncpg.IntegrityConstraintViolationError: The same, on PostgreSQL.
    """
    if not rows:
        return
    connection = await session.connection()
    prepared = _prepared(connection.dialect, table, columns)
    values = prepared.values(rows)
    if connection.dialect.name != "postgresql":
        await connection.exec_driver_sql(prepared.statement, values)
        return
    driver: Any = (await connection.get_raw_connection()).driver_connection
    await driver.copy_records_to_table(table.name, columns=prepared.columns, records=values)


@dataclass(frozen=True)
class _Prepared:
    statement: str
    columns: tuple[str, ...]
    converted: tuple[tuple[int, _Convert], ...]

    def values(self, rows: Sequence[tuple[Any, ...]]) -> Sequence[tuple[Any, ...]]:
        """Return rows as the driver takes them."""
        given = list(zip(*rows, strict=True))
        return list(
            zip(*(convert(given[position]) for position, convert in self.converted), strict=True)
        )


def _converter(table: Table, name: str, dialect: Dialect) -> _Convert:
    type_ = table.c[name].type
    if isinstance(type_, Date) and dialect.name == "sqlite":
        return _iso_days  # what SQLAlchemy writes, in a fifth of the time
    convert = type_.dialect_impl(dialect).bind_processor(dialect)
    return iter if convert is None else partial(map, convert)


def _iso_days(days: Iterable[date | None]) -> list[str | None]:
    return [None if day is None else day.isoformat() for day in days]


@lru_cache(32)
def _prepared(dialect: Dialect, table: Table, columns: tuple[str, ...]) -> _Prepared:
    statement = insert(table).values({name: bindparam(name) for name in columns}).inline()
    compiled: Any = statement.compile(dialect=dialect)
    in_order = tuple(compiled.positiontup)
    converted = ((columns.index(name), _converter(table, name, dialect)) for name in in_order)
    return _Prepared(str(compiled), in_order, tuple(converted))
