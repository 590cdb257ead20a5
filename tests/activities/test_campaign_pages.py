"""A campaign's pages start everybody once, on a real Temporal server."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from temporalio.client import WorkflowExecutionStatus
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from activities import names
from clinic import inbox
from clinic.attempt import AttemptInput, AttemptState, PageResult, PageState
from clinic.clinic import Clinic
from clinic.event import EventKind
from clinic.plan import Plan
from clinic.tables import Appointment, Attempt, CallTask, Campaign, Event, Patient

if TYPE_CHECKING:
    from tests.activities.conftest import Desk, StartPage


RULES = {
    "cool_down": "cool-down: 90 days after 2026-12-03 (house rule: a rest between two attempts)",
    "no_way_to_reach": "email: no address; sms: bad address; call: bad address",
}
"""Where the reason alone does not say which rule decided."""


async def is_running(temporal: WorkflowEnvironment, attempt: Attempt) -> bool:
    handle = temporal.client.get_workflow_handle(names.attempt_workflow_id(attempt.patient_id))
    try:
        return (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
    except RPCError:
        return False


async def start_by_hand(temporal: WorkflowEnvironment, attempt: Attempt, attempt_id: str) -> str:
    """Start a workflow for an attempt's patient, and return its run's id."""
    plan = Plan.model_validate(
        {"name": "x", "steps": [{"channel": "sms", "template": "come-back", "wait": "1 day"}]}
    )
    handle = await temporal.client.start_workflow(
        names.RECOVERY_WORKFLOW,
        AttemptInput(attempt_id=attempt_id, patient_id=attempt.patient_id, plan=plan),
        id=names.attempt_workflow_id(attempt.patient_id),
        task_queue=f"test-{uuid4().hex}",
        id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
        memo={names.ATTEMPT_MEMO: attempt_id},
    )
    return str(handle.first_execution_run_id)


async def test_everybody_planned_is_opened_and_started(
    desk: "Desk", start_page: "StartPage", temporal: WorkflowEnvironment, now: datetime
) -> None:
    campaign = await desk.campaign()
    attempts = [await desk.planned(campaign) for _ in range(3)]
    assert await start_page(campaign) == PageResult(
        state=PageState.FINISHED, started=3, left_out=0, remaining=0
    )
    for attempt in attempts:
        row = await desk.again(attempt)
        assert (row.state, row.started_at) == (AttemptState.OPEN.value, now)
        assert await is_running(temporal, attempt)


async def test_a_workflow_carries_ids_and_the_plans_snapshot_and_nothing_of_the_patient(
    desk: "Desk", start_page: "StartPage", temporal: WorkflowEnvironment
) -> None:
    campaign = await desk.campaign(name=f"spring {uuid4().hex}")
    attempt = await desk.planned(campaign)
    patient = await desk.patient_of(attempt)
    await start_page(campaign)
    handle = temporal.client.get_workflow_handle(names.attempt_workflow_id(patient.id))
    described = await handle.describe()
    assert await described.memo() == {names.ATTEMPT_MEMO: attempt.id}
    assert dict(described.typed_search_attributes) == {
        names.CAMPAIGN: campaign.name,
        names.SEGMENT: "everybody",
        names.PLAN: "ladder",
        names.STAGE: names.STAGE_MACHINE,
    }
    assert await described.static_summary() == f"{campaign.name}: ladder"
    assert "2. sms `come-back`, wait 4 days" in str(await described.static_details())
    history = await handle.fetch_history()
    begun = history.events[0].workflow_execution_started_event_attributes
    (given,) = await temporal.client.data_converter.decode(begun.input.payloads, [AttemptInput])
    assert given == AttemptInput(
        attempt_id=attempt.id, patient_id=patient.id, plan=Plan.model_validate(campaign.plan)
    )
    for personal in (patient.email, patient.phone, patient.last_name, patient.external_id):
        assert str(personal) not in history.to_json()


async def test_a_page_again_starts_nobody_twice(
    desk: "Desk", start_page: "StartPage", temporal: WorkflowEnvironment, now: datetime
) -> None:
    campaign = await desk.campaign()
    attempt = await desk.planned(campaign)
    await start_page(campaign)
    handle = temporal.client.get_workflow_handle(names.attempt_workflow_id(attempt.patient_id))
    first = (await handle.describe()).run_id
    again = await start_page(campaign, now + timedelta(minutes=1))
    assert again == PageResult(state=PageState.FINISHED, started=0, left_out=0, remaining=0)
    assert (await handle.describe()).run_id == first
    assert (await desk.again(attempt)).started_at == now


async def test_a_page_of_one_campaign_leaves_another_alone(
    desk: "Desk", start_page: "StartPage"
) -> None:
    campaign, other = await desk.campaign(), await desk.campaign()
    await desk.planned(campaign)
    waiting = await desk.planned(other)
    await start_page(campaign)
    assert (await desk.again(waiting)).state == AttemptState.PLANNED.value


async def test_whoever_is_left_out_has_the_reason_in_the_row(
    desk: "Desk",
    start_page: "StartPage",
    temporal: WorkflowEnvironment,
    clinic: Clinic,
    now: datetime,
) -> None:
    campaign, earlier = await desk.campaign(), await desk.campaign()
    expected: dict[str, Attempt] = {
        "deceased": await desk.planned(campaign, status="deceased"),
        "moved": await desk.planned(campaign, status="moved"),
        "inactive": await desk.planned(campaign, status="inactive"),
        "opted_out": await desk.planned(campaign, opted_out_at=now),
        "no_way_to_reach": await desk.planned(campaign, email=None, phone_bad_at=now),
        "erased": await desk.planned(campaign, erased_at=now),
        "possible_duplicate": await desk.planned(campaign, duplicate_of=(await desk.patient()).id),
    }
    booked = expected["already_booked"] = await desk.planned(campaign)
    async with clinic.database.writing() as session:
        in_a_week = now + timedelta(days=7)
        session.add(Appointment(patient_id=booked.patient_id, at=in_a_week, source="test"))
    being_reached = expected["open_attempt"] = await desk.planned(campaign)
    await desk.attempt(await desk.patient_of(being_reached), earlier)
    tired = expected["cool_down"] = await desk.planned(campaign)
    rested = await desk.planned(campaign)
    for one, days in ((tired, 89), (rested, 91)):
        ended_at = now - timedelta(days=days)
        await desk.attempt(
            await desk.patient_of(one),
            earlier,
            state=AttemptState.ENDED.value,
            ended_at=ended_at,
        )
    only_email = await desk.planned(campaign, phone=None)

    policy = clinic.folder.policy("daytime")
    assert await start_page(campaign, policy=policy) == PageResult(
        state=PageState.FINISHED, started=2, left_out=10, remaining=0
    )
    for reason, attempt in expected.items():
        row = await desk.again(attempt)
        assert (row.state, row.left_out_reason) == (AttemptState.LEFT_OUT.value, reason)
        assert row.started_at is None
        assert row.left_out_rule == RULES.get(reason, "")
        assert not await is_running(temporal, attempt)
    for attempt in (rested, only_email):
        assert (await desk.again(attempt)).left_out_reason is None
        assert await is_running(temporal, attempt)


async def test_of_two_campaigns_at_once_one_gets_the_patient(
    desk: "Desk", start_page: "StartPage"
) -> None:
    patient: Patient = await desk.patient()
    first, second = await desk.campaign(), await desk.campaign()
    attempts = [
        await desk.attempt(patient, one, state=AttemptState.PLANNED.value, started_at=None)
        for one in (first, second)
    ]
    assert (await start_page(first)).started == 1
    assert (await start_page(second)).left_out == 1
    row = await desk.again(attempts[1])
    assert (row.state, row.left_out_reason) == (AttemptState.LEFT_OUT.value, "open_attempt")


class TestAPageThatWasCutShort:
    async def test_a_row_that_was_opened_and_never_started_is_started(
        self, desk: "Desk", start_page: "StartPage", temporal: WorkflowEnvironment, now: datetime
    ) -> None:
        attempt = await desk.attempt(started_at=None)
        campaign = await desk.again(Campaign(id=attempt.campaign_id))
        assert (await start_page(campaign)).started == 1
        assert (await desk.again(attempt)).started_at == now
        assert await is_running(temporal, attempt)

    async def test_one_whose_workflow_runs_already_is_known_to_have_started(
        self, desk: "Desk", start_page: "StartPage", temporal: WorkflowEnvironment, now: datetime
    ) -> None:
        attempt = await desk.attempt(started_at=None)
        run_id = await start_by_hand(temporal, attempt, attempt.id)
        campaign = await desk.again(Campaign(id=attempt.campaign_id))
        assert (await start_page(campaign)).started == 1
        assert (await desk.again(attempt)).started_at == now
        handle = temporal.client.get_workflow_handle(names.attempt_workflow_id(attempt.patient_id))
        assert (await handle.describe()).run_id == run_id

    async def test_one_whose_patients_last_workflow_still_closes_has_its_turn_later(
        self, desk: "Desk", start_page: "StartPage", temporal: WorkflowEnvironment, now: datetime
    ) -> None:
        attempt = await desk.attempt(started_at=None)
        await start_by_hand(temporal, attempt, "at-of-the-last-campaign")
        campaign = await desk.again(Campaign(id=attempt.campaign_id))
        assert await start_page(campaign) == PageResult(
            state=PageState.MORE,
            started=0,
            left_out=0,
            remaining=1,
            next_page_at=now + timedelta(seconds=5),
        )
        assert (await desk.again(attempt)).started_at is None
        handle = temporal.client.get_workflow_handle(names.attempt_workflow_id(attempt.patient_id))
        await handle.terminate()
        assert (await start_page(campaign, at=now + timedelta(seconds=5))).started == 1

    @pytest.mark.parametrize(
        ("ended", "state"),
        [
            pytest.param({"state": "stopped"}, PageState.STOPPED, id="the campaign was stopped"),
            pytest.param({"until": timedelta(days=-1)}, PageState.FINISHED, id="it is over"),
        ],
    )
    async def test_an_opened_row_is_not_forgotten_when_the_campaign_ends(
        self,
        desk: "Desk",
        start_page: "StartPage",
        temporal: WorkflowEnvironment,
        now: datetime,
        ended: dict[str, Any],
        state: PageState,
    ) -> None:
        # its workflow hears of the end and closes the row; else the patient were never free again
        if "until" in ended:
            ended = {"until": now + ended["until"]}
        campaign = await desk.campaign(**ended)
        opened = await desk.attempt(campaign=campaign, started_at=None)
        waiting = await desk.planned(campaign)
        assert await start_page(campaign) == PageResult(
            state=state, started=1, left_out=1, remaining=0
        )
        assert await is_running(temporal, opened)
        assert not await is_running(temporal, waiting)


async def test_who_wrote_before_the_attempt_began_is_answered_before_the_machine_writes(
    desk: "Desk", start_page: "StartPage", clinic: Clinic
) -> None:
    campaign = await desk.campaign()
    attempt, other = await desk.planned(campaign), await desk.planned(campaign)
    for words in ("¿Quién es?", "¿Me llaman?"):
        await desk.event(EventKind.REPLY, patient_id=attempt.patient_id, body=words)
    assert {event.attempt_id for event in await desk.all(Event)} == {None}
    await start_page(campaign)
    events: list[Event] = await desk.all(Event)
    assert [(event.attempt_id, event.relayed_at) for event in events] == [(attempt.id, None)] * 2
    (task,) = await desk.all(CallTask)
    assert (task.attempt_id, task.closed_at) == (attempt.id, None)
    async with clinic.database.reading() as session:
        for one, answered in ((attempt, True), (other, False)):
            assert bool(await session.scalar(select(inbox.is_silenced(one.id)))) is answered
