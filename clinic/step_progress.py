"""A campaign's plan, step by step: what became of each step, and who stands there now."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Row, Select, and_, case, exists, func, literal, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.attempt import AttemptState
from clinic.delivery import SkipReason
from clinic.plan import Plan
from clinic.tables import Attempt, CallTask, Campaign, Message, StepNote

_SKIPPED, _FAILED, _DEFERRED = "skipped", "failed", "deferred"
"""As `clinic.delivery` names its results, and `clinic.step_notes` keeps them."""


class StepProgress(BaseModel):
    """What became of one step for all patients of a campaign; numbers are of patients.

    Attributes:
        number: 1 is the first.
        channel: By which it is delivered.
        template: Its content.
        wait: How long an answer may take; for a call, how long the person has.
        tries: Calls that may go unanswered.
        sent: Was sent, or stands or stood on the call list; a household's message is everybody's
            whom it names.
        sending: Is being sent, or nobody knows yet whether it was.
        failed: Was refused, or came back.
        skipped: Reason to how many it was passed over for.
        put_off: Open attempts for which it has to wait: for the hours, a pause, a channel.
        waiting: Open attempts that have got this step, and no answer yet.
        with_person: Open calls of this step.
    """

    model_config = ConfigDict(frozen=True)

    number: int
    channel: str
    template: str
    wait: timedelta
    tries: int
    sent: int = 0
    sending: int = 0
    failed: int = 0
    skipped: Mapping[SkipReason, int] = {}
    put_off: int = 0
    waiting: int = 0
    with_person: int = 0

    @property
    def skipped_in_all(self) -> int:
        """How many it was passed over for, whatever the reason."""
        return sum(self.skipped.values())

    @property
    def came_here(self) -> int:
        """How many have come as far as this step."""
        return self.sent + self.sending + self.failed + self.skipped_in_all + self.put_off


async def progress_by_step(session: AsyncSession, campaign: Campaign) -> list[StepProgress]:
    """Count what became of every step of a campaign's plan.

    Args:
        session: Any transaction.
        campaign: The campaign.
    """
    counted: list[dict[str, int]] = [{} for _ in Plan.model_validate(campaign.plan).steps]
    skipped: list[dict[SkipReason, int]] = [{} for _ in counted]
    for became in await session.execute(_messages(campaign)):
        counted[became.step] |= {
            "sent": became.sent or 0,
            "failed": became.failed or 0,
            "sending": became.sending or 0,
        }
    for note in await session.execute(_notes(campaign)):
        _take(note, counted[note.step], skipped[note.step])
    for stands in await session.execute(_standing(campaign)):
        counted[stands.step]["waiting"] = stands.attempts
    for task in await session.execute(_open_tasks(campaign)):
        counted[task.step]["with_person"] = task.tasks
    return [
        StepProgress(
            number=index + 1,
            channel=step.channel,
            template=step.template,
            wait=step.wait,
            tries=step.tries,
            skipped=dict(sorted(skipped[index].items(), key=lambda item: -item[1])),
            **counted[index],
        )
        for index, step in enumerate(Plan.model_validate(campaign.plan).steps)
    ]


def _take(
    note: Row[int, str, str, int], counted: dict[str, int], skipped: dict[SkipReason, int]
) -> None:
    if note.result == _SKIPPED:
        skipped[SkipReason(note.reason)] = note.attempts
    elif note.result == _FAILED:
        counted["failed"] = counted.get("failed", 0) + note.attempts
    else:
        counted["put_off"] = counted.get("put_off", 0) + note.attempts


def _messages(campaign: Campaign) -> Select[int, Any, Any, Any]:
    """Count the ledger: what came back is no longer sent."""
    failed = Message.failed_at.is_not(None)
    sent = and_(Message.sent_at.is_not(None), ~failed)
    return (
        select(
            Message.step,
            func.sum(case((sent, 1), else_=0)).label("sent"),
            func.sum(case((failed, 1), else_=0)).label("failed"),
            func.sum(case((or_(sent, failed), 0), else_=1)).label("sending"),
        )
        .join(Attempt, Attempt.id == Message.attempt_id)
        # what came back for our own fault is delivered again, as another try
        .where(Attempt.campaign_id == campaign.id, Message.try_number == 1)
        .group_by(Message.step)
    )


def _notes(campaign: Campaign) -> Select[int, str, str, int]:
    """Count the notes of steps that the ledger says nothing of."""
    in_ledger = exists().where(
        Message.attempt_id == StepNote.attempt_id,
        Message.step == StepNote.step,
        Message.try_number == 1,
    )
    return (
        select(StepNote.step, StepNote.result, StepNote.reason, func.count().label("attempts"))
        .join(Attempt, Attempt.id == StepNote.attempt_id)
        .where(
            Attempt.campaign_id == campaign.id,
            ~in_ledger,
            # nobody waits any more for what an attempt that has ended had put off
            or_(
                StepNote.result.in_([_SKIPPED, _FAILED]),
                and_(StepNote.result == _DEFERRED, Attempt.state == AttemptState.OPEN.value),
            ),
        )
        .group_by(StepNote.step, StepNote.result, StepNote.reason)
    )


def _standing(campaign: Campaign) -> Select[Any, int]:
    """Count open attempts by the last step that something came of, where that was a message.

    Who stands on the call list, or waits to be delivered a step, is counted there.
    """
    is_open = and_(Attempt.campaign_id == campaign.id, Attempt.state == AttemptState.OPEN.value)
    has_task = exists().where(CallTask.attempt_id == Attempt.id, CallTask.closed_at.is_(None))
    words = union_all(
        select(Message.attempt_id, Message.step, literal(1).label("waits"))
        .join(Attempt, Attempt.id == Message.attempt_id)
        .where(is_open, ~has_task, Message.try_number == 1, Message.sent_at.is_not(None)),
        select(StepNote.attempt_id, StepNote.step, literal(0).label("waits"))
        .join(Attempt, Attempt.id == StepNote.attempt_id)
        .where(is_open, ~has_task),
    ).subquery()
    # of one step, the ledger has the last word: a message that was put off and then sent waits
    last = (
        select(words.c.attempt_id, func.max(words.c.step * 2 + words.c.waits).label("last"))
        .group_by(words.c.attempt_id)
        .subquery()
    )
    step = (last.c.last // 2).label("step")
    return select(step, func.count().label("attempts")).where(last.c.last % 2 == 1).group_by(step)


def _open_tasks(campaign: Campaign) -> Select[int, int]:
    return (
        select(CallTask.step, func.count().label("tasks"))
        .join(Attempt, Attempt.id == CallTask.attempt_id)
        .where(
            Attempt.campaign_id == campaign.id,
            Attempt.state == AttemptState.OPEN.value,
            CallTask.closed_at.is_(None),
        )
        .group_by(CallTask.step)
    )
