"""Who writes without an attempt is read, called and forgotten like everybody else."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from clinic import call_opening
from clinic.attempt import AttemptState
from clinic.call_task import TaskKind
from clinic.event import CallOutcome, EventKind
from clinic.outcome import LossReason
from clinic.refusal import Refusal
from clinic.register import erasure
from clinic.register.address import address_hash
from clinic.register.card import card_of
from clinic.register.patient_export import export_patient
from clinic.tables import Appointment, CallTask, Event, Patient, Suppression

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows, Staff

NUMBER = "+13055550177"
DAY = timedelta(days=1)


async def wrote(rows: "Rows", patient: Patient | None = None, body: str = "Hola") -> CallTask:
    """Have somebody write, and return the task that this became."""
    who: dict[str, Any] = {"from_address": NUMBER}
    if patient is not None:
        who = {"patient_id": patient.id}
    assert await rows.store(EventKind.REPLY, body=body, **who)
    (task,) = [task for task in await rows.all(CallTask) if task.closed_at is None]
    return task


async def test_a_task_without_an_attempt_is_claimed_once(rows: "Rows", staff: "Staff") -> None:
    task = await wrote(rows)
    assert (task.attempt_id, task.patient_id, task.kind) == (None, None, TaskKind.REPLY.value)
    await staff.claim(task, "vera")
    with pytest.raises(Refusal, match="claimed by vera"):
        await staff.claim(task, "igor")


@pytest.mark.parametrize(
    "outcome",
    [CallOutcome.BOOKED, CallOutcome.WRONG_NUMBER, CallOutcome.MOVED, CallOutcome.DECEASED],
)
async def test_of_somebody_nobody_knows_an_outcome_closes_the_task_and_changes_nothing(
    rows: "Rows", staff: "Staff", outcome: CallOutcome
) -> None:
    task = await wrote(rows)
    completed = await staff.complete(task, outcome)
    assert completed.again_at is None
    assert await staff.calls() == []
    assert len(await rows.all(Event)) <= 2
    assert await rows.all(Patient) == []
    assert await rows.all(Suppression) == []
    assert await rows.all(Appointment) == []


async def test_do_not_contact_suppresses_the_address_of_somebody_nobody_knows(
    rows: "Rows", staff: "Staff"
) -> None:
    await staff.complete(await wrote(rows), CallOutcome.DO_NOT_CONTACT)
    (row,) = await rows.all(Suppression)
    assert row.address_hash == address_hash(rows.clinic.key, NUMBER)


async def test_who_does_not_pick_up_is_called_again(rows: "Rows", staff: "Staff") -> None:
    completed = await staff.complete(await wrote(rows), CallOutcome.NO_ANSWER)
    assert completed.again_at is not None
    (call,) = await staff.calls()
    assert (call.tries_made, call.tries_allowed) == (1, 3)


async def test_what_a_patient_says_on_the_phone_is_noted(rows: "Rows", staff: "Staff") -> None:
    patient = await rows.patient()
    task = await wrote(rows, patient)
    await staff.complete(task, CallOutcome.BOOKED, at=rows.now + timedelta(days=3))
    (appointment,) = await rows.all(Appointment)
    assert appointment.patient_id == patient.id


async def test_why_a_patient_declined_is_noted(rows: "Rows", staff: "Staff") -> None:
    patient = await rows.patient()
    await staff.complete(await wrote(rows, patient), CallOutcome.DECLINED, reason=LossReason.PRICE)
    assert (await rows.get(Patient, patient.id)).loss_reason == LossReason.PRICE.value


async def test_nobody_picking_up_is_no_word_for_an_attempt_that_began_meanwhile(
    rows: "Rows", staff: "Staff"
) -> None:
    patient = await rows.patient()
    task = await wrote(rows, patient)
    await rows.attempt(patient)
    for _ in range(3):
        await staff.complete(task, CallOutcome.NO_ANSWER)
    assert await rows.events(EventKind.CALL_OUTCOME) == []
    assert await staff.calls() == []


async def test_after_an_opt_out_the_rest_is_read_and_nobody_calls(
    rows: "Rows", staff: "Staff"
) -> None:
    patient = await rows.patient()
    await rows.store(
        EventKind.OPTED_OUT,
        patient_id=patient.id,
        body="Me atiendo en otra clínica. No me escriban más.",
        details={"reading": "opt_out", "says_more": True},
    )
    (task,) = await rows.all(CallTask)
    with pytest.raises(Refusal, match="asked not to be contacted"):
        await staff.claim(task, "vera")
    await staff.complete(task, CallOutcome.DO_NOT_CONTACT)
    assert await staff.calls() == []


async def test_the_most_urgent_said_yes(rows: "Rows", staff: "Staff") -> None:
    await rows.store(EventKind.REPLY, from_address="+13055550171", body="¿Quién es?")
    await rows.store(
        EventKind.REPLY, from_address="+13055550172", body="sí", details={"reading": "yes"}
    )
    assert [call.from_address for call in await staff.calls()] == ["+13055550172", "+13055550171"]


async def test_the_card_shows_what_was_said_and_called(rows: "Rows", staff: "Staff") -> None:
    patient = await rows.patient()
    task = await wrote(rows, patient, "Quiero una hora")
    await staff.complete(task, CallOutcome.NO_ANSWER)
    async with rows.clinic.database.reading() as session:
        card = await card_of(
            session, patient, now=rows.now, zone=rows.clinic.profile.zone, key=rows.clinic.key
        )
    assert [line.words for line in card.said] == ["Quiero una hora"]
    assert [line.outcome for line in card.calls] == ["no_answer"]
    assert card.open_tasks == (task.id,)


async def test_a_person_is_given_these_tasks_as_well(rows: "Rows", staff: "Staff") -> None:
    patient = await rows.patient(phone=NUMBER)
    await staff.complete(await wrote(rows, patient), CallOutcome.NO_ANSWER, note="otra vez")
    await rows.store(EventKind.REPLY, from_address=NUMBER, body="antes de ser paciente")
    async with rows.clinic.database.reading() as session:
        held = await export_patient(
            session, patient, clinic="Clinic", now=rows.now, key=rows.clinic.key
        )
    (exported,) = held["patients"]
    assert [call["note"] for task in exported["call_tasks"] for call in task["calls"]] == [
        "otra vez"
    ]
    assert [event["body"] for event in exported["events"]] == ["Hola", "antes de ser paciente"]


async def test_who_is_forgotten_leaves_no_words_behind(rows: "Rows", staff: "Staff") -> None:
    patient = await rows.patient(phone=NUMBER)
    await wrote(rows, patient, "Hola, soy yo")
    await rows.store(EventKind.REPLY, from_address=NUMBER, body="antes de ser paciente")
    await rows.store(EventKind.REPLY, from_address="+13055550178", body="otra persona")
    async with rows.clinic.database.writing() as session:
        await erasure.forget(session, patient.id, now=rows.now, key=rows.clinic.key)
    bodies = sorted(event.body for event in await rows.all(Event) if event.kind == "reply")
    assert bodies == ["", "", "otra persona"]
    (left,) = await staff.calls()
    assert (left.from_address, left.words) == ("+13055550178", "otra persona")


async def test_an_unanswered_reply_to_an_earlier_attempt_is_handed_to_the_next(
    rows: "Rows", staff: "Staff"
) -> None:
    patient = await rows.patient()
    earlier = await rows.attempt(patient)
    for words, at in (("¿Cuánto cuesta?", rows.now - DAY), ("¿Hola?", rows.now)):
        await rows.store(EventKind.REPLY, attempt_id=earlier.id, body=words, at=at)
        event = (await rows.events(EventKind.REPLY))[-1]
        async with rows.clinic.database.writing() as session:
            await call_opening.keep_late(session, event, at)
        if at < rows.now:
            (task,) = await rows.all(CallTask)
            await rows.change(task, closed_at=at + timedelta(hours=1), closed_by="vera")
    await rows.change(earlier, state=AttemptState.ENDED.value, ended_at=rows.now)
    opened = await rows.attempt(patient)
    async with rows.clinic.database.writing() as session:
        await call_opening.hand_to_attempts(session, [await session.merge(opened)])
    assert await rows.is_silenced(opened)
    (call,) = await staff.calls()
    assert call.words == "¿Hola?"
    answered, waiting = await rows.events(EventKind.REPLY)
    assert (answered.attempt_id, waiting.attempt_id) == (earlier.id, opened.id)
    assert waiting.relayed_at is None
