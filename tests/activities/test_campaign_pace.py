"""A campaign goes on at its pace, as far as the call list has room, until it is told otherwise."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from activities.attempt_starts import AttemptStarts
from clinic.attempt import AttemptState, PageResult, PageState
from clinic.campaign_limits import change_limits
from clinic.clinic import Clinic
from clinic.tables import Attempt, CallTask, StepNote
from tests.activities.conftest import STEPS

if TYPE_CHECKING:
    from tests.activities.conftest import Desk, StartPage

ONE_KIND = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what the database has no part in."""

CALL_STEP = {"channel": "call", "template": "come-back", "wait": "2 days", "tries": 3}
FULL = "(complete calls, or allow the campaign more of them in the console)"


@ONE_KIND
@pytest.mark.parametrize(
    ("pace", "started", "pause"),
    [
        pytest.param(120, 2, timedelta(minutes=1), id="two a minute"),
        pytest.param(30, 1, timedelta(minutes=2), id="one every two minutes"),
        pytest.param(60, 1, timedelta(minutes=1), id="one a minute"),
        pytest.param(None, 5, None, id="no pace: all at once"),
    ],
)
async def test_the_pace_decides_how_many_start_and_when_the_next_do(
    desk: "Desk",
    start_page: "StartPage",
    now: datetime,
    pace: int | None,
    started: int,
    pause: timedelta | None,
) -> None:
    campaign = await desk.campaign(pace_per_hour=pace)
    for _ in range(5):
        await desk.planned(campaign)
    page = await start_page(campaign)
    assert (page.started, page.remaining) == (started, 5 - started)
    assert page.state is (PageState.MORE if page.remaining else PageState.FINISHED)
    assert page.next_page_at == (now + pause if pause else None)


async def test_whoever_is_left_out_costs_no_pause(
    desk: "Desk", start_page: "StartPage", now: datetime
) -> None:
    campaign = await desk.campaign(pace_per_hour=60)
    for _ in range(2):
        await desk.planned(campaign, opted_out_at=now)
    page = await start_page(campaign)
    assert page == PageResult(state=PageState.MORE, started=0, left_out=1, remaining=1)


@ONE_KIND
async def test_the_last_page_asks_for_no_other(desk: "Desk", start_page: "StartPage") -> None:
    campaign = await desk.campaign(pace_per_hour=60)
    await desk.planned(campaign)
    page = await start_page(campaign)
    assert (page.state, page.next_page_at) == (PageState.FINISHED, None)


async def test_a_paused_campaign_starts_nobody_and_everybody_keeps_their_place(
    desk: "Desk", start_page: "StartPage"
) -> None:
    campaign = await desk.campaign(state="paused")
    attempt = await desk.planned(campaign)
    assert await start_page(campaign) == PageResult(
        state=PageState.PAUSED, started=0, left_out=0, remaining=1
    )
    assert (await desk.again(attempt)).state == AttemptState.PLANNED.value


@pytest.mark.parametrize(
    ("ended", "state", "reason"),
    [
        pytest.param({"state": "stopped"}, PageState.STOPPED, "campaign_stopped", id="stopped"),
        pytest.param({"until": -1}, PageState.FINISHED, "campaign_over", id="past its end date"),
    ],
)
async def test_a_campaign_that_has_ended_leaves_the_rest_out(
    desk: "Desk",
    start_page: "StartPage",
    now: datetime,
    ended: dict[str, Any],
    state: PageState,
    reason: str,
) -> None:
    fields = {"until": now - timedelta(seconds=1)} if "until" in ended else ended
    campaign = await desk.campaign(**fields)
    attempts = [await desk.planned(campaign) for _ in range(2)]
    assert await start_page(campaign) == PageResult(state=state, started=0, left_out=2, remaining=0)
    rows = [await desk.again(attempt) for attempt in attempts]
    assert {(row.state, row.left_out_reason) for row in rows} == {("left_out", reason)}


@pytest.mark.parametrize(
    ("tasks", "started", "pause"),
    [
        pytest.param(2, 0, timedelta(minutes=5), id="full: looked at again in five minutes"),
        pytest.param(3, 0, timedelta(minutes=5), id="more than full"),
        pytest.param(1, 1, None, id="room for more calls"),
    ],
)
async def test_a_full_call_list_holds_a_campaign_back(
    desk: "Desk",
    start_page: "StartPage",
    clinic: Clinic,
    now: datetime,
    tasks: int,
    started: int,
    pause: timedelta | None,
) -> None:
    for _ in range(tasks):
        other = await desk.attempt()
        async with clinic.database.writing() as session:
            session.add(
                CallTask(
                    attempt_id=other.id,
                    patient_id=other.patient_id,
                    step=2,
                    kind="call",
                    priority=3,
                    due_at=now,
                    opened_at=now,
                    tries_allowed=1,
                )
            )
    campaign = await desk.campaign(open_calls_at_most=2)
    await desk.planned(campaign)
    page = await start_page(campaign)
    assert page.started == started
    assert page.next_page_at == (now + pause if pause else None)
    assert page.state is (PageState.FINISHED if started else PageState.MORE)
    full = f"waits: {tasks} calls are open, at most 2 {FULL}"
    assert page.waits == ("" if started else full)


