"""What is known of each attempt for the figures, as SQL: contacted, answered, booked, came.

The definitions, which the console says to the reader too:

* in the segment: every row of the campaign, also of those who were left out or still wait;
* contacted: a message was sent to the patient and did not come back, one of their own or one that
  names them with others of their household; or somebody called;
* answered: contacted, and the patient replied, booked, declined or opted out, or spoke with whoever
  called, or the attempt ended as booked;
* booked: contacted, and the attempt ended as booked. Who booked before the clinic had contacted
  them came back by themselves: they are counted apart, and in no later stage. Nor is a booking
  counted that comes after the attempt's end;
* came: booked, and the register has a visit on the clinic's day on which the attempt ended, or on
  a later one. The register's import brings visits; of somebody who was forgotten there are none.

By these words each stage is a part of the one before.
"""

from enum import IntEnum

from sqlalchemy import ColumnElement, case, exists, func, or_, select

from clinic.event import CallOutcome, EventKind
from clinic.outcome import Outcome
from clinic.plan import CALL
from clinic.results.local_calendar import LocalCalendar
from clinic.tables import Attempt, Call, CallTask, Event, Message, Visit

ANSWERS = (EventKind.REPLY, EventKind.BOOKED, EventKind.DECLINED, EventKind.OPTED_OUT)
"""What a patient does that is an answer."""

REACHED = (
    CallOutcome.BOOKED,
    CallOutcome.CALL_BACK,
    CallOutcome.THINKING,
    CallOutcome.DECLINED,
    CallOutcome.DO_NOT_CONTACT,
    CallOutcome.MOVED,
)
"""What comes of a call in which somebody spoke with the patient."""


class Stage(IntEnum):
    """How far an attempt came; whoever is at one was at all before it."""

    IN_SEGMENT = 0
    CONTACTED = 1
    ANSWERED = 2
    BOOKED = 3
    CAME = 4


BY_THEMSELVES = -1
"""Stands for a stage: booked before the clinic had contacted them."""


def stage(calendar: LocalCalendar) -> ColumnElement[int]:
    """Return how far an attempt came, as the number of its `Stage`, or `BY_THEMSELVES`.

    Args:
        calendar: The clinic's.
    """
    # what is cheap and settles most is asked first
    after_contact = case(
        (booked(), case((came(calendar), Stage.CAME.value), else_=Stage.BOOKED.value)),
        (_answered(), Stage.ANSWERED.value),
        else_=Stage.CONTACTED.value,
    )
    return case(
        (_contacted(), after_contact), (booked(), BY_THEMSELVES), else_=Stage.IN_SEGMENT.value
    )


def booked() -> ColumnElement[bool]:
    """Return the condition that an attempt ended as booked; never unknown."""
    return func.coalesce(Attempt.outcome, "") == Outcome.BOOKED.value


def came(calendar: LocalCalendar) -> ColumnElement[bool]:
    """Return the condition that a patient whose attempt ended has come since.

    Args:
        calendar: The clinic's.
    """
    return exists().where(
        Visit.patient_id == Attempt.patient_id, Visit.day >= calendar.day(Attempt.ended_at)
    )


def sent() -> ColumnElement[bool]:
    """Return the condition that a message left; a task for a person is none."""
    return Message.sent_at.is_not(None) & (Message.channel != CALL)


def arrived() -> ColumnElement[bool]:
    """Return the condition that a message was sent and did not come back."""
    return sent() & Message.failed_at.is_(None)


def answering() -> ColumnElement[bool]:
    """Return the condition that an event is a patient's answer."""
    return Event.kind.in_([kind.value for kind in ANSWERS])


def reached() -> ColumnElement[bool]:
    """Return the condition that somebody spoke with the patient in a call."""
    return Call.outcome.in_([outcome.value for outcome in REACHED])


def _contacted() -> ColumnElement[bool]:
    written_to = exists().where(Message.attempt_id == Attempt.id, arrived())
    called = select(CallTask.attempt_id).join(Call, Call.task_id == CallTask.id)
    return or_(written_to, Attempt.id.in_(called.where(CallTask.attempt_id.is_not(None))))


def _answered() -> ColumnElement[bool]:
    said = exists().where(Event.attempt_id == Attempt.id, answering())
    spoke = select(CallTask.attempt_id).join(Call, Call.task_id == CallTask.id).where(reached())
    return or_(said, Attempt.id.in_(spoke.where(CallTask.attempt_id.is_not(None))))
