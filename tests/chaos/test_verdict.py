"""The verdict can fail: every kind of duplicate and loss that is made up here is found."""

from datetime import UTC, datetime, timedelta

import pytest

from chaos.figures import CardEvent, LedgerRow, Reply, SeenAttempt, Sights, Submission
from chaos.verdict import LONGEST_TRY, Verdict, judge

NOON = datetime(2027, 3, 2, 17, 0, tzinfo=UTC)
ANA, LUZ = "C-00001", "C-00002"
MAIL = Submission(channel="email", key="<a.0@x>", to="a@x", patients=(ANA,), began_at=NOON)
TEXT = Submission(channel="sms", key="SM1", to="+1", patients=(ANA,), began_at=NOON)
ATTEMPT = SeenAttempt(
    attempt_id="at-1",
    patient=ANA,
    state="ended",
    outcome="exhausted",
    with_person=False,
    replies_tasked=False,
)
OPEN = ATTEMPT.model_copy(update={"state": "open", "outcome": None})
ASKED = Reply(
    patient=ANA,
    door="sms",
    words="Can you fit me in? C-00001",
    sent_at=NOON,
    answered_at=NOON + timedelta(seconds=1),
    taken=True,
)
STOPPED = ASKED.model_copy(update={"words": "BAJA"})
CARD = CardEvent(
    event_id="ev-1",
    patient=ANA,
    attempt_id="at-1",
    kind="reply",
    source="sms",
    body=ASKED.words,
    relayed=True,
)


def row(submission: Submission, *, claimed_at: datetime = NOON, sent: bool = True) -> LedgerRow:
    return LedgerRow(
        patient=submission.patients[0],
        channel=submission.channel,
        key=submission.key,
        claimed_at=claimed_at,
        sent=sent,
    )


def verdict_on(
    *,
    attempts: tuple[SeenAttempt, ...] = (ATTEMPT,),
    submissions: tuple[Submission, ...] = (),
    replies: tuple[Reply, ...] = (),
    events: tuple[CardEvent, ...] = (),
    ledger: tuple[LedgerRow, ...] | None = None,
    workflows: dict[str, int] | None = None,
    patients: dict[str, tuple[str, ...]] | None = None,
) -> Verdict:
    return judge(
        Sights(
            patients=patients or {ANA: ()},
            attempts=attempts,
            submissions=submissions,
            replies=replies,
            events=events,
            ledger=tuple(map(row, submissions)) if ledger is None else ledger,
            workflows=workflows or {},
        )
    )


def test_a_clean_run_holds() -> None:
    tasked = ATTEMPT.model_copy(update={"replies_tasked": True})
    verdict = verdict_on(
        attempts=(tasked,), submissions=(MAIL, TEXT), replies=(ASKED,), events=(CARD,)
    )
    assert verdict.holds
    assert (verdict.outcomes, verdict.messages) == ({"exhausted": 1}, {"email": 1, "sms": 1})


def test_one_step_in_two_messages_is_a_duplicate() -> None:
    again = TEXT.model_copy(update={"key": "SM2"})
    (found,) = verdict_on(submissions=(TEXT, again)).duplicates
    assert (found.patient, found.what) == (ANA, "the sms step came 2 times: SM1, SM2")


def test_a_mail_under_another_message_id_is_a_duplicate() -> None:
    again = MAIL.model_copy(update={"key": "<b.0@x>"})
    assert len(verdict_on(submissions=(MAIL, again)).duplicates) == 1


def test_a_mail_taken_again_under_its_message_id_is_folded_and_counted() -> None:
    verdict = verdict_on(submissions=(MAIL, MAIL))
    assert verdict.holds
    assert (verdict.messages, verdict.submissions, verdict.folded) == (
        {"email": 1},
        {"email": 2},
        1,
    )


def test_whom_a_familys_message_names_has_had_that_step() -> None:
    shared = TEXT.model_copy(update={"patients": (LUZ, ANA)})
    own = TEXT.model_copy(update={"key": "SM2"})
    ledger = (row(shared), row(own))
    verdict = verdict_on(submissions=(shared, own), ledger=ledger)
    assert [one.patient for one in verdict.duplicates] == [ANA]


@pytest.mark.parametrize(
    "attempts",
    [
        pytest.param((), id="none"),
        pytest.param((ATTEMPT, ATTEMPT), id="two"),
        pytest.param((OPEN,), id="open, and with nobody"),
        pytest.param((OPEN.model_copy(update={"with_person": True}),), id="with a person"),
        pytest.param((OPEN.model_copy(update={"state": "planned"}),), id="never started"),
        pytest.param((OPEN.model_copy(update={"state": "left_out"}),), id="left out"),
        pytest.param((ATTEMPT.model_copy(update={"outcome": None}),), id="ended with no outcome"),
    ],
)
def test_a_patient_without_one_outcome_is_lost(attempts: tuple[SeenAttempt, ...]) -> None:
    assert [one.patient for one in verdict_on(attempts=attempts).losses] == [ANA]


