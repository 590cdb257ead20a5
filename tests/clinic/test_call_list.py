"""The call list: opened once, claimed by one, completed once."""

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from clinic import call_claim, call_list, call_opening
from clinic.attempt import AttemptState
from clinic.call_order import AHEAD, LATER, OVERDUE
from clinic.call_task import CLAIM_LASTS, TaskKind
from clinic.event import CallOutcome, EventKind
from clinic.outcome import LossReason
from clinic.refusal import Refusal
from clinic.register.suppression import suppress
from clinic.tables import Attempt, CallTask, Consent, Duplicate, Event, Patient

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows, Staff

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


async def test_a_task_stands_on_the_call_list_with_all_that_a_caller_needs(
    rows: "Rows", staff: "Staff", now: datetime
) -> None:
    patient = await rows.patient(external_id="A-7", first_name="Ana", last_name="Gil")
    campaign = await rows.campaign(name="spring")
    task = await staff.task(await rows.attempt(patient, campaign))
    expected = call_list.OpenCall(
        task_id=task.id,
        kind=TaskKind.CALL,
        priority=3,
        due_at=now + 2 * DAY,
        overdue=False,
        tries_made=0,
        tries_allowed=3,
        claimed_by=None,
        campaign="spring",
        patient_id=patient.id,
        external_id="A-7",
        name="Ana Gil",
        phone=patient.phone,
        language="es",
    )
    assert [expected] == await staff.calls()


async def test_overdue_comes_first_then_priority_then_due_time(
    staff: "Staff", now: datetime
) -> None:
    due = {
        "call, tomorrow": (TaskKind.CALL, now + DAY),
        "call, overdue": (TaskKind.CALL, now - MINUTE),
        "reply, later": (TaskKind.REPLY, now + 3 * DAY),
        "reply, soon": (TaskKind.REPLY, now + DAY),
        "check": (TaskKind.CHECK, now + MINUTE),
        "due this moment": (TaskKind.CALL, now),
    }
    labels = {
        (await staff.task(kind=kind, due_at=due_at)).id: label
        for label, (kind, due_at) in due.items()
    }
    calls = await staff.calls()
    assert [(labels[call.task_id], call.overdue) for call in calls] == [
        ("call, overdue", True),
        ("reply, soon", False),
        ("reply, later", False),
        ("check", False),
        ("due this moment", False),
        ("call, tomorrow", False),
    ]


async def test_an_attempt_has_one_open_task_which_a_reply_makes_urgent(
    rows: "Rows", staff: "Staff", now: datetime
) -> None:
    attempt = await rows.attempt()
    first = await staff.task(attempt)
    await rows.store(EventKind.REPLY, attempt_id=attempt.id, body="Call me, please")
    [reply] = await rows.events(EventKind.REPLY)
    soon = now + timedelta(hours=4)
    second = await staff.task(attempt, TaskKind.REPLY, due_at=soon, event_id=reply.id)
    assert first.id == second.id
    [call] = await staff.calls()
    assert (TaskKind.REPLY, 1, soon, "Call me, please") == (
        call.kind,
        call.priority,
        call.due_at,
        call.words,
    )


async def test_who_was_put_off_comes_last_and_who_writes_meanwhile_is_called_at_once(
    rows: "Rows", staff: "Staff", now: datetime
) -> None:
    attempt = await rows.attempt()
    await rows.store(EventKind.REPLY, attempt_id=attempt.id, body="Hola")
    [first] = await rows.events(EventKind.REPLY)
    task = await staff.task(attempt, TaskKind.REPLY, due_at=now - MINUTE, event_id=first.id)
    again = (await staff.complete(task, CallOutcome.VOICEMAIL)).again_at
    due = await staff.task(due_at=now + DAY)
    listed = [(call.task_id, call.overdue, call.not_before) for call in await staff.calls()]
    assert listed == [(due.id, False, None), (task.id, False, again)]
    assert again is not None
    assert [call.not_before for call in await staff.calls(again)] == [None, None]
    # the reply that the call was about is answered by it, however often it is heard of
    await staff.task(attempt, TaskKind.REPLY, due_at=now + DAY / 6, event_id=first.id)
    assert (await rows.get(CallTask, task.id)).not_before == again
    # of another, which came before the call and arrived after it, nobody knew
    await rows.store(EventKind.REPLY, attempt_id=attempt.id, body="Hoy sí")
    other = (await rows.events(EventKind.REPLY))[-1]
    await staff.task(attempt, TaskKind.REPLY, due_at=now + DAY / 6, event_id=other.id)
    assert (await rows.get(CallTask, task.id)).not_before is None
    async with rows.clinic.database.reading() as session:
        counted = await call_list.counts(session, now)
    assert (counted.now, counted.overdue, counted.later, counted.open) == (2, 0, 0, 2)


