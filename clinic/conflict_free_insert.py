"""INSERT ... ON CONFLICT DO NOTHING, which SQLite and PostgreSQL spell the same way."""

from typing import Any

from sqlalchemy import inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase


async def insert_if_new(
    session: AsyncSession, table: type[DeclarativeBase], *rows: dict[str, Any]
) -> bool:
    """Insert rows that break no unique constraint; the others are left as they stand.

    Returns:
        Whether any row was new.
    """
    if not rows:
        return False
    dialect = session.get_bind().dialect.name
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    key = inspect(table).primary_key[0]
    statement = insert(table).values(list(rows)).on_conflict_do_nothing().returning(key)
    return (await session.execute(statement)).first() is not None
