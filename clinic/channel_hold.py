"""A channel that is held: our own account or settings are wrong, and nobody is written to by it.

Whoever hears the provider say so holds the channel, once, for everybody. Each delivery on it then
waits (`Attempt.held_channel`) until an operator has mended what is wrong and resumes the channel.
Everybody keeps their place, whatever the time that takes.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict
from sqlalchemy import ColumnElement, and_, exists, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from clinic import campaign_news
from clinic.attempt import AttemptState
from clinic.delivery import Deferred
from clinic.event import EventKind
from clinic.inbox import SILENCING
from clinic.refusal import Refusal
from clinic.tables import Attempt, ChannelHold, Event

RESUME = "regresa channels resume"
"""The command that lets a channel go on, and then the channel's name."""


HOLDS_AT_MOST = 2
"""A message may hold its channel so often. What is refused once more after it was said to be
mended as often is this number's or text's own trouble: it must not hold everybody for good."""


class Held(BaseModel):
    """A channel that is held.

    Attributes:
        channel: Its name.
        since: Aware UTC.
        code: What the provider said, by its code.
        waiting: How many patients wait for it.
    """

    model_config = ConfigDict(frozen=True)

    channel: str
    since: datetime
    code: str
    waiting: int


async def hold(session: AsyncSession, channel: str, *, code: str, now: datetime) -> bool:
    """Hold a channel; who holds it first gives the time and the reason.

    It comes first in its transaction, as in every other: who changes rows of the ledger before
    might wait for a delivery that waits for them.

    Args:
        session: A writing transaction.
        channel: The channel's name.
        code: The provider's code, no free text.
        now: Aware UTC.

    Returns:
        Whether it went on until now: an operator has to be told, loudly, this one time.
    """
    dialect = session.get_bind().dialect.name
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    since = {"held_since": now, "code": code}
    # where it is held already, the row is locked all the same: a resume waits for this transaction
    is_new = await session.scalar(
        insert(ChannelHold)
        .values(channel=channel, **since)
        .on_conflict_do_update(
            index_elements=[ChannelHold.channel],
            set_=since,
            where=ChannelHold.held_since.is_(None),
        )
        .returning(ChannelHold.channel)
    )
    return is_new is not None


async def resume(session: AsyncSession, channel: str, *, now: datetime) -> int:
    """Let a channel go on, and tell every attempt that waits for it.

    An attempt whose campaign is paused goes on waiting for that.

    Args:
        session: A writing transaction.
        channel: The channel's name.
        now: Aware UTC.

    Returns:
        How many attempts were told.

    Raises:
        Refusal: The channel is not held.
    """
    went_on = await session.scalar(
        update(ChannelHold)
        .where(ChannelHold.channel == channel, ChannelHold.held_since.is_not(None))
        .values(held_since=None, code=None)
        .returning(ChannelHold.channel)
        .execution_options(synchronize_session=False)
    )
    if went_on is None:
        raise Refusal(f"channel `{channel}` is not held", "`regresa channels` shows which are.")
    # a delivery marks its attempt while it holds the row above: none is missed
    told = list(await session.scalars(select(Attempt.id).where(_waits_for(channel))))
    await campaign_news.tell_attempts(session, told, EventKind.RESUMED, now)
    await session.execute(
        update(Attempt)
        .where(Attempt.held_channel == channel)
        .values(held_channel=None)
        .execution_options(synchronize_session=False)
    )
    return len(told)


async def held(session: AsyncSession, channels: Sequence[str] | None = None) -> list[Held]:
    """Return the channels that are held, by name.

    Args:
        session: Any transaction.
        channels: Only of these; None: of all.
    """
    query = select(ChannelHold).where(ChannelHold.held_since.is_not(None))
    if channels is not None:
        query = query.where(ChannelHold.channel.in_(channels))
    rows = (await session.scalars(query.order_by(ChannelHold.channel))).all()
    return [
        Held(
            channel=row.channel,
            since=row.held_since,
            code=row.code or "",
            waiting=await _waiting(session, row.channel),
        )
        for row in rows
        if row.held_since is not None
    ]


async def wait(session: AsyncSession, attempt: Attempt, channel: str) -> Deferred | None:
    """Have an attempt's delivery wait where its channel is held; None where the channel goes on.

    A resume that runs meanwhile waits for the end of the transaction, and then finds the attempt.

    Args:
        session: A writing transaction.
        attempt: The attempt; whether it waits is written to its row.
        channel: The channel of its step.
    """
    row = await session.scalar(
        select(ChannelHold)
        .where(ChannelHold.channel == channel)
        .with_for_update(read=True)
        .execution_options(populate_existing=True)
    )
    if row is None or row.held_since is None:
        attempt.held_channel = None
        return None
    attempt.held_channel = channel
    since = f"{row.held_since.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return Deferred(until=None, rule=f"channel {channel} is held since {since}: {row.code}")


async def _waiting(session: AsyncSession, channel: str) -> int:
    query = select(func.count()).select_from(Attempt).where(_waits_for(channel))
    return await session.scalar(query) or 0


def _waits_for(channel: str) -> ColumnElement[bool]:
    """Return the condition that an attempt waits; one that was answered waits for nothing."""
    silencing = [kind.value for kind in SILENCING]
    answered = exists().where(Event.attempt_id == Attempt.id, Event.kind.in_(silencing))
    return and_(
        Attempt.held_channel == channel, Attempt.state == AttemptState.OPEN.value, ~answered
    )