async def test_a_second_reason_makes_no_call_late_that_was_agreed_for_later(
    rows: "Rows", staff: "Staff", now: datetime
) -> None:
    attempt = await rows.attempt()
    task = await staff.task(attempt, TaskKind.CALL, due_at=now + DAY)
    again = (await staff.complete(task, CallOutcome.VOICEMAIL)).again_at
    await staff.task(attempt, TaskKind.CHECK, due_at=now + MINUTE)
    standing = await rows.get(CallTask, task.id)
    assert (standing.due_at, standing.not_before) == (again, again)


@pytest.mark.parametrize(
    ("told", "reason", "kept"),
    [
        ("price", LossReason.OTHER, "price"),
        ("price", LossReason.DISTANCE, "distance"),
        (None, LossReason.OTHER, "other"),
    ],
)
async def test_another_reason_does_not_overwrite_what_a_patient_once_told(
    rows: "Rows", staff: "Staff", told: str | None, reason: LossReason, kept: str
) -> None:
    attempt = await rows.attempt()
    patient = await rows.get(Patient, attempt.patient_id)
    async with rows.clinic.database.writing() as session:
        (await session.get_one(Patient, patient.id)).loss_reason = told
    await staff.complete(await staff.task(attempt), CallOutcome.DECLINED, reason=reason)
    assert (await rows.get(Patient, patient.id)).loss_reason == kept


async def test_the_list_is_counted_and_read_in_order_off_its_indexes(rows: "Rows") -> None:
    explain = "EXPLAIN QUERY PLAN " if rows.clinic.database.embedded else "EXPLAIN "
    said = []
    async with rows.clinic.database.reading() as session:
        if not rows.clinic.database.embedded:
            await session.execute(text("SET LOCAL enable_seqscan = off"))
            await session.execute(text("SET LOCAL enable_bitmapscan = off"))
            await session.execute(text("SET LOCAL enable_hashjoin = off"))
        for query in (OVERDUE, AHEAD, LATER):
            bound = (
                query.limit(50)
                .params(now=rows.now)
                .compile(session.get_bind(), compile_kwargs={"literal_binds": True})
            )
            said.append(" ".join(map(str, await session.execute(text(explain + str(bound))))))
    assert ["ix_call_tasks_open_order" in plan for plan in said] == [True, True, False]
    assert "ix_call_tasks_open_later" in said[2]
    assert [plan for plan in said if "TEMP B-TREE" in plan] == []


async def test_a_lesser_reason_changes_no_urgent_task(
    rows: "Rows", staff: "Staff", now: datetime
) -> None:
    attempt = await rows.attempt()
    await staff.task(attempt, TaskKind.REPLY, due_at=now + MINUTE)
    await staff.task(attempt, TaskKind.CALL, due_at=now + DAY)
    [call] = await staff.calls()
    assert (TaskKind.REPLY, now + MINUTE) == (call.kind, call.due_at)


async def test_a_steps_task_that_was_closed_is_not_opened_again(
    rows: "Rows", staff: "Staff"
) -> None:
    attempt = await rows.attempt()
    task = await staff.task(attempt)
    await staff.complete(task, CallOutcome.BOOKED)
    assert task.id == (await staff.task(attempt)).id
    assert await staff.calls() == []


async def test_nobody_is_asked_to_call_for_an_attempt_that_has_ended(
    rows: "Rows", now: datetime
) -> None:
    attempt = await rows.attempt(state=AttemptState.ENDED.value)
    async with rows.clinic.database.writing() as session:
        opened = await call_opening.open_task(
            session,
            attempt_id=attempt.id,
            step=2,
            kind=TaskKind.CALL,
            due_at=now,
            tries=1,
            event_id=None,
            now=now,
        )
    assert opened is None
    assert await rows.all(CallTask) == []


