"""Promises of the ladder that hold for every plan and whatever happens, in any order."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinic.delivery import (
    Deferred,
    Failed,
    FailReason,
    Sent,
    Skipped,
    SkipReason,
)
from clinic.event import AttemptEvent, CallOutcome, EventKind
from clinic.ladder import (
    Deliver,
    End,
    Happening,
    OpenCallTask,
    Phase,
    TimeOut,
    Turn,
    Wait,
    advance,
    begin,
)
from clinic.outcome import LossReason, Outcome
from clinic.plan import LONGEST_WAIT, Plan, Step

START = datetime(2027, 3, 2, 17, 0, tzinfo=UTC)
TICK = timedelta(minutes=7)
FINAL_CALLS = [
    outcome
    for outcome in CallOutcome
    if outcome not in (CallOutcome.CALL_BACK, CallOutcome.THINKING)
]

steps = st.builds(
    Step,
    channel=st.sampled_from(["email", "sms", "whatsapp", "call"]),
    template=st.just("come-back"),
    wait=st.timedeltas(min_value=timedelta(seconds=1), max_value=LONGEST_WAIT),
)
plans = st.builds(
    Plan, name=st.just("generated"), steps=st.lists(steps, min_size=1, max_size=6).map(tuple)
)
moments = st.datetimes(
    datetime(2027, 1, 1),  # noqa: DTZ001 - hypothesis wants naive bounds, and adds the zone
    datetime(2029, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
happenings: st.SearchStrategy[Happening] = st.one_of(
    st.just(Sent()),
    st.builds(Skipped, reason=st.sampled_from(SkipReason)),
    st.builds(Deferred, until=st.none() | moments, rule=st.just("a rule")),
    st.builds(Failed, reason=st.sampled_from(FailReason)),
    st.just(TimeOut()),
    st.builds(
        AttemptEvent,
        event_id=st.just("ev-1"),
        kind=st.sampled_from(EventKind),
        step=st.none() | st.integers(0, 5),
        call_outcome=st.none() | st.sampled_from(CallOutcome),
        loss_reason=st.none() | st.sampled_from(LossReason),
    ),
)
# what can't end an attempt by itself makes for the longest stories
gentle: st.SearchStrategy[Happening] = st.one_of(
    st.just(Sent()),
    st.just(TimeOut()),
    st.just(Skipped(reason=SkipReason.NO_ADDRESS)),
    st.just(Failed(reason=FailReason.REFUSED)),
    st.builds(Deferred, until=st.none() | moments, rule=st.just("a rule")),
    st.builds(
        AttemptEvent,
        event_id=st.just("ev-1"),
        kind=st.sampled_from(
            [
                EventKind.RESUMED,
                EventKind.BOUNCED,
                EventKind.RETURNED,
                EventKind.NOTICE,
                EventKind.REPLY,
                EventKind.CALL_OUTCOME,
            ]
        ),
        step=st.integers(0, 5),
        call_outcome=st.sampled_from([CallOutcome.NO_ANSWER, CallOutcome.THINKING]),
    ),
)
stories = st.lists(happenings, max_size=25) | st.lists(gentle, max_size=40)
promise = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


class Played(NamedTuple):
    """One turn of a story."""

    before: Turn
    happening: Happening
    now: datetime
    after: Turn


def play(plan: Plan, story: Iterable[Happening]) -> list[Played]:
    """Let a story happen, until its end or the attempt's."""
    turn, now, played = begin(), START, []
    for happening in story:
        if isinstance(turn.move, End):
            break
        now += TICK
        after = advance(plan, turn.stand, happening, now)
        played.append(Played(turn, happening, now, after))
        turn = after
    return played


def _came_back(happening: Happening, step: int) -> bool:
    if not isinstance(happening, AttemptEvent):
        return False
    return happening.kind is EventKind.RETURNED and happening.step == step