@pytest.mark.parametrize("workflows", [{"failed": 1}, {"running": 1}, {"terminated": 2}])
def test_a_workflow_that_failed_or_runs_on_is_a_loss(workflows: dict[str, int]) -> None:
    assert len(verdict_on(workflows=workflows).losses) == 1


def test_a_message_that_no_provider_has_is_lost() -> None:
    (found,) = verdict_on(ledger=(row(MAIL),)).losses
    assert found.what == "email <a.0@x> is said to be sent, and no provider has it"


def test_a_message_without_a_claim_is_found() -> None:
    (found,) = verdict_on(submissions=(MAIL,), ledger=()).losses
    assert found.what == "email <a.0@x> was sent without a claim"


def test_a_message_that_names_nobody_can_not_be_counted() -> None:
    nameless = MAIL.model_copy(update={"patients": ()})
    (found,) = verdict_on(submissions=(nameless,), ledger=(row(MAIL),)).losses
    assert found.what == "email <a.0@x> names nobody"


def test_a_reply_on_no_card_is_lost() -> None:
    (found,) = verdict_on(replies=(ASKED,)).losses
    assert found.what == "on no card: sms Can you fit me in? C-00001"


def test_a_reply_is_not_found_by_other_words() -> None:
    other = CARD.model_copy(update={"body": "Can you fit me in? C-00009"})
    assert len(verdict_on(replies=(ASKED,), events=(other,)).losses) == 1


def test_a_reply_that_became_nobodys_task_is_lost() -> None:
    (found,) = verdict_on(replies=(ASKED,), events=(CARD,)).losses
    assert found.what == "nobody's task: sms Can you fit me in? C-00001"


def test_an_outcome_may_answer_a_reply() -> None:
    booked = ATTEMPT.model_copy(update={"outcome": "booked"})
    assert verdict_on(attempts=(booked,), replies=(ASKED,), events=(CARD,)).holds


def test_a_reply_from_a_shared_telephone_may_stand_on_the_others_card() -> None:
    booked = ATTEMPT.model_copy(update={"outcome": "booked"})
    of_luz = ASKED.model_copy(update={"patient": LUZ})
    attempts = (booked, booked.model_copy(update={"patient": LUZ, "attempt_id": "at-2"}))
    verdict = verdict_on(
        patients={ANA: (LUZ,), LUZ: (ANA,)}, attempts=attempts, replies=(of_luz,), events=(CARD,)
    )
    assert verdict.holds


@pytest.mark.parametrize(
    ("reply", "kind", "source"),
    [
        (STOPPED, "opted_out", "sms"),
        (ASKED.model_copy(update={"door": "booking", "words": ""}), "booked", "bookings"),
        (ASKED.model_copy(update={"door": "one_click", "words": ""}), "opted_out", "link"),
    ],
)
def test_what_has_no_words_of_its_own_is_known_by_its_kind(
    reply: Reply, kind: str, source: str
) -> None:
    card = CARD.model_copy(update={"kind": kind, "source": source, "body": ""})
    assert verdict_on(replies=(reply,), events=(card,)).holds
    assert len(verdict_on(replies=(reply,), events=(CARD,)).losses) == 1


def test_a_reply_that_no_door_took_is_lost() -> None:
    refused = ASKED.model_copy(update={"taken": False})
    booked = ATTEMPT.model_copy(update={"outcome": "booked"})
    (found,) = verdict_on(attempts=(booked,), replies=(refused,), events=(CARD,)).losses
    assert found.what.startswith("no door took")


def test_an_event_that_was_not_relayed_is_a_loss() -> None:
    waiting = CARD.model_copy(update={"relayed": False})
    (found,) = verdict_on(events=(waiting,)).losses
    assert found.what == "event ev-1 (reply) was not relayed"


def stopped_and_then(began_at: datetime, claimed_at: datetime) -> Verdict:
    """Return the verdict on a text that began then, to a patient whose stop was taken at :01."""
    late = TEXT.model_copy(update={"began_at": began_at})
    card = CARD.model_copy(update={"kind": "opted_out"})
    ledger = (row(late, claimed_at=claimed_at),)
    return verdict_on(submissions=(late,), replies=(STOPPED,), events=(card,), ledger=ledger)


def test_a_message_after_a_stop_is_found() -> None:
    verdict = stopped_and_then(NOON + timedelta(seconds=3), NOON + timedelta(seconds=2))
    assert not verdict.holds
    assert verdict.after_stop[0].what == "sms SM1 began 2.00 s after sms was taken"


def test_a_message_before_a_stop_is_fine() -> None:
    assert stopped_and_then(NOON, NOON).holds


def test_what_was_on_its_way_when_the_stop_came_is_counted_apart() -> None:
    verdict = stopped_and_then(NOON + timedelta(seconds=3), NOON)
    assert verdict.holds
    assert verdict.on_the_way == 1


def test_a_later_try_of_what_was_claimed_before_the_stop_is_found() -> None:
    verdict = stopped_and_then(NOON + LONGEST_TRY + timedelta(seconds=1), NOON)
    assert len(verdict.after_stop) == 1
