"""The call list: who to call, why and by when; claimed by one, completed once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, SecretStr
from sqlalchemy import case, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from clinic import inbox
from clinic.attempt import AttemptState
from clinic.call_check import refuse_call
from clinic.call_task import (
    ANSWER_WITHIN,
    CLAIM_LASTS,
    REPLY_TRIES,
    Again,
    Reported,
    TaskKind,
    after_call,
)
from clinic.contact_policy import ContactCalendar, ContactPolicy, calendar_for
from clinic.event import CallOutcome, EventKind
from clinic.folder import ClinicFolder
from clinic.outcome import Outcome
from clinic.plan import CALL, Plan
from clinic.refusal import Refusal
from clinic.register import suppression
from clinic.register.same_number import Housemate, housemates, numbers_of
from clinic.register.standing import PatientStatus, Standing, standings
from clinic.tables import Attempt, Call, CallTask, Campaign, Event, Patient
from clinic.wording import language_for, words_for

_AT_ONCE = 500
_UTC = ZoneInfo("UTC")
"""Decides on which day a minor comes of age; for a claim, an hour more or less is fine."""
_ANSWERS_A_REPLY = (
    Outcome.BOOKED.value,
    Outcome.DECLINED.value,
    Outcome.OPTED_OUT.value,
    Outcome.EXCLUDED.value,
)

STAFF = "staff"
"""The source of events that staff report."""


class OpenCall(BaseModel):
    """A row of the call list.

    Attributes:
        kind: Why a person is asked to call.
        due_at: Aware UTC.
        overdue: The due time has passed; an overdue task is never dropped.
        claimed_by: Who has the task just now, if anybody.
        phone: Where to call: a minor at the guardian's number.
        words: What the patient wrote, a reply a line.
        household: Who else of the same campaign answers at this number.
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
    campaign: str
    patient_id: str
    external_id: str
    name: str
    phone: str | None
    language: str | None
    words: str = ""
    household: tuple[Housemate, ...] = ()


class Completed(BaseModel):
    """What became of a completed call.

    Attributes:
        again_at: Aware UTC; the task stays open and is due again then. None: it is closed.
    """

    model_config = ConfigDict(frozen=True)

    task_id: str
    outcome: CallOutcome
    again_at: datetime | None


async def open_task(
    session: AsyncSession,
    *,
    attempt_id: str,
    step: int,
    kind: TaskKind,
    due_at: datetime,
    tries: int,
    event_id: str | None,
    now: datetime,
) -> str | None:
    """Put an attempt on the call list and return the task's id.

    An attempt has one open task: a second reason raises the first one's priority instead. A
    step's task that was opened before, and closed since, is not opened again.

    Returns:
        None where the attempt has ended and nobody needs to call.
    """
    # two who open a task for one attempt take turns, and so do they and whoever completes it
    attempt = await session.get_one(Attempt, attempt_id, with_for_update={"key_share": True})
    of_attempt = select(CallTask).where(CallTask.attempt_id == attempt_id)
    standing = await session.scalar(
        of_attempt.where(CallTask.closed_at.is_(None)).with_for_update(key_share=True)
    )
    if standing is not None:
        if kind.priority < standing.priority:
            standing.kind, standing.priority = kind.value, kind.priority
            standing.tries_allowed = standing.tries_made + tries
        standing.due_at = min(standing.due_at, due_at)
        standing.event_id = event_id or standing.event_id
        return standing.id
    same = of_attempt.where(
        CallTask.step == step,
        CallTask.kind == kind.value,
        CallTask.event_id.is_not_distinct_from(event_id),
    )
    if (before := await session.scalar(same)) is not None:
        return before.id
    if attempt.state == AttemptState.ENDED.value and kind is not TaskKind.REPLY:
        return None
    task = CallTask(
        attempt_id=attempt_id,
        patient_id=attempt.patient_id,
        step=step,
        kind=kind.value,
        priority=kind.priority,
        due_at=due_at,
        opened_at=now,
        tries_allowed=tries,
        event_id=event_id,
    )
    session.add(task)
    await session.flush()
    return task.id


