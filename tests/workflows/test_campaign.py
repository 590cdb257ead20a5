"""A campaign on the real server: everybody once, at its pace, held and ended on demand."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from activities import names
from clinic import campaigns
from clinic.identifiers import new_id
from clinic.outcome import Outcome
from clinic.plan import Plan
from clinic.report import Report, report_on
from clinic.tables import Attempt, Campaign, Event, Patient
from workflows.campaign import PAGES_A_RUN, CampaignWorkflow

if TYPE_CHECKING:
    from tests.workflows.conftest import Recovery

EMAIL = {"channel": "email", "template": "come-back", "wait": "10 days"}
CALL = {"channel": "call", "template": "come-back", "wait": "2 days"}

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def start_campaign(
    recovery: "Recovery",
    patients: int,
    *steps: dict[str, str],
    reachable: bool = True,
    **given: object,
) -> Campaign:
    """Put patients on the register and start a campaign over all of them."""
    plan = Plan.model_validate({"name": "test", "steps": steps})
    now = datetime.now(UTC)
    fields: dict[str, object] = {
        "id": new_id("ca"),
        "name": new_id("campaign"),
        "segment": "everybody",
        "plan": plan.model_dump(mode="json"),
        "started_at": now,
    }
    campaign = Campaign(**(fields | given))
    async with recovery.clinic.database.writing() as session:
        session.add_all(
            Patient(
                id=new_id("pt"),
                external_id=str(number),
                first_name="Sofía",
                email=f"{number}@example.com" if reachable else None,
                phone=f"+13055550{number:03}" if reachable else None,
            )
            for number in range(patients)
        )
        await session.flush()
        everybody = Patient.id.is_not(None)
        await campaigns.start(session, campaign, everybody, recovery.clinic.key)
    return campaign


def handle_of(
    temporal: WorkflowEnvironment, campaign: Campaign
) -> WorkflowHandle[CampaignWorkflow, str]:
    return temporal.client.get_workflow_handle_for(
        CampaignWorkflow.run, names.campaign_workflow_id(campaign.id)
    )


async def report_when(
    recovery: "Recovery", campaign: Campaign, holds: Callable[[Report], bool]
) -> Report:
    """Wait until a campaign's report says something."""
    while True:
        async with recovery.clinic.database.reading() as session:
            report = await report_on(
                session, await campaigns.find(session, campaign.name), datetime.now(UTC)
            )
        if holds(report):
            return report
        await asyncio.sleep(0.05)


async def change(
    recovery: "Recovery",
    campaign: Campaign,
    how: Callable[..., Awaitable[object]],
) -> None:
    async with recovery.clinic.database.writing() as session:
        await how(session, campaign.name, now=datetime.now(UTC), key=recovery.clinic.key)


async def test_everybody_gets_one_attempt_and_stands_in_one_row(recovery: "Recovery") -> None:
    campaign = await start_campaign(recovery, 12, EMAIL)
    report = await report_when(recovery, campaign, lambda report: report.finished)
    assert report.patients == 12
    assert report.outcomes[Outcome.EXHAUSTED] == 12
    assert sum(count for _, count in report.rows()) == 12
    assert report.messages == {"email": 12}


@only_sqlite
async def test_the_pace_spreads_the_starts(
    recovery: "Recovery", temporal: WorkflowEnvironment
) -> None:
    campaign = await start_campaign(recovery, 5, EMAIL, pace_per_hour=2)
    await report_when(recovery, campaign, lambda report: report.finished)
    async with recovery.clinic.database.reading() as session:
        started = list(await session.scalars(select(Attempt.started_at)))
    starts = sorted(moment for moment in started if moment is not None)
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    assert len(gaps) == 4
    assert all(timedelta(minutes=29) < gap < timedelta(minutes=32) for gap in gaps)
    assert await handle_of(temporal, campaign).result() == "finished"


@only_sqlite
async def test_what_a_campaign_waits_for_stands_in_its_details(
    recovery: "Recovery", temporal: WorkflowEnvironment
) -> None:
    with temporal.with_time_skipping_disabled():
        campaign = await start_campaign(recovery, 2, EMAIL, open_calls_at_most=0)
        waits = (
            "waits: 0 calls are open, at most 0 "
            "(complete calls, or allow the campaign more of them in the console)"
        )
        said = ""
        async with asyncio.timeout(20):
            while waits not in said:
                # the workflow begins, and the first page is read, in their own time
                with suppress(RPCError):
                    handle = handle_of(temporal, campaign)
                    metadata: Any = await handle.query("__temporal_workflow_metadata")
                    said = str(metadata.current_details)
                await asyncio.sleep(0.05)
        assert said == f"Starting attempts. 2 still to be started. It {waits}."
        report = await report_when(recovery, campaign, lambda _: True)
        assert (report.not_started, report.waits is None) == (2, False)


