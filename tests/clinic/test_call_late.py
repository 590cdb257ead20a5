"""A call that two people made: what the second reports is kept, and decides nothing."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from clinic.call_late import keep_late_report
from clinic.call_refusal import CallProblem, CallRefusal
from clinic.call_task import Reported
from clinic.event import CallOutcome, EventKind
from clinic.tables import Call, CallTask, Patient

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows


async def closed_task(rows: "Rows") -> CallTask:
    attempt = await rows.attempt()
    task = CallTask(
        attempt_id=attempt.id,
        patient_id=attempt.patient_id,
        step=2,
        kind="call",
        priority=3,
        due_at=rows.now,
        opened_at=rows.now - timedelta(days=1),
        tries_allowed=3,
        closed_at=rows.now,
        closed_by="Lucía",
        outcome="declined",
    )
    await rows.add(task)
    return task


async def report(rows: "Rows", task_id: str, outcome: CallOutcome, note: str = "") -> None:
    async with rows.clinic.database.writing() as session:
        await keep_late_report(
            session,
            task_id,
            Reported(outcome=outcome, note=note),
            who="Bruno",
            now=rows.now,
            key=rows.clinic.key,
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


async def test_of_a_person_who_was_forgotten_nothing_is_kept_again(
    rows: "Rows", now: datetime
) -> None:
    task = await closed_task(rows)
    await rows.change(await rows.get(Patient, task.patient_id), erased_at=now)
    with pytest.raises(CallRefusal) as refused:
        await report(rows, task.id, CallOutcome.BOOKED, "viene el martes")
    assert refused.value.why is CallProblem.NOT_TO_CALL
    assert await rows.all(Call) == []


async def test_there_is_no_such_task(rows: "Rows") -> None:
    with pytest.raises(CallRefusal) as refused:
        await report(rows, "ct-0000000000000000", CallOutcome.BOOKED)
    assert refused.value.why is CallProblem.UNKNOWN
