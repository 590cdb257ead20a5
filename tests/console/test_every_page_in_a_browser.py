"""Every page of the console, with the documentation's pictures' patients on it.

No page is forgotten: what the application answers a GET with is either here or named as no page.
"""

from collections.abc import Callable
from datetime import datetime
from itertools import cycle
from typing import TYPE_CHECKING

import pytest
from fastapi import FastAPI
from playwright.async_api import Page

from clinic.accounts import Role
from clinic.clinic import Clinic
from clinic.tables import Duplicate
from deploy.screenshots.pictures import upload_a_list
from deploy.screenshots.scene import NOW, write_scene
from tests.browser import A_PHONE, Open, too_wide, violations

if TYPE_CHECKING:
    from tests.console.conftest import Desk, Untranslated

PLAN = "/campaigns/new/{segment}/plans/{plan}"
CALLS = ("/login", "/calls", "/calls/{task_id}")
CAMPAIGNS = (
    "/campaigns",
    "/campaigns/new",
    "/campaigns/new/{segment}",
    "/campaigns/new/{segment}/patients",
    PLAN,
    f"{PLAN}/messages",
    f"{PLAN}/messages/{{patient_id}}",
    "/campaigns/{campaign_id}",
    "/campaigns/{campaign_id}/stop",
)
REGISTER = (
    "/register",
    "/register/search",
    "/register/addresses",
    "/register/import",
    "/register/import/{upload_id}",
    "/register/{patient_id}",
    "/register/{patient_id}/consents",
    "/register/{patient_id}/edit",
    "/register/{patient_id}/forget",
    "/register/{patient_id}/lift",
    "/register/{patient_id}/same/{other_id}",
    "/register/{patient_id}/stop",
)
RESULTS = ("/results",)
NO_PAGES = {
    "/",  # leads to one
    "/calls/rows",  # a part of one
    "/calls/{task_id}/news",
    "/calls/next",  # where a page that a POST answered is loaded again
    *(f"/calls/{{task_id}}/{door}" for door in ("claim", "close", "complete", "keep", "release")),
    f"{PLAN}/messages/{{patient_id}}/{{number}}/mail",  # what a patient gets
    "/healthz",
    "/metrics",
    "/readyz",
    "/register/import/{upload_id}/rejects.csv",
}
OF_PATIENTS = {"/p/{token}", "/p/{token}/call", "/p/{token}/why", "/p/{token}/stop"}
"""See `test_patient_in_a_browser.py`: their texts are in no catalog."""

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
async def address_of(desk: "Desk", clinic: Clinic) -> Callable[[str], str]:
    """Give the address of a page, in the pictures' scene."""
    scene = await write_scene(clinic)
    one, other = await desk.patient(), await desk.patient()
    await desk.add(
        Duplicate(patient_id=one.id, other_id=other.id, reason="name and phone", found_at=NOW)
    )
    named = {
        "task_id": scene.task,
        "campaign_id": scene.campaign,
        "patient_id": scene.patient,
        "segment": "lapsed-orthodontics",
        "plan": "standard",
    }
    alike = {"patient_id": one.id, "other_id": other.id}

    def address(path: str) -> str:
        given = named | alike if "{other_id}" in path else named
        return path.removesuffix("/{upload_id}").format_map(given)

    return address


async def status_of(page: Page) -> int:
    entry = "performance.getEntriesByType('navigation')[0].responseStatus"
    return int(await page.evaluate(entry))


def test_no_page_is_forgotten(app: FastAPI) -> None:
    answered = {path for path, methods in app.openapi()["paths"].items() if "get" in methods}
    seen = {*CALLS, *CAMPAIGNS, *REGISTER, *RESULTS}
    assert answered == seen | NO_PAGES | OF_PATIENTS


@pytest.mark.parametrize(
    "pages",
    [
        pytest.param(CALLS, id="calls"),
        pytest.param(CAMPAIGNS, id="campaigns"),
        pytest.param(REGISTER, id="register"),
        pytest.param(RESULTS, id="results"),
    ],
)
async def test_everybody_can_read_a_page_and_every_word_of_it_is_translated(
    pages: tuple[str, ...],
    address_of: Callable[[str], str],
    desk: "Desk",
    open_page: Open,
    untranslated: "Untranslated",
) -> None:
    account = await desk.account("Zoe", Role.ADMIN)
    found: dict[str, list[str]] = {}
    # on a phone, by day and by night in turn; `make long` has what is larger
    for path, scheme in zip(pages, cycle(("light", "dark")), strict=False):
        who = None if path == "/login" else account
        page = await open_page(address_of(path), who, "es", viewport=A_PHONE, color_scheme=scheme)
        assert await status_of(page) == 200, path
        if path.endswith("{upload_id}"):
            await upload_a_list(page)
        found[path] = [*await untranslated(page), *await violations(page)]
        if wide := await too_wide(page):
            found[path].append(f"is {wide} px too wide")
        await page.context.close()
    assert {path: faults for path, faults in found.items() if faults} == {}