@only_sqlite
async def test_a_long_campaign_continues_as_new(
    recovery: "Recovery", temporal: WorkflowEnvironment
) -> None:
    patients = PAGES_A_RUN + 3
    campaign = await start_campaign(recovery, patients, EMAIL, pace_per_hour=60, reachable=False)
    report = await report_when(recovery, campaign, lambda report: report.finished)
    assert report.left_out == {"no_way_to_reach": patients}
    latest = await handle_of(temporal, campaign).describe()
    first = latest.raw_description.workflow_execution_info.first_run_id
    assert latest.run_id != first


async def test_pause_holds_everybody_where_they_are_and_resume_goes_on(
    recovery: "Recovery", temporal: WorkflowEnvironment
) -> None:
    with temporal.with_time_skipping_disabled():
        campaign = await start_campaign(recovery, 4, EMAIL, CALL, pace_per_hour=60)
        await report_when(recovery, campaign, lambda report: report.messages == {"email": 1})
        await change(recovery, campaign, campaigns.pause)
        async with recovery.clinic.database.reading() as session:
            started = Attempt.started_at.is_not(None)
            patient_id = await session.scalar(select(Attempt.patient_id).where(started))
        workflow_id = names.attempt_workflow_id(str(patient_id))
        attempt = temporal.client.get_workflow_handle(workflow_id)
        await temporal.fast_forward(attempt, timedelta(days=11))
        await report_when(recovery, campaign, lambda _: True)
        held = select(Attempt.held).where(Attempt.patient_id == patient_id)
        await until(recovery, held, expected=True)
        report = await report_when(recovery, campaign, lambda _: True)
        assert (report.with_person, report.not_started) == (0, 3)

        await change(recovery, campaign, campaigns.resume)
        report = await report_when(recovery, campaign, lambda report: report.with_person == 1)
        assert report.outcomes[Outcome.CANCELLED] == 0
        await change(recovery, campaign, campaigns.stop)
        await report_when(recovery, campaign, lambda report: report.finished)


async def until(recovery: "Recovery", query: object, *, expected: object) -> None:
    """Wait until a query answers so."""
    while True:
        async with recovery.clinic.database.reading() as session:
            if await session.scalar(query) == expected:  # type: ignore[call-overload]
                return
        await asyncio.sleep(0.05)


async def test_stop_ends_the_open_and_starts_nobody_new(
    recovery: "Recovery", temporal: WorkflowEnvironment
) -> None:
    with temporal.with_time_skipping_disabled():
        campaign = await start_campaign(recovery, 4, EMAIL, pace_per_hour=60)
        await report_when(recovery, campaign, lambda report: report.messages == {"email": 1})
        await change(recovery, campaign, campaigns.stop)
        report = await report_when(recovery, campaign, lambda report: report.finished)
    assert report.outcomes[Outcome.CANCELLED] == 1
    assert report.left_out == {"campaign_stopped": 3}
    assert report.messages == {"email": 1}
    assert await handle_of(temporal, campaign).result() == "stopped"


async def test_a_patient_with_an_open_attempt_is_left_out_of_a_second_campaign(
    recovery: "Recovery", temporal: WorkflowEnvironment
) -> None:
    with temporal.with_time_skipping_disabled():
        first = await start_campaign(recovery, 3, EMAIL)
        await report_when(recovery, first, lambda report: report.messages == {"email": 3})
        second = await start_campaign(recovery, 0, EMAIL)
        report = await report_when(recovery, second, lambda report: report.finished)
        assert report.left_out == {"open_attempt": 3}
        await change(recovery, first, campaigns.stop)
        await report_when(recovery, first, lambda report: report.finished)


@only_sqlite
async def test_a_campaign_that_was_paused_keeps_its_pace(
    recovery: "Recovery", temporal: WorkflowEnvironment
) -> None:
    with temporal.with_time_skipping_disabled():
        campaign = await start_campaign(recovery, 3, EMAIL, pace_per_hour=60)
        await report_when(recovery, campaign, lambda report: report.messages == {"email": 1})
        await change(recovery, campaign, campaigns.pause)
        await change(recovery, campaign, campaigns.resume)
        await pages_done(handle_of(temporal, campaign), at_least=2)
        unheard = select(func.count()).where(Event.relayed_at.is_(None))
        await until(recovery, unheard, expected=0)
        report = await report_when(recovery, campaign, lambda _: True)
        assert report.not_started == 2
        await change(recovery, campaign, campaigns.stop)
        await report_when(recovery, campaign, lambda report: report.finished)


async def pages_done(handle: WorkflowHandle[CampaignWorkflow, str], *, at_least: int) -> None:
    """Wait until a campaign has done so many pages."""
    while True:
        events = (await handle.fetch_history()).events
        done = [
            event for event in events if event.HasField("activity_task_completed_event_attributes")
        ]
        if len(done) >= at_least:
            return
        await asyncio.sleep(0.05)
