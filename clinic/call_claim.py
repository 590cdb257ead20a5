"""Taking a call task: who else answers there, what to say, and that nobody else calls."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import SecretStr
from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.call_check import refuse_call
from clinic.call_refusal import CallProblem, CallRefusal
from clinic.call_task import CLAIM_LASTS, CLOSED_BY_NOBODY
from clinic.call_words import Words, words_of
from clinic.folder import ClinicFolder
from clinic.plan import CALL, Plan
from clinic.refusal import Refusal
from clinic.register.same_number import Housemate, housemates, numbers_of
from clinic.register.standing import Standing, standings
from clinic.tables import Attempt, CallTask, Campaign, Patient
from clinic.wording import language_for, words_for


async def claim(
    session: AsyncSession,
    task_id: str,
    *,
    who: str,
    now: datetime,
    key: SecretStr,
    zone: ZoneInfo,
) -> datetime:
    """Claim a task, so that no two people call the same patient; again by the same prolongs.

    Args:
        session: A writing transaction.
        task_id: The task.
        who: Who calls.
        now: Aware UTC.
        key: The key of the suppression hashes.
        zone: The clinic's time zone: of the times in a refusal, and for the day on which a
            minor comes of age.

    Returns:
        When the claim lapses, aware UTC.

    Raises:
        CallRefusal: No such task, closed, somebody else has it (it says who and until when), or the
            register has learned meanwhile that nobody may call.
    """
    until = now + CLAIM_LASTS
    task = await session.get(CallTask, task_id)
    if task is not None and task.closed_at is None:
        patient = await standing_of(session, task, now, key, zone)
        if patient is not None:
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
        task = await session.get(CallTask, task_id, populate_existing=True)
        raise why_not(task, task_id, zone)
    return until


async def release(session: AsyncSession, task_id: str, *, who: str) -> bool:
    """Give a claim back, so that others may call at once; nothing happens where it is not theirs.

    Args:
        session: A writing transaction.
        task_id: The task.
        who: Whose claim it is.

    Returns:
        Whether it was theirs.
    """
    given_back = await session.execute(
        update(CallTask)
        .where(CallTask.id == task_id, CallTask.claimed_by == who)
        .values(claimed_by=None, claimed_until=None)
    )
    return _rows(given_back) > 0


async def held_by(session: AsyncSession, who: str, now: datetime) -> Sequence[str]:
    """Return the open tasks that somebody has claimed and reported nothing on, the latest first.

    Args:
        session: Any transaction.
        who: Whose claims.
        now: Aware UTC; what has lapsed is theirs no more.
    """
    theirs = (
        CallTask.closed_at.is_(None),
        CallTask.claimed_by == who,
        CallTask.claimed_until > now,
    )
    query = select(CallTask.id).where(*theirs).order_by(CallTask.claimed_until.desc(), CallTask.id)
    return (await session.scalars(query)).all()


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
    if task.attempt_id is None:
        return ()
    attempt = await session.get_one(Attempt, task.attempt_id)
    patient = await session.get_one(Patient, attempt.patient_id)
    number = (await numbers_of(session, [patient], now))[patient.id]
    also = await housemates(session, [(attempt.id, attempt.campaign_id, number)], now, key)
    return also.get(attempt.id, ())


async def words_for_claim(session: AsyncSession, task_id: str) -> Words:
    """Return what was written that a task is about, and from where if nobody knows by whom."""
    task = await session.get_one(CallTask, task_id)
    return (await words_of(session, [task]))[task.id]


async def script_for(
    session: AsyncSession, task_id: str, folder: ClinicFolder, household: Sequence[Housemate] = ()
) -> str:
    """Return what to say on a call, in the patient's language.

    It is empty where the template does not speak it, is gone or can't be read, or where no
    campaign asked for the call: what the patient wrote is all there is.

    Args:
        session: Any transaction.
        task_id: The task.
        folder: Has the templates.
        household: Who else answers at the number (`household_of`); the script names them.
    """
    task = await session.get_one(CallTask, task_id)
    if task.attempt_id is None:
        return ""
    attempt = await session.get_one(Attempt, task.attempt_id)
    campaign = await session.get_one(Campaign, attempt.campaign_id)
    patient = await session.get_one(Patient, attempt.patient_id)
    steps = Plan.model_validate(campaign.plan).steps
    # a reply may come before the plan's call step: its script still says who is calling
    step = next((step for step in steps if step.by_person), steps[task.step])
    try:
        template = folder.template(step.template)
    except (Refusal, OSError):  # whoever calls has all the rest, and a patient who waits
        return ""
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


async def standing_of(
    session: AsyncSession, task: CallTask, now: datetime, key: SecretStr, zone: ZoneInfo
) -> Standing | None:
    """Return where a task's patient stands; None for somebody whom the register does not know."""
    if task.patient_id is None:
        return None
    found = await standings(session, [task.patient_id], now, key, zone=zone)
    return found[task.patient_id]


def claimant(task: CallTask, now: datetime) -> str | None:
    """Return who has a task just now; None: it is free."""
    lapsed = task.claimed_until is not None and task.claimed_until <= now
    return None if lapsed else task.claimed_by


def why_not(task: CallTask | None, task_id: str, zone: ZoneInfo) -> CallRefusal:
    """Return why a task can't be had, with times in the clinic's time zone."""
    if task is None:
        return CallRefusal(
            CallProblem.UNKNOWN,
            f"no call task `{task_id}`",
            "`regresa calls` lists the open ones.",
        )
    if task.closed_at is not None:
        closed = f"{task.closed_at.astimezone(zone):%a %Y-%m-%d %H:%M}"
        by_nobody = task.closed_by in CLOSED_BY_NOBODY
        return CallRefusal(
            CallProblem.OVER if by_nobody else CallProblem.CLOSED,
            f"call task {task_id} was closed by {task.closed_by} on {closed} as `{task.outcome}`",
            who=None if by_nobody else task.closed_by,
            at=task.closed_at,
            outcome=task.outcome,
        )
    until = f" until {task.claimed_until.astimezone(zone):%H:%M}" if task.claimed_until else ""
    return CallRefusal(
        CallProblem.CLAIMED,
        f"call task {task_id} is claimed by {task.claimed_by}{until}",
        who=task.claimed_by,
        at=task.claimed_until,
    )


def _rows(result: Any) -> int:
    return int(result.rowcount)
