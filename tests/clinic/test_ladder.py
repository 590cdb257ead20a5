"""The ladder, rule by rule: where an attempt stands, what happens, what comes next."""

from datetime import UTC, datetime, timedelta

import pytest

from clinic.call_task import TaskKind
from clinic.delivery import Deferred, Failed, FailReason, Sent, Skipped, SkipReason
from clinic.event import AttemptEvent, CallOutcome, EventKind
from clinic.ladder import (
    Deliver,
    End,
    Happening,
    OpenCallTask,
    Phase,
    Stand,
    TimeOut,
    Turn,
    Wait,
    advance,
    begin,
    needs_person,
)
from clinic.outcome import LossReason, Outcome
from clinic.plan import Plan

NOW = datetime(2027, 3, 2, 17, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=9)
PLAN = Plan.model_validate(
    {
        "name": "email, SMS, call",
        "steps": [
            {"channel": "email", "template": "t", "wait": "3 days"},
            {"channel": "sms", "template": "t", "wait": "4 days"},
            {"channel": "call", "template": "t", "wait": "2 days", "tries": 3},
        ],
    }
)

DELIVERING = Stand(step=0, phase=Phase.DELIVERING)
DEFERRED = Stand(step=0, phase=Phase.DEFERRED, until=LATER, rule="contact hours")
HELD = Stand(step=0, phase=Phase.DEFERRED, until=None, rule="the campaign is paused")
WAITING = Stand(step=0, phase=Phase.WAITING, until=LATER, reached=True)
DELIVERING_CALL = Stand(step=2, phase=Phase.DELIVERING, reached=True)
CALLING = Stand(step=2, phase=Phase.CALLING, reached=True)
WITH_PERSON = Stand(step=0, phase=Phase.WITH_PERSON, reached=True)
ALIVE = [
    pytest.param(DELIVERING, id="while a step is being delivered"),
    pytest.param(DEFERRED, id="while a delivery is put off"),
    pytest.param(HELD, id="while the campaign is paused"),
    pytest.param(WAITING, id="while waiting for an answer"),
    pytest.param(CALLING, id="while the call step is on the call list"),
    pytest.param(WITH_PERSON, id="while a person has taken over"),
]


def event(kind: EventKind, step: int | None = None) -> AttemptEvent:
    return AttemptEvent(event_id="ev-1", kind=kind, step=step)


def call(outcome: CallOutcome, reason: LossReason | None = None) -> AttemptEvent:
    return AttemptEvent(
        event_id="ev-2", kind=EventKind.CALL_OUTCOME, call_outcome=outcome, loss_reason=reason
    )


def turn_after(stand: Stand, happening: Happening) -> Turn:
    return advance(PLAN, stand, happening, NOW)


def ends_as(outcome: Outcome, reason: LossReason | None = None) -> End:
    return End(outcome=outcome, loss_reason=reason)


def test_an_attempt_begins_with_the_first_step() -> None:
    assert Turn(stand=Stand(step=0, phase=Phase.DELIVERING), move=Deliver()) == begin()


def test_a_sent_message_waits_for_its_own_time() -> None:
    expected = Stand(step=0, phase=Phase.WAITING, until=NOW + timedelta(days=3), reached=True)
    assert Turn(stand=expected, move=Wait()) == turn_after(DELIVERING, Sent())


def test_a_call_task_waits_for_a_person_and_has_no_time_out() -> None:
    expected = Stand(step=2, phase=Phase.CALLING, until=None, reached=True)
    assert Turn(stand=expected, move=Wait()) == turn_after(DELIVERING_CALL, Sent())


@pytest.mark.parametrize("until", [LATER, None], ids=["until a time", "until an event"])
def test_a_deferred_step_is_asked_for_again(until: datetime | None) -> None:
    put_off = turn_after(DELIVERING, Deferred(until=until, rule="contact hours"))
    expected = Stand(step=0, phase=Phase.DEFERRED, until=until, rule="contact hours")
    assert Turn(stand=expected, move=Wait()) == put_off
    assert Turn(stand=Stand(step=0), move=Deliver()) == turn_after(put_off.stand, TimeOut())


