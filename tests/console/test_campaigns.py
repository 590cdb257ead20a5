"""A campaign that has started, in the console: how far it is, and steering it."""

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from clinic.accounts import Role
from clinic.attempt import AttemptState
from clinic.plan import Plan
from clinic.tables import Attempt, AuditEntry, CallTask, Campaign, ChannelHold, Event, StepNote
from console.app import build_app
from console.campaigns import background, looks
from console.engine import Engine
from console.engine_watch import Delay, EngineWatch
from tests.console.at_work import AtWork, Signed, at_work
from tests.console.conftest import STEPS

if TYPE_CHECKING:
    from tests.console.conftest import Desk

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

PLANNED, LEFT_OUT = AttemptState.PLANNED.value, AttemptState.LEFT_OUT.value
ENDED = AttemptState.ENDED.value


@pytest.fixture
async def ops(signed: Signed, monkeypatch: pytest.MonkeyPatch) -> AtWork:
    # on a busy machine, too, a page is looked at once its count is done
    monkeypatch.setattr(looks, "PATIENCE", 60.0)
    monkeypatch.setattr(background, "LONG", 60.0)
    return await signed("Olga", Role.OPS)


async def campaign_of(desk: "Desk", **given: object) -> Campaign:
    plan = Plan.model_validate({"name": "ladder", "steps": STEPS})
    fields: dict[str, object] = {
        "id": "ca-0123456789abcdef",
        "name": "Primavera",
        "segment": "everybody",
        "plan": plan.model_dump(mode="json"),
        "started_at": desk.now,
    }
    return await desk.add(Campaign(**(fields | given)))


async def attempt_in(desk: "Desk", campaign: Campaign, **given: object) -> Attempt:
    patient = await desk.patient()
    fields: dict[str, object] = {
        "campaign_id": campaign.id,
        "patient_id": patient.id,
        "state": AttemptState.OPEN.value,
    }
    return await desk.add(Attempt(**(fields | given)))


