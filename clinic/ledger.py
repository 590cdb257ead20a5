"""The ledger: a row is claimed and committed before anything is sent, so nothing goes out twice."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, case, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.conflict_free_insert import insert_if_new
from clinic.tables import Message

_STANDS = Message.try_number == 1
"""The step's message; others came back, and were set aside."""


class Claim(StrEnum):
    """What the ledger says to whoever wants to send."""

    FRESH = "fresh"
    """The row is ours and new: send."""
    SENT = "sent"
    """The provider has taken it before: do not send."""
    FAILED = "failed"
    """The provider has refused it for good before: do not send."""
    UNCERTAIN = "uncertain"
    """It was claimed before and nothing was recorded since: ask the provider before sending."""


async def claim(
    session: AsyncSession,
    *,
    attempt_id: str,
    step: int,
    channel: str,
    address_hash: str,
    now: datetime,
) -> tuple[Claim, Message]:
    """Claim the right to send one step of an attempt; commit before sending.

    Returns:
        What to do, and the ledger's row (whose `claimed_at` is that of the first claim).
    """
    key = {"attempt_id": attempt_id, "step": step, "try_number": 1}
    values = {"channel": channel, "address_hash": address_hash, "claimed_at": now}
    is_new = await insert_if_new(session, Message, key | values)
    if is_new:
        return Claim.FRESH, Message(**key, **values)
    message = await session.get_one(Message, tuple(key.values()), populate_existing=True)
    if message.sent_at is not None:
        return Claim.SENT, message
    return (Claim.FAILED if message.failed_at is not None else Claim.UNCERTAIN), message


async def carry(session: AsyncSession, carrier: Message, attempt_ids: Iterable[str]) -> list[str]:
    """Claim the same step for others whom the carrier's message names, in the same transaction.

    Args:
        session: The transaction that has just claimed the carrier's row.
        carrier: That row.
        attempt_ids: The others' attempts.

    Returns:
        Those that nobody had claimed before; only these may be named.
    """
    values = {
        "step": carrier.step,
        "try_number": carrier.try_number,
        "channel": carrier.channel,
        "address_hash": carrier.address_hash,
        "claimed_at": carrier.claimed_at,
        "carried_by": carrier.attempt_id,
    }
    # in one order, whoever claims: two who claim the same rows can't wait for each other
    return [
        attempt_id
        for attempt_id in sorted(attempt_ids)
        if await insert_if_new(session, Message, values | {"attempt_id": attempt_id})
    ]


async def put_down(session: AsyncSession, attempt_id: str, step: int) -> None:
    """Give back what a message carries, in the transaction that claimed it: it names one only."""
    await session.execute(
        delete(Message)
        .where(Message.carried_by == attempt_id, Message.step == step, _STANDS)
        .execution_options(synchronize_session=False)
    )


async def record_sent(
    session: AsyncSession, *, attempt_id: str, step: int, provider_id: str, now: datetime
) -> None:
    """Record that the provider took a message, for everybody whom it names."""
    # the patient may have been forgotten while it was sent: the provider's id leads to them
    unless_forgotten = case((Message.address_hash == "", None), else_=provider_id)
    values = {"sent_at": now, "provider_id": unless_forgotten}
    if await _record(session, attempt_id, step, **values):
        return
    # its provider was quicker than this record: it has said already that the message came back
    await session.execute(
        update(Message)
        .where(
            _named_by(attempt_id, step),
            Message.try_number == await _last_try(session, attempt_id, step),
            Message.sent_at.is_(None),
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )


async def record_failed(
    session: AsyncSession, *, attempt_id: str, step: int, failure: str, now: datetime
) -> None:
    """Record that a message will never arrive, for everybody whom it names.

    `failure` is the provider's code, no free text.
    """
    await _record(session, attempt_id, step, failed_at=now, failure=failure)


async def set_aside(
    session: AsyncSession, message: Message, failure: str, now: datetime
) -> list[str]:
    """Set aside a message that came back for our own fault, so that its step is delivered again.

    So is one that the provider never took for that reason: what matters is that it did not arrive.

    Its rows, its own and those it carries, get the next number of a try and keep the provider's
    id, by which a late word about it is known: whoever finds a row by that id looks at its
    `try_number`, for only 1 is the message that stands. The same message again changes nothing.

    Args:
        session: A writing transaction.
        message: The row of whoever the message was sent for, as `message_of` returns it.
        failure: The provider's code, no free text.
        now: Aware UTC.

    Returns:
        The attempts that it named, in a fixed order; none where it was set aside before.
    """
    if message.try_number != 1:
        return []
    attempt_id, step = message.attempt_id, message.step
    following = await _last_try(session, attempt_id, step) + 1
    rows = await session.scalars(
        select(Message)
        .where(_carried_or_own(attempt_id, step))
        .order_by(Message.attempt_id)
        .with_for_update()
    )
    named = []
    for row in rows.all():
        row.try_number, row.failed_at, row.failure = following, now, failure
        named.append(row.attempt_id)
    await session.flush()
    return named


async def lock(session: AsyncSession, message: Message) -> None:
    """Have others who change a message's rows, its own and those it carries, wait.

    Args:
        session: A writing transaction.
        message: The row of whoever the message was sent for.
    """
    rows = select(Message.attempt_id).where(_carried_or_own(message.attempt_id, message.step))
    in_order = rows.order_by(Message.attempt_id).with_for_update(key_share=True)
    await session.execute(in_order)


async def times_set_aside(session: AsyncSession, attempt_id: str, step: int) -> int:
    """Return how often a step's message came back, or was refused, for our own fault."""
    tries = select(func.count()).where(
        Message.attempt_id == attempt_id, Message.step == step, Message.try_number > 1
    )
    return await session.scalar(tries) or 0


async def release(session: AsyncSession, *, attempt_id: str, step: int) -> None:
    """Give a claim back where it is certain that nothing was sent, and those it carries."""
    await session.execute(
        delete(Message)
        .where(_carried_or_own(attempt_id, step), Message.sent_at.is_(None))
        .execution_options(synchronize_session=False)
    )


async def message_of(session: AsyncSession, channel: str, provider_id: str) -> Message | None:
    """Find the message that a provider names: of those that share one, the carrier's row.

    Where the provider knows several by one id, such as mails under one Message-ID, it is the one
    that stands, or else the first that was set aside.
    """
    return await session.scalar(
        select(Message)
        .where(
            Message.channel == channel,
            Message.provider_id == provider_id,
            Message.carried_by.is_(None),
        )
        .order_by(Message.try_number)
        .limit(1)
    )


async def _record(session: AsyncSession, attempt_id: str, step: int, **values: object) -> bool:
    recorded = await session.scalars(
        update(Message)
        .where(_carried_or_own(attempt_id, step))
        .values(**values)
        .returning(Message.attempt_id)
        .execution_options(synchronize_session=False)
    )
    return bool(recorded.all())


async def _last_try(session: AsyncSession, attempt_id: str, step: int) -> int:
    """Return the highest number among the tries of everybody whom a message ever named."""
    named = select(Message.attempt_id).where(_named_by(attempt_id, step))
    query = select(func.max(Message.try_number)).where(
        Message.attempt_id.in_(named), Message.step == step
    )
    return await session.scalar(query) or 0


def _named_by(attempt_id: str, step: int) -> ColumnElement[bool]:
    of_attempt = or_(Message.attempt_id == attempt_id, Message.carried_by == attempt_id)
    return and_(of_attempt, Message.step == step)


def _carried_or_own(attempt_id: str, step: int) -> ColumnElement[bool]:
    return and_(_named_by(attempt_id, step), _STANDS)