@pytest.mark.parametrize(
    "happening",
    [
        pytest.param(Skipped(reason=SkipReason.NO_ADDRESS), id="no address"),
        pytest.param(Skipped(reason=SkipReason.BAD_ADDRESS), id="an address that failed before"),
        pytest.param(Skipped(reason=SkipReason.SUPPRESSED), id="a suppressed address"),
        pytest.param(Failed(reason=FailReason.REFUSED), id="refused by the provider"),
        pytest.param(Failed(reason=FailReason.UNAVAILABLE), id="the provider is down for days"),
    ],
)
def test_a_step_that_does_not_reach_the_patient_climbs_at_once(happening: Happening) -> None:
    assert Turn(stand=Stand(step=1), move=Deliver()) == turn_after(DELIVERING, happening)


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        pytest.param(SkipReason.ALREADY_BOOKED, Outcome.BOOKED, id="booked by another way"),
        pytest.param(SkipReason.DECEASED, Outcome.EXCLUDED, id="deceased"),
        pytest.param(SkipReason.MOVED, Outcome.EXCLUDED, id="moved"),
        pytest.param(SkipReason.INACTIVE, Outcome.EXCLUDED, id="left the clinic"),
        pytest.param(SkipReason.OPTED_OUT, Outcome.OPTED_OUT, id="opted out"),
        pytest.param(SkipReason.ATTEMPT_OVER, Outcome.CANCELLED, id="the attempt's row is closed"),
    ],
)
def test_what_is_known_about_the_patient_ends_the_attempt(
    reason: SkipReason, outcome: Outcome
) -> None:
    assert ends_as(outcome) == turn_after(DELIVERING, Skipped(reason=reason)).move


def test_every_skip_reason_either_climbs_or_ends() -> None:
    for reason in SkipReason:
        move = turn_after(DELIVERING, Skipped(reason=reason)).move
        assert (Deliver() if reason.ends_as is None else ends_as(reason.ends_as)) == move


def test_a_provider_that_knows_of_an_opt_out_ends_the_attempt() -> None:
    opted_out = Failed(reason=FailReason.OPTED_OUT)
    assert ends_as(Outcome.OPTED_OUT) == turn_after(DELIVERING, opted_out).move


def test_a_message_nobody_can_settle_goes_to_a_person() -> None:
    turn = turn_after(DELIVERING, Failed(reason=FailReason.UNCERTAIN))
    assert OpenCallTask(kind=TaskKind.CHECK) == turn.move
    assert Phase.WITH_PERSON is turn.stand.phase


@pytest.mark.parametrize("stand", ALIVE)
@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        pytest.param(EventKind.BOOKED, Outcome.BOOKED, id="a booking"),
        pytest.param(EventKind.OPTED_OUT, Outcome.OPTED_OUT, id="an opt-out"),
        pytest.param(EventKind.STOPPED, Outcome.CANCELLED, id="a stop by staff"),
        pytest.param(EventKind.EXCLUDED, Outcome.EXCLUDED, id="a list that says the patient left"),
    ],
)
def test_an_attempt_ends_at_once(stand: Stand, kind: EventKind, outcome: Outcome) -> None:
    turn = turn_after(stand, event(kind))
    assert ends_as(outcome) == turn.move
    assert Stand(step=stand.step, phase=Phase.ENDED, reached=stand.reached) == turn.stand


@pytest.mark.parametrize("stand", ALIVE)
def test_a_reply_hands_the_attempt_to_a_person(stand: Stand) -> None:
    turn = turn_after(stand, event(EventKind.REPLY))
    assert OpenCallTask(kind=TaskKind.REPLY, event_id="ev-1") == turn.move
    expected = Stand(step=stand.step, phase=Phase.WITH_PERSON, reached=stand.reached)
    assert expected == turn.stand


@pytest.mark.parametrize("stand", ALIVE)
@pytest.mark.parametrize(
    ("outcome", "ended"),
    [
        pytest.param(CallOutcome.BOOKED, Outcome.BOOKED, id="booked"),
        pytest.param(CallOutcome.DO_NOT_CONTACT, Outcome.OPTED_OUT, id="do not contact"),
        pytest.param(CallOutcome.MOVED, Outcome.EXCLUDED, id="moved"),
        pytest.param(CallOutcome.DECEASED, Outcome.EXCLUDED, id="deceased"),
        pytest.param(CallOutcome.WRONG_NUMBER, Outcome.UNREACHABLE, id="wrong number"),
    ],
)
def test_a_call_ends_the_attempt(stand: Stand, outcome: CallOutcome, ended: Outcome) -> None:
    assert ends_as(ended) == turn_after(stand, call(outcome)).move


@pytest.mark.parametrize("reason", LossReason)
def test_a_declined_call_ends_with_its_loss_reason(reason: LossReason) -> None:
    declined = call(CallOutcome.DECLINED, reason)
    assert ends_as(Outcome.DECLINED, reason) == turn_after(CALLING, declined).move


