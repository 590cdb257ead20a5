"""A task that nobody may call about is closed without a call: nobody dialled."""

from typing import TYPE_CHECKING

import pytest

from clinic.call_closing import close_uncalled
from clinic.call_refusal import CallProblem, CallRefusal
from clinic.event import CallOutcome, EventKind
from clinic.register.standing import standings
from clinic.results.results import Results, results_of
from clinic.results.selection import Selection
from clinic.tables import Call, CallTask, Patient

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows, Staff

ONE_KIND = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def close(rows: "Rows", task_id: str, who: str = "vera") -> CallOutcome | None:
    clinic = rows.clinic
    async with clinic.database.writing() as session:
        return await close_uncalled(
            session, task_id, who=who, now=rows.now, key=clinic.key, zone=clinic.profile.zone
        )


async def results(rows: "Rows") -> Results:
    clinic = rows.clinic
    return await results_of(
        clinic.database, Selection(), zone=clinic.profile.zone, now=rows.now, costs=None
    )


async def test_it_counts_neither_as_a_call_nor_against_a_cap_and_the_attempt_hears_of_it(
    rows: "Rows", staff: "Staff"
) -> None:
    task = await staff.task()
    await rows.change(await rows.get(Patient, task.patient_id), opted_out_at=rows.now)
    assert await close(rows, task.id) == CallOutcome.DO_NOT_CONTACT
    closed = await rows.get(CallTask, task.id)
    assert (closed.closed_by, closed.outcome, closed.tries_made) == ("vera", "do_not_contact", 0)
    assert await rows.all(Call) == []
    found = await results(rows)
    assert (found.callers, found.channels) == ((), ())
    async with rows.clinic.database.reading() as session:
        patient_id, zone = str(task.patient_id), rows.clinic.profile.zone
        stands = await standings(session, [patient_id], rows.now, rows.clinic.key, zone=zone)
    assert stands[patient_id].contacts == ()
    [heard] = await rows.events(EventKind.CALL_OUTCOME)
    assert (heard.attempt_id, heard.details["call_outcome"]) == (task.attempt_id, "do_not_contact")


@ONE_KIND
async def test_nobody_is_said_to_have_told_why_they_left(rows: "Rows", staff: "Staff") -> None:
    task = await staff.task()
    await rows.change(await rows.get(Patient, task.patient_id), status="inactive")
    assert await close(rows, task.id) == CallOutcome.DECLINED
    assert (await rows.get(Patient, task.patient_id)).loss_reason is None
    [heard] = await rows.events(EventKind.CALL_OUTCOME)
    assert "loss_reason" not in heard.details


@ONE_KIND
async def test_a_call_that_may_be_made_is_not_closed_so(rows: "Rows", staff: "Staff") -> None:
    task = await staff.task()
    assert await close(rows, task.id) is None
    assert (await rows.get(CallTask, task.id)).closed_at is None


@ONE_KIND
async def test_nor_is_one_that_somebody_else_has_or_has_closed(
    rows: "Rows", staff: "Staff"
) -> None:
    task = await staff.task()
    await staff.claim(task, "igor")
    await rows.change(await rows.get(Patient, task.patient_id), opted_out_at=rows.now)
    refused = []
    for who in ("vera", "igor", "vera"):
        try:
            await close(rows, task.id, who)
        except CallRefusal as refusal:
            refused.append((refusal.why, refusal.who))
    assert refused == [(CallProblem.CLAIMED, "igor"), (CallProblem.CLOSED, "igor")]
