"""Campaigns: whom they start with, how they are held and stopped, and that figures add up."""

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.exc import IntegrityError

from clinic import campaigns
from clinic.attempt import AttemptState
from clinic.call_task import TaskKind
from clinic.campaign_limits import change_limits
from clinic.campaign_refusal import CampaignProblem, CampaignRefusal
from clinic.campaigns import CampaignState
from clinic.event import EventKind
from clinic.outcome import LossReason, Outcome
from clinic.page_room import Waits, WaitsFor
from clinic.refusal import Refusal
from clinic.report import Report, report_on
from clinic.tables import Attempt, Campaign, Event, Message, Patient

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows, Staff

SEGMENT = "price-was-the-reason"
PAUSED = CampaignState.PAUSED.value
ZONE = ZoneInfo("America/New_York")


async def pause(rows: "Rows", name: str) -> bool:
    async with rows.clinic.database.writing() as session:
        return await campaigns.pause(session, name, now=rows.now, key=rows.clinic.key)


async def resume(rows: "Rows", name: str) -> bool:
    async with rows.clinic.database.writing() as session:
        return await campaigns.resume(session, name, now=rows.now, key=rows.clinic.key)


async def stop(rows: "Rows", name: str) -> int:
    async with rows.clinic.database.writing() as session:
        return await campaigns.stop(session, name, now=rows.now, key=rows.clinic.key)


async def state_of(rows: "Rows", campaign: Campaign) -> str:
    return (await rows.get(Campaign, campaign.id)).state


async def test_a_start_plans_one_attempt_for_every_patient_of_the_segment(rows: "Rows") -> None:
    members = {(await rows.patient(loss_reason="price")).id for _ in range(3)}
    await rows.patient(loss_reason="distance")
    assert await rows.start_campaign(SEGMENT) == 3
    attempts = await rows.all(Attempt)
    assert members == {attempt.patient_id for attempt in attempts}
    assert {(AttemptState.PLANNED.value, False, None)} == {
        (attempt.state, attempt.held, attempt.started_at) for attempt in attempts
    }
    assert all(re.fullmatch(r"at-[0-9a-f]{16}", attempt.id) for attempt in attempts)
    assert len({attempt.id for attempt in attempts}) == 3


async def test_a_start_is_relayed_to_the_campaigns_workflow(rows: "Rows") -> None:
    await rows.start_campaign(SEGMENT)
    [campaign] = await rows.all(Campaign)
    assert [(EventKind.CAMPAIGN_STARTED, campaign.id, None)] == [
        (event.kind, event.campaign_id, event.attempt_id) for event in await rows.all(Event)
    ]


async def test_who_joins_or_leaves_the_segment_later_does_not_change_the_campaign(
    rows: "Rows",
) -> None:
    leaving = await rows.patient(loss_reason="price")
    await rows.start_campaign(SEGMENT)
    await rows.patient(loss_reason="price")
    async with rows.clinic.database.writing() as session:
        (await session.get_one(Patient, leaving.id)).loss_reason = None
    assert [leaving.id] == [attempt.patient_id for attempt in await rows.all(Attempt)]


async def test_an_empty_segment_starts_nobody(rows: "Rows") -> None:
    assert await rows.start_campaign(SEGMENT) == 0


async def test_a_name_in_use_is_refused_and_nothing_changes(rows: "Rows") -> None:
    await rows.patient(loss_reason="price")
    await rows.start_campaign(SEGMENT, name="spring")
    with pytest.raises(Refusal, match="there is a campaign `spring` already"):
        await rows.start_campaign(SEGMENT, name="spring")
    assert len(await rows.all(Campaign)) == 1
    assert len(await rows.all(Attempt)) == 1
    assert len(await rows.all(Event)) == 1


async def test_a_pause_holds_the_campaign_and_is_told_once(rows: "Rows") -> None:
    campaign = await rows.campaign(name="spring")
    assert await pause(rows, "spring")
    assert await pause(rows, "spring") is False
    assert await state_of(rows, campaign) == PAUSED
    assert len(await rows.events(EventKind.CAMPAIGN_PAUSED)) == 1