@ONE_KIND
async def test_calls_that_are_on_their_way_to_the_call_list_count_with_it(
    desk: "Desk", start_page: "StartPage", clinic: Clinic, now: datetime
) -> None:
    campaign = await desk.campaign(CALL_STEP, open_calls_at_most=2)
    attempts = [await desk.planned(campaign) for _ in range(5)]
    assert (await start_page(campaign)).started == 2
    # their workflows have put nobody on the list yet
    page = await start_page(campaign)
    assert (page.started, page.next_page_at) == (0, now + timedelta(minutes=5))
    assert page.waits.startswith("waits: 0 calls are open, 2 on their way, at most 2 (")
    # the list is one, whichever campaign fills it
    other = await desk.campaign(*STEPS, open_calls_at_most=2)
    await desk.planned(other)
    assert (await start_page(other)).waits == page.waits
    first, second = [each for each in attempts if (await desk.again(each)).started_at is not None]
    await note_of(clinic, first, "deferred", now)  # until calls may be made
    assert (await start_page(campaign)).started == 0
    await note_of(clinic, second, "skipped", now)
    assert (await start_page(campaign)).started == 1


@pytest.mark.parametrize(
    ("held", "state", "pause", "waits"),
    [
        pytest.param({"state": "paused"}, PageState.PAUSED, None, "", id="a pause"),
        pytest.param(
            {"next_page_at": timedelta(minutes=30)},
            PageState.MORE,
            timedelta(minutes=30),
            "waits: the next start Tue 2027-03-02 12:30 (--pace 1/h)",
            id="the pace",
        ),
        pytest.param(
            {"open_calls_at_most": 0},
            PageState.MORE,
            timedelta(minutes=5),
            f"waits: 0 calls are open, at most 0 {FULL}",
            id="a full call list",
        ),
    ],
)
async def test_who_began_with_a_households_message_is_started_whatever_holds_the_page(
    desk: "Desk",
    start_page: "StartPage",
    now: datetime,
    held: dict[str, Any],
    state: PageState,
    pause: timedelta | None,
    waits: str,
) -> None:
    if "next_page_at" in held:
        held = {"next_page_at": now + held["next_page_at"]}
    campaign = await desk.campaign(pace_per_hour=1, **held)
    waiting = [await desk.planned(campaign) for _ in range(3)]
    begun = await desk.attempt(campaign=campaign, started_at=None)
    assert await start_page(campaign) == PageResult(
        state=state,
        started=1,
        left_out=0,
        remaining=3,
        next_page_at=now + pause if pause else None,
        waits=waits,
    )
    assert (await desk.again(begun)).started_at == now
    rows = [await desk.again(attempt) for attempt in waiting]
    assert {row.state for row in rows} == {AttemptState.PLANNED.value}
    # what holds the page goes on as it was
    assert (await desk.again(campaign)).next_page_at == held.get("next_page_at")


async def test_who_began_with_a_households_message_goes_first_and_counts_for_the_pace(
    desk: "Desk", start_page: "StartPage", now: datetime
) -> None:
    campaign = await desk.campaign(pace_per_hour=60)
    for _ in range(3):
        await desk.planned(campaign)
    begun = [
        await desk.attempt(campaign=campaign, started_at=None, id=f"at-zz{number}-{campaign.id}")
        for number in range(2)
    ]
    page = await start_page(campaign)
    assert (page.started, page.remaining) == (2, 3)
    assert page.next_page_at == now + timedelta(minutes=2)
    assert {(await desk.again(attempt)).started_at for attempt in begun} == {now}


@ONE_KIND
async def test_a_held_campaign_whose_last_ones_have_begun_by_themselves_is_finished(
    desk: "Desk", start_page: "StartPage", now: datetime
) -> None:
    campaign = await desk.campaign(pace_per_hour=1, next_page_at=now + timedelta(minutes=30))
    await desk.attempt(campaign=campaign, started_at=None)
    assert await start_page(campaign) == PageResult(
        state=PageState.FINISHED, started=1, left_out=0, remaining=0
    )


@ONE_KIND
async def test_a_pace_that_is_changed_while_a_page_starts_counts_from_that_page_on(
    desk: "Desk",
    start_page: "StartPage",
    clinic: Clinic,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    campaign = await desk.campaign(pace_per_hour=1)
    for _ in range(3):
        await desk.planned(campaign)
    start = AttemptStarts.start

    async def start_while_ops_change_the_pace(*given: Any) -> Any:
        async with clinic.database.writing() as session:
            await change_limits(
                session,
                campaign.name,
                pace_per_hour=60,
                open_calls_at_most=None,
                now=now,
                key=clinic.key,
            )
        return await start(*given)

    monkeypatch.setattr(AttemptStarts, "start", start_while_ops_change_the_pace)
    page = await start_page(campaign)
    assert page.next_page_at == now + timedelta(minutes=1)


async def note_of(clinic: Clinic, attempt: Attempt, result: str, now: datetime) -> None:
    async with clinic.database.writing() as session:
        session.add(StepNote(attempt_id=attempt.id, step=0, at=now, result=result))