@given(plans, stories, st.sampled_from(FINAL_CALLS))
@promise
def test_it_always_ends_once_messages_go_out_and_calls_are_completed(
    plan: Plan, story: list[Happening], outcome: CallOutcome
) -> None:
    played = play(plan, story)
    turn = played[-1].after if played else begin()
    completed = AttemptEvent(
        event_id="ev-9", kind=EventKind.CALL_OUTCOME, call_outcome=outcome, loss_reason=None
    )
    answers: dict[Phase, Happening] = {
        Phase.DELIVERING: Sent(),
        Phase.DEFERRED: TimeOut(),
        Phase.WAITING: TimeOut(),
        Phase.CALLING: completed,
        Phase.WITH_PERSON: completed,
    }
    for _ in range(2 * len(plan.steps) + 1):
        if isinstance(turn.move, End):
            break
        turn = advance(plan, turn.stand, answers[turn.stand.phase], START)
    assert isinstance(turn.move, End)


@pytest.mark.parametrize(
    "kind",
    [EventKind.OPTED_OUT, EventKind.BOOKED, EventKind.STOPPED, EventKind.EXCLUDED],
    ids=str,
)
@given(plans, stories)
@promise
def test_nothing_follows_an_event_that_ends(
    kind: EventKind, plan: Plan, story: list[Happening]
) -> None:
    played = play(plan, [*story, AttemptEvent(event_id="ev-9", kind=kind)])
    heard = [
        one
        for one in played
        if isinstance(one.happening, AttemptEvent)
        if one.happening.kind is kind
    ]
    for one in heard:
        assert isinstance(one.after.move, End)
        assert played[-1] is one


@given(plans, stories)
@promise
def test_after_a_reply_the_machine_delivers_nothing(plan: Plan, story: list[Happening]) -> None:
    replied = False
    for one in play(plan, story):
        reply = isinstance(one.happening, AttemptEvent) and one.happening.kind is EventKind.REPLY
        replied = replied or reply
        assert not (replied and isinstance(one.after.move, Deliver))


@given(plans, stories)
@promise
def test_a_step_that_was_sent_is_delivered_again_only_where_its_message_came_back(
    plan: Plan, story: list[Happening]
) -> None:
    sent: set[int] = set()
    for one in play(plan, story):
        stand, happening = one.before.stand, one.happening
        if stand.phase is Phase.DELIVERING and isinstance(happening, Sent):
            sent.add(stand.step)
        if _came_back(happening, stand.step):
            sent.discard(stand.step)
        if isinstance(one.after.move, Deliver) and not stand.returned:
            assert one.after.stand.step not in sent


@given(plans, stories)
@promise
def test_each_message_that_comes_back_is_delivered_again_at_most_once(
    plan: Plan, story: list[Happening]
) -> None:
    came_back = delivered_again = 0
    for one in play(plan, story):
        came_back += _came_back(one.happening, one.before.stand.step)
        was_sent = one.before.stand.phase is Phase.WAITING or isinstance(one.happening, Sent)
        same_step = one.after.stand.step == one.before.stand.step
        delivered_again += was_sent and same_step and isinstance(one.after.move, Deliver)
    assert delivered_again <= came_back


@given(plans, stories)
@promise
def test_who_declines_hears_nothing_more_unless_a_person_answers(
    plan: Plan, story: list[Happening]
) -> None:
    for one in play(plan, story):
        if isinstance(one.happening, AttemptEvent) and one.happening.kind is EventKind.DECLINED:
            if one.before.stand.phase is Phase.WITH_PERSON:
                assert one.after.stand == one.before.stand
            else:
                assert one.after.move == End(
                    outcome=Outcome.DECLINED, loss_reason=one.happening.loss_reason
                )


@given(plans, stories)
@promise
def test_a_notice_never_changes_anything(plan: Plan, story: list[Happening]) -> None:
    for one in play(plan, story):
        if isinstance(one.happening, AttemptEvent) and one.happening.kind is EventKind.NOTICE:
            assert one.after == Turn(stand=one.before.stand, move=Wait())


@given(plans, stories)
@promise
def test_an_attempt_never_climbs_down_nor_past_its_plan(plan: Plan, story: list[Happening]) -> None:
    for one in play(plan, story):
        assert one.before.stand.step <= one.after.stand.step <= one.before.stand.step + 1
        assert one.after.stand.step < len(plan.steps)


