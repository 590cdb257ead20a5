"""The results in a real browser: for everybody to read, on a phone, in every language."""

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Page, expect

from clinic.accounts import Role
from console.results import page as page_module
from tests.browser import A_PHONE, Open, too_wide, violations
from tests.console.test_results import call_by, campaign_of

if TYPE_CHECKING:
    from tests.console.conftest import Desk, Untranslated

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_module, "PATIENCE", 60.0)  # also on a busy machine


UNFOLD = "document.querySelectorAll('details').forEach((each) => { each.open = true; })"


async def opened(desk: "Desk", open_page: Open, language: str, **given: object) -> Page:
    """Open the results of two campaigns, with everything unfolded."""
    campaign = await campaign_of(desk, "spring", patients=31, booked=4, goal=0.1)
    await campaign_of(desk, "autumn", patients=2, booked=1)
    await call_by(desk, "Bruno", campaign)
    marina = await desk.account("Marina", Role.OPS)
    page = await open_page("/results", marina, language, **given)
    await page.evaluate(UNFOLD)
    return page


@pytest.mark.long  # see test_every_page_in_a_browser.py for its short form
@pytest.mark.parametrize(("language", "scheme"), [("es", "light"), ("ru", "dark")])
async def test_everybody_can_read_the_results_on_a_phone(
    desk: "Desk", open_page: Open, language: str, scheme: str
) -> None:
    given = {"viewport": A_PHONE, "color_scheme": scheme, "bypass_csp": True}
    page = await opened(desk, open_page, language, **given)
    assert await violations(page) == []
    assert await too_wide(page) == 0


@pytest.mark.long  # see test_every_page_in_a_browser.py for its short form
async def test_nothing_is_left_untranslated(
    desk: "Desk", open_page: Open, untranslated: "Untranslated"
) -> None:
    page = await opened(desk, open_page, "es")
    assert await untranslated(page) == []


async def test_a_choice_is_made_and_the_file_taken_without_a_script(
    desk: "Desk", open_page: Open
) -> None:
    await campaign_of(desk, "spring", patients=31, booked=4, goal=0.1)
    await campaign_of(desk, "autumn", patients=2, booked=1)
    marina = await desk.account("Marina", Role.OPS)
    page = await open_page("/results", marina, java_script_enabled=False)
    await page.locator("summary", has_text="All campaigns").click()
    await page.get_by_role("checkbox", name="spring").check()
    await page.get_by_role("button", name="Show").click()
    await expect(page.get_by_text("4 of 31").first).to_be_visible()
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Download as CSV").click()
    assert (await download.value).suggested_filename == "results-2027-03-02.csv"
