"""Records the golden histories: `make histories`. One that is there already is left as it is.

A golden history is what a workflow did in production once: code that can't replay it would
break the attempts under way. So a history is added, never replaced.
"""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.client import WorkflowHandle

from activities import names
from clinic import call_list, campaigns
from clinic.event import CallOutcome, EventKind
from clinic.identifiers import new_id
from clinic.outcome import LossReason, Outcome
from clinic.plan import Plan
from clinic.report import report_on
from clinic.tables import Campaign, Patient
from tests.workflows.test_held_channel import come_back, held, resume
from tests.workflows.test_recovery import sent

if TYPE_CHECKING:
    from tests.workflows.conftest import Recovery

HISTORIES = Path(__file__).parents[1] / "histories"
EMAIL = {"channel": "email", "template": "come-back", "wait": "1 s"}
SMS = {"channel": "sms", "template": "come-back", "wait": "1 s"}
CALL = {"channel": "call", "template": "come-back", "wait": "2 days"}

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def call_outcome(recovery: "Recovery", outcome: CallOutcome, **details: str) -> None:
    while True:
        async with recovery.clinic.database.reading() as session:
            if await call_list.open_calls(session, datetime.now(UTC), recovery.clinic.key):
                break
        await asyncio.sleep(0.02)
    await recovery.say(EventKind.CALL_OUTCOME, call_outcome=outcome.value, **details)


async def keep(handle: "WorkflowHandle[Any, Any]", name: str) -> None:
    path = HISTORIES / f"{name}.json"
    if not path.exists():
        path.write_text((await handle.fetch_history()).to_json() + "\n")


async def test_exhausted(recovery: "Recovery") -> None:
    handle = await recovery.start(EMAIL, SMS, CALL, real_waits=True)
    await call_outcome(recovery, CallOutcome.NO_ANSWER)
    assert await handle.result() is Outcome.EXHAUSTED
    await keep(handle, "exhausted")


async def test_booked_during_a_wait(recovery: "Recovery") -> None:
    handle = await recovery.start(EMAIL | {"wait": "1 day"}, SMS, CALL, real_waits=True)
    while await recovery.message(0) is None:
        await asyncio.sleep(0.02)
    await recovery.say(EventKind.BOOKED)
    assert await handle.result() is Outcome.BOOKED
    await keep(handle, "booked")


async def test_declined_after_a_reply(recovery: "Recovery") -> None:
    handle = await recovery.start(EMAIL | {"wait": "1 day"}, SMS, CALL, real_waits=True)
    while await recovery.message(0) is None:
        await asyncio.sleep(0.02)
    await recovery.say(EventKind.REPLY, "¿Cuánto cuesta?")
    reason = LossReason.PRICE.value
    await call_outcome(recovery, CallOutcome.DECLINED, loss_reason=reason)
    assert await handle.result() is Outcome.DECLINED
    await keep(handle, "declined")


async def test_opted_out_during_the_second_wait(recovery: "Recovery") -> None:
    handle = await recovery.start(EMAIL, SMS | {"wait": "1 day"}, CALL, real_waits=True)
    while await recovery.message(1) is None:
        await asyncio.sleep(0.02)
    await recovery.say(EventKind.OPTED_OUT)
    assert await handle.result() is Outcome.OPTED_OUT
    await keep(handle, "opted_out")


async def test_unreachable(recovery: "Recovery") -> None:
    handle = await recovery.start(EMAIL, SMS, CALL, real_waits=True, email=None, phone=None)
    assert await handle.result() is Outcome.UNREACHABLE
    await keep(handle, "unreachable")


async def test_excluded_by_a_call(recovery: "Recovery") -> None:
    handle = await recovery.start(CALL, real_waits=True)
    await call_outcome(recovery, CallOutcome.DECEASED)
    assert await handle.result() is Outcome.EXCLUDED
    await keep(handle, "excluded")


async def test_cancelled_while_paused(recovery: "Recovery") -> None:
    plan = Plan.model_validate({"name": "test", "steps": [EMAIL]})
    attempt = await recovery.add_attempt(plan)
    async with recovery.clinic.database.writing() as session:
        campaign = await session.get_one(Campaign, attempt.campaign_id)
        now = datetime.now(UTC)
        await campaigns.pause(session, campaign.name, now=now, key=recovery.clinic.key)
    handle = await recovery.start_attempt(attempt, plan, real_waits=True)
    while not (await recovery.row()).held:
        await asyncio.sleep(0.02)
    await recovery.say(EventKind.RESUMED)
    await recovery.say(EventKind.STOPPED)
    assert await handle.result() is Outcome.CANCELLED
    await keep(handle, "cancelled")


async def test_declined_by_the_patient(recovery: "Recovery") -> None:
    handle = await recovery.start(EMAIL | {"wait": "1 day"}, SMS, CALL, real_waits=True)
    await sent(recovery, 0)
    await recovery.say(EventKind.DECLINED, loss_reason=LossReason.PRICE.value)
    assert await handle.result() is Outcome.DECLINED
    await keep(handle, "declined_by_the_patient")


async def test_booked_after_a_message_came_back(recovery: "Recovery") -> None:
    handle = await recovery.start(EMAIL | {"wait": "1 day"}, SMS, CALL, real_waits=True)
    await sent(recovery, 0)
    await come_back(recovery)
    await held(recovery)
    await resume(recovery)
    await sent(recovery, 0)
    await recovery.say(EventKind.BOOKED)
    assert await handle.result() is Outcome.BOOKED
    await keep(handle, "returned")


async def test_campaign(recovery: "Recovery") -> None:
    plan = Plan.model_validate({"name": "test", "steps": [EMAIL]})
    campaign = Campaign(
        id=new_id("ca"),
        name="golden",
        segment="everybody",
        plan=plan.model_dump(mode="json"),
        pace_per_hour=3600,
        started_at=datetime.now(UTC),
    )
    async with recovery.clinic.database.writing() as session:
        session.add_all(
            Patient(
                id=new_id("pt"),
                external_id=str(number),
                first_name="Sofía",
                email=f"{number}@example.com",
            )
            for number in range(90)
        )
        await session.flush()
        await campaigns.start(session, campaign, Patient.id.is_not(None), recovery.clinic.key)
    await asyncio.sleep(1)
    for change in (campaigns.pause, campaigns.resume):
        async with recovery.clinic.database.writing() as session:
            now = datetime.now(UTC)
            await change(session, campaign.name, now=now, key=recovery.clinic.key)
    while True:
        async with recovery.clinic.database.reading() as session:
            if (await report_on(session, campaign, datetime.now(UTC))).finished:
                break
        await asyncio.sleep(0.1)
    workflow_id = names.campaign_workflow_id(campaign.id)
    handle = recovery.temporal.client.get_workflow_handle(workflow_id)
    assert await handle.result() == "finished"
    await keep(handle, "campaign")
