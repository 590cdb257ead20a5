"""A call that two people made: what the second reports is kept, and decides nothing."""

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from clinic.call_late import keep_late_report
from clinic.call_refusal import CallProblem, CallRefusal
from clinic.call_task import PATIENT_FORGOTTEN, Reported
from clinic.event import CallOutcome, EventKind
from clinic.outcome import LossReason
from clinic.register import erasure, suppression
from clinic.register.address import address_hash
from clinic.tables import Call, CallTask, Event, Patient

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows


ONE_KIND = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what the database has no part in."""


async def closed_task(rows: "Rows", **given: Any) -> CallTask:
    attempt = await rows.attempt()
    about = {"attempt_id": attempt.id, "patient_id": attempt.patient_id, "closed_by": "Lucía"}
    about |= given
    task = CallTask(
        step=2,
        kind="call",
        priority=3,
        due_at=rows.now,
        opened_at=rows.now - timedelta(days=1),
        tries_allowed=3,
        closed_at=rows.now,
        outcome="declined",
        **about,
    )
    await rows.add(task)
    return task


async def report(
    rows: "Rows",
    task_id: str,
    outcome: CallOutcome,
    note: str = "",
    *,
    reason: LossReason | None = None,
    called: str | None = None,
    after: int = 0,
) -> None:
    async with rows.clinic.database.writing() as session:
        await keep_late_report(
            session,
            task_id,
            Reported(outcome=outcome, reason=reason, note=note, called=called),
            who="Bruno",
            now=rows.now,
            key=rows.clinic.key,
            after=after,
        )


async def test_it_stands_on_the_card_once_and_the_task_stays_as_it_was(rows: "Rows") -> None:
    task = await closed_task(rows)
    for _ in range(2):
        await report(rows, task.id, CallOutcome.BOOKED, "viene el martes")
    [call] = await rows.all(Call)
    assert (call.made_by, call.outcome, call.note) == ("Bruno", "booked", "viene el martes")
    assert (await rows.get(CallTask, task.id)).outcome == "declined"
    assert await rows.events(EventKind.CALL_OUTCOME) == []


async def test_whoever_wants_no_contact_gets_none_though_the_report_came_late(
    rows: "Rows", now: datetime
) -> None:
    task = await closed_task(rows)
    await report(rows, task.id, CallOutcome.DO_NOT_CONTACT)
    assert (await rows.get(Patient, task.patient_id)).opted_out_at == now
    [said] = await rows.events(EventKind.OPTED_OUT)
    assert said.attempt_id == task.attempt_id


@ONE_KIND
async def test_who_was_welcome_again_and_wants_no_contact_once_more_gets_none(
    rows: "Rows", now: datetime
) -> None:
    task = await closed_task(rows)
    await report(rows, task.id, CallOutcome.DO_NOT_CONTACT, "a gritos")
    async with rows.clinic.database.writing() as session:
        await suppression.opt_in(session, str(task.patient_id), now=now, key=rows.clinic.key)
    for _ in range(2):  # in the same words, and by a button that is pressed twice
        await report(rows, task.id, CallOutcome.DO_NOT_CONTACT, "a gritos")
    assert (await rows.get(Patient, task.patient_id)).opted_out_at == now
    assert len(await rows.all(Call)) == 1
    assert len(await rows.events(EventKind.OPTED_OUT)) == 2


@ONE_KIND
async def test_nobody_writes_to_an_unknown_address_that_wants_no_contact(rows: "Rows") -> None:
    written = Event(
        source="sms",
        source_key="SM1",
        kind=EventKind.REPLY.value,
        from_address="+13055550177",
        received_at=rows.now,
        relay_tries=0,
    )
    await rows.add(written)
    task = await closed_task(rows, attempt_id=None, patient_id=None, event_id=written.id)
    await report(rows, task.id, CallOutcome.DO_NOT_CONTACT)
    async with rows.clinic.database.reading() as session:
        assert await suppression.suppressed(session, ["+13055550177"], rows.clinic.key)


async def test_nobody_writes_any_more_to_who_has_died(rows: "Rows") -> None:
    task = await closed_task(rows)
    await report(rows, task.id, CallOutcome.DECEASED)
    assert (await rows.get(Patient, task.patient_id)).status == "deceased"
    [said] = await rows.events(EventKind.EXCLUDED)
    assert said.attempt_id == task.attempt_id


@ONE_KIND
@pytest.mark.parametrize(
    ("called", "is_bad"),
    [
        pytest.param("+13055550123", True, id="the one there is"),
        pytest.param("+13055550124", False, id="the one there was"),
        pytest.param(None, True, id="nobody says which"),
    ],
)
async def test_a_number_that_is_somebody_elses_is_not_called_again(
    rows: "Rows", now: datetime, called: str | None, *, is_bad: bool
) -> None:
    patient = await rows.patient(phone="+13055550123")
    task = await closed_task(rows, attempt_id=None, patient_id=patient.id)
    hashed = address_hash(rows.clinic.key, called) if called else None
    await report(rows, task.id, CallOutcome.WRONG_NUMBER, called=hashed)
    assert (await rows.get(Patient, patient.id)).phone_bad_at == (now if is_bad else None)


@ONE_KIND
async def test_a_second_call_that_nobody_answers_is_no_repeat_of_the_first(rows: "Rows") -> None:
    task = await closed_task(rows)
    for after in (0, 0, 1, 1):  # two forms, and each sent twice
        await report(rows, task.id, CallOutcome.NO_ANSWER, after=after)
    assert len(await rows.all(Call)) == 2


@ONE_KIND
async def test_a_corrected_reason_is_no_repeat(rows: "Rows") -> None:
    task = await closed_task(rows)
    for reason in (LossReason.PRICE, LossReason.PRICE, LossReason.MOVED_AWAY):
        await report(rows, task.id, CallOutcome.DECLINED, reason=reason)
    assert [call.loss_reason for call in await rows.all(Call)] == ["price", "moved_away"]


async def test_of_a_person_who_was_forgotten_nothing_is_kept_again(
    rows: "Rows", now: datetime
) -> None:
    task = await closed_task(rows)
    await rows.change(await rows.get(Patient, task.patient_id), erased_at=now)
    with pytest.raises(CallRefusal) as refused:
        await report(rows, task.id, CallOutcome.BOOKED, "viene el martes")
    assert refused.value.why is CallProblem.NOT_TO_CALL
    assert await rows.all(Call) == []


@ONE_KIND
async def test_nor_of_one_who_wrote_before_the_register_knew_them(rows: "Rows") -> None:
    task = await closed_task(rows, attempt_id=None, patient_id=None, closed_by=PATIENT_FORGOTTEN)
    with pytest.raises(CallRefusal) as refused:
        await report(rows, task.id, CallOutcome.NO_ANSWER, "contesta la hija")
    assert refused.value.why is CallProblem.NOT_TO_CALL
    assert await rows.all(Call) == []


async def test_there_is_no_such_task(rows: "Rows") -> None:
    with pytest.raises(CallRefusal) as refused:
        await report(rows, "ct-0000000000000000", CallOutcome.BOOKED)
    assert refused.value.why is CallProblem.UNKNOWN


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_note_that_is_kept_while_the_person_is_forgotten_does_not_stay(
    rows: "Rows", now: datetime
) -> None:
    task = await closed_task(rows)
    database, key = rows.clinic.database, rows.clinic.key
    async with database.writing() as session:
        late = Reported(outcome=CallOutcome.NO_ANSWER, note="contesta la hija")
        await keep_late_report(session, task.id, late, who="Bruno", now=now, key=key)

        async def forget() -> None:
            async with database.writing() as another:
                await erasure.forget(another, str(task.patient_id), now=now, key=key)

        forgetting = asyncio.create_task(forget())
        # it has to wait; where it does not, it is done by then, and has missed the note
        await asyncio.wait([forgetting], timeout=0.3)
    await forgetting
    [call] = await rows.all(Call)
    assert call.note == ""
