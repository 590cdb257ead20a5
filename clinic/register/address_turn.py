"""Deliveries to one address take turns: each counts the contacts that the others have claimed."""

from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

_HASH_DIGITS = 15
"""Hexadecimal digits of a hash that fit into PostgreSQL's 64-bit number of a lock."""


async def take_turn(session: AsyncSession, hashes: Iterable[str]) -> None:
    """Wait until no other delivery is between counting an address's contacts and claiming one.

    Of two who write to one phone at the same moment, in whichever campaigns, the second goes on
    when the first one's claim is committed, and finds it. The turn ends with the transaction.

    Args:
        session: A writing transaction.
        hashes: The keyed hashes of every address whose contacts count.
    """
    if session.get_bind().dialect.name != "postgresql":
        return  # SQLite lets one write at a time
    # in one order: two who share several addresses can't wait for each other
    for hashed in sorted(hashes):
        await session.execute(select(func.pg_advisory_xact_lock(int(hashed[:_HASH_DIGITS], 16))))