def without_tags(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


async def noted(desk: "Desk") -> list[tuple[str, str | None, dict[str, Any]]]:
    return [
        (entry.action, entry.subject, entry.details)
        for entry in await desk.all(AuditEntry)
        if entry.who == "Olga"
    ]


async def test_staff_may_neither_see_nor_steer_a_campaign(desk: "Desk", signed: Signed) -> None:
    campaign = await campaign_of(desk)
    staff = await signed("Lucía", Role.STAFF)
    await staff.page(f"/campaigns/{campaign.id}", status=403)
    for what in ("pause", "resume", "stop", "limits"):
        assert (await staff.press(f"/campaigns/{campaign.id}/{what}")).status_code == 403
    assert (await desk.again(campaign)).state == "running"


async def test_the_list_shows_each_campaign_against_its_goal(desk: "Desk", ops: AtWork) -> None:
    campaign = await campaign_of(desk, goal=0.5)
    await attempt_in(desk, campaign, state=ENDED, outcome="booked")
    await attempt_in(desk, campaign, state=ENDED, outcome="declined")
    await attempt_in(desk, campaign, state=PLANNED)
    await attempt_in(desk, campaign)
    page = without_tags(await ops.page("/campaigns"))
    assert "Primavera Running" in page
    assert "1 booked (25%) · goal 50%" in page
    assert "2 of 4 patients are settled" in page


async def test_the_list_goes_on_with_older_campaigns(desk: "Desk", ops: AtWork) -> None:
    for number in range(31):
        await campaign_of(
            desk,
            id=f"ca-{number:016}",
            name=f"number {number}.",
            started_at=desk.now - timedelta(days=number),
        )
    first, second = await ops.page("/campaigns"), await ops.page("/campaigns?page=2")
    assert ("number 0." in first, "number 30." in first) == (True, False)
    assert ("number 0." in second, "number 30." in second) == (False, True)
    assert "/campaigns?page=2" in first
    assert "/campaigns?page=3" not in second


async def test_without_a_campaign_the_list_says_what_one_is(ops: AtWork) -> None:
    assert "There is no campaign yet." in await ops.page("/campaigns")


async def test_a_campaign_shows_its_steps_and_where_everybody_stands(
    desk: "Desk", ops: AtWork
) -> None:
    campaign = await campaign_of(desk)
    skipped = await attempt_in(desk, campaign)
    await desk.add(
        StepNote(attempt_id=skipped.id, step=0, at=desk.now, result="skipped", reason="no_consent")
    )
    await attempt_in(desk, campaign, state=LEFT_OUT, left_out_reason="opted_out")
    await attempt_in(desk, campaign, state=PLANNED)
    await attempt_in(desk, campaign, state=ENDED, outcome="booked")
    page = without_tags(await ops.page(f"/campaigns/{campaign.id}"))
    email, sms = page.index(" Email "), page.index(" SMS ")
    assert "1 skipped: no consent" in page[email:sms]
    assert "Booked 1 " in page
    assert "Waiting for an answer, or for the next step 1 " in page
    assert "Not started yet 1 " in page
    assert "Left out: asked not to be contacted 1 " in page
    assert "In the segment 4 " in page
    assert f"/results?campaign={campaign.id}" in await ops.page(f"/campaigns/{campaign.id}")


async def test_it_says_what_it_waits_for(desk: "Desk", ops: AtWork) -> None:
    campaign = await campaign_of(
        desk, pace_per_hour=1, next_page_at=desk.now + timedelta(minutes=45)
    )
    path = f"/campaigns/{campaign.id}"
    await attempt_in(desk, campaign, state=PLANNED)
    assert "The next patients are started Tue, Mar 2, 12:45" in await ops.page(path)
    await desk.change(campaign, next_page_at=None, open_calls_at_most=1)
    await desk.task_for(await desk.patient())
    page = without_tags(await ops.page(path))
    assert "Open calls: 1, at most 1 may be. Complete calls, or write a larger number" in page
    await attempt_in(desk, campaign, started_at=desk.now)
    page = without_tags(await ops.page(path))
    assert "1 patient who was started before goes on, and may still come onto it." in page
    call = {"channel": "call", "template": "come-back", "wait": "2 days"}
    await desk.change(campaign, plan=campaign.plan | {"steps": [call]})
    assert "1 more is about to come." in without_tags(await ops.page(path))
    await desk.change(campaign, state="paused")
    assert "Paused: nobody new is started" in await ops.page(path)
    await desk.change(campaign, state="running", until=desk.now - timedelta(days=1))
    assert "The last day has passed" in await ops.page(path)


async def test_just_after_its_start_it_says_that_messages_leave_in_a_moment(
    desk: "Desk", ops: AtWork
) -> None:
    campaign = await campaign_of(desk)
    path = f"/campaigns/{campaign.id}"
    await attempt_in(desk, campaign, state=PLANNED)
    page = without_tags(await ops.page(path))
    assert "Starting: the first messages leave in a moment." in page
    assert "Not started yet" not in page
    assert "0 sent" not in page
    await desk.change(campaign, started_at=desk.now - timedelta(minutes=3))
    page = without_tags(await ops.page(path))
    assert "Starting" not in page
    assert "Not started yet 1 " in page


async def test_a_start_at_night_says_when_the_first_messages_leave(
    desk: "Desk", ops: AtWork
) -> None:
    campaign = await campaign_of(desk)
    await attempt_in(desk, campaign, state=PLANNED)
    at_home = [{"channel": "call", "template": "come-back", "wait": "1 day"}]
    desk.clinic.folder.profile = desk.clinic.profile.model_copy(
        update={"closing_days": frozenset({desk.now.date()})}
    )
    path = f"/campaigns/{campaign.id}"
    desk.clinic.policy = desk.clinic.folder.policy("daytime")
    said = "Starting: the first messages leave Wed, Mar 3, 09:00, when you may write again."
    assert said in await ops.page(path)
    await desk.change(campaign, plan={"name": "calls", "steps": at_home})
    said = "Starting: the first calls are on the call list Wed, Mar 3, 09:00"
    assert said in await ops.page(path)


async def test_while_temporal_is_away_it_says_that_it_starts_by_itself_later(desk: "Desk") -> None:
    campaign = await campaign_of(desk, started_at=desk.now - timedelta(hours=3))
    await attempt_in(desk, campaign, state=PLANNED)
    watch = EngineWatch(desk.clinic.database, lambda: desk.now)
    engine = Engine(watch=watch)
    app = build_app(desk.clinic, {}, clock=lambda: desk.now, engine=engine)
    claim = desk.session(await desk.account("Olga", Role.OPS))
    async with at_work(app, claim, desk.clinic.key, "en") as ops:
        for delay, said in (
            (Delay.AWAY, "as soon as it is back, the campaign starts by itself."),
            (Delay.WAITING, "starts by itself: with some delay just now."),
            (None, "Not started yet"),
        ):
            watch.delay = delay
            page = await ops.page(f"/campaigns/{campaign.id}")
            assert said in page
            assert ("Not started yet" in page) == (delay is None)


async def test_it_says_which_of_its_channels_is_held(desk: "Desk", ops: AtWork) -> None:
    campaign = await campaign_of(desk)
    await desk.add(ChannelHold(channel="sms", held_since=desk.now, code="20003"))
    assert "SMS is held since Tue, Mar 2, 12:00" in await ops.page(f"/campaigns/{campaign.id}")


async def test_a_page_is_asked_for_again_only_while_something_may_change(
    desk: "Desk", ops: AtWork
) -> None:
    campaign = await campaign_of(desk)
    attempt = await attempt_in(desk, campaign)
    assert "data-every" in await ops.page(f"/campaigns/{campaign.id}")
    await desk.change(attempt, state=ENDED, outcome="exhausted")
    page = await ops.page(f"/campaigns/{campaign.id}")
    assert "Finished" in page
    assert "data-every" not in page
    assert "http-equiv" not in page


async def test_a_pause_and_going_on_are_told_and_noted_once(desk: "Desk", ops: AtWork) -> None:
    campaign = await campaign_of(desk)
    path = f"/campaigns/{campaign.id}"
    await attempt_in(desk, campaign)
    for what, state in (("pause", "paused"), ("resume", "running")):
        for _ in range(2):
            answer = await ops.press(f"{path}/{what}")
            assert (answer.status_code, answer.headers["location"]) == (303, path)
        assert (await desk.again(campaign)).state == state
    assert await noted(desk) == [
        ("campaign_paused", campaign.id, {}),
        ("campaign_resumed", campaign.id, {}),
    ]
    assert [event.kind for event in await desk.all(Event)] == [
        "campaign_paused",
        "campaign_resumed",
    ]


async def test_a_stop_is_asked_about_with_numbers_and_then_done(desk: "Desk", ops: AtWork) -> None:
    campaign = await campaign_of(desk)
    path = f"/campaigns/{campaign.id}/stop"
    await attempt_in(desk, campaign)
    await attempt_in(desk, campaign, state=PLANNED)
    question = without_tags(await ops.page(path))
    assert "1 patient under way gets nothing more. 1 not started yet is left out." in question
    assert (await desk.again(campaign)).state == "running"
    assert (await ops.press(path)).status_code == 303
    assert (await desk.again(campaign)).state == "stopped"
    assert await noted(desk) == [("campaign_stopped", campaign.id, {})]
    again = await ops.press(path)
    assert again.status_code == 409
    assert "This campaign was stopped: that is for good." in again.text
    assert len(await noted(desk)) == 1


async def test_a_stop_says_who_wrote_and_stays_on_the_call_list(desk: "Desk", ops: AtWork) -> None:
    task: CallTask = await desk.task_for(await desk.patient(), kind="reply")
    [attempt] = await desk.all(Attempt)
    path = f"/campaigns/{attempt.campaign_id}"
    stays = "1 patient has written and waits for an answer: they stay on the call list."
    assert stays in without_tags(await ops.page(f"{path}/stop"))
    assert stays not in without_tags(await ops.page(path))
    await ops.press(f"{path}/stop")
    assert stays in without_tags(await ops.page(path))
    await desk.change(task, closed_at=desk.now)
    assert stays not in without_tags(await ops.page(path))


async def test_the_call_lists_size_and_the_pace_can_be_changed_while_it_runs(
    desk: "Desk", ops: AtWork
) -> None:
    campaign = await campaign_of(desk, pace_per_hour=60, open_calls_at_most=40)
    path = f"/campaigns/{campaign.id}"
    assert 'name="open_calls" value="40"' in await ops.page(path)
    for _ in range(2):
        answer = await ops.press(f"{path}/limits", pace="", open_calls="30")
        assert answer.headers["location"] == path
    changed = await desk.again(campaign)
    assert (changed.pace_per_hour, changed.open_calls_at_most) == (None, 30)
    assert await noted(desk) == [("changed", campaign.id, {"open_calls_at_most": 30})]
    await ops.press(f"{path}/limits", pace="2/min", open_calls="30")
    assert (await desk.again(campaign)).pace_per_hour == 120


async def test_limits_that_are_none_are_said_beside_their_fields_and_kept(
    desk: "Desk", ops: AtWork
) -> None:
    campaign = await campaign_of(desk, pace_per_hour=60)
    answer = await ops.press(f"/campaigns/{campaign.id}/limits", pace="fast", open_calls="-1")
    assert answer.status_code == 422
    assert "A pace is a whole number" in answer.text
    assert "Write how many calls may be open" in answer.text
    assert 'name="pace" value="fast"' in answer.text
    assert (await desk.again(campaign)).pace_per_hour == 60


async def test_what_is_no_campaign_is_no_page(ops: AtWork) -> None:
    await ops.page("/campaigns/ca-0000000000000000", status=404)
    assert (await ops.press("/campaigns/ca-0000000000000000/pause")).status_code == 404


async def test_it_leads_to_the_call_list_and_says_how_long_that_is(
    desk: "Desk", ops: AtWork
) -> None:
    task: CallTask = await desk.task_for(await desk.patient())
    attempt = await desk.all(Attempt)
    assert task.attempt_id == attempt[0].id
    page = without_tags(await ops.page(f"/campaigns/{attempt[0].campaign_id}"))
    assert "Call list (1 open call)" in page
    # it is asked for again with the figures
    live = (await ops.page(f"/campaigns/{attempt[0].campaign_id}")).partition('id="live"')[2]
    assert "1 open call" in live.partition("steer-title")[0]
    assert "On the call list 1 " in page
