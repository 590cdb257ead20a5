"""When a patient last wrote on a channel: some providers allow free text only for a while after."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.event import EventKind
from clinic.tables import Event

_WRITTEN = [kind.value for kind in (EventKind.REPLY, EventKind.DECLINED)]
"""What the patient's own words are read as; a notice may be a machine's, and whoever said stop is
not written to."""


async def last_heard(session: AsyncSession, patient_id: str, channel: str) -> datetime | None:
    """Return when a patient last wrote on a channel, aware UTC; None: never.

    Args:
        session: Any transaction.
        patient_id: The patient's opaque id.
        channel: The channel's name.
    """
    query = select(func.max(Event.received_at)).where(
        Event.patient_id == patient_id, Event.source == channel, Event.kind.in_(_WRITTEN)
    )
    heard: datetime | None = await session.scalar(query)
    return heard