@given(plans, stories)
@promise
def test_what_is_done_fits_where_the_attempt_stands(plan: Plan, story: list[Happening]) -> None:
    for one in play(plan, story):
        stand, move = one.after.stand, one.after.move
        if isinstance(move, Deliver):
            assert Phase.DELIVERING is stand.phase
        if isinstance(move, OpenCallTask):
            assert Phase.WITH_PERSON is stand.phase
        assert isinstance(move, End) == (stand.phase is Phase.ENDED)
        # only a wait of the machine runs out; a person is never hurried away
        assert stand.until is None or stand.phase in (Phase.WAITING, Phase.DEFERRED)
        assert stand.phase is not Phase.WAITING or stand.until is not None


@given(plans, stories)
@promise
def test_a_message_waits_as_long_as_its_step_says(plan: Plan, story: list[Happening]) -> None:
    for one in play(plan, story):
        stand = one.after.stand
        if stand.phase is Phase.WAITING and one.before.stand.phase is Phase.DELIVERING:
            assert one.now + plan.steps[stand.step].wait == stand.until


@given(plans, stories)
@promise
def test_only_the_machines_steps_run_out_and_only_a_persons_step_is_a_call(
    plan: Plan, story: list[Happening]
) -> None:
    for one in play(plan, story):
        by_person = plan.steps[one.after.stand.step].by_person
        assert one.after.stand.phase is not Phase.CALLING or by_person
        assert one.after.stand.phase is not Phase.WAITING or not by_person


@given(plans, st.lists(st.sampled_from([reason for reason in SkipReason if not reason.ends_as])))
@promise
def test_who_was_never_reached_ends_as_unreachable(plan: Plan, reasons: list[SkipReason]) -> None:
    skips = [Skipped(reason=reason) for reason in reasons]
    always = [Skipped(reason=SkipReason.NO_ADDRESS)] * len(plan.steps)
    assert End(outcome=Outcome.UNREACHABLE) == play(plan, [*skips, *always])[-1].after.move


@given(plans, stories)
@promise
def test_exhausted_means_that_a_step_was_sent_or_a_person_took_over(
    plan: Plan, story: list[Happening]
) -> None:
    played = play(plan, story)
    if played and played[-1].after.move == End(outcome=Outcome.EXHAUSTED):
        assert any(
            one.after.stand.reached or one.after.stand.phase is Phase.WITH_PERSON for one in played
        )


SCRIPTS: dict[Outcome, list[Happening]] = {
    Outcome.BOOKED: [AttemptEvent(event_id="ev-1", kind=EventKind.BOOKED)],
    Outcome.DECLINED: [
        AttemptEvent(event_id="ev-1", kind=EventKind.REPLY),
        AttemptEvent(
            event_id="ev-2",
            kind=EventKind.CALL_OUTCOME,
            call_outcome=CallOutcome.DECLINED,
            loss_reason=LossReason.PRICE,
        ),
    ],
    Outcome.OPTED_OUT: [AttemptEvent(event_id="ev-1", kind=EventKind.OPTED_OUT)],
    Outcome.UNREACHABLE: [Skipped(reason=SkipReason.NO_ADDRESS)],
    Outcome.EXHAUSTED: [Sent(), TimeOut()],
    Outcome.EXCLUDED: [Skipped(reason=SkipReason.DECEASED)],
    Outcome.CANCELLED: [AttemptEvent(event_id="ev-1", kind=EventKind.STOPPED)],
}


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_can_be_reached(outcome: Outcome) -> None:
    one_email = Plan(
        name="one email",
        steps=(Step(channel="email", template="come-back", wait=timedelta(days=1)),),
    )
    played = play(one_email, SCRIPTS[outcome])
    last = played[-1].after.move
    assert isinstance(last, End)
    assert outcome is last.outcome
    assert len(SCRIPTS[outcome]) == len(played)
    assert all(isinstance(one.after.move, Wait | OpenCallTask) for one in played[:-1])
