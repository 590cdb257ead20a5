"""What the event behind a call says of it: how urgent, for when, and whether a call answered it."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.call_task import TaskKind, urgency
from clinic.event import CallOutcome
from clinic.tables import Call, CallTask, Event

_REACHED_NOBODY = (CallOutcome.NO_ANSWER, CallOutcome.VOICEMAIL, CallOutcome.WRONG_NUMBER)


async def is_answered(session: AsyncSession, task: CallTask, event_id: str | None) -> bool:
    """Say whether somebody has called since a reply came, which is heard of once more.

    A call that reached nobody answers only what its task was about: of a reply that had not
    arrived there whoever called did not know.
    """
    since = (
        select(Call.id)
        .join(Event, Event.received_at <= Call.made_at)
        .where(Call.task_id == task.id, Event.id == event_id)
    )
    if task.event_id != event_id:
        since = since.where(Call.outcome.not_in(_REACHED_NOBODY))
    return event_id is not None and await session.scalar(since.limit(1)) is not None


async def priority_of(session: AsyncSession, kind: TaskKind, event_id: str | None) -> int:
    """Return a task's priority: who says yes comes before all others."""
    if event_id is None:
        return kind.priority
    event = await session.scalar(select(Event).where(Event.id == event_id))
    return urgency(kind, event.details.get("reading") if event is not None else None)


async def asked_for(session: AsyncSession, event_id: str | None, now: datetime) -> datetime | None:
    """Return when the patient asks to be called, aware UTC, where that still lies ahead."""
    event = await session.scalar(select(Event).where(Event.id == event_id))
    written = event.details.get("at") if event is not None else None
    asked = datetime.fromisoformat(written) if written is not None else None
    return asked if asked is not None and asked > now else None
