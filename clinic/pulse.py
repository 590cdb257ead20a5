"""The clinic's pulse: how much of everything there is just now, in numbers that name nobody."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict
from sqlalchemy import case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic import call_list, channel_hold
from clinic.attempt import AttemptState
from clinic.audit import Action
from clinic.event import EventKind
from clinic.tables import Attempt, AuditEntry, CallTask, Event, ImportRun, Message
from clinic.unrelayed import waiting_since


class Stage(StrEnum):
    """Who has the next word in an attempt that is open."""

    MACHINE = "machine"
    PERSON = "person"
    """It stands on the call list."""
    HELD = "held"
    """Its campaign is paused, or its channel is held."""


class Pulse(BaseModel):
    """How much there is of everything.

    Attributes:
        calls_open: Tasks on the call list.
        calls_overdue: Those of them whose due time has passed.
        events_waiting: Answers and outcomes that no workflow has heard of yet.
        waiting_since: When the oldest of these arrived, aware UTC; None: there is none.
        attempts_open: By who has the next word, and by how far up the plan they are: the number
            of the latest step with a message or a call task, 0 before the first.
        messages_sent: By channel; one for a whole household is one.
        replies: By where they came from: a channel, the patient's link, staff.
        channels_held: Channel to how many attempts wait for it.
        imports_unfinished: Runs that have not reached their file's end, broken off or under way.
        sign_ins_refused: Since the audit log began.
    """

    model_config = ConfigDict(frozen=True)

    calls_open: int
    calls_overdue: int
    events_waiting: int
    waiting_since: datetime | None
    attempts_open: Mapping[tuple[Stage, int], int]
    messages_sent: Mapping[str, int]
    replies: Mapping[str, int]
    channels_held: Mapping[str, int]
    imports_unfinished: int
    sign_ins_refused: int


async def pulse_of(session: AsyncSession, now: datetime) -> Pulse:
    """Take the pulse. A large clinic's takes a second: whoever asks often keeps it a while.

    Args:
        session: Any transaction.
        now: Aware UTC.
    """
    unrelayed = select(func.count()).select_from(Event).where(Event.relayed_at.is_(None))
    unfinished = select(func.count(ImportRun.id)).where(ImportRun.finished_at.is_(None))
    refused = select(func.count(AuditEntry.number)).where(
        AuditEntry.action == Action.SIGN_IN_REFUSED.value
    )
    return Pulse(
        calls_open=await call_list.count_open(session),
        calls_overdue=await call_list.count_open(session, due_before=now),
        events_waiting=await session.scalar(unrelayed) or 0,
        waiting_since=await waiting_since(session),
        attempts_open=await _attempts_open(session),
        messages_sent=await _messages_sent(session),
        replies=await _replies(session),
        channels_held={held.channel: held.waiting for held in await channel_hold.held(session)},
        imports_unfinished=await session.scalar(unfinished) or 0,
        sign_ins_refused=await session.scalar(refused) or 0,
    )


async def _attempts_open(session: AsyncSession) -> dict[tuple[Stage, int], int]:
    stage = case(
        (CallTask.id.is_not(None), Stage.PERSON.value),
        (or_(Attempt.held, Attempt.held_channel.is_not(None)), Stage.HELD.value),
        else_=Stage.MACHINE.value,
    )
    latest_message = (
        select(func.max(Message.step)).where(Message.attempt_id == Attempt.id).scalar_subquery()
    )
    latest = (
        select(stage.label("stage"), func.coalesce(CallTask.step, latest_message, -1).label("step"))
        .select_from(Attempt)
        .outerjoin(CallTask, (CallTask.attempt_id == Attempt.id) & CallTask.closed_at.is_(None))
        .where(Attempt.state == AttemptState.OPEN.value)
        .subquery()
    )
    counted = await session.execute(
        select(latest.c.stage, latest.c.step, func.count()).group_by(latest.c.stage, latest.c.step)
    )
    return {(Stage(stage), step + 1): count for stage, step, count in counted}


async def _messages_sent(session: AsyncSession) -> dict[str, int]:
    counted = await session.execute(
        select(Message.channel, func.count())
        .where(Message.sent_at.is_not(None), Message.carried_by.is_(None))
        .group_by(Message.channel)
    )
    return {row[0]: row[1] for row in counted}


async def _replies(session: AsyncSession) -> dict[str, int]:
    counted = await session.execute(
        select(Event.source, func.count())
        .where(Event.kind == EventKind.REPLY.value)
        .group_by(Event.source)
    )
    return {row[0]: row[1] for row in counted}
