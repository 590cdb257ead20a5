"""A call is completed once; what was told stands in the register and reaches the attempt."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from clinic import call_completion
from clinic.call_task import CLAIM_LASTS, Reported
from clinic.contact_policy import may_contact
from clinic.event import CallOutcome, EventKind
from clinic.outcome import LossReason
from clinic.refusal import Refusal
from clinic.register.address import address_hash
from clinic.register.standing import standings
from clinic.tables import Appointment, Call, CallTask, Patient, Suppression

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows, Staff

DAY = timedelta(days=1)


async def test_of_two_who_complete_a_task_at_once_one_wins(rows: "Rows", staff: "Staff") -> None:
    task = await staff.task()
    results = await asyncio.gather(
        staff.complete(task, CallOutcome.MOVED, who="vera"),
        staff.complete(task, CallOutcome.BOOKED, who="igor"),
        return_exceptions=True,
    )
    [refused] = [result for result in results if isinstance(result, Refusal)]
    [won] = [result for result in results if isinstance(result, call_completion.Completed)]
    assert f"as `{won.outcome}`" in str(refused)
    assert [won.outcome] == [call.outcome for call in await rows.all(Call)]
    assert len(await rows.events(EventKind.CALL_OUTCOME)) == 1


async def test_a_closed_task_is_refused_naming_who_closed_it(staff: "Staff") -> None:
    task = await staff.task()
    await staff.complete(task, CallOutcome.MOVED, who="vera")
    said = rf"{task.id} was closed by vera on Tue 2027-03-02 12:00 as `moved`"
    with pytest.raises(Refusal, match=said):
        await staff.complete(task, CallOutcome.BOOKED, who="igor")
    with pytest.raises(Refusal, match=said):
        await staff.claim(task, "igor")


async def test_a_task_that_another_has_claimed_is_refused_and_left_as_it_was(
    rows: "Rows", staff: "Staff"
) -> None:
    task = await staff.task()
    await staff.claim(task, "vera")
    with pytest.raises(Refusal, match="is claimed by vera"):
        await staff.complete(task, CallOutcome.BOOKED, who="igor")
    assert len(await staff.calls()) == 1
    assert await rows.all(Call) == []
    assert await rows.events(EventKind.CALL_OUTCOME) == []


@pytest.mark.parametrize("later", [timedelta(0), CLAIM_LASTS], ids=["own claim", "lapsed claim"])
async def test_a_task_may_be_completed_by_its_claimant_and_by_anybody_once_that_lapsed(
    staff: "Staff", now: datetime, later: timedelta
) -> None:
    task = await staff.task()
    await staff.claim(task, "vera")
    await staff.complete(task, CallOutcome.BOOKED, who="igor" if later else "vera", now=now + later)
    assert await staff.calls() == []


@pytest.mark.parametrize(
    ("outcome", "given"),
    [
        pytest.param(CallOutcome.BOOKED, {}, id="booked"),
        pytest.param(CallOutcome.DECLINED, {"reason": LossReason.PRICE}, id="declined"),
        pytest.param(CallOutcome.WRONG_NUMBER, {}, id="wrong number"),
        pytest.param(CallOutcome.DO_NOT_CONTACT, {}, id="do not contact"),
        pytest.param(CallOutcome.MOVED, {}, id="moved"),
        pytest.param(CallOutcome.DECEASED, {}, id="deceased"),
    ],
)
async def test_a_final_outcome_closes_the_task_and_tells_the_attempt(
    rows: "Rows", staff: "Staff", now: datetime, outcome: CallOutcome, given: dict[str, Any]
) -> None:
    attempt = await rows.attempt()
    task = await staff.task(attempt)
    completed = await staff.complete(task, outcome, note="a note", **given)
    assert call_completion.Completed(task_id=task.id, outcome=outcome, again_at=None) == completed
    closed = await rows.get(CallTask, task.id)
    assert (now, "vera", outcome.value, 1) == (
        closed.closed_at,
        closed.closed_by,
        closed.outcome,
        closed.tries_made,
    )
    reason = given.get("reason")
    [call] = await rows.all(Call)
    assert ("vera", now, outcome.value, reason, "a note") == (
        call.made_by,
        call.made_at,
        call.outcome,
        call.loss_reason,
        call.note,
    )
    [event] = await rows.events(EventKind.CALL_OUTCOME)
    assert (attempt.id, outcome.value, reason) == (
        event.attempt_id,
        event.details["call_outcome"],
        event.details.get("loss_reason"),
    )
    assert "a note" not in str(event.details)


@pytest.mark.parametrize("outcome", [CallOutcome.NO_ANSWER, CallOutcome.VOICEMAIL])
async def test_tries_are_a_day_apart_and_the_last_one_closes_the_task(
    rows: "Rows", staff: "Staff", now: datetime, outcome: CallOutcome
) -> None:
    task = await staff.task(tries=2)
    await staff.claim(task, "vera")
    assert now + DAY == (await staff.complete(task, outcome)).again_at
    [call] = await staff.calls()
    assert (1, 2, now + DAY, None) == (
        call.tries_made,
        call.tries_allowed,
        call.due_at,
        call.claimed_by,
    )
    assert await rows.events(EventKind.CALL_OUTCOME) == []
    assert (await staff.complete(task, outcome, now=now + DAY)).again_at is None
    assert await staff.calls() == []
    assert len(await rows.events(EventKind.CALL_OUTCOME)) == 1
    assert len(await rows.all(Call)) == 2


async def test_a_call_back_moves_the_due_time_and_uses_up_no_try(
    rows: "Rows", staff: "Staff", now: datetime
) -> None:
    task = await staff.task(tries=1)
    agreed = now + timedelta(hours=3)
    completed = await staff.complete(task, CallOutcome.CALL_BACK, at=agreed)
    assert agreed == completed.again_at
    [call] = await staff.calls()
    assert (agreed, 0) == (call.due_at, call.tries_made)
    assert [agreed] == [each.again_at for each in await rows.all(Call)]


@pytest.mark.parametrize(
    ("phone", "hours_later"),
    [
        pytest.param("+13055550142", 0, id="Miami, where it is noon too"),
        pytest.param("+18085550142", 1, id="Honolulu, where it is seven"),
    ],
)
async def test_the_next_try_lies_within_the_hours_where_the_phone_rings(
    rows: "Rows", staff: "Staff", phone: str, hours_later: int
) -> None:
    clinic = rows.clinic
    noon = datetime(2027, 3, 2, 17, 0, tzinfo=UTC)
    task = await staff.task(await rows.attempt(await rows.patient(phone=phone)))
    async with clinic.database.writing() as session:
        completed = await call_completion.complete(
            session,
            task.id,
            Reported(outcome=CallOutcome.NO_ANSWER),
            who="vera",
            now=noon,
            policy=clinic.folder.policy("us"),
            calendar=clinic.calendar,
            key=clinic.key,
        )
    assert noon + DAY + timedelta(hours=hours_later) == completed.again_at


@pytest.mark.parametrize("policy", ["default", "us", "co", "es"])
async def test_every_try_that_nobody_answers_is_due_when_the_policy_allows_a_call(
    rows: "Rows", staff: "Staff", policy: str
) -> None:
    clinic, rules = rows.clinic, rows.clinic.folder.policy(policy)
    patient = await rows.patient()
    task = await staff.task(await rows.attempt(patient), tries=4)
    at = datetime(2027, 3, 2, 17, 0, tzinfo=UTC)
    for _ in range(3):
        async with clinic.database.writing() as session:
            completed = await call_completion.complete(
                session,
                task.id,
                Reported(outcome=CallOutcome.NO_ANSWER),
                who="vera",
                now=at,
                policy=rules,
                calendar=clinic.calendar,
                key=clinic.key,
            )
            assert completed.again_at is not None
            at = completed.again_at
            known = await standings(
                session, [patient.id], at, clinic.key, zone=clinic.calendar.zone
            )
        contacts = known[patient.id].contacts
        assert contacts
        assert may_contact(rules, clinic.calendar, "call", at, contacts) is None


async def test_a_report_that_does_not_fit_changes_nothing(rows: "Rows", staff: "Staff") -> None:
    task = await staff.task()
    with pytest.raises(Refusal, match="needs a --reason"):
        await staff.complete(task, CallOutcome.DECLINED)
    assert len(await staff.calls()) == 1
    assert await rows.all(Call) == []


@pytest.mark.parametrize(
    ("outcome", "given", "column", "expected"),
    [
        pytest.param(CallOutcome.DECEASED, {}, "status", "deceased", id="deceased"),
        pytest.param(CallOutcome.MOVED, {}, "status", "moved", id="moved"),
        pytest.param(
            CallOutcome.DECLINED,
            {"reason": LossReason.DISTANCE},
            "loss_reason",
            "distance",
            id="why the patient left",
        ),
        pytest.param(CallOutcome.BOOKED, {}, "status", "active", id="booked changes nothing"),
    ],
)
async def test_what_a_call_told_stands_in_the_register(
    rows: "Rows",
    staff: "Staff",
    outcome: CallOutcome,
    given: dict[str, Any],
    column: str,
    expected: str,
) -> None:
    patient = await rows.patient()
    await staff.complete(await staff.task(await rows.attempt(patient)), outcome, **given)
    assert expected == getattr(await rows.get(Patient, patient.id), column)


async def test_a_wrong_number_marks_the_phone_bad_and_leaves_the_email(
    rows: "Rows", staff: "Staff", now: datetime
) -> None:
    patient = await rows.patient()
    task = await staff.task(await rows.attempt(patient))
    await staff.complete(task, CallOutcome.WRONG_NUMBER)
    found = await rows.get(Patient, patient.id)
    assert (now, None) == (found.phone_bad_at, found.email_bad_at)


async def test_do_not_contact_suppresses_every_address_at_once(
    rows: "Rows", staff: "Staff", now: datetime
) -> None:
    patient = await rows.patient()
    task = await staff.task(await rows.attempt(patient))
    await staff.complete(task, CallOutcome.DO_NOT_CONTACT)
    assert now == (await rows.get(Patient, patient.id)).opted_out_at
    addresses = [str(patient.email), str(patient.phone)]
    assert {address_hash(rows.clinic.key, address) for address in addresses} == {
        suppression.address_hash for suppression in await rows.all(Suppression)
    }


async def test_an_appointment_that_staff_book_stands_in_the_book(
    rows: "Rows", staff: "Staff", now: datetime
) -> None:
    patient = await rows.patient()
    task = await staff.task(await rows.attempt(patient))
    await staff.complete(task, CallOutcome.BOOKED, at=now + 5 * DAY)
    assert [(patient.id, now + 5 * DAY)] == [
        (row.patient_id, row.at) for row in await rows.all(Appointment)
    ]
