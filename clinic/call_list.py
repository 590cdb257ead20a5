"""The call list: who to call, why and by when."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, SecretStr, computed_field
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.call_claim import claimant
from clinic.call_order import (
    AHEAD,
    LATER,
    ONE,
    OVERDUE,
    Counts,
    Listed,
    count_open,
    count_wrote,
    counts,
)
from clinic.call_task import TaskKind
from clinic.call_words import Words, Written, in_lines, words_of
from clinic.register.same_number import Housemate, housemates, numbers_of
from clinic.tables import CallTask, Patient

__all__ = [
    "Counts",
    "OpenCall",
    "count_open",
    "count_wrote",
    "counts",
    "open_call",
    "open_calls",
]

_MOST = 1_000_000_000
"""More tasks than any list has."""


class OpenCall(BaseModel):
    """A row of the call list.

    Attributes:
        kind: Why a person is asked to call.
        priority: 0 is the most urgent: a patient who said yes.
        due_at: Aware UTC; call by then.
        not_before: Aware UTC, and ahead: the next call was put off until then. None: call now.
        overdue: The due time has passed; an overdue task is never dropped.
        claimed_by: Who has the task just now, if anybody.
        campaign: None where the patient wrote without being in one.
        patient_id: None where somebody wrote whom the register does not know.
        external_id: The clinic's number of the patient.
        phone: Where to call: a minor at the guardian's number.
        written: What the patient wrote, in its order.
        reading: How the latest of these was read: `yes`, `no`, `opt_out` or `unclear`.
        from_address: Where to answer somebody whom the register does not know.
        opted_out: The patient asked not to be contacted: the words are read, nobody calls.
        household: Who else of the same campaign answers at this number.
        claimed_until: Aware UTC; when the claim lapses.
    """

    model_config = ConfigDict(frozen=True)

    task_id: str
    kind: TaskKind
    priority: int
    due_at: datetime
    overdue: bool
    tries_made: int
    tries_allowed: int
    claimed_by: str | None
    campaign: str | None
    patient_id: str | None
    external_id: str | None
    name: str
    phone: str | None
    language: str | None
    written: tuple[Written, ...] = ()
    reading: str | None = None
    from_address: str | None = None
    opted_out: bool = False
    household: tuple[Housemate, ...] = ()
    claimed_until: datetime | None = None
    not_before: datetime | None = None

    @computed_field  # type: ignore[prop-decorator] # mypy knows no decorated property
    @property
    def words(self) -> str:
        """What the patient wrote, a reply a line; programs that read JSON get it as well."""
        return in_lines(self.written)


async def open_calls(
    session: AsyncSession,
    now: datetime,
    key: SecretStr,
    *,
    at_most: int | None = None,
    later: bool = True,
) -> list[OpenCall]:
    """Return the call list: who is called now, and then who was put off, by the time.

    Of those who are called now, overdue comes first, then priority, then the due time.

    Args:
        session: Any transaction.
        now: Aware UTC.
        key: The key of the suppression hashes.
        at_most: How many to return; None: all.
        later: Also those whose next call was put off.
    """
    most = _MOST if at_most is None else at_most
    return await listed(session, await in_order(session, now, most, later=later), now, key)


async def open_call(
    session: AsyncSession, task_id: str, now: datetime, key: SecretStr
) -> OpenCall | None:
    """Return one open task as the call list shows it; None where it is not open.

    Args:
        session: Any transaction.
        task_id: The task.
        now: Aware UTC.
        key: The key of the suppression hashes.
    """
    found = await _found(session, ONE, task_id=task_id)
    return next(iter(await listed(session, found, now, key)), None)


async def in_order(
    session: AsyncSession, now: datetime, at_most: int, *, later: bool = True
) -> list[Any]:
    """Return the first tasks of the call list, as the database has them.

    Args:
        session: Any transaction.
        now: Aware UTC.
        at_most: How many to return.
        later: Also those whose next call was put off.

    Returns:
        Rows of a `CallTask`, its `Patient` (None: nobody knows whose), `campaign_id` and `name`.
    """
    found: list[Any] = []
    for part in (OVERDUE, AHEAD, LATER) if later else (OVERDUE, AHEAD):
        if len(found) < at_most:
            found += await _found(session, part, now=now, at_most=at_most - len(found))
    return found


async def next_later(session: AsyncSession, now: datetime, at_most: int) -> list[Any]:
    """Return the first of those whose next call was put off, by the time; rows as of `in_order`.

    Args:
        session: Any transaction.
        now: Aware UTC.
        at_most: How many to return.
    """
    return await _found(session, LATER, now=now, at_most=at_most)


async def listed(
    session: AsyncSession, found: Sequence[Any], now: datetime, key: SecretStr
) -> list[OpenCall]:
    """Return tasks as the call list shows them.

    Args:
        session: Any transaction.
        found: Some that `in_order` returned.
        now: Aware UTC.
        key: The key of the suppression hashes.
    """
    words = await words_of(session, [row.CallTask for row in found])
    people = {row.Patient.id: row.Patient for row in found if row.Patient is not None}
    numbers = await numbers_of(session, list(people.values()), now)
    asked = [
        (row.CallTask.attempt_id, row.campaign_id, numbers.get(row.CallTask.patient_id))
        for row in found
        if row.CallTask.attempt_id is not None
    ]
    also = await housemates(session, asked, now, key)
    return [
        _listed(
            row.CallTask,
            row.Patient,
            row.name,
            phone=numbers.get(row.CallTask.patient_id),
            words=words[row.CallTask.id],
            household=also.get(row.CallTask.attempt_id, ()),
            now=now,
        )
        for row in found
    ]


async def _found(session: AsyncSession, query: Listed, **asked: object) -> list[Any]:
    return list(await session.execute(query, asked))


def _listed(
    task: CallTask,
    patient: Patient | None,
    campaign: str | None,
    *,
    phone: str | None,
    words: Words,
    household: tuple[Housemate, ...],
    now: datetime,
) -> OpenCall:
    put_off = task.not_before is not None and task.not_before > now
    return OpenCall(
        task_id=task.id,
        kind=TaskKind(task.kind),
        priority=task.priority,
        due_at=task.due_at,
        not_before=task.not_before if put_off else None,
        overdue=task.due_at < now and not put_off,
        tries_made=task.tries_made,
        tries_allowed=task.tries_allowed,
        claimed_by=(caller := claimant(task, now)),
        campaign=campaign,
        patient_id=task.patient_id,
        external_id=patient.external_id if patient else None,
        name=f"{patient.first_name} {patient.last_name}".strip() if patient else "",
        phone=phone,
        language=patient.language if patient else None,
        written=words.written,
        reading=words.reading,
        from_address=words.from_address,
        opted_out=patient is not None and patient.opted_out_at is not None,
        household=household,
        claimed_until=task.claimed_until if caller is not None else None,
    )