async def test_a_resume_wakes_every_attempt_that_was_held_and_no_other(rows: "Rows") -> None:
    campaign = await rows.campaign(name="spring", state=PAUSED)
    held = [await rows.attempt(campaign=campaign, held=True) for _ in range(2)]
    await rows.attempt(campaign=campaign)
    await rows.attempt(campaign=campaign, held=True, state=AttemptState.ENDED.value)
    await rows.attempt(held=True)  # of another campaign
    assert await resume(rows, "spring")
    assert CampaignState.RUNNING.value == await state_of(rows, campaign)
    assert {attempt.id for attempt in held} == {
        event.attempt_id for event in await rows.events(EventKind.RESUMED)
    }
    assert not any([(await rows.get(Attempt, attempt.id)).held for attempt in held])
    assert len(await rows.events(EventKind.CAMPAIGN_RESUMED)) == 1


async def test_a_campaign_that_runs_is_not_resumed(rows: "Rows") -> None:
    campaign = await rows.campaign(name="spring")
    await rows.attempt(campaign=campaign, held=True)
    assert await resume(rows, "spring") is False
    assert await rows.all(Event) == []


@pytest.mark.parametrize("state", [CampaignState.RUNNING, CampaignState.PAUSED])
async def test_a_stop_tells_every_open_attempt(rows: "Rows", state: CampaignState) -> None:
    campaign = await rows.campaign(name="spring", state=state.value)
    opened = [await rows.attempt(campaign=campaign) for _ in range(2)]
    await rows.attempt(campaign=campaign, state=AttemptState.ENDED.value)
    await rows.attempt(campaign=campaign, state=AttemptState.PLANNED.value)
    await rows.attempt()  # of another campaign
    assert await stop(rows, "spring") == 2
    assert CampaignState.STOPPED.value == await state_of(rows, campaign)
    assert {attempt.id for attempt in opened} == {
        event.attempt_id for event in await rows.events(EventKind.STOPPED)
    }
    assert len(await rows.events(EventKind.CAMPAIGN_STOPPED)) == 1


async def test_a_stop_is_for_good(rows: "Rows") -> None:
    await rows.campaign(name="spring", state=CampaignState.STOPPED.value)
    for change in (pause, resume, stop):
        with pytest.raises(Refusal, match="`spring` was stopped; that is for good"):
            await change(rows, "spring")
    assert await rows.all(Event) == []


async def limit(rows: "Rows", name: str, pace: int | None, calls: int | None) -> bool:
    async with rows.clinic.database.writing() as session:
        return await change_limits(
            session,
            name,
            pace_per_hour=pace,
            open_calls_at_most=calls,
            now=rows.now,
            key=rows.clinic.key,
        )


async def test_pace_and_open_calls_can_be_changed_while_a_campaign_runs(rows: "Rows") -> None:
    campaign = await rows.campaign(name="spring", pace_per_hour=60, open_calls_at_most=40)
    assert await limit(rows, "spring", 120, None)
    changed = await rows.get(Campaign, campaign.id)
    assert (changed.pace_per_hour, changed.open_calls_at_most) == (120, None)
    # its workflow sleeps, and has to hear of it
    [event] = await rows.events(EventKind.CAMPAIGN_RESUMED)
    assert event.campaign_id == campaign.id


async def test_what_stays_as_it_was_is_told_nobody(rows: "Rows") -> None:
    await rows.campaign(name="spring", pace_per_hour=60, open_calls_at_most=40)
    assert await limit(rows, "spring", 60, 40) is False
    assert await rows.all(Event) == []