async def test_a_claim_is_won_by_one_and_shown(staff: "Staff", now: datetime) -> None:
    task = await staff.task()
    assert now + CLAIM_LASTS == await staff.claim(task, "vera")
    with pytest.raises(Refusal, match=r"is claimed by vera until 12:15$"):
        await staff.claim(task, "igor")
    assert [call.claimed_by for call in await staff.calls()] == ["vera"]


async def test_of_two_who_claim_a_task_at_once_one_wins(staff: "Staff") -> None:
    task = await staff.task()
    results = await asyncio.gather(
        staff.claim(task, "vera"), staff.claim(task, "igor"), return_exceptions=True
    )
    [refused] = [result for result in results if isinstance(result, Refusal)]
    [call] = await staff.calls()
    assert f"is claimed by {call.claimed_by}" in str(refused)


async def test_a_claim_lapses_after_15_minutes(staff: "Staff", now: datetime) -> None:
    task = await staff.task()
    await staff.claim(task, "vera")
    with pytest.raises(Refusal):
        await staff.claim(task, "igor", now + timedelta(minutes=15) - timedelta(microseconds=1))
    lapsed = now + timedelta(minutes=15)
    assert [call.claimed_by for call in await staff.calls(lapsed)] == [None]
    await staff.claim(task, "igor", lapsed)
    assert [call.claimed_by for call in await staff.calls(lapsed)] == ["igor"]


async def test_who_has_a_claim_may_prolong_it(staff: "Staff", now: datetime) -> None:
    task = await staff.task()
    await staff.claim(task, "vera")
    later = now + timedelta(minutes=14)
    assert later + CLAIM_LASTS == await staff.claim(task, "vera", later)


@pytest.mark.parametrize("kind", [TaskKind.CALL, TaskKind.CHECK])
@pytest.mark.parametrize(
    ("what", "said", "close"),
    [
        ("deceased", "the register says that the patient is deceased", "deceased"),
        ("moved", "the register says that the patient is moved", "moved"),
        ("inactive", "the register says that the patient is inactive", "declined"),
        ("opted out", "the patient asked not to be contacted", "do-not-contact"),
        ("booked", "the patient has an appointment", "booked"),
        ("refused calls", "the patient refused calls", "declined"),
        ("suppressed", "whoever answers at this number asked", "declined"),
    ],
)
async def test_what_the_register_has_learned_since_forbids_the_call_and_tells_how_to_close_it(
    rows: "Rows", staff: "Staff", what: str, said: str, close: str, kind: TaskKind
) -> None:
    task = await staff.task(kind=kind)
    await learn(rows, task, what)
    with pytest.raises(Refusal, match=f"nobody is to be called: {said}") as refused:
        await staff.claim(task, "vera")
    assert refused.value.remedy == f"Close the task, as {close}: regresa close {task.id}"
    assert [call.claimed_by for call in await staff.calls()] == [None]


@pytest.mark.parametrize("what", ["inactive", "booked", "refused calls", "suppressed"])
async def test_who_wrote_is_answered_all_the_same(
    rows: "Rows", staff: "Staff", what: str, now: datetime
) -> None:
    task = await staff.task(kind=TaskKind.REPLY)
    await learn(rows, task, what)
    assert now + CLAIM_LASTS == await staff.claim(task, "vera")


@pytest.mark.parametrize("what", ["deceased", "moved"])
async def test_nobody_is_left_to_answer(rows: "Rows", staff: "Staff", what: str) -> None:
    task = await staff.task(kind=TaskKind.REPLY)
    await learn(rows, task, what)
    with pytest.raises(Refusal, match=f"is {what}"):
        await staff.claim(task, "vera")


@pytest.mark.parametrize("status", ["active", "inactive"])
async def test_who_opted_out_is_answered_if_they_wrote_after_it(
    rows: "Rows", staff: "Staff", status: str, now: datetime
) -> None:
    task = await staff.task(kind=TaskKind.REPLY)
    patient = await rows.get(Patient, task.patient_id)
    await rows.change(patient, opted_out_at=now, status=status)
    await rows.store(EventKind.REPLY, attempt_id=task.attempt_id, body="Who is this?", at=now)
    with pytest.raises(Refusal, match="asked not to be contacted"):
        await staff.claim(task, "vera")
    later = now + MINUTE
    await rows.store(EventKind.REPLY, attempt_id=task.attempt_id, body="Do call me", at=later)
    assert later + CLAIM_LASTS == await staff.claim(task, "vera", later)


