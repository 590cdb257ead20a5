"""An attempt on the real server: thirty days in well under a second."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.client import WorkflowHandle

from activities import names
from channels.email import EmailChannel, EmailSettings
from channels.protocol import Channel
from clinic import call_list
from clinic.attempt import AttemptState
from clinic.call_task import TaskKind
from clinic.event import AttemptEvent, CallOutcome, EventKind
from clinic.outcome import LossReason, Outcome
from sandbox.stand_ins import Sandbox
from workflows.recovery import RecoveryWorkflow

if TYPE_CHECKING:
    from tests.workflows.conftest import Recovery

    Handle = WorkflowHandle[RecoveryWorkflow, Outcome]

EMAIL = {"channel": "email", "template": "come-back", "wait": "10 days"}
SMS = {"channel": "sms", "template": "come-back", "wait": "20 days"}
CALL = {"channel": "call", "template": "come-back", "wait": "2 days", "tries": 1}


async def open_call(recovery: "Recovery") -> call_list.OpenCall:
    """Wait until the attempt stands on the call list."""
    while True:
        async with recovery.clinic.database.reading() as session:
            calls = await call_list.open_calls(session, datetime.now(UTC), recovery.clinic.key)
        if calls:
            return calls[0]
        await asyncio.sleep(0.02)


async def details(handle: "Handle") -> str:
    """Return what an operator reads about an attempt."""
    metadata: Any = await handle.query("__temporal_workflow_metadata")
    return str(metadata.current_details)


async def sent(recovery: "Recovery", step: int) -> None:
    """Wait until a step's message was sent."""
    while (message := await recovery.message(step)) is None or message.sent_at is None:
        await asyncio.sleep(0.02)


async def test_nobody_answers_for_thirty_days_then_a_call_ends_it(
    recovery: "Recovery", sandbox: Sandbox
) -> None:
    handle = await recovery.start(EMAIL, SMS, CALL)
    call = await open_call(recovery)
    email, sms = await recovery.message(0), await recovery.message(1)
    assert email is not None
    assert sms is not None
    assert email.sent_at is not None
    assert sms.sent_at is not None
    assert timedelta(days=10) <= sms.sent_at - email.sent_at < timedelta(days=10, minutes=1)
    assert call.due_at - sms.sent_at >= timedelta(days=22)

    await recovery.say(EventKind.CALL_OUTCOME, call_outcome=CallOutcome.NO_ANSWER.value)

    assert await handle.result() is Outcome.EXHAUSTED
    row = await recovery.row()
    assert (row.state, row.outcome) == (AttemptState.ENDED.value, "exhausted")
    recipients = [str(mail.message["To"]) for mail in sandbox.inbox.messages]
    assert recipients.count(recovery.emails[-1]) == 1


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        pytest.param(EventKind.BOOKED, Outcome.BOOKED, id="a booking"),
        pytest.param(EventKind.OPTED_OUT, Outcome.OPTED_OUT, id="an opt-out"),
        pytest.param(EventKind.STOPPED, Outcome.CANCELLED, id="a stop by staff"),
    ],
)
async def test_an_answer_ends_the_wait_at_once(
    recovery: "Recovery", kind: EventKind, outcome: Outcome
) -> None:
    handle = await recovery.start(EMAIL, SMS, CALL, real_waits=True)
    await sent(recovery, 0)
    await recovery.say(kind)
    assert await handle.result() is outcome
    assert await recovery.message(1) is None


async def test_a_reply_stops_the_machine_and_goes_to_a_person(recovery: "Recovery") -> None:
    handle = await recovery.start(EMAIL, SMS, CALL, real_waits=True)
    await sent(recovery, 0)
    await recovery.say(EventKind.REPLY, "¿Puedo ir el jueves?")
    call = await open_call(recovery)
    assert call.kind is TaskKind.REPLY
    assert call.words == "¿Puedo ir el jueves?"
    while "a person reads and answers" not in await details(handle):
        await asyncio.sleep(0.02)

    await recovery.say(
        EventKind.CALL_OUTCOME,
        call_outcome=CallOutcome.DECLINED.value,
        loss_reason=LossReason.PRICE.value,
    )

    assert await handle.result() is Outcome.DECLINED
    assert (await recovery.row()).loss_reason == "price"
    assert await recovery.message(1) is None


async def test_a_booking_takes_the_patient_off_the_call_list(recovery: "Recovery") -> None:
    handle = await recovery.start(CALL)
    await open_call(recovery)
    await recovery.say(EventKind.BOOKED)
    assert await handle.result() is Outcome.BOOKED
    async with recovery.clinic.database.reading() as session:
        assert await call_list.open_calls(session, datetime.now(UTC), recovery.clinic.key) == []


