"""A call list of a hundred thousand open tasks, on a register that is already written."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from benchmarks.large_register import PLAN
from clinic.attempt import AttemptState
from clinic.call_task import TaskKind
from clinic.database import Database
from clinic.event import EventKind
from clinic.tables import Attempt, CallTask, Campaign, Event, Patient

_CAMPAIGN = "ca-calls"
_PAGE = 5_000
_REPLIES = 5
"""Every fifth task is about what a patient wrote."""
_OVERDUE = 3
"""Every third is due already: staff can't keep up with such a list."""

Row = dict[str, Any]


async def write_open_calls(database: Database, count: int) -> None:
    """Give so many patients an open attempt that waits for a call.

    Args:
        database: Its register has at least as many patients.
        count: How many tasks.
    """
    now = datetime.now(UTC)
    async with database.writing() as session:
        session.add(
            Campaign(id=_CAMPAIGN, name="calls", segment="benchmark", plan=PLAN, started_at=now)
        )
        await session.flush()
        query = select(Patient.id).order_by(Patient.external_id).limit(count)
        patients = (await session.scalars(query)).all()
        for start in range(0, count, _PAGE):
            await _write(session, list(_tasks(patients[start : start + _PAGE], start, now)))
        if not database.embedded:
            # as its own housekeeping does within a minute; SQLite has none
            await session.execute(text("ANALYZE"))


async def _write(session: AsyncSession, rows: Sequence[tuple[Row, Row, Row | None]]) -> None:
    attempts, tasks, events = zip(*rows, strict=True)
    await session.execute(insert(Attempt), list(attempts))
    await session.execute(insert(CallTask), list(tasks))
    await session.execute(insert(Event), [event for event in events if event is not None])


def _tasks(
    patients: Sequence[str], first: int, now: datetime
) -> Iterator[tuple[Row, Row, Row | None]]:
    for number, patient_id in enumerate(patients, first):
        replied = number % _REPLIES == 0
        kind = TaskKind.REPLY if replied else TaskKind.CALL
        minutes = number % (30 * 24 * 60)
        ahead = timedelta(minutes=-minutes if number % _OVERDUE == 0 else minutes + 60)
        of_attempt = {"attempt_id": f"at-call-{number}", "patient_id": patient_id}
        attempt = {
            "id": of_attempt["attempt_id"],
            "campaign_id": _CAMPAIGN,
            "patient_id": patient_id,
            "state": AttemptState.OPEN.value,
            "started_at": now - timedelta(days=40),
        }
        task = of_attempt | {
            "id": f"ct-call-{number}",
            "step": 2,
            "kind": kind.value,
            "priority": kind.priority,
            "due_at": now + ahead,
            "opened_at": now - timedelta(days=31),
            "tries_allowed": 3,
        }
        event = of_attempt | {
            "id": f"ev-call-{number}",
            "source": "sms",
            "source_key": f"SM-call-{number}",
            "kind": EventKind.REPLY.value,
            "body": "¿Me pueden llamar mañana por la tarde, por favor?",
            "received_at": now - timedelta(days=31),
            "relayed_at": now - timedelta(days=31),
        }
        yield attempt, task, event if replied else None
