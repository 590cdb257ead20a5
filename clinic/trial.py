"""A trial on PostgreSQL: copies of the tables, in a transaction that is rolled back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from clinic.tables import Table


class CopiedTables:
    """A database within one transaction that will be rolled back; its own are savepoints."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction that only reads."""
        async with self.writing() as session:
            yield session

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction that later ones see, until all is rolled back."""
        async with (
            AsyncSession(
                self._connection,
                expire_on_commit=False,
                join_transaction_mode="create_savepoint",
            ) as session,
            session.begin(),
        ):
            yield session


async def on_copied_tables(connection: AsyncConnection) -> CopiedTables:
    """Hide each table behind a temporary copy, which this connection alone sees.

    Whoever works on the tables themselves is not kept waiting: no row of theirs is locked.

    Args:
        connection: To PostgreSQL; the copies are gone when its transaction is rolled back.
    """
    schema = await connection.scalar(text("SELECT current_schema()"))
    for table in Table.metadata.tables:
        for statement in (
            f"CREATE TEMPORARY TABLE {table} (LIKE {schema}.{table} INCLUDING ALL) ON COMMIT DROP",
            f"INSERT INTO pg_temp.{table} SELECT * FROM {schema}.{table}",  # noqa: S608 - our own names
            f"ANALYZE pg_temp.{table}",
        ):
            await connection.execute(text(statement))
    return CopiedTables(connection)