@pytest.mark.parametrize(
    ("patient", "steps", "outcome"),
    [
        pytest.param({"email": None}, [1], Outcome.EXHAUSTED, id="no email: SMS at once"),
        pytest.param({"phone": None}, [0], Outcome.EXHAUSTED, id="no phone: only the email"),
        pytest.param({"email": None, "phone": None}, [], Outcome.UNREACHABLE, id="neither"),
        pytest.param({"status": "deceased"}, [], Outcome.EXCLUDED, id="deceased"),
        pytest.param({"status": "moved"}, [], Outcome.EXCLUDED, id="moved"),
        pytest.param(
            {"email": "nobody@example.com"}, [1], Outcome.EXHAUSTED, id="the email is refused"
        ),
    ],
)
async def test_what_can_not_be_delivered_is_climbed_over(
    recovery: "Recovery", patient: dict[str, Any], steps: list[int], outcome: Outcome
) -> None:
    handle = await recovery.start(EMAIL, SMS, **patient)
    assert await handle.result() is outcome
    rows = [await recovery.message(step) for step in (0, 1)]
    assert [step for step, row in enumerate(rows) if row is not None and row.sent_at] == steps


async def test_the_same_event_twice_counts_once(recovery: "Recovery") -> None:
    handle = await recovery.start(CALL, CALL)
    await open_call(recovery)
    event = AttemptEvent(
        event_id="ev-1", kind=EventKind.CALL_OUTCOME, call_outcome=CallOutcome.NO_ANSWER
    )
    await handle.signal(names.ATTEMPT_EVENT, event)
    await handle.signal(names.ATTEMPT_EVENT, event)
    while "Step 2 of 2" not in await details(handle):
        await asyncio.sleep(0.02)
    assert (await recovery.row()).state == AttemptState.OPEN.value


async def test_an_event_after_the_end_becomes_a_task_if_it_is_a_reply(
    recovery: "Recovery",
) -> None:
    handle = await recovery.start(EMAIL)
    assert await handle.result() is Outcome.EXHAUSTED
    await recovery.say(EventKind.REPLY, "Perdón por la demora")
    call = await open_call(recovery)
    assert (call.kind, call.words) == (TaskKind.REPLY, "Perdón por la demora")


async def test_an_operator_reads_where_an_attempt_stands(recovery: "Recovery") -> None:
    handle = await recovery.start(CALL)
    await open_call(recovery)
    while "on the call list" not in await details(handle):
        await asyncio.sleep(0.02)
    attributes = (await handle.describe()).typed_search_attributes
    assert attributes[names.STAGE] == "person"
    await recovery.say(EventKind.BOOKED)
    await handle.result()
    attributes = (await handle.describe()).typed_search_attributes
    assert (attributes[names.STAGE], attributes[names.OUTCOME]) == ("ended", "booked")


async def test_no_personal_data_stands_in_a_history(recovery: "Recovery") -> None:
    handle = await recovery.start(EMAIL, SMS, CALL)
    await open_call(recovery)
    await recovery.say(EventKind.REPLY, "Muchas gracias, llámeme")
    while "a person reads" not in await details(handle):
        await asyncio.sleep(0.02)
    history = (await handle.fetch_history()).to_json()
    for personal in ("Sofía", "Muchas gracias", recovery.emails[-1], "+1305555"):
        assert personal not in history
    await recovery.say(EventKind.STOPPED)
    await handle.result()


async def test_an_answer_is_heard_while_a_delivery_is_tried_again_and_again(
    recovery: "Recovery", channels: dict[str, Channel], sandbox: Sandbox
) -> None:
    channels["email"] = EmailChannel(
        EmailSettings(host="127.0.0.1", port=1, from_address="hello@aurora.example")
    )
    handle = await recovery.start(EMAIL, real_waits=True)
    while (await handle.describe()).raw_description.pending_activities == []:
        await asyncio.sleep(0.02)
    before = len(sandbox.inbox.messages)
    await recovery.say(EventKind.BOOKED)
    assert await handle.result() is Outcome.BOOKED
    assert len(sandbox.inbox.messages) == before


async def test_a_reply_outlives_a_stopped_campaign_and_every_word_is_kept(
    recovery: "Recovery",
) -> None:
    handle = await recovery.start(EMAIL, real_waits=True)
    await sent(recovery, 0)
    await recovery.say(EventKind.REPLY, "Quiero volver")
    await open_call(recovery)
    await recovery.say(EventKind.REPLY, "¿Me llaman mañana?")
    await recovery.say(EventKind.STOPPED)
    assert await handle.result() is Outcome.CANCELLED
    call = await open_call(recovery)
    assert call.words == "Quiero volver\n¿Me llaman mañana?"


async def test_a_landline_that_takes_no_sms_is_called(recovery: "Recovery") -> None:
    handle = await recovery.start(SMS, CALL, phone="+15005550009")
    call = await open_call(recovery)
    assert call.phone == "+15005550009"
    await recovery.say(EventKind.CALL_OUTCOME, call_outcome=CallOutcome.NO_ANSWER.value)
    assert await handle.result() is Outcome.EXHAUSTED
