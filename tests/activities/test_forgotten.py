"""A person who is forgotten in the middle of an attempt: it ends, and nothing comes back."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from temporalio.testing import WorkflowEnvironment

from activities import names
from activities.relay import Relay
from channels.protocol import OutgoingMessage, Receipt
from channels.sms import SmsChannel, SmsSettings
from clinic import call_completion, call_opening, inbox
from clinic.call_task import Reported, TaskKind
from clinic.clinic import Clinic
from clinic.delivery import Sent, Skipped, SkipReason
from clinic.event import CallOutcome, EventKind
from clinic.refusal import Refusal
from clinic.register import erasure
from clinic.tables import Attempt, CallTask, Event, Message

if TYPE_CHECKING:
    from tests.activities.conftest import Deliver, Desk, Told

EMAIL, SMS, CALL = range(3)


async def forget(clinic: Clinic, patient_id: str, desk: "Desk") -> None:
    async with clinic.database.writing() as session:
        await erasure.forget(session, patient_id, now=desk.now, key=clinic.key)


class ForgettingChannel(SmsChannel):
    """The SMS channel; the patient is forgotten while the provider takes the message."""

    def __init__(
        self, settings: SmsSettings, clinic: Clinic, patient_id: str, desk: "Desk"
    ) -> None:
        super().__init__(settings)
        self._forgotten = (clinic, patient_id, desk)

    async def send(self, message: OutgoingMessage) -> Receipt:
        await forget(*self._forgotten)
        return Receipt(provider_id=f"SM-{message.key}")


@pytest.mark.parametrize("step", [EMAIL, SMS, CALL])
async def test_a_delivery_that_comes_later_is_skipped(
    desk: "Desk", clinic: Clinic, deliver: "Deliver", step: int
) -> None:
    attempt = await desk.attempt()
    await forget(clinic, attempt.patient_id, desk)
    delivered = await deliver(attempt, step)
    assert isinstance(delivered, Skipped)
    assert delivered.reason in (SkipReason.ATTEMPT_OVER, SkipReason.ERASED)
    assert await desk.all(Message) == []
    assert await desk.all(CallTask) == []


async def test_a_reply_of_theirs_that_their_workflow_hears_of_later_is_nobodys_task(
    desk: "Desk", clinic: Clinic
) -> None:
    attempt = await desk.attempt()
    reply = await desk.event(EventKind.REPLY, attempt_id=attempt.id, body="llámenme")
    await forget(clinic, attempt.patient_id, desk)
    async with clinic.database.writing() as session:
        task = await call_opening.open_task(
            session,
            attempt_id=attempt.id,
            step=0,
            kind=TaskKind.REPLY,
            due_at=desk.now,
            tries=3,
            event_id=reply.id,
            now=desk.now,
        )
    assert task is None
    assert await desk.all(CallTask) == []


async def test_a_message_on_its_way_at_that_moment_leaves_no_address_and_no_providers_id(
    desk: "Desk",
    clinic: Clinic,
    deliver: "Deliver",
    sms_settings: Callable[..., SmsSettings],
) -> None:
    attempt = await desk.attempt()
    channel = ForgettingChannel(sms_settings(), clinic, attempt.patient_id, desk)
    assert await deliver(attempt, SMS, sms=channel) == Sent()
    row = await desk.ledger_row(attempt, SMS)
    assert row is not None
    assert row.sent_at is not None
    assert (row.address_hash, row.provider_id) == ("", None)


async def test_the_workflow_hears_that_it_is_over_though_its_row_is_closed(
    desk: "Desk", clinic: Clinic, temporal: WorkflowEnvironment
) -> None:
    attempt = await desk.attempt()
    queue = f"test-{uuid4().hex}"
    handle = await temporal.client.start_workflow(
        names.RECOVERY_WORKFLOW,
        id=names.attempt_workflow_id(attempt.patient_id),
        task_queue=queue,
    )
    await desk.event(EventKind.REPLY, attempt_id=attempt.id, body="Soy Sofía")
    await forget(clinic, attempt.patient_id, desk)
    assert await Relay(temporal.client, clinic.database, queue).relay_due() == 1
    results = [(row.kind, row.relay_result) for row in await desk.all(Event)]
    assert results == [("reply", "forgotten"), ("stopped", "signalled")]
    history = (await handle.fetch_history()).to_json()
    assert "Sofía" not in history


async def test_where_no_workflow_runs_any_more_the_event_is_settled_all_the_same(
    desk: "Desk", clinic: Clinic, temporal: WorkflowEnvironment
) -> None:
    attempt = await desk.attempt()
    await forget(clinic, attempt.patient_id, desk)
    assert await Relay(temporal.client, clinic.database).relay_due() == 1
    [row] = await desk.all(Event)
    assert row.relay_result == "attempt is over"


@pytest.mark.parametrize("kind", [EventKind.REPLY, EventKind.OPTED_OUT, EventKind.BOUNCED])
async def test_nothing_that_is_said_later_is_held_again(
    desk: "Desk", clinic: Clinic, kind: EventKind
) -> None:
    attempt: Attempt = await desk.attempt(state="ended", outcome="exhausted")
    await forget(clinic, attempt.patient_id, desk)
    said = inbox.Received(
        source="sms", source_key="1", kind=kind, attempt_id=attempt.id, body="Soy Sofía"
    )
    async with clinic.database.writing() as session:
        assert not await inbox.store(session, said, now=desk.now, key=clinic.key)
    assert await desk.all(Event) == []


async def test_whoever_comes_first_nobody_waits_for_each_other_and_nothing_stays(
    desk: "Desk", clinic: Clinic, deliver: "Deliver", told: "Told"
) -> None:
    """A message, an answer, a call's outcome and the erasure, all at one moment."""

    async def answer(attempt: Attempt) -> None:
        said = inbox.Received(
            source="sms",
            source_key=attempt.id,
            kind=EventKind.BOUNCED,
            attempt_id=attempt.id,
            details={"step": EMAIL},
        )
        async with clinic.database.writing() as session:
            await inbox.store(session, said, now=desk.now, key=clinic.key)

    async def report(task_id: str | None) -> None:
        reported = Reported(outcome=CallOutcome.DO_NOT_CONTACT)
        with suppress(Refusal):  # the task is closed
            async with clinic.database.writing() as session:
                await call_completion.complete(
                    session,
                    str(task_id),
                    reported,
                    who="Lucía",
                    now=desk.now,
                    policy=clinic.policy,
                    calendar=clinic.calendar,
                    key=clinic.key,
                )

    for _ in range(4):
        attempt = await desk.attempt()
        await deliver(attempt, EMAIL)
        async with clinic.database.writing() as session:
            task = await call_opening.open_task(
                session,
                attempt_id=attempt.id,
                step=CALL,
                kind=TaskKind.CALL,
                due_at=desk.now,
                tries=3,
                event_id=None,
                now=desk.now,
            )
        channel = told(Receipt(provider_id=f"SM-{attempt.id}"))
        await asyncio.gather(
            answer(attempt),
            deliver(attempt, SMS, sms=channel),
            report(task),
            forget(clinic, attempt.patient_id, desk),
        )
    messages = await desk.all(Message)
    assert {(row.address_hash, row.provider_id) for row in messages} == {("", None)}
    assert {row.closed_at for row in await desk.all(CallTask)} == {desk.now}
    assert {row.state for row in await desk.all(Attempt)} == {"ended"}
