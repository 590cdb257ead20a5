"""The ladder: given the plan, where an attempt stands and what happened, the next move.

A pure state machine. It knows no clock, no database and no Temporal: `now` is handed in, and
what it answers is carried out by somebody else (`workflows.recovery`). Every decision about an
attempt is made here and nowhere else.

    DELIVERING --sent--> WAITING --time-out--> DELIVERING (next step) ... --> ENDED
        |                   `--returned--> DELIVERING (same step)
        |--deferred--> DEFERRED --time-out--> DELIVERING (same step)
        |--sent by a person--> CALLING --call outcome--> ENDED
        `--any phase: reply--> WITH_PERSON --call outcome--> ENDED
"""

from datetime import datetime
from enum import StrEnum
from typing import assert_never

from pydantic import BaseModel, ConfigDict

from clinic.call_task import TaskKind
from clinic.delivery import Deferred, Delivery, Failed, FailReason, Sent, Skipped
from clinic.event import AttemptEvent, CallOutcome, EventKind
from clinic.outcome import LossReason, Outcome
from clinic.plan import Plan, Step


class Phase(StrEnum):
    """What an attempt is doing."""

    DELIVERING = "delivering"
    DEFERRED = "deferred"
    WAITING = "waiting"
    CALLING = "calling"
    WITH_PERSON = "with_person"
    ENDED = "ended"


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class Stand(_Value):
    """Where an attempt stands.

    Attributes:
        step: Index of the current step.
        phase: What is being done about it.
        until: Aware UTC; when the current wait or deferral is over. None: no time-out.
        rule: During a deferral, the rule that decided it.
        reached: Whether any step was delivered so far.
        resumed: The campaign, or the channel, went on while a delivery was still finding it
            held: the delivery's answer, to wait for that, is then out of date.
        returned: The message came back before its delivery was known: that it was sent is then
            out of date.
    """

    step: int = 0
    phase: Phase = Phase.DELIVERING
    until: datetime | None = None
    rule: str = ""
    reached: bool = False
    resumed: bool = False
    returned: bool = False


class TimeOut(_Value):
    """The current wait is over and nobody answered."""


class Deliver(_Value):
    """Deliver the step the attempt stands on."""


class Wait(_Value):
    """Wait for an event, at the longest until the stand says."""


class OpenCallTask(_Value):
    """Ask a person to take over, then wait for what comes of it."""

    kind: TaskKind
    event_id: str | None = None


class End(_Value):
    """The attempt is over."""

    outcome: Outcome
    loss_reason: LossReason | None = None


Move = Deliver | Wait | OpenCallTask | End
Happening = Delivery | TimeOut | AttemptEvent


class Turn(_Value):
    """An answer of the ladder: where the attempt stands now, and what to do next."""

    stand: Stand
    move: Move


_ENDS_AS = {
    EventKind.BOOKED: Outcome.BOOKED,
    EventKind.OPTED_OUT: Outcome.OPTED_OUT,
    EventKind.STOPPED: Outcome.CANCELLED,
    EventKind.EXCLUDED: Outcome.EXCLUDED,
}
"""What ends an attempt wherever it stands."""
_HELD_BY_PERSON = (Phase.CALLING, Phase.WITH_PERSON)
_SENDING = (Phase.DELIVERING, Phase.WAITING)
"""A step's message may have left, even where its delivery is not known yet."""


def begin() -> Turn:
    """Return the first turn of every attempt: deliver the first step."""
    return Turn(stand=Stand(), move=Deliver())


def advance(plan: Plan, stand: Stand, happening: Happening, now: datetime) -> Turn:
    """Answer what happened with the next turn.

    Args:
        plan: The attempt's own snapshot of its plan.
        stand: Where the attempt stands; not ended.
        happening: What came of a delivery, a time-out, or an event.
        now: The attempt's clock, aware UTC.

    Raises:
        ValueError: The attempt has ended already.
    """
    if stand.phase is Phase.ENDED:
        raise ValueError("an attempt that has ended takes no further turn")
    match happening:
        case AttemptEvent():
            return _on_event(plan, stand, happening)
        case TimeOut():
            return _on_time_out(plan, stand)
        case Sent() | Skipped() | Deferred() | Failed():
            return _on_delivery(plan, stand, happening, now)
        case _:
            assert_never(happening)


def _on_delivery(plan: Plan, stand: Stand, delivery: Delivery, now: datetime) -> Turn:
    if stand.phase is not Phase.DELIVERING:
        return _stay(stand)
    match delivery:
        case Sent() if stand.returned:
            return _deliver(stand, stand.step)
        case Sent():
            return _sent(plan.steps[stand.step], stand, now)
        case Deferred(until=None) if stand.resumed:
            return _deliver(stand, stand.step)
        case Deferred(until=until, rule=rule):
            return _wait(stand, Phase.DEFERRED, until=until, rule=rule)
        case Skipped(reason=reason):
            return _climb(plan, stand) if reason.ends_as is None else _end(stand, reason.ends_as)
        case Failed(reason=FailReason.OPTED_OUT):
            return _end(stand, Outcome.OPTED_OUT)
        case Failed(reason=FailReason.UNCERTAIN):
            return _hand_over(stand, TaskKind.CHECK)
        case Failed():
            return _climb(plan, stand)
        case _:
            assert_never(delivery)


