"""What an operator reads about an attempt in Temporal's UI."""

from datetime import UTC, datetime

import pytest

from clinic.delivery import Deferred, Failed, FailReason, Sent, Skipped, SkipReason
from clinic.ladder import Happening, Phase, Stand, TimeOut
from clinic.outcome import Outcome
from clinic.plan import Plan
from workflows.attempt_details import details_at_end, details_of, name_of_wait, passed_over_by

EMAIL = {"channel": "email", "template": "come-back", "wait": "3 days"}
SMS = {"channel": "sms", "template": "come-back", "wait": "4 days"}
PLAN = Plan.model_validate({"name": "two", "steps": [EMAIL, SMS]})
AT = datetime(2026, 12, 26, 13, 0, tzinfo=UTC)
RULE = "holiday: Christmas Day (Ley 2300 de 2023, art. 3)"
PUT_OFF = Stand(step=1, phase=Phase.DEFERRED, until=AT, rule=RULE)


def test_a_step_that_is_put_off_says_until_when_and_by_which_rule() -> None:
    expected = f"Step 2 of 2, **sms**: put off until 2026-12-26 13:00:00 UTC: {RULE}."
    assert expected == details_of(PLAN, PUT_OFF, [])
    assert f"put off: {RULE}" == name_of_wait(PLAN, PUT_OFF)


def test_a_wait_for_an_answer_says_to_what() -> None:
    waiting = Stand(step=0, phase=Phase.WAITING, until=AT)
    assert name_of_wait(PLAN, waiting) == "answer to step 1: email"


def test_a_long_rule_is_cut_to_what_the_ui_shows() -> None:
    long = PUT_OFF.model_copy(update={"rule": "праздник " * 40})
    said = name_of_wait(PLAN, long)
    assert said.startswith("put off: праздник")
    assert 198 <= len(said.encode()) <= 200


@pytest.mark.parametrize(
    ("happening", "said"),
    [
        pytest.param(
            Skipped(reason=SkipReason.NO_ADDRESS),
            "step 1, email: skipped, no address",
            id="a reason that says enough",
        ),
        pytest.param(
            Skipped(reason=SkipReason.NO_CONSENT, rule="consent: refused (the patient's wish)"),
            "step 1, email: skipped, consent: refused (the patient's wish)",
            id="the rule that decided",
        ),
        pytest.param(
            Failed(reason=FailReason.REFUSED), "step 1, email: failed, refused", id="a failure"
        ),
        pytest.param(Sent(), None, id="sent"),
        pytest.param(Deferred(until=AT, rule=RULE), None, id="put off: the stand says it"),
        pytest.param(TimeOut(), None, id="no delivery at all"),
    ],
)
def test_a_step_that_was_not_delivered_says_why(happening: Happening, said: str | None) -> None:
    assert said == passed_over_by(PLAN, Stand(), happening)


def test_a_delivery_that_nobody_waits_for_any_more_is_not_told() -> None:
    skipped = Skipped(reason=SkipReason.NO_ADDRESS)
    assert passed_over_by(PLAN, Stand(phase=Phase.WITH_PERSON), skipped) is None


def test_the_steps_that_were_not_delivered_stay_in_sight() -> None:
    steps = ["step 1, email: skipped, no address"]
    waiting = details_of(PLAN, Stand(step=1, phase=Phase.WAITING, until=AT), steps)
    assert waiting.splitlines() == [
        "Step 2 of 2, **sms**: sent, waiting for an answer until 2026-12-26 13:00:00 UTC.",
        "",
        "- step 1, email: skipped, no address",
    ]
    assert details_at_end(Outcome.EXHAUSTED, steps).splitlines() == [
        "Ended: **exhausted**",
        "",
        "- step 1, email: skipped, no address",
    ]
    assert details_at_end(Outcome.BOOKED, []) == "Ended: **booked**"
