"""An attempt's row: how it is closed, once."""

from datetime import datetime

from sqlalchemy import func, update
from sqlalchemy.ext.asyncio import AsyncSession

from clinic import call_opening
from clinic.attempt import AttemptState
from clinic.outcome import LossReason, Outcome
from clinic.tables import Attempt


async def close(
    session: AsyncSession,
    attempt_id: str,
    outcome: Outcome,
    loss_reason: LossReason | None,
    now: datetime,
) -> None:
    """Record how an attempt ended, and take it off the call list; the first outcome stays."""
    closed = await session.scalar(
        update(Attempt)
        .where(Attempt.id == attempt_id, Attempt.state != AttemptState.ENDED.value)
        .values(
            state=AttemptState.ENDED.value,
            outcome=outcome.value,
            loss_reason=loss_reason.value if loss_reason else None,
            ended_at=now,
            # it may end before its page has recorded that it started
            started_at=func.coalesce(Attempt.started_at, now),
        )
        .returning(Attempt.id)
        .execution_options(synchronize_session=False)
    )
    if closed is not None:
        await call_opening.close_for(session, attempt_id, why=outcome.value, now=now)