def _on_time_out(plan: Plan, stand: Stand) -> Turn:
    match stand.phase:
        case Phase.DEFERRED:
            return _deliver(stand, stand.step)
        case Phase.WAITING:
            return _climb(plan, stand)
        case _:
            return _stay(stand)


def _on_event(plan: Plan, stand: Stand, event: AttemptEvent) -> Turn:
    match event.kind:
        case kind if kind in _ENDS_AS:
            return _end(stand, _ENDS_AS[kind])
        # whoever reads a reply knows more than what was clicked or recognised meanwhile
        case EventKind.DECLINED if stand.phase is not Phase.WITH_PERSON:
            return _end(stand, Outcome.DECLINED, event.loss_reason)
        case EventKind.REPLY:
            return _hand_over(stand, TaskKind.REPLY, event.event_id)
        case EventKind.CALL_OUTCOME if event.call_outcome is not None:
            return _on_call_outcome(plan, stand, event.call_outcome, event.loss_reason)
        case EventKind.BOUNCED if stand.phase in _SENDING and event.step == stand.step:
            return _climb(plan, _reached(stand))
        case EventKind.RETURNED if event.step == stand.step:
            return _on_return(stand)
        case EventKind.RESUMED if stand.phase is Phase.DEFERRED:
            return _deliver(stand, stand.step)
        case EventKind.RESUMED if stand.phase is Phase.DELIVERING:
            return _stay(stand.model_copy(update={"resumed": True}))
        case _:
            return _stay(stand)


def _on_return(stand: Stand) -> Turn:
    match stand.phase:
        case Phase.WAITING:
            return _deliver(stand, stand.step)
        case Phase.DELIVERING:
            return _stay(stand.model_copy(update={"returned": True}))
        case _:
            return _stay(stand)


def _on_call_outcome(
    plan: Plan, stand: Stand, outcome: CallOutcome, loss_reason: LossReason | None
) -> Turn:
    match outcome:
        case CallOutcome.BOOKED:
            return _end(stand, Outcome.BOOKED)
        case CallOutcome.DECLINED:
            return _end(stand, Outcome.DECLINED, loss_reason)
        case CallOutcome.DO_NOT_CONTACT:
            return _end(stand, Outcome.OPTED_OUT)
        case CallOutcome.MOVED | CallOutcome.DECEASED:
            return _end(stand, Outcome.EXCLUDED)
        case CallOutcome.WRONG_NUMBER:
            return _end(stand, Outcome.UNREACHABLE)
        case CallOutcome.NO_ANSWER | CallOutcome.VOICEMAIL if stand.phase is Phase.WITH_PERSON:
            return _end(stand, Outcome.EXHAUSTED)
        # the task stands before its delivery is known: staff may have called already
        case CallOutcome.NO_ANSWER | CallOutcome.VOICEMAIL if plan.steps[stand.step].by_person:
            return _climb(plan, _reached(stand))
        case _:  # a call that goes on (call back, thinking), or one nobody waits for
            return _stay(stand)


def _sent(step: Step, stand: Stand, now: datetime) -> Turn:
    if step.by_person:
        return _wait(_reached(stand), Phase.CALLING, until=None)
    return _wait(_reached(stand), Phase.WAITING, until=now + step.wait)


def _reached(stand: Stand) -> Stand:
    return stand.model_copy(update={"reached": True})


def _climb(plan: Plan, stand: Stand) -> Turn:
    following = stand.step + 1
    if following < len(plan.steps):
        return _deliver(stand, following)
    return _end(stand, Outcome.EXHAUSTED if stand.reached else Outcome.UNREACHABLE)


def _deliver(stand: Stand, step: int) -> Turn:
    return Turn(stand=Stand(step=step, reached=stand.reached), move=Deliver())


def _wait(stand: Stand, phase: Phase, *, until: datetime | None, rule: str = "") -> Turn:
    waiting = stand.model_copy(
        update={
            "phase": phase,
            "until": until,
            "rule": rule,
            "resumed": False,
            "returned": False,
        }
    )
    return Turn(stand=waiting, move=Wait())


def _hand_over(stand: Stand, kind: TaskKind, event_id: str | None = None) -> Turn:
    held = stand.model_copy(update={"phase": Phase.WITH_PERSON, "until": None, "rule": ""})
    return Turn(stand=held, move=OpenCallTask(kind=kind, event_id=event_id))


def _end(stand: Stand, outcome: Outcome, loss_reason: LossReason | None = None) -> Turn:
    ended = stand.model_copy(update={"phase": Phase.ENDED, "until": None, "rule": ""})
    return Turn(stand=ended, move=End(outcome=outcome, loss_reason=loss_reason))


def _stay(stand: Stand) -> Turn:
    return Turn(stand=stand, move=Wait())


def needs_person(stand: Stand) -> bool:
    """Whether a person, not the machine, has the next word."""
    return stand.phase in _HELD_BY_PERSON