async def open_calls(session: AsyncSession, now: datetime, key: SecretStr) -> list[OpenCall]:
    """Return the call list: overdue first, then by priority and due time.

    Args:
        session: Any transaction.
        now: Aware UTC.
        key: The key of the suppression hashes.
    """
    rows = await session.execute(
        select(CallTask, Patient, Campaign.id, Campaign.name)
        .join(Patient, Patient.id == CallTask.patient_id)
        .join(Attempt, Attempt.id == CallTask.attempt_id)
        .join(Campaign, Campaign.id == Attempt.campaign_id)
        .where(CallTask.closed_at.is_(None))
        .order_by(case((CallTask.due_at < now, 0), else_=1), CallTask.priority, CallTask.due_at)
    )
    found = rows.all()
    words = await _replies(session, [task.attempt_id for task, *_ in found])
    numbers = await numbers_of(session, [patient for _, patient, *_ in found], now)
    also = await housemates(
        session,
        [(task.attempt_id, campaign, numbers[patient.id]) for task, patient, campaign, _ in found],
        now,
        key,
    )
    return [
        OpenCall(
            task_id=task.id,
            kind=TaskKind(task.kind),
            priority=task.priority,
            due_at=task.due_at,
            overdue=task.due_at < now,
            tries_made=task.tries_made,
            tries_allowed=task.tries_allowed,
            claimed_by=_claimant(task, now),
            campaign=campaign,
            patient_id=patient.id,
            external_id=patient.external_id,
            name=f"{patient.first_name} {patient.last_name}".strip(),
            phone=numbers[patient.id],
            language=patient.language,
            words=words.get(task.attempt_id, ""),
            household=also.get(task.attempt_id, ()),
        )
        for task, patient, _, campaign in found
    ]


async def _replies(session: AsyncSession, attempt_ids: Sequence[str]) -> dict[str, str]:
    """Return everything that patients wrote, by attempt, a reply a line."""
    words: dict[str, str] = {}
    for start in range(0, len(attempt_ids), _AT_ONCE):
        replies = await session.execute(
            select(Event.attempt_id, Event.body)
            .where(
                Event.attempt_id.in_(attempt_ids[start : start + _AT_ONCE]),
                Event.kind == EventKind.REPLY.value,
                Event.body != "",
            )
            .order_by(Event.number)
        )
        for attempt_id, body in replies:
            earlier = words.get(str(attempt_id))
            words[str(attempt_id)] = body if earlier is None else f"{earlier}\n{body}"
    return words


async def count_open(session: AsyncSession) -> int:
    """Return how many tasks are open."""
    query = select(func.count()).select_from(CallTask).where(CallTask.closed_at.is_(None))
    return await session.scalar(query) or 0


async def claim(
    session: AsyncSession, task_id: str, *, who: str, now: datetime, key: SecretStr
) -> datetime:
    """Claim a task, so that no two people call the same patient; again by the same prolongs.

    Args:
        session: A writing transaction.
        task_id: The task.
        who: Who calls.
        now: Aware UTC.
        key: The key of the suppression hashes.

    Returns:
        When the claim lapses, aware UTC.

    Raises:
        Refusal: No such task, closed, somebody else has it (it says who and until when), or the
            register has learned meanwhile that nobody may call.
    """
    until = now + CLAIM_LASTS
    task = await session.get(CallTask, task_id)
    if task is not None and task.closed_at is None:
        patient = await _standing(session, task, now, key, _UTC)
        await refuse_call(session, task, patient, key)
    free = or_(
        CallTask.claimed_by.is_(None), CallTask.claimed_by == who, CallTask.claimed_until <= now
    )
    won = await session.execute(
        update(CallTask)
        .where(CallTask.id == task_id, CallTask.closed_at.is_(None), free)
        .values(claimed_by=who, claimed_until=until)
    )
    if _rows(won) == 0:
        raise _why_not(await session.get(CallTask, task_id, populate_existing=True), task_id)
    return until


