"""The ledger: a row is claimed and committed before anything is sent, so nothing goes out twice."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.conflict_free_insert import insert_if_new
from clinic.tables import Message


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


async def record_sent(
    session: AsyncSession, *, attempt_id: str, step: int, provider_id: str, now: datetime
) -> None:
    """Record that the provider took a message."""
    await _record(session, attempt_id, step, sent_at=now, provider_id=provider_id)


async def record_failed(
    session: AsyncSession, *, attempt_id: str, step: int, failure: str, now: datetime
) -> None:
    """Record that a message will never arrive; `failure` is the provider's code, no free text."""
    await _record(session, attempt_id, step, failed_at=now, failure=failure)


async def release(session: AsyncSession, *, attempt_id: str, step: int) -> None:
    """Give a claim back where it is certain that nothing was sent."""
    message = await session.get(Message, (attempt_id, step, 1))
    if message is not None and message.sent_at is None:
        await session.delete(message)


async def message_of(session: AsyncSession, channel: str, provider_id: str) -> Message | None:
    """Find the message that a provider names."""
    return await session.scalar(
        select(Message).where(Message.channel == channel, Message.provider_id == provider_id)
    )


async def _record(session: AsyncSession, attempt_id: str, step: int, **values: object) -> None:
    await session.execute(
        update(Message)
        .where(Message.attempt_id == attempt_id, Message.step == step, Message.try_number == 1)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
