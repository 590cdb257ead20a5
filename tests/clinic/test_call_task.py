"""After a call: is the task closed, or due again, and when."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from clinic.call_task import Again, Closed, Reported, TaskKind, after_call
from clinic.contact_policy import ContactCalendar, ContactPolicy, PastContact
from clinic.contact_policy.rules import ContactCaps
from clinic.event import CallOutcome
from clinic.outcome import LossReason
from clinic.refusal import Refusal

NEW_YORK = ZoneInfo("America/New_York")
LOS_ANGELES = ZoneInfo("America/Los_Angeles")
RULE = {"source": "house rule", "since": "2026-01-01"}
WEEKDAYS = ContactPolicy.model_validate(
    {
        "contact_hours": RULE
        | dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday"), "09:00-20:00"),
        "contacts": RULE | {"per_day": 1},
    }
)


def local(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=NEW_YORK).astimezone(UTC)


TUESDAY_NOON = local("2027-03-02 12:00")


def after(
    outcome: CallOutcome,
    *,
    reason: LossReason | None = None,
    at: datetime | None = None,
    tries_left: int = 1,
    now: datetime = TUESDAY_NOON,
    calendar: ContactCalendar = ContactCalendar(zone=NEW_YORK),  # noqa: B008 - frozen
    policy: ContactPolicy = WEEKDAYS,
    contacts: Sequence[PastContact] = (),
) -> Again | Closed:
    reported = Reported(outcome=outcome, reason=reason, at=at)
    return after_call(
        reported,
        tries_left=tries_left,
        now=now,
        policy=policy,
        calendar=calendar,
        zone=NEW_YORK,
        contacts=contacts,
    )


@pytest.mark.parametrize("tries_left", [1, 3], ids=["last try", "tries left"])
@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (CallOutcome.BOOKED, None),
        (CallOutcome.DECLINED, LossReason.PRICE),
        (CallOutcome.WRONG_NUMBER, None),
        (CallOutcome.DO_NOT_CONTACT, None),
        (CallOutcome.MOVED, None),
        (CallOutcome.DECEASED, None),
    ],
    ids=str,
)
def test_a_final_outcome_closes_the_task(
    outcome: CallOutcome, reason: LossReason | None, tries_left: int
) -> None:
    assert Closed() == after(outcome, reason=reason, tries_left=tries_left)


@pytest.mark.parametrize("outcome", [CallOutcome.NO_ANSWER, CallOutcome.VOICEMAIL])
@pytest.mark.parametrize(
    ("now", "due_at"),
    [
        pytest.param("2027-03-02 12:00", "2027-03-03 12:00", id="a day later"),
        pytest.param("2027-03-02 21:00", "2027-03-04 09:00", id="a day later, after hours"),
        pytest.param("2027-03-02 07:00", "2027-03-03 09:00", id="a day later, before hours"),
        pytest.param("2027-03-05 12:00", "2027-03-08 09:00", id="Friday's, over the weekend"),
    ],
)
def test_nobody_answered_so_it_is_tried_again_a_day_later_within_hours(
    outcome: CallOutcome, now: str, due_at: str
) -> None:
    expected = Again(due_at=local(due_at), counts_as_try=True)
    assert expected == after(outcome, tries_left=2, now=local(now))


@pytest.mark.parametrize(
    ("caps", "earlier", "due_at"),
    [
        pytest.param({"per_week": 2}, [], "2027-03-03 12:00", id="room in the week"),
        pytest.param(
            {"per_week": 2},
            [PastContact(at=local("2027-02-26 12:00"), channel="sms")],
            "2027-03-05 09:00",
            id="a text on Friday, this call: the week is full until Friday",
        ),
        pytest.param({"per_week": 1}, [], "2027-03-09 09:00", id="this call alone fills the week"),
        pytest.param(
            {"per_day": 1},
            [PastContact(at=local("2027-03-03 09:00"), channel="email")],
            "2027-03-04 09:00",
            id="the household was written to on that day",
        ),
    ],
)
def test_the_next_try_waits_until_no_cap_is_full(
    caps: dict[str, int], earlier: list[PastContact], due_at: str
) -> None:
    policy = WEEKDAYS.model_copy(update={"contacts": ContactCaps.model_validate(RULE | caps)})
    again = after(CallOutcome.NO_ANSWER, tries_left=3, policy=policy, contacts=earlier)
    assert Again(due_at=local(due_at), counts_as_try=True) == again


def test_who_is_thinking_is_called_when_no_cap_is_full() -> None:
    written_to = PastContact(at=local("2027-03-09 09:00"), channel="email")
    again = after(CallOutcome.THINKING, contacts=[written_to])
    assert Again(due_at=local("2027-03-10 09:00"), counts_as_try=False) == again


@pytest.mark.parametrize("outcome", [CallOutcome.NO_ANSWER, CallOutcome.VOICEMAIL])
def test_the_last_try_that_nobody_answers_closes_the_task(outcome: CallOutcome) -> None:
    assert Closed() == after(outcome, tries_left=1)


@pytest.mark.parametrize("outcome", [CallOutcome.CALL_BACK, CallOutcome.THINKING])
def test_a_time_that_was_agreed_is_kept_and_counts_as_no_try(outcome: CallOutcome) -> None:
    agreed = local("2027-03-04 18:30")
    assert Again(due_at=agreed, counts_as_try=False) == after(outcome, at=agreed)


def test_who_is_thinking_is_left_alone_for_a_week() -> None:
    week_later = TUESDAY_NOON + timedelta(days=7)
    assert Again(due_at=week_later, counts_as_try=False) == after(CallOutcome.THINKING)


@pytest.mark.parametrize("outcome", [CallOutcome.CALL_BACK, CallOutcome.THINKING])
@pytest.mark.parametrize(
    ("at", "named"),
    [
        pytest.param("2027-03-04 20:00", "2027-03-05 09:00", id="at closing time"),
        pytest.param("2027-03-04 08:59", "2027-03-04 09:00", id="too early"),
        pytest.param("2027-03-06 12:00", "2027-03-08 09:00", id="a Saturday"),
    ],
)
def test_a_call_back_outside_the_hours_is_refused_and_names_the_next_time(
    outcome: CallOutcome, at: str, named: str
) -> None:
    with pytest.raises(Refusal) as refused:
        after(outcome, at=local(at))
    assert f"The next time within them is {named}." == refused.value.remedy


def test_a_patient_in_another_zone_is_called_back_within_their_hours_in_the_clinics_words() -> None:
    calendar = ContactCalendar(zone=LOS_ANGELES)
    with pytest.raises(Refusal) as refused:
        after(CallOutcome.CALL_BACK, at=local("2027-03-04 09:30"), calendar=calendar)
    # 09:00 in Los Angeles, as the clinic in New York writes it
    assert refused.value.remedy == "The next time within them is 2027-03-04 12:00."


def test_nobody_is_called_again_on_a_closing_day() -> None:
    calendar = ContactCalendar(zone=NEW_YORK, closing_days=frozenset({date(2027, 3, 3)}))
    again = after(CallOutcome.NO_ANSWER, tries_left=2, calendar=calendar)
    assert Again(due_at=local("2027-03-04 09:00"), counts_as_try=True) == again


@pytest.mark.parametrize(
    ("outcome", "reason", "at", "said"),
    [
        pytest.param(
            CallOutcome.DECLINED,
            None,
            None,
            "`declined` needs a --reason",
            id="declined, no reason",
        ),
        pytest.param(
            CallOutcome.NO_ANSWER,
            LossReason.PRICE,
            None,
            "--reason goes with `declined`, not with `no_answer`",
            id="a reason of no answer",
        ),
        pytest.param(CallOutcome.CALL_BACK, None, None, "`call_back` needs a time", id="no time"),
        pytest.param(
            CallOutcome.MOVED,
            None,
            local("2027-03-04 12:00"),
            "--at goes with call_back, thinking, booked, not with `moved`",
            id="a time of a move",
        ),
        pytest.param(
            CallOutcome.CALL_BACK, None, TUESDAY_NOON, "--at lies in the past", id="called back now"
        ),
        pytest.param(
            CallOutcome.BOOKED,
            None,
            TUESDAY_NOON - timedelta(days=1),
            "--at lies in the past",
            id="booked for yesterday",
        ),
        pytest.param(
            CallOutcome.BOOKED,
            None,
            local("2207-03-04 12:00"),
            "--at lies more than ten years ahead",
            id="booked for another century",
        ),
    ],
)
def test_a_report_that_does_not_fit_together_is_refused(
    outcome: CallOutcome, reason: LossReason | None, at: datetime | None, said: str
) -> None:
    with pytest.raises(Refusal) as refused:
        after(outcome, reason=reason, at=at)
    assert said == refused.value.problem


def test_a_missing_reason_is_answered_with_all_there_are() -> None:
    with pytest.raises(Refusal) as refused:
        after(CallOutcome.DECLINED)
    assert all(reason.value in refused.value.remedy for reason in LossReason)


def test_an_appointment_may_lie_outside_the_hours_of_calls() -> None:
    assert Closed() == after(CallOutcome.BOOKED, at=local("2027-03-06 21:00"))


def test_a_reply_is_more_urgent_than_a_check_and_that_than_a_call() -> None:
    assert sorted(TaskKind, key=lambda kind: kind.priority) == [
        TaskKind.REPLY,
        TaskKind.CHECK,
        TaskKind.CALL,
    ]