@pytest.mark.parametrize("outcome", [CallOutcome.NO_ANSWER, CallOutcome.VOICEMAIL])
@pytest.mark.parametrize(
    ("stand", "ended"),
    [
        pytest.param(CALLING, Outcome.EXHAUSTED, id="on the last step, messages were sent"),
        pytest.param(WITH_PERSON, Outcome.EXHAUSTED, id="after a reply"),
        pytest.param(DELIVERING_CALL, Outcome.EXHAUSTED, id="before the delivery is known"),
        pytest.param(
            Stand(step=2, phase=Phase.DEFERRED), Outcome.EXHAUSTED, id="while it is put off"
        ),
    ],
)
def test_the_last_call_that_nobody_answers_exhausts_the_attempt(
    stand: Stand, outcome: CallOutcome, ended: Outcome
) -> None:
    assert ends_as(ended) == turn_after(stand, call(outcome)).move


def test_a_call_that_nobody_answers_climbs_where_the_plan_goes_on() -> None:
    first_call = PLAN.model_copy(update={"steps": (PLAN.steps[2], PLAN.steps[0])})
    calling = Stand(step=0, phase=Phase.CALLING, reached=True)
    turn = advance(first_call, calling, call(CallOutcome.NO_ANSWER), NOW)
    assert Turn(stand=Stand(step=1, reached=True), move=Deliver()) == turn


@pytest.mark.parametrize("outcome", [CallOutcome.CALL_BACK, CallOutcome.THINKING])
@pytest.mark.parametrize("stand", [CALLING, WITH_PERSON], ids=["call step", "after a reply"])
def test_a_call_that_goes_on_changes_nothing(stand: Stand, outcome: CallOutcome) -> None:
    assert Turn(stand=stand, move=Wait()) == turn_after(stand, call(outcome))


@pytest.mark.parametrize(
    "stand",
    [
        pytest.param(WAITING, id="while waiting"),
        pytest.param(DELIVERING, id="before the delivery is known"),
    ],
)
def test_a_bounce_of_the_current_step_climbs(stand: Stand) -> None:
    expected = Turn(stand=Stand(step=1, reached=True), move=Deliver())
    assert expected == turn_after(stand, event(EventKind.BOUNCED, step=0))


@pytest.mark.parametrize(
    ("stand", "step"),
    [
        pytest.param(Stand(step=1, phase=Phase.WAITING, until=LATER), 0, id="of an older step"),
        pytest.param(WAITING, None, id="of no step that is known"),
        pytest.param(CALLING, 1, id="while staff call"),
        pytest.param(WITH_PERSON, 0, id="after a reply"),
        pytest.param(Stand(step=1, phase=Phase.DEFERRED, until=LATER), 0, id="while put off"),
    ],
)
def test_a_bounce_elsewhere_changes_nothing(stand: Stand, step: int | None) -> None:
    bounced = event(EventKind.BOUNCED, step=step)
    assert Turn(stand=stand, move=Wait()) == turn_after(stand, bounced)


@pytest.mark.parametrize("stand", [HELD, DEFERRED], ids=["without a time", "until a time"])
def test_a_resumed_campaign_delivers_what_was_put_off(stand: Stand) -> None:
    turn = turn_after(stand, event(EventKind.RESUMED))
    assert Turn(stand=Stand(step=0), move=Deliver()) == turn


def test_a_campaign_that_goes_on_while_a_delivery_finds_it_paused_is_not_waited_for() -> None:
    turn = turn_after(DELIVERING, event(EventKind.RESUMED))
    assert turn.move == Wait()
    turn = turn_after(turn.stand, Deferred(until=None, rule="the campaign is paused"))
    assert turn == Turn(stand=Stand(step=0), move=Deliver())


@pytest.mark.parametrize("stand", [WAITING, CALLING, WITH_PERSON])
def test_a_resumed_campaign_changes_nothing_for_who_was_not_held(stand: Stand) -> None:
    assert Turn(stand=stand, move=Wait()) == turn_after(stand, event(EventKind.RESUMED))


def test_a_message_that_came_back_is_delivered_again() -> None:
    turn = turn_after(WAITING, event(EventKind.RETURNED, step=0))
    assert turn == Turn(stand=Stand(step=0, reached=True), move=Deliver())


def test_a_message_that_came_back_before_its_delivery_is_known_is_delivered_again() -> None:
    turn = turn_after(DELIVERING, event(EventKind.RETURNED, step=0))
    assert turn.move == Wait()
    turn = turn_after(turn.stand, Sent())
    assert turn == Turn(stand=Stand(step=0), move=Deliver())
    assert turn_after(turn.stand, Sent()).stand.phase is Phase.WAITING


def test_that_a_message_came_back_is_forgotten_once_its_step_is_put_off() -> None:
    turn = turn_after(DELIVERING, event(EventKind.RETURNED, step=0))
    turn = turn_after(turn.stand, Deferred(until=None, rule="the channel is held"))
    assert turn.stand == Stand(step=0, phase=Phase.DEFERRED, rule="the channel is held")


