"""A patient's attempts on their card: each step with what became of it, and which rule decided."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.attempt import AttemptState
from clinic.call_words import Written, written_of
from clinic.event import EventKind
from clinic.plan import Plan, Step
from clinic.register.sent_text import SentText, SentTexts
from clinic.tables import Attempt, Call, CallTask, Campaign, Event, Message, StepNote

SENT = "sent"
ASKED = "on the call list"
BEING_SENT = "being sent"
FAILED = "failed"
TO_COME = "to come"
NOT_REACHED = "not reached"
"""The attempt ended before its turn."""


_CHANGES_NOTHING = (EventKind.NOTICE.value, EventKind.UNKNOWN.value)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class StepLine(_Part):
    """What became of one step.

    Attributes:
        number: 1 is the first.
        became: `sent`, `on the call list`, `being sent`, `skipped`, `deferred`, `failed`,
            `to come` or `not reached`.
        at: Aware UTC; when that was.
        reason: Why it was skipped or failed, or what the provider says of it.
        rule: Which rule decided, in words for people.
        until: Aware UTC; until when it is put off.
        together: The household got one message; it is another attempt's.
        text: What it said, where it was sent by machine and the texts were asked for.
    """

    number: int
    channel: str
    template: str
    became: str
    at: datetime | None = None
    reason: str = ""
    rule: str = ""
    until: datetime | None = None
    together: bool = False
    text: SentText | None = None


class CallLine(_Part):
    """One call that staff made; times are aware UTC."""

    at: datetime
    by: str
    outcome: str
    loss_reason: str | None
    again_at: datetime | None
    note: str


class Said(_Part):
    """Something that happened outside, with the patient's words; `at` is aware UTC.

    Attributes:
        words: As they reached the clinic.
        written: The same, with the patient's own told from what their page says for them.
        reading: How a reply was read: `yes`, `no` or `unclear`; None: it was not.
    """

    at: datetime
    kind: str
    source: str
    words: str
    written: Written
    reading: str | None = None


class AttemptCard(_Part):
    """One attempt, or why there was none.

    Attributes:
        rule: The rule that left the patient out, where one did.
        open_task: The open call task, if there is one.
    """

    attempt_id: str
    campaign: str
    state: str
    started_at: datetime | None
    ended_at: datetime | None
    outcome: str | None
    loss_reason: str | None
    left_out_reason: str | None
    rule: str
    steps: tuple[StepLine, ...]
    open_task: str | None
    calls: tuple[CallLine, ...]
    said: tuple[Said, ...]


async def attempt_cards(
    session: AsyncSession, patient_id: str, texts: SentTexts | None = None
) -> tuple[AttemptCard, ...]:
    """Return a patient's attempts over all campaigns, the latest campaign first.

    Args:
        session: Any transaction.
        patient_id: Whose.
        texts: Says what each message said; None: nobody asks.
    """
    rows = await session.execute(
        select(Attempt, Campaign)
        .join(Campaign, Campaign.id == Attempt.campaign_id)
        .where(Attempt.patient_id == patient_id)
        .order_by(Campaign.started_at.desc(), Attempt.id)
    )
    return tuple(
        [await _card(session, attempt, campaign, texts) for attempt, campaign in rows.all()]
    )


async def said(session: AsyncSession, *conditions: ColumnElement[bool]) -> tuple[Said, ...]:
    """Return what happened outside, in its order; a message's way to the patient is left out."""
    on_the_way = and_(Event.kind.in_(_CHANGES_NOTHING), Event.body == "")
    query = select(Event).where(*conditions, ~on_the_way).order_by(Event.number)
    return tuple(
        Said(
            at=row.received_at,
            kind=row.kind,
            source=row.source,
            words=row.body,
            written=written_of(row.body, row.source, row.details),
            reading=row.details.get("reading"),
        )
        for row in await session.scalars(query)
    )


async def calls_of(session: AsyncSession, task_ids: Sequence[str]) -> tuple[CallLine, ...]:
    """Return the calls that staff made for some tasks, in their order."""
    rows = await session.scalars(
        select(Call).where(Call.task_id.in_(task_ids)).order_by(Call.made_at, Call.id)
    )
    return tuple(
        CallLine(
            at=row.made_at,
            by=row.made_by,
            outcome=row.outcome,
            loss_reason=row.loss_reason,
            again_at=row.again_at,
            note=row.note,
        )
        for row in rows
    )


async def _card(
    session: AsyncSession, attempt: Attempt, campaign: Campaign, texts: SentTexts | None
) -> AttemptCard:
    never = attempt.state == AttemptState.LEFT_OUT.value
    tasks = (await session.scalars(select(CallTask).where(CallTask.attempt_id == attempt.id))).all()
    return AttemptCard(
        attempt_id=attempt.id,
        campaign=campaign.name,
        state=attempt.state,
        started_at=attempt.started_at,
        ended_at=attempt.ended_at,
        outcome=attempt.outcome,
        loss_reason=attempt.loss_reason,
        left_out_reason=attempt.left_out_reason,
        rule=attempt.left_out_rule,
        steps=() if never else await _steps(session, attempt, campaign, texts),
        open_task=next((task.id for task in tasks if task.closed_at is None), None),
        calls=await calls_of(session, [task.id for task in tasks]),
        said=await said(session, Event.attempt_id == attempt.id),
    )


async def _steps(
    session: AsyncSession, attempt: Attempt, campaign: Campaign, texts: SentTexts | None
) -> tuple[StepLine, ...]:
    messages = await session.scalars(
        # what came back for our own fault is delivered again: the note says how that stands
        select(Message).where(Message.attempt_id == attempt.id, Message.try_number == 1)
    )
    notes = await session.scalars(select(StepNote).where(StepNote.attempt_id == attempt.id))
    sent = {message.step: message for message in messages}
    noted = {note.step: note for note in notes}
    silent = NOT_REACHED if attempt.state == AttemptState.ENDED.value else TO_COME
    lines = []
    for index, step in enumerate(Plan.model_validate(campaign.plan).steps):
        if index in sent:
            became = _of_message(sent[index], step)
            if texts and sent[index].sent_at is not None and not step.by_person:
                became["text"] = await texts.of(session, sent[index], step)
        elif index in noted:
            became = _of_note(noted[index])
        else:
            became = {"became": silent}
        line = {"number": index + 1, "channel": step.channel, "template": step.template} | became
        lines.append(StepLine.model_validate(line))
    return tuple(lines)


def _of_message(message: Message, step: Step) -> dict[str, Any]:
    together = {"together": message.carried_by is not None}
    if message.failed_at is not None:
        return together | {
            "became": FAILED,
            "at": message.failed_at,
            "reason": message.failure or "",
        }
    if message.sent_at is None:
        return together | {"became": BEING_SENT, "at": message.claimed_at}
    return together | {
        "became": ASKED if step.by_person else SENT,
        "at": message.sent_at,
        "reason": message.provider_status or "",
    }


def _of_note(note: StepNote) -> dict[str, Any]:
    return {
        "became": note.result,
        "at": note.at,
        "reason": note.reason,
        "rule": note.rule,
        "until": note.until,
    }
