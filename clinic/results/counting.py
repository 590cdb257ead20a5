"""The figures' queries: each gives a few rows, whatever the number of attempts."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import CTE, and_, case, func, literal, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.attempt import AttemptState
from clinic.outcome import Outcome
from clinic.plan import CALL
from clinic.results.facts import answering, arrived, booked, came, reached, sent, stage
from clinic.results.local_calendar import LocalCalendar
from clinic.results.selection import Conditions, begun_at
from clinic.tables import Attempt, Call, CallTask, Campaign, Event, Message


class Cell(NamedTuple):
    """Attempts that are alike: of one campaign and week, in one state, that came equally far."""

    campaign_id: str
    week: date
    started: bool
    state: str
    stage: int
    number: int


class Contact(NamedTuple):
    """Messages, or calls, of one step.

    Attributes:
        campaign_id: For a call, its attempt's campaign; messages are counted over all.
        step: The step's index in its plan.
        channel: The channel's name.
        number: How many arrived, or were made, and no answer had come before.
        paid: How many were sent, as far as a provider asks money for them.
    """

    campaign_id: str | None
    step: int
    channel: str
    number: int
    paid: int


class Answered(NamedTuple):
    """First answers, by the contact that came last before each."""

    campaign_id: str
    step: int
    channel: str
    answered: int
    booked: int
    came: int


class Caller(NamedTuple):
    """What one person's calls came to."""

    name: str
    calls: int
    reached: int
    booked: int


async def cells(
    session: AsyncSession, conditions: Conditions, calendar: LocalCalendar
) -> Sequence[Cell]:
    """Count attempts by campaign, week, state and how far they came."""
    # materialized: the database else works out each value once more for its grouping
    each = (
        select(
            Attempt.campaign_id,
            calendar.monday(begun_at()).label("week"),
            Attempt.started_at.is_not(None).label("started"),
            Attempt.state,
            stage(calendar).label("stage"),
        )
        .join(Campaign, Campaign.id == Attempt.campaign_id)
        .where(*conditions)
        .cte("each")
        .prefix_with("MATERIALIZED")
    )
    rows = await session.execute(select(*each.c, func.count()).group_by(*each.c))
    return [Cell._make(row) for row in rows]


async def messages(session: AsyncSession, conditions: Conditions) -> Sequence[Contact]:
    """Count messages by step and channel.

    A message for a household is paid once, and counts for each whom it names. One that came back
    has been paid all the same.
    """
    query = select(
        literal(None),
        Message.step,
        Message.channel,
        func.sum(case((Message.failed_at.is_(None), 1), else_=0)),
        func.sum(case((Message.carried_by.is_(None), 1), else_=0)),
    ).where(sent())
    if conditions:
        of_attempt = query.join(Attempt, Attempt.id == Message.attempt_id)
        query = of_attempt.join(Campaign, Campaign.id == Attempt.campaign_id).where(*conditions)
    grouped = query.group_by(Message.step, Message.channel)
    rows = await session.execute(grouped.order_by(Message.step, Message.channel))
    return [Contact(*row) for row in rows]


async def calls(session: AsyncSession, conditions: Conditions) -> Sequence[Contact]:
    """Count the calls that were made before any answer, by campaign and step."""
    answers = _answers()
    query = (
        select(Attempt.campaign_id, CallTask.step, literal(CALL), func.count(), literal(0))
        .select_from(Call)
        .join(CallTask, CallTask.id == Call.task_id)
        .join(Attempt, Attempt.id == CallTask.attempt_id)
        .join(Campaign, Campaign.id == Attempt.campaign_id)
        .join(answers, answers.c.attempt_id == CallTask.attempt_id, isouter=True)
        .where(or_(answers.c.at.is_(None), Call.made_at <= answers.c.at), *conditions)
        .group_by(Attempt.campaign_id, CallTask.step)
    )
    return [Contact(*row) for row in await session.execute(query)]


async def answers(
    session: AsyncSession, conditions: Conditions, calendar: LocalCalendar
) -> Sequence[Answered]:
    """Count first answers by the contact that came last before each, or was the answer itself."""
    first = _answers()
    written = (
        select(
            first.c.attempt_id,
            Message.sent_at.label("at"),
            Message.step.label("step"),
            Message.channel.label("channel"),
        )
        .select_from(first)
        .join(Message, Message.attempt_id == first.c.attempt_id)
        .where(arrived(), Message.sent_at <= first.c.at)
    )
    called = (
        select(first.c.attempt_id, Call.made_at, CallTask.step, literal(CALL))
        .select_from(Call)
        .join(CallTask, CallTask.id == Call.task_id)
        .join(first, first.c.attempt_id == CallTask.attempt_id)
        .where(Call.made_at <= first.c.at)
    )
    before = union_all(written, called).subquery()
    order = (before.c.at.desc(), before.c.step.desc())
    number = func.row_number().over(partition_by=before.c.attempt_id, order_by=order)
    ranked = select(*before.c, number.label("number")).subquery()
    query = (
        select(
            Attempt.campaign_id,
            ranked.c.step,
            ranked.c.channel,
            func.count(),
            func.sum(case((booked(), 1), else_=0)),
            func.sum(case((and_(booked(), came(calendar)), 1), else_=0)),
        )
        .select_from(ranked)
        .join(Attempt, Attempt.id == ranked.c.attempt_id)
        .join(Campaign, Campaign.id == Attempt.campaign_id)
        .where(ranked.c.number == 1, *conditions)
        .group_by(Attempt.campaign_id, ranked.c.step, ranked.c.channel)
    )
    return [Answered(*row) for row in await session.execute(query)]


async def reasons(session: AsyncSession, conditions: Conditions) -> dict[str | None, int]:
    """Count why patients left who declined; None: they gave no reason."""
    query = (
        select(Attempt.loss_reason, func.count())
        .join(Campaign, Campaign.id == Attempt.campaign_id)
        .where(
            Attempt.state == AttemptState.ENDED.value,
            Attempt.outcome == Outcome.DECLINED.value,
            *conditions,
        )
        .group_by(Attempt.loss_reason)
    )
    return dict((await session.execute(query)).all())


async def callers(session: AsyncSession, conditions: Conditions) -> Sequence[Caller]:
    """Count each person's calls about the attempts, by the name under which they called."""
    query = (
        select(
            Call.made_by,
            func.count(),
            func.sum(case((reached(), 1), else_=0)),
            func.sum(case((Call.outcome == Outcome.BOOKED.value, 1), else_=0)),
        )
        .join(CallTask, CallTask.id == Call.task_id)
        .join(Attempt, Attempt.id == CallTask.attempt_id)
        .join(Campaign, Campaign.id == Attempt.campaign_id)
        .where(*conditions)
        .group_by(Call.made_by)
        .order_by(Call.made_by)
    )
    return [Caller(*row) for row in await session.execute(query)]


def _answers() -> CTE:
    """Return when each attempt was answered first."""
    said = select(Event.attempt_id.label("attempt_id"), Event.received_at.label("at"))
    spoke = select(CallTask.attempt_id, Call.made_at).join(Call, Call.task_id == CallTask.id)
    either = union_all(
        said.where(answering(), Event.attempt_id.is_not(None)),
        spoke.where(reached(), CallTask.attempt_id.is_not(None)),
        select(Attempt.id, Attempt.ended_at).where(Attempt.outcome == Outcome.BOOKED.value),
    ).subquery()
    first = select(either.c.attempt_id, func.min(either.c.at).label("at"))
    return first.group_by(either.c.attempt_id).cte("answers").prefix_with("MATERIALIZED")