@pytest.mark.parametrize(
    ("before", "after", "minutes"),
    [
        pytest.param(1, 2, 20, id="twice as fast: half of what is left"),
        pytest.param(2, 1, 80, id="half as fast: twice of what is left"),
        pytest.param(1, None, 0, id="as fast as can be: at once"),
    ],
)
async def test_the_time_until_the_next_start_is_taken_at_the_new_pace(
    rows: "Rows", before: int, after: int | None, minutes: int
) -> None:
    due = rows.now + timedelta(minutes=40)
    campaign = await rows.campaign(name="spring", pace_per_hour=before, next_page_at=due)
    assert await limit(rows, "spring", after, None)
    changed = await rows.get(Campaign, campaign.id)
    assert changed.next_page_at == rows.now + timedelta(minutes=minutes)


async def test_a_campaign_that_is_paused_keeps_new_limits_and_sleeps_on(rows: "Rows") -> None:
    campaign = await rows.campaign(name="spring", state=PAUSED)
    assert await limit(rows, "spring", 10, 10)
    assert (await rows.get(Campaign, campaign.id)).pace_per_hour == 10
    assert await rows.all(Event) == []


async def test_a_campaign_that_was_stopped_has_no_limits_to_change(rows: "Rows") -> None:
    await rows.campaign(name="spring", state=CampaignState.STOPPED.value)
    with pytest.raises(CampaignRefusal) as refused:
        await limit(rows, "spring", 10, 10)
    assert refused.value.why is CampaignProblem.STOPPED


async def test_a_campaign_is_found_by_its_id(rows: "Rows") -> None:
    campaign = await rows.campaign(name="spring")
    async with rows.clinic.database.reading() as session:
        assert (await campaigns.find_by_id(session, campaign.id)).name == "spring"
        with pytest.raises(CampaignRefusal) as refused:
            await campaigns.find_by_id(session, "ca-0000000000000000")
    assert refused.value.why is CampaignProblem.UNKNOWN


async def test_an_unknown_campaign_is_refused_with_those_there_are(
    rows: "Rows", now: datetime
) -> None:
    with pytest.raises(Refusal, match="There are: none yet"):
        await stop(rows, "summer")
    await rows.campaign(name="spring", started_at=now)
    await rows.campaign(name="autumn", started_at=now - timedelta(days=1))
    with pytest.raises(Refusal) as refused:
        await stop(rows, "summer")
    assert (
        refused.value.problem,
        refused.value.remedy,
    ) == ("no campaign `summer`", "There are: autumn, spring")


async def report(rows: "Rows", name: str) -> Report:
    async with rows.clinic.database.reading() as session:
        return await report_on(session, await campaigns.find(session, name), rows.now)


async def test_every_patient_stands_in_exactly_one_row_of_the_report(
    rows: "Rows", staff: "Staff", now: datetime
) -> None:
    campaign = await rows.campaign(name="spring", goal=0.15, until=now + timedelta(days=30))
    ended, left_out = AttemptState.ENDED.value, AttemptState.LEFT_OUT.value
    for outcome in Outcome:
        await rows.attempt(campaign=campaign, state=ended, outcome=outcome.value, ended_at=now)
    await rows.attempt(
        campaign=campaign,
        state=ended,
        outcome=Outcome.DECLINED.value,
        loss_reason=LossReason.PRICE.value,
    )
    for reason in ("deceased", "cool_down", "cool_down"):
        await rows.attempt(campaign=campaign, state=left_out, left_out_reason=reason)
    for _ in range(2):
        await rows.attempt(campaign=campaign, state=AttemptState.PLANNED.value)
    await rows.attempt(campaign=campaign)
    await staff.task(await rows.attempt(campaign=campaign))
    late = await rows.attempt(campaign=campaign, state=ended, outcome=Outcome.EXHAUSTED.value)
    await staff.task(late, TaskKind.REPLY)  # its attempt has ended: it counts there
    await staff.task(await rows.attempt())  # of another campaign
    found = await report(rows, "spring")
    assert dict(found.rows()) == {
        "booked": 1,
        "declined": 2,
        "opted_out": 1,
        "unreachable": 1,
        "exhausted": 2,
        "excluded": 1,
        "cancelled": 1,
        "waiting for an answer": 1,
        "on the call list": 1,
        "not started yet": 2,
        "left out: cool_down": 2,
        "left out: deceased": 1,
    }
    assert (found.patients, sum(count for _, count in found.rows())) == (16, 16)
    assert (found.settled, found.finished) == (12, False)
    assert found.loss_reasons == {"price": 1}
    assert (found.booked_share, found.goal) == (1 / 16, 0.15)