async def test_who_may_be_on_the_register_twice_is_called_once_that_is_settled(
    rows: "Rows", staff: "Staff", now: datetime
) -> None:
    task, other = await staff.task(), await rows.patient()
    pair = Duplicate(patient_id=task.patient_id, other_id=other.id, reason="n", found_at=now)
    await rows.add(pair)
    with pytest.raises(Refusal, match="on the register twice") as refused:
        await staff.claim(task, "vera")
    assert "`regresa duplicates`" in refused.value.remedy


async def learn(rows: "Rows", task: CallTask, what: str) -> None:
    """Have the register learn something about a task's patient."""
    patient = await rows.get(Patient, task.patient_id)
    match what:
        case "opted out":
            await rows.store(EventKind.OPTED_OUT, patient_id=patient.id)
        case "booked":
            await rows.appointment(patient, rows.now + 4 * DAY)
        case "refused calls":
            said = {"channel": "call", "content": "reminder", "source": "paper form"}
            await rows.add(Consent(patient_id=patient.id, given=False, at=rows.now, **said))
        case "suppressed":
            async with rows.clinic.database.writing() as session:
                await suppress(
                    session, str(patient.phone), source="t", now=rows.now, key=rows.clinic.key
                )
        case status:
            await rows.change(patient, status=status)


async def test_no_such_task_is_refused(staff: "Staff") -> None:
    missing = CallTask(id="ct-0")
    with pytest.raises(Refusal, match="no call task `ct-0`"):
        await staff.claim(missing, "vera")
    with pytest.raises(Refusal, match="no call task `ct-0`"):
        await staff.complete(missing, CallOutcome.BOOKED)


async def test_the_end_of_an_attempt_takes_it_off_the_call_list(
    rows: "Rows", staff: "Staff", now: datetime
) -> None:
    ending, other = await rows.attempt(), await rows.attempt()
    task, kept = await staff.task(ending), await staff.task(other)
    async with rows.clinic.database.writing() as session:
        assert await call_list.count_open(session) == 2
        await call_opening.close_for(session, ending.id, why="booked", now=now)
        assert await call_list.count_open(session) == 1
    assert [kept.id] == [call.task_id for call in await staff.calls()]
    closed = await rows.get(CallTask, task.id)
    assert (closed.closed_by, closed.outcome) == ("the attempt's end", "booked")


@pytest.mark.parametrize(
    ("kind", "tasks"),
    [
        pytest.param(EventKind.REPLY, [TaskKind.REPLY], id="a reply becomes a task"),
        pytest.param(EventKind.BOOKED, [], id="a booking does not"),
    ],
)
async def test_what_comes_after_the_end_is_not_lost(
    rows: "Rows", staff: "Staff", now: datetime, kind: EventKind, tasks: list[TaskKind]
) -> None:
    attempt = await rows.attempt(state=AttemptState.ENDED.value, ended_at=now)
    await rows.store(kind, attempt_id=attempt.id, body="I would like to come after all")
    [event] = await rows.events(kind)
    for _ in range(2):  # a second relay finds the task there is
        async with rows.clinic.database.writing() as session:
            await call_opening.keep_late(session, await session.get_one(Event, event.number), now)
    calls = await staff.calls()
    assert tasks == [call.kind for call in calls]
    assert all(call.words == "I would like to come after all" for call in calls)
    assert AttemptState.ENDED.value == (await rows.get(Attempt, attempt.id)).state


@pytest.mark.parametrize(
    ("language", "said"),
    [
        pytest.param("es", "¿hablo con Ana?", id="Spanish"),
        pytest.param("ru", "Это Ana?", id="Russian"),
        pytest.param("en", "is this Ana?", id="English"),
        pytest.param(None, "¿hablo con Ana?", id="unknown: the clinic's own"),
    ],
)
@pytest.mark.parametrize("step", [0, 2], ids=["a reply to the email", "the call step"])
async def test_the_script_speaks_the_patients_language(
    rows: "Rows", staff: "Staff", step: int, language: str | None, said: str
) -> None:
    patient = await rows.patient(first_name="Ana", language=language)
    task = await staff.task(await rows.attempt(patient), TaskKind.REPLY, step=step)
    async with rows.clinic.database.reading() as session:
        assert said in await call_claim.script_for(session, task.id, rows.clinic.folder)