@pytest.mark.parametrize(
    ("stand", "step"),
    [
        pytest.param(Stand(step=1, phase=Phase.WAITING, until=LATER), 0, id="of an older step"),
        pytest.param(Stand(step=1), 0, id="of an older step, while the next is delivered"),
        pytest.param(WAITING, None, id="of no step that is known"),
        pytest.param(HELD, 0, id="while it is put off"),
        pytest.param(CALLING, 2, id="while staff call"),
        pytest.param(WITH_PERSON, 0, id="after a reply"),
    ],
)
def test_a_message_that_came_back_elsewhere_changes_nothing(stand: Stand, step: int | None) -> None:
    came_back = event(EventKind.RETURNED, step=step)
    assert turn_after(stand, came_back) == Turn(stand=stand, move=Wait())


@pytest.mark.parametrize("stand", [DELIVERING, DEFERRED, HELD, WAITING, DELIVERING_CALL, CALLING])
@pytest.mark.parametrize("reason", [None, LossReason.PRICE])
def test_who_declines_is_left_alone_and_the_reason_is_kept(
    stand: Stand, reason: LossReason | None
) -> None:
    said = AttemptEvent(event_id="ev-1", kind=EventKind.DECLINED, loss_reason=reason)
    assert turn_after(stand, said).move == ends_as(Outcome.DECLINED, reason)


def test_who_declines_while_a_person_answers_them_stays_with_that_person() -> None:
    said = event(EventKind.DECLINED)
    assert turn_after(WITH_PERSON, said) == Turn(stand=WITH_PERSON, move=Wait())


@pytest.mark.parametrize("stand", ALIVE)
def test_a_notice_changes_nothing(stand: Stand) -> None:
    assert turn_after(stand, event(EventKind.NOTICE, step=0)) == Turn(stand=stand, move=Wait())


@pytest.mark.parametrize("kind", [kind for kind in EventKind if kind.startswith("campaign_")])
@pytest.mark.parametrize("stand", ALIVE)
def test_news_of_a_campaign_is_not_an_attempts_matter(stand: Stand, kind: EventKind) -> None:
    assert Turn(stand=stand, move=Wait()) == turn_after(stand, event(kind))


@pytest.mark.parametrize(
    "happening",
    [
        pytest.param(event(EventKind.UNKNOWN), id="an event nobody can read"),
        pytest.param(event(EventKind.CALL_OUTCOME), id="a call without an outcome"),
        pytest.param(call(CallOutcome.NO_ANSWER), id="an unanswered call nobody asked for"),
    ],
)
def test_what_says_nothing_changes_nothing(happening: Happening) -> None:
    assert Turn(stand=WAITING, move=Wait()) == turn_after(WAITING, happening)


@pytest.mark.parametrize("stand", [DELIVERING, CALLING, WITH_PERSON])
def test_a_time_out_counts_only_during_a_wait(stand: Stand) -> None:
    assert Turn(stand=stand, move=Wait()) == turn_after(stand, TimeOut())


@pytest.mark.parametrize("stand", [DEFERRED, WAITING, CALLING, WITH_PERSON])
@pytest.mark.parametrize(
    "late",
    [Sent(), Skipped(reason=SkipReason.NO_ADDRESS), Failed(reason=FailReason.REFUSED)],
    ids=["sent", "skipped", "failed"],
)
def test_a_delivery_nobody_waits_for_changes_nothing(stand: Stand, late: Happening) -> None:
    assert Turn(stand=stand, move=Wait()) == turn_after(stand, late)


@pytest.mark.parametrize(
    ("reached", "outcome"),
    [
        pytest.param(True, Outcome.EXHAUSTED, id="some step was sent"),
        pytest.param(False, Outcome.UNREACHABLE, id="no step was sent"),
    ],
)
def test_the_end_of_the_plan_says_whether_anything_was_sent(
    reached: bool,  # noqa: FBT001 - a column of the table
    outcome: Outcome,
) -> None:
    last = Stand(step=2, phase=Phase.DELIVERING, reached=reached)
    skipped = Skipped(reason=SkipReason.NO_ADDRESS)
    assert ends_as(outcome) == turn_after(last, skipped).move


def test_an_ended_attempt_takes_no_further_turn() -> None:
    ended = Stand(step=0, phase=Phase.ENDED)
    with pytest.raises(ValueError, match="has ended takes no further turn"):
        turn_after(ended, event(EventKind.BOOKED))


def test_a_person_has_the_next_word_while_calling_and_after_a_reply() -> None:
    assert {Phase.CALLING, Phase.WITH_PERSON} == {
        phase for phase in Phase if needs_person(Stand(phase=phase))
    }