async def household_of(
    session: AsyncSession, task_id: str, now: datetime, key: SecretStr
) -> tuple[Housemate, ...]:
    """Return who else of the same campaign answers at a task's number, and who calls them now.

    Args:
        session: Any transaction.
        task_id: The task.
        now: Aware UTC.
        key: The key of the suppression hashes.
    """
    task = await session.get_one(CallTask, task_id)
    attempt = await session.get_one(Attempt, task.attempt_id)
    patient = await session.get_one(Patient, task.patient_id)
    number = (await numbers_of(session, [patient], now))[patient.id]
    also = await housemates(session, [(attempt.id, attempt.campaign_id, number)], now, key)
    return also.get(attempt.id, ())


async def script_for(
    session: AsyncSession, task_id: str, folder: ClinicFolder, household: Sequence[Housemate] = ()
) -> str:
    """Return what to say on a call, in the patient's language.

    Args:
        session: Any transaction.
        task_id: The task.
        folder: Has the templates.
        household: Who else answers at the number (`household_of`); the script names them.
    """
    task = await session.get_one(CallTask, task_id)
    attempt = await session.get_one(Attempt, task.attempt_id)
    campaign = await session.get_one(Campaign, attempt.campaign_id)
    patient = await session.get_one(Patient, task.patient_id)
    steps = Plan.model_validate(campaign.plan).steps
    # a reply may come before the plan's call step: its script still says who is calling
    step = next((step for step in steps if step.by_person), steps[task.step])
    template = folder.template(step.template)
    language = language_for(patient.language, folder.profile)
    spoken = step.model_copy(update={"channel": CALL})
    if not template.speaks(language, CALL):
        return ""
    return words_for(
        template,
        spoken,
        first_name=patient.first_name,
        language=language,
        link="",
        profile=folder.profile,
        together=[patient.first_name, *(one.first_name for one in household)] if household else (),
    ).script


async def complete(
    session: AsyncSession,
    task_id: str,
    reported: Reported,
    *,
    who: str,
    now: datetime,
    policy: ContactPolicy,
    calendar: ContactCalendar,
    key: SecretStr,
) -> Completed:
    """Record what came of a call; the attempt hears of it through the inbox.

    The task's row is changed by one conditional update, so of two people who complete a task at
    the same moment exactly one wins, and the other is told by whom it was closed.

    Args:
        session: A writing transaction.
        task_id: The task.
        reported: What came of the call.
        who: Who called.
        now: Aware UTC.
        policy: Whose rules bind a call.
        calendar: The clinic's time zone and closing days.
        key: The key of the suppression hashes.

    Raises:
        Refusal: No such task, closed already, claimed by somebody else, or a report that does
            not fit together. Nothing was changed.
    """
    task = await session.get(CallTask, task_id, with_for_update=True)
    if task is None or task.closed_at is not None:
        raise _why_not(task, task_id)
    if _claimant(task, now) not in (None, who):
        raise _why_not(task, task_id)
    tries_left = task.tries_allowed - task.tries_made
    patient = await _standing(session, task, now, key, calendar.zone)
    decided = after_call(
        reported,
        tries_left=tries_left,
        now=now,
        policy=policy,
        calendar=calendar_for(policy, calendar, patient.contact.phone),
        zone=calendar.zone,
        contacts=patient.contacts,
    )
    session.add(
        Call(
            task_id=task_id,
            made_at=now,
            made_by=who,
            outcome=reported.outcome.value,
            loss_reason=reported.reason.value if reported.reason else None,
            again_at=decided.due_at if isinstance(decided, Again) else None,
            note=reported.note,
        )
    )
    task.claimed_by = task.claimed_until = None
    if isinstance(decided, Again):
        task.due_at = decided.due_at
        task.tries_made += int(decided.counts_as_try)
        return Completed(task_id=task_id, outcome=reported.outcome, again_at=decided.due_at)
    task.closed_at, task.closed_by, task.outcome = now, who, reported.outcome.value
    task.tries_made += 1
    await _note_in_register(session, task, reported, now, key)
    await inbox.store(session, _as_event(task, reported), now=now, key=key)
    return Completed(task_id=task_id, outcome=reported.outcome, again_at=None)