async def test_a_report_says_that_a_full_call_list_keeps_a_campaign_waiting(
    rows: "Rows", staff: "Staff"
) -> None:
    campaign = await rows.campaign(name="spring", open_calls_at_most=2)
    await rows.attempt(campaign=campaign, state=AttemptState.PLANNED.value)
    await staff.task(await rows.attempt())  # whoever's calls they are
    assert (await report(rows, "spring")).waits is None
    for _ in range(2):
        await staff.task(await rows.attempt())
    waits = (await report(rows, "spring")).waits
    assert waits == Waits(waits_for=WaitsFor.CALL_LIST, open_calls=3, at_most=2)
    said = waits.words(ZONE)
    assert said.startswith("waits: 3 calls are open, at most 2 (complete calls")


async def test_a_report_says_when_the_pace_lets_the_next_ones_start(
    rows: "Rows", now: datetime
) -> None:
    next_at = now + timedelta(minutes=30)
    campaign = await rows.campaign(name="spring", pace_per_hour=2, next_page_at=next_at)
    await rows.attempt(campaign=campaign, state=AttemptState.PLANNED.value)
    waits = (await report(rows, "spring")).waits
    assert waits == Waits(waits_for=WaitsFor.PACE, until=next_at, at_most=2)
    assert waits.words(ZONE) == "waits: the next start Tue 2027-03-02 12:30 (--pace 2/h)"


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        pytest.param({}, AttemptState.OPEN, id="everybody has been started"),
        pytest.param({"state": PAUSED}, AttemptState.PLANNED, id="it is paused"),
        pytest.param({"until": -1}, AttemptState.PLANNED, id="its last day has passed"),
        pytest.param({"next_page_at": -1}, AttemptState.PLANNED, id="the next page is due"),
    ],
)
async def test_a_campaign_that_waits_for_nothing_says_nothing_of_it(
    rows: "Rows", now: datetime, fields: dict[str, Any], state: AttemptState
) -> None:
    hours = {
        name: now + timedelta(hours=value) if isinstance(value, int) else value
        for name, value in ({"next_page_at": 1, "pace_per_hour": None} | fields).items()
    }
    campaign = await rows.campaign(name="spring", **hours)
    await rows.attempt(campaign=campaign, state=state.value)
    assert (await report(rows, "spring")).waits is None


async def test_messages_are_counted_by_channel_and_a_call_is_none(
    rows: "Rows", now: datetime
) -> None:
    campaign = await rows.campaign(name="spring")
    attempt = await rows.attempt(campaign=campaign)
    for step, (channel, sent_at) in enumerate(
        [("email", now), ("email", now), ("sms", now), ("sms", None), ("call", now)]
    ):
        await rows.add(
            Message(
                attempt_id=attempt.id,
                step=step,
                channel=channel,
                address_hash="hash",
                claimed_at=now,
                sent_at=sent_at,
            )
        )
    assert (await report(rows, "spring")).messages == {"email": 2, "sms": 1}


async def test_a_campaign_without_patients_is_finished_and_divides_by_nothing(
    rows: "Rows",
) -> None:
    await rows.campaign(name="spring")
    found = await report(rows, "spring")
    assert (found.patients, found.booked_share, found.finished) == (0, 0.0, True)


async def test_a_patient_has_one_open_attempt_over_all_campaigns(rows: "Rows") -> None:
    patient = await rows.patient()
    await rows.attempt(patient)
    with pytest.raises(IntegrityError):
        await rows.attempt(patient)
