"""What becomes of a call task after a call: the pure rule behind the call list."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from clinic.call_refusal import CallProblem, CallRefusal
from clinic.contact_policy import (
    ContactCalendar,
    ContactPolicy,
    PastContact,
    may_contact,
    next_opening,
)
from clinic.event import CallOutcome
from clinic.outcome import LossReason
from clinic.plan import CALL
from clinic.reply_reading import Meaning

TRY_AGAIN_AFTER = timedelta(days=1)
"""Between two calls that nobody answers (the product's design: tries are a day apart)."""

FURTHEST = timedelta(days=3653)
"""How far ahead a time may lie: a year that is further off is a slip of the pen."""

THINK_FOR = timedelta(days=7)
"""How long someone who is thinking it over is left alone, where no time was agreed."""

CLAIM_LASTS = timedelta(minutes=15)
"""A claimed task that nobody completes is free again after this."""

ANSWER_WITHIN = timedelta(hours=4)
"""Someone who wrote to the clinic waits for its answer: a reply task is due this soon."""

REPLY_TRIES = 3
"""Calls to someone who replied and then does not pick up."""

ATTEMPT_ENDED = "the attempt's end"
PATIENT_FORGOTTEN = "the patient's wish"
CLOSED_BY_NOBODY = (ATTEMPT_ENDED, PATIENT_FORGOTTEN)
"""By what a task is closed that no person has completed."""


class TaskKind(StrEnum):
    """Why a person is asked to call."""

    CALL = "call"
    """The plan's call step has come."""
    REPLY = "reply"
    """The patient answered: somebody reads it and answers."""
    CHECK = "check"
    """Nobody can tell whether a message was sent: somebody looks and decides."""

    @property
    def priority(self) -> int:
        """1 is the most urgent, but for `urgency`."""
        return {TaskKind.REPLY: 1, TaskKind.CHECK: 2, TaskKind.CALL: 3}[self]


def urgency(kind: TaskKind, reading: str | None = None) -> int:
    """Return a task's priority: 0 is the most urgent.

    Args:
        kind: Why a person is asked to call.
        reading: How the patient's words were read, where they were: who says yes wants to come.
    """
    if kind is TaskKind.REPLY and reading == Meaning.YES.value:
        return 0
    return kind.priority


class Reported(BaseModel):
    """What the person who called reports.

    Attributes:
        outcome: What came of the call.
        reason: Why the patient left; with `declined`, and only then.
        at: Aware UTC; when to call back, or when the booked appointment is.
        note: Free words for the card; never leaves the clinic's database.
        called: The keyed hash of the number that was called (`clinic.register.address`); None:
            nobody says, so it is the one that the register has.
    """

    model_config = ConfigDict(frozen=True)

    outcome: CallOutcome
    reason: LossReason | None = None
    at: datetime | None = None
    note: str = ""
    called: str | None = None


class Again(BaseModel):
    """The task stays open and is due again at a later time (aware UTC)."""

    model_config = ConfigDict(frozen=True)

    due_at: datetime
    counts_as_try: bool


class Closed(BaseModel):
    """The task is done; the attempt hears the outcome."""

    model_config = ConfigDict(frozen=True)


_NOT_REACHED = (CallOutcome.NO_ANSWER, CallOutcome.VOICEMAIL)


def after_call(
    reported: Reported,
    *,
    tries_left: int,
    now: datetime,
    policy: ContactPolicy,
    calendar: ContactCalendar,
    zone: ZoneInfo,
    contacts: Sequence[PastContact],
) -> Again | Closed:
    """Decide what becomes of a task.

    A time that was agreed with the patient is kept within the hours. Of the clinic's own accord
    nobody is called again before every rule allows it, and this call counts.

    Args:
        reported: What came of the call.
        tries_left: Calls that may still go unanswered, this one included.
        now: Aware UTC.
        policy: Whose rules bind a call.
        calendar: In which zone the hours of this patient are meant, and the closing days.
        zone: The clinic's time zone, in which staff read and write times.
        contacts: The patient's lately, without this call.

    Raises:
        CallRefusal: What was reported does not fit together; it says what is missing.
    """
    _refuse_misfits(reported, now)
    this_call = PastContact(at=now, channel=CALL)

    def allowed_from(moment: datetime) -> datetime:
        blocked = may_contact(policy, calendar, CALL, moment, [*contacts, this_call])
        return moment if blocked is None else blocked.until

    match reported.outcome:
        case CallOutcome.CALL_BACK if reported.at is not None:
            _refuse_outside_hours(reported.at, policy, calendar, zone)
            return Again(due_at=reported.at, counts_as_try=False)
        case CallOutcome.THINKING:
            if reported.at is None:
                return Again(due_at=allowed_from(now + THINK_FOR), counts_as_try=False)
            _refuse_outside_hours(reported.at, policy, calendar, zone)
            return Again(due_at=reported.at, counts_as_try=False)
        case outcome if outcome in _NOT_REACHED and tries_left > 1:
            return Again(due_at=allowed_from(now + TRY_AGAIN_AFTER), counts_as_try=True)
        case _:
            return Closed()


def _refuse_misfits(reported: Reported, now: datetime) -> None:
    outcome, reason, at = reported.outcome, reported.reason, reported.at
    if outcome is CallOutcome.DECLINED and reason is None:
        known = ", ".join(reason.value for reason in LossReason)
        raise CallRefusal(
            CallProblem.NEEDS_REASON, "`declined` needs a --reason", f"One of: {known}"
        )
    if outcome is not CallOutcome.DECLINED and reason is not None:
        raise CallRefusal(
            CallProblem.REASON_MISPLACED, f"--reason goes with `declined`, not with `{outcome}`"
        )
    if outcome is CallOutcome.CALL_BACK and at is None:
        raise CallRefusal(
            CallProblem.NEEDS_TIME,
            "`call_back` needs a time",
            "Say it with --at, such as --at '2027-03-02 10:30'",
        )
    timed = (CallOutcome.CALL_BACK, CallOutcome.THINKING, CallOutcome.BOOKED)
    if at is not None and outcome not in timed:
        raise CallRefusal(
            CallProblem.TIME_MISPLACED, f"--at goes with {', '.join(timed)}, not with `{outcome}`"
        )
    if at is not None and at <= now:
        raise CallRefusal(CallProblem.TIME_PASSED, "--at lies in the past")
    if at is not None and at - now > FURTHEST:
        raise CallRefusal(CallProblem.TIME_TOO_FAR, "--at lies more than ten years ahead")


def _refuse_outside_hours(
    asked: datetime, policy: ContactPolicy, calendar: ContactCalendar, zone: ZoneInfo
) -> None:
    opening = next_opening(policy, calendar, asked)
    if opening != asked:
        raise CallRefusal(
            CallProblem.OUTSIDE_HOURS,
            "--at lies outside the hours in which the clinic may call",
            f"The next time within them is {opening.astimezone(zone):%Y-%m-%d %H:%M}.",
            at=opening,
        )