async def keep_late(session: AsyncSession, event: Event, now: datetime) -> None:
    """Keep an event that came after its attempt's end: a reply becomes a task for a person."""
    if event.kind == EventKind.REPLY.value and event.attempt_id is not None:
        await open_task(
            session,
            attempt_id=event.attempt_id,
            step=0,
            kind=TaskKind.REPLY,
            due_at=now + ANSWER_WITHIN,
            tries=REPLY_TRIES,
            event_id=event.id,
            now=now,
        )


async def close_for(session: AsyncSession, attempt_id: str, *, why: str, now: datetime) -> None:
    """Take an attempt off the call list: it has ended, nobody needs to call.

    Who wrote to the clinic is called all the same, unless the end answers them: a campaign that
    is stopped, or a call that somebody made in the same moment, must not lose a reply.
    """
    waiting = [CallTask.attempt_id == attempt_id, CallTask.closed_at.is_(None)]
    if why not in _ANSWERS_A_REPLY:
        waiting.append(CallTask.kind != TaskKind.REPLY.value)
    await session.execute(
        update(CallTask)
        .where(*waiting)
        .values(closed_at=now, closed_by="the attempt's end", outcome=why)
    )


async def _standing(
    session: AsyncSession, task: CallTask, now: datetime, key: SecretStr, zone: ZoneInfo
) -> Standing:
    found = await standings(session, [task.patient_id], now, key, zone=zone)
    return found[task.patient_id]


async def _note_in_register(
    session: AsyncSession, task: CallTask, reported: Reported, now: datetime, key: SecretStr
) -> None:
    patient = await session.get_one(Patient, task.patient_id)
    match reported.outcome:
        case CallOutcome.DECEASED:
            patient.status = PatientStatus.DECEASED.value
        case CallOutcome.MOVED:
            patient.status = PatientStatus.MOVED.value
        case CallOutcome.WRONG_NUMBER:
            inbox.mark_bad(patient, "call", now)
        case CallOutcome.DECLINED if reported.reason is not None:
            patient.loss_reason = reported.reason.value
        case CallOutcome.DO_NOT_CONTACT:
            await suppression.opt_out(session, patient.id, source=STAFF, now=now, key=key)


def _as_event(task: CallTask, reported: Reported) -> inbox.Received:
    details: dict[str, Any] = {"call_outcome": reported.outcome.value, "task_id": task.id}
    if reported.reason is not None:
        details["loss_reason"] = reported.reason.value
    booked = reported.outcome is CallOutcome.BOOKED
    return inbox.Received(
        source=STAFF,
        source_key=task.id,
        kind=EventKind.CALL_OUTCOME,
        attempt_id=task.attempt_id,
        details=details,
        at=reported.at if booked else None,
    )


def _claimant(task: CallTask, now: datetime) -> str | None:
    lapsed = task.claimed_until is not None and task.claimed_until <= now
    return None if lapsed else task.claimed_by


def _why_not(task: CallTask | None, task_id: str) -> Refusal:
    if task is None:
        return Refusal(f"no call task `{task_id}`", "`regresa calls` lists the open ones.")
    if task.closed_at is not None:
        moment = f"{task.closed_at:%Y-%m-%d %H:%M} UTC"
        return Refusal(
            f"call task {task_id} was closed by {task.closed_by} at {moment} as `{task.outcome}`"
        )
    return Refusal(
        f"call task {task_id} is claimed by {task.claimed_by} until {task.claimed_until:%H:%M} UTC"
    )


def _rows(result: Any) -> int:
    return int(result.rowcount)
