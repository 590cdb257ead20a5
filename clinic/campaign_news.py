"""What ops want of a campaign is told to its workflow, and to its attempts: by events."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import SecretStr
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from clinic import inbox
from clinic.event import EventKind
from clinic.identifiers import new_id
from clinic.tables import Campaign, Event

OPS = "ops"
"""The source of events that clinic ops cause."""


async def tell(
    session: AsyncSession, campaign: Campaign, kind: EventKind, now: datetime, key: SecretStr
) -> None:
    """Tell a campaign's workflow what ops want.

    Args:
        session: A writing transaction.
        campaign: The campaign.
        kind: What they want of it.
        now: Aware UTC.
        key: The key of the suppression hashes.
    """
    told = inbox.Received(source=OPS, source_key=new_id("told"), kind=kind, campaign_id=campaign.id)
    await inbox.store(session, told, now=now, key=key)


async def tell_attempts(
    session: AsyncSession, attempt_ids: Sequence[str], kind: EventKind, now: datetime
) -> None:
    """Tell many attempts what ops want, in one statement.

    Args:
        session: A writing transaction.
        attempt_ids: The attempts.
        kind: What ops want of them.
        now: Aware UTC.
    """
    rows: list[dict[str, Any]] = [
        {
            "source": OPS,
            "source_key": new_id("told"),
            "kind": kind.value,
            "attempt_id": attempt_id,
            "received_at": now,
            "body": "",
            "details": {},
        }
        for attempt_id in attempt_ids
    ]
    if rows:
        await session.execute(insert(Event), rows)
