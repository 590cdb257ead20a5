"""Since when something that happened outside waits to be passed on."""

from datetime import datetime

from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from clinic.tables import Event

ABOUT_TO_START = "attempt is about to start"
"""Why an event may have to wait though all is well: its attempt has no workflow yet."""


async def waiting_since(session: AsyncSession) -> datetime | None:
    """Return when the oldest event came that nobody has passed on yet; aware UTC.

    Those that wait for the start of their attempt, and those behind them, are left out: they wait
    for the campaign's pace. None: nothing waits.

    Args:
        session: Any transaction.
    """
    earlier = aliased(Event)
    behind_one = exists().where(
        earlier.attempt_id == Event.attempt_id,
        earlier.relayed_at.is_(None),
        earlier.relay_result == ABOUT_TO_START,
    )
    # read off the index of what waits, whose first entry it mostly is
    oldest = (
        select(Event.received_at)
        .where(
            Event.relayed_at.is_(None),
            func.coalesce(Event.relay_result, "") != ABOUT_TO_START,
            ~behind_one,
        )
        .order_by(Event.number)
        .limit(1)
    )
    return await session.scalar(oldest)
