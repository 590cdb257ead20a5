"""Ops at work in a real browser: from the list of campaigns to one that runs, and steering it."""

import re
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Page, expect

from clinic.accounts import Role
from clinic.attempt import AttemptState
from clinic.tables import Account, Attempt, Campaign
from console.campaigns import looks
from tests.browser import A_PHONE, Open, too_wide, violations
from tests.console.conftest import STEPS

if TYPE_CHECKING:
    from tests.console.conftest import Desk, Untranslated

SEGMENT = "/campaigns/new/price-was-the-reason"
PLAN = f"{SEGMENT}/plans/standard"
NAME = "Left because of the price, Mar 2, 2027"

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
async def ops(desk: "Desk", monkeypatch: pytest.MonkeyPatch) -> Account:
    monkeypatch.setattr(looks, "PATIENCE", 60.0)
    return await desk.account("Olga", Role.OPS)


async def running(desk: "Desk") -> str:
    """Add a campaign with something to show of everything; return its page."""
    campaign = await desk.add(
        Campaign(
            id="ca-0123456789abcdef",
            name="Primavera",
            segment="price-was-the-reason",
            plan={"name": "ladder", "steps": list(STEPS)},
            started_at=desk.now,
            goal=0.2,
            pace_per_hour=60,
        )
    )
    for given in (
        {"state": AttemptState.PLANNED.value},
        {"state": AttemptState.ENDED.value, "outcome": "booked"},
        {"state": AttemptState.LEFT_OUT.value, "left_out_reason": "opted_out"},
    ):
        patient = await desk.patient()
        await desk.add(Attempt(campaign_id=campaign.id, patient_id=patient.id, **given))
    return f"/campaigns/{campaign.id}"


async def last_look(page: Page) -> None:
    await page.get_by_role("textbox").first.fill("Otoño")
    await page.locator("button[value=check]").click()
    await expect(page.locator("button[value=start]")).to_be_visible()


async def pages_of(desk: "Desk") -> list[str]:
    patient = await desk.patient(loss_reason="price", first_name="Elena", language="es")
    await desk.patient(loss_reason="price", opted_out_at=desk.now)
    campaign = await running(desk)
    return [
        "/campaigns",
        "/campaigns/new",
        SEGMENT,
        f"{SEGMENT}/patients",
        PLAN,
        f"{PLAN}/messages/{patient.id}",
        campaign,
        f"{campaign}/stop",
    ]


@pytest.mark.long  # see test_every_page_in_a_browser.py for its short form
@pytest.mark.parametrize(("language", "scheme"), [("es", "light"), ("ru", "dark")])
async def test_every_page_can_be_read_by_everybody_on_a_phone(
    desk: "Desk", ops: Account, open_page: Open, language: str, scheme: str
) -> None:
    for number, path in enumerate(await pages_of(desk)):
        page = await open_page(path, ops, language, viewport=A_PHONE, color_scheme=scheme)
        # which takes a second or two: every other page by day, the others by night
        if number % 2 == (scheme == "dark"):
            assert await violations(page) == []
        assert await too_wide(page) == 0
    page = await open_page(PLAN, ops, language, viewport=A_PHONE, color_scheme=scheme)
    await page.get_by_role("textbox").first.fill("")
    await page.locator("button[value=check]").click()
    await expect(page.locator(".field-problem")).to_have_count(1)
    assert await violations(page) == []
    await last_look(page)
    assert await violations(page) == []
    assert await too_wide(page) == 0


@pytest.mark.long  # see test_every_page_in_a_browser.py for its short form
async def test_every_word_of_a_page_is_a_catalogs_or_somebodys_own(
    desk: "Desk", ops: Account, open_page: Open, untranslated: "Untranslated"
) -> None:
    for path in await pages_of(desk):
        assert await untranslated(await open_page(path, ops, "es")) == []
    page = await open_page(PLAN, ops, "es")
    await last_look(page)
    assert await untranslated(page) == []


@pytest.mark.parametrize("script", [True, False])
async def test_from_the_list_to_a_campaign_that_runs_by_clicking_alone(
    desk: "Desk", ops: Account, open_page: Open, *, script: bool
) -> None:
    await desk.patient(loss_reason="price")
    page = await open_page("/campaigns", ops, java_script_enabled=script)
    await page.get_by_role("link", name="New campaign").click()
    await page.get_by_role("link", name="Left because of the price").click()
    await page.get_by_role("link", name=re.compile("Use this plan.*Standard")).click()
    await page.get_by_role("button", name="Next: have a last look").click()
    await expect(page.get_by_text("1 patient will be contacted")).to_be_visible()
    await page.get_by_role("button", name="Change something").click()
    await expect(page.get_by_label("Name of the campaign")).to_have_value(NAME)
    await page.get_by_label("Open calls at most").fill("30")
    await page.get_by_role("button", name="Next: have a last look").click()
    await page.get_by_role("button", name="Start the campaign").dblclick()
    await expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(f"{NAME}.*Running"))
    [campaign] = await desk.all(Campaign)
    assert (campaign.name, campaign.open_calls_at_most) == (NAME, 30)
    assert len(await desk.all(Attempt)) == 1


async def test_a_campaigns_figures_change_without_reloading(
    desk: "Desk", ops: Account, open_page: Open
) -> None:
    page = await open_page(await running(desk), ops)
    await expect(page.get_by_text("1 booked (33.3%)")).to_be_visible()
    planned = next(row for row in await desk.all(Attempt) if row.state == "planned")
    await desk.change(planned, state=AttemptState.ENDED.value, outcome="booked")
    # as when somebody comes back to the page: it is not left to seconds of waiting
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await expect(page.get_by_text("2 booked (66.7%)")).to_be_visible()


async def test_a_campaign_is_paused_and_stopped_by_clicking(
    desk: "Desk", ops: Account, open_page: Open
) -> None:
    page = await open_page(await running(desk), ops)
    await page.get_by_role("button", name="Pause").click()
    await expect(page.get_by_text("Paused: nobody new is started")).to_be_visible()
    await page.get_by_role("link", name="Stop for good").click()
    await page.get_by_role("button", name="Stop the campaign").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Primavera Stopped")
    assert [campaign.state for campaign in await desk.all(Campaign)] == ["stopped"]
