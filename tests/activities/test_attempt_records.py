"""An attempt's book-keeping may be asked for twice, and is done once."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from activities.attempt_records import AttemptRecords
from clinic.attempt import AttemptState, CallTaskInput, CloseInput, LateEvents
from clinic.call_task import ANSWER_WITHIN, TaskKind
from clinic.clinic import Clinic
from clinic.contact_policy import next_opening
from clinic.event import EventKind
from clinic.folder import ClinicFolder
from clinic.outcome import LossReason, Outcome
from clinic.tables import CallTask

if TYPE_CHECKING:
    from tests.activities.conftest import Desk, RunAt


@pytest.fixture
def records(clinic: Clinic) -> AttemptRecords:
    return AttemptRecords(database=clinic.database, folder=clinic.folder, policy=clinic.policy)


async def test_a_call_task_is_opened_once_however_often_it_is_asked_for(
    desk: "Desk", records: AttemptRecords, run_at: "RunAt", now: datetime
) -> None:
    attempt = await desk.attempt()
    event = await desk.event(EventKind.REPLY, attempt_id=attempt.id, body="llámenme")
    asked = CallTaskInput(attempt_id=attempt.id, step=1, kind=TaskKind.REPLY, event_id=event.id)
    await run_at(now, records.open_call_task, asked)
    await run_at(now + timedelta(minutes=1), records.open_call_task, asked)
    (task,) = await desk.all(CallTask)
    assert (task.kind, task.step, task.event_id) == ("reply", 1, event.id)
    assert (task.opened_at, task.due_at) == (now, now + ANSWER_WITHIN)


async def test_a_task_that_was_completed_is_not_opened_again_by_a_retry(
    desk: "Desk", records: AttemptRecords, run_at: "RunAt", now: datetime
) -> None:
    attempt = await desk.attempt()
    asked = CallTaskInput(attempt_id=attempt.id, step=0, kind=TaskKind.CHECK)
    await run_at(now, records.open_call_task, asked)
    (task,) = await desk.all(CallTask)
    await desk.change(task, closed_at=now, closed_by="ana", outcome="no_answer")
    await run_at(now, records.open_call_task, asked)
    assert len(await desk.all(CallTask)) == 1


async def test_an_answer_is_due_within_the_clinics_hours(
    desk: "Desk", clinic: Clinic, run_at: "RunAt", now: datetime
) -> None:
    policy = ClinicFolder(clinic.settings.clinic, "daytime").policy()
    records = AttemptRecords(database=clinic.database, folder=clinic.folder, policy=policy)
    attempt = await desk.attempt()
    evening = now + timedelta(hours=6)  # 18:00: four hours later the clinic is closed
    asked = CallTaskInput(attempt_id=attempt.id, step=0, kind=TaskKind.REPLY)
    await run_at(evening, records.open_call_task, asked)
    (task,) = await desk.all(CallTask)
    assert task.due_at == next_opening(policy, clinic.calendar, evening + ANSWER_WITHIN)
    assert task.due_at > evening + ANSWER_WITHIN


async def test_an_attempt_closes_once_and_its_first_outcome_stands(
    desk: "Desk", records: AttemptRecords, run_at: "RunAt", now: datetime
) -> None:
    attempt = await desk.attempt()
    declined = CloseInput(
        attempt_id=attempt.id, outcome=Outcome.DECLINED, loss_reason=LossReason.PRICE
    )
    await run_at(now, records.close_attempt, declined)
    other = CloseInput(attempt_id=attempt.id, outcome=Outcome.BOOKED)
    await run_at(now + timedelta(days=1), records.close_attempt, other)
    closed = await desk.again(attempt)
    assert (closed.state, closed.outcome) == (AttemptState.ENDED.value, "declined")
    assert (closed.loss_reason, closed.ended_at) == ("price", now)


async def test_nobody_is_asked_to_call_about_a_closed_attempt(
    desk: "Desk", records: AttemptRecords, run_at: "RunAt", now: datetime
) -> None:
    attempt, other = await desk.attempt(), await desk.attempt()
    for one in (attempt, other):
        asked = CallTaskInput(attempt_id=one.id, step=0, kind=TaskKind.CALL)
        await run_at(now, records.open_call_task, asked)
    await run_at(
        now, records.close_attempt, CloseInput(attempt_id=attempt.id, outcome=Outcome.BOOKED)
    )
    closed = {task.attempt_id: task.outcome for task in await desk.all(CallTask)}
    assert closed == {attempt.id: "booked", other.id: None}


async def test_after_its_end_the_patient_is_free_for_another_attempt(
    desk: "Desk", records: AttemptRecords, run_at: "RunAt", now: datetime
) -> None:
    patient = await desk.patient()
    attempt = await desk.attempt(patient)
    closing = CloseInput(attempt_id=attempt.id, outcome=Outcome.EXHAUSTED)
    await run_at(now, records.close_attempt, closing)
    assert (await desk.attempt(patient)).state == AttemptState.OPEN.value


@pytest.mark.parametrize(
    ("kind", "tasks"),
    [
        pytest.param(EventKind.REPLY, ["reply"], id="a reply is answered by a person"),
        pytest.param(EventKind.BOOKED, [], id="a booking needs nobody"),
        pytest.param(EventKind.BOUNCED, [], id="a bounce needs nobody"),
    ],
)
async def test_what_comes_after_the_end(
    desk: "Desk",
    records: AttemptRecords,
    run_at: "RunAt",
    now: datetime,
    kind: EventKind,
    tasks: list[str],
) -> None:
    attempt = await desk.attempt()
    closing = CloseInput(attempt_id=attempt.id, outcome=Outcome.EXHAUSTED)
    await run_at(now, records.close_attempt, closing)
    event = await desk.event(kind, attempt_id=attempt.id)
    late = LateEvents(event_ids=(event.id, "ev-of-nobody"))
    await run_at(now, records.keep_late_events, late)
    await run_at(now, records.keep_late_events, late)
    assert [task.kind for task in await desk.all(CallTask)] == tasks
