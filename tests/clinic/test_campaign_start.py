"""Starting a campaign, on its terms or not at all; and all campaigns at a glance."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from clinic.attempt import AttemptState
from clinic.campaign_list import campaign_lines
from clinic.campaign_refusal import CampaignProblem, CampaignRefusal
from clinic.campaign_start import CampaignTerms, start_campaign
from clinic.plan import Plan
from clinic.tables import Attempt, Campaign, Event

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows


async def start(rows: "Rows", plan: Plan, **terms: object) -> int:
    clinic = rows.clinic
    async with clinic.database.writing() as session:
        return await start_campaign(
            session,
            "ca-0123456789abcdef",
            clinic.folder.segment("price-was-the-reason"),
            plan,
            CampaignTerms.model_validate({"name": "spring"} | terms),
            zone=clinic.profile.zone,
            key=clinic.key,
            now=rows.now,
        )


async def test_a_campaign_is_written_with_its_terms_and_a_copy_of_its_plan(
    rows: "Rows", plan: Plan
) -> None:
    await rows.patient(loss_reason="price")
    until = rows.now + timedelta(days=30)
    terms = {"goal": 0.15, "until": until, "pace_per_hour": 60, "open_calls_at_most": 30}
    assert await start(rows, plan, **terms) == 1
    [campaign] = await rows.all(Campaign)
    assert campaign.id == "ca-0123456789abcdef"
    assert (campaign.name, campaign.segment) == ("spring", "price-was-the-reason")
    assert {name: getattr(campaign, name) for name in terms} == terms
    assert Plan.model_validate(campaign.plan) == plan


async def test_a_segment_of_nobody_starts_nothing(rows: "Rows", plan: Plan) -> None:
    with pytest.raises(CampaignRefusal) as refused:
        await start(rows, plan)
    assert refused.value.why is CampaignProblem.NOBODY
    assert [*await rows.all(Campaign), *await rows.all(Event)] == []


async def test_the_same_id_or_name_again_starts_nothing(rows: "Rows", plan: Plan) -> None:
    await rows.patient(loss_reason="price")
    await start(rows, plan)
    for name in ("spring", "summer"):
        with pytest.raises(CampaignRefusal) as refused:
            await start(rows, plan, name=name)
        assert refused.value.why is CampaignProblem.NAME_IN_USE
    assert len(await rows.all(Attempt)) == len(await rows.all(Event)) == 1


async def test_campaigns_are_listed_with_the_newest_first_and_what_came_of_them(
    rows: "Rows",
) -> None:
    old = await rows.campaign(name="old", started_at=rows.now - timedelta(days=9), goal=0.5)
    new = await rows.campaign(name="new")
    states: list[dict[str, Any]] = [
        {"state": AttemptState.ENDED.value, "outcome": "booked"},
        {"state": AttemptState.ENDED.value, "outcome": "declined"},
        {"state": AttemptState.LEFT_OUT.value, "left_out_reason": "moved"},
        {"state": AttemptState.PLANNED.value},
    ]
    for given in states:
        await rows.attempt(campaign=old, **given)
    async with rows.clinic.database.reading() as session:
        lines = await campaign_lines(session, at_most=5)
        [second] = await campaign_lines(session, at_most=5, after=1)
    assert [line.id for line in lines] == [new.id, old.id]
    assert (second.patients, second.booked, second.settled) == (4, 1, 3)
    assert (second.booked_share, second.finished, second.goal) == (0.25, False, 0.5)
    assert (lines[0].patients, lines[0].booked_share, lines[0].finished) == (0, 0.0, True)
