"""The call list: who to call, why and by when."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, SecretStr
from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.call_claim import claimant
from clinic.call_task import TaskKind
from clinic.call_words import Words, words_of
from clinic.register.same_number import Housemate, housemates, numbers_of
from clinic.tables import Attempt, CallTask, Campaign, Patient

_Found = list[tuple[CallTask, Patient | None, str, str | None]]


class OpenCall(BaseModel):
    """A row of the call list.

    Attributes:
        kind: Why a person is asked to call.
        priority: 0 is the most urgent: a patient who said yes.
        due_at: Aware UTC.
        overdue: The due time has passed; an overdue task is never dropped.
        claimed_by: Who has the task just now, if anybody.
        campaign: None where the patient wrote without being in one.
        patient_id: None where somebody wrote whom the register does not know.
        external_id: The clinic's number of the patient.
        phone: Where to call: a minor at the guardian's number.
        words: What the patient wrote, a reply a line.
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
    words: str = ""
    reading: str | None = None
    from_address: str | None = None
    opted_out: bool = False
    household: tuple[Housemate, ...] = ()
    claimed_until: datetime | None = None


async def open_calls(
    session: AsyncSession, now: datetime, key: SecretStr, *, at_most: int | None = None
) -> list[OpenCall]:
    """Return the call list: overdue first, then by priority and due time.

    Args:
        session: Any transaction.
        now: Aware UTC.
        key: The key of the suppression hashes.
        at_most: How many to return; None: all.
    """
    # said in a way that no index on the due time answers: whatever a database knows of its tables,
    # it reads the rows off the index that has them in order, and need not sort a hundred thousand
    overdue = case((CallTask.due_at < now, 1), else_=0)
    found = await _found(session, overdue == 1, at_most)
    if at_most is None or len(found) < at_most:
        left = None if at_most is None else at_most - len(found)
        found += await _found(session, overdue == 0, left)
    return await _all_listed(session, found, now, key)


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
    found = await _found(session, CallTask.id == task_id, 1)
    return next(iter(await _all_listed(session, found, now, key)), None)


async def count_open(session: AsyncSession, *, due_before: datetime | None = None) -> int:
    """Return how many tasks are open.

    Args:
        session: Any transaction.
        due_before: Aware UTC; only those that were due by then.
    """
    query = select(func.count()).select_from(CallTask).where(CallTask.closed_at.is_(None))
    if due_before is not None:
        query = query.where(CallTask.due_at < due_before)
    return await session.scalar(query) or 0


async def _found(session: AsyncSession, which: ColumnElement[bool], at_most: int | None) -> _Found:
    # a page of a hundred thousand is read off the index that has them in this order
    rows: Any = await session.execute(
        select(CallTask, Patient, Attempt.campaign_id, Campaign.name)
        .outerjoin(Patient, Patient.id == CallTask.patient_id)
        .outerjoin(Attempt, Attempt.id == CallTask.attempt_id)
        .outerjoin(Campaign, Campaign.id == Attempt.campaign_id)
        .where(CallTask.closed_at.is_(None), which)
        .order_by(CallTask.priority, CallTask.due_at)
        .limit(at_most)
    )
    return [tuple(row) for row in rows]


async def _all_listed(
    session: AsyncSession, found: _Found, now: datetime, key: SecretStr
) -> list[OpenCall]:
    words = await words_of(session, [task for task, *_ in found])
    people = [patient for _, patient, *_ in found if patient is not None]
    numbers = await numbers_of(session, list({row.id: row for row in people}.values()), now)
    asked = [
        (task.attempt_id, campaign, numbers.get(str(task.patient_id)))
        for task, _, campaign, _ in found
        if task.attempt_id is not None
    ]
    also = await housemates(session, asked, now, key)
    return [
        _listed(
            task,
            patient,
            campaign,
            phone=numbers.get(str(task.patient_id)),
            words=words[task.id],
            household=also.get(str(task.attempt_id), ()),
            now=now,
        )
        for task, patient, _, campaign in found
    ]


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
    return OpenCall(
        task_id=task.id,
        kind=TaskKind(task.kind),
        priority=task.priority,
        due_at=task.due_at,
        overdue=task.due_at < now,
        tries_made=task.tries_made,
        tries_allowed=task.tries_allowed,
        claimed_by=(caller := claimant(task, now)),
        campaign=campaign,
        patient_id=task.patient_id,
        external_id=patient.external_id if patient else None,
        name=f"{patient.first_name} {patient.last_name}".strip() if patient else "",
        phone=phone,
        language=patient.language if patient else None,
        words=words.text,
        reading=words.reading,
        from_address=words.from_address,
        opted_out=patient is not None and patient.opted_out_at is not None,
        household=household,
        claimed_until=task.claimed_until if caller is not None else None,
    )
