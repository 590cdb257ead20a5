"""What the patient's card says about a step that was not delivered: why, and by which rule."""

from datetime import datetime

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.delivery import Deferred, Delivery, Failed, Sent, Skipped
from clinic.tables import StepNote


async def note_down(
    session: AsyncSession, attempt_id: str, step: int, delivery: Delivery, now: datetime
) -> None:
    """Write what became of a step, in the place of what was said of it before.

    What was sent stands in the ledger and is not noted: that would cost every message a write.

    Args:
        session: A writing transaction.
        attempt_id: The attempt.
        step: The step's index.
        delivery: What became of it.
        now: Aware UTC.
    """
    if isinstance(delivery, Sent):
        return
    note = {"at": now, "result": delivery.kind, **_why(delivery)}
    dialect = session.get_bind().dialect.name
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    await session.execute(
        insert(StepNote)
        .values(attempt_id=attempt_id, step=step, **note)
        .on_conflict_do_update(index_elements=[StepNote.attempt_id, StepNote.step], set_=note)
    )


def _why(delivery: Skipped | Deferred | Failed) -> dict[str, str | datetime | None]:
    match delivery:
        case Skipped(reason=reason, rule=rule):
            return {"reason": reason.value, "rule": rule, "until": None}
        case Deferred(until=until, rule=rule):
            return {"reason": "", "rule": rule, "until": until}
        case Failed(reason=failure):
            return {"reason": failure.value, "rule": "", "until": None}
