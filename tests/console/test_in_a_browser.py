"""Staff at work in a real browser: by keyboard alone, two at one task, and on a phone.

Skipped only where the machine has no Chromium.
"""

import re
import shutil
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import BrowserContext, Page, async_playwright, expect

from channels.protocol import Channel
from clinic.clinic import Clinic
from clinic.tables import Account, Call, CallTask
from console.doors.session_cookie import COOKIE, SessionCookies
from tests.console.serving import serving

if TYPE_CHECKING:
    from tests.console.conftest import Desk

PROGRAM = shutil.which("chromium") or shutil.which("google-chrome")
A_PHONE = {"width": 360, "height": 740}
LANGUAGES = {"es": "Lista de llamadas", "ru": "Список звонков", "en": "Call list"}

pytestmark = [
    pytest.mark.skipif(PROGRAM is None, reason="no Chromium on this machine: apt install chromium"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]

Open = Callable[..., Coroutine[Any, Any, Page]]


@pytest.fixture
async def open_page(
    desk: "Desk", clinic: Clinic, channels: Mapping[str, Channel], now: datetime
) -> AsyncIterator[Open]:
    """Open the console in a browser of its own, signed in where an account is given."""
    async with AsyncExitStack() as all_of_it:
        address = await all_of_it.enter_async_context(serving(clinic, channels, now))
        playing = await all_of_it.enter_async_context(async_playwright())
        # as root, Chromium does not start in its own sandbox; it opens our own pages alone
        chromium = await playing.chromium.launch(executable_path=PROGRAM, args=["--no-sandbox"])
        all_of_it.push_async_callback(chromium.close)

        async def open_one(
            path: str, account: Account | None = None, language: str = "en", **given: Any
        ) -> Page:
            context: BrowserContext = await chromium.new_context(
                base_url=address, locale=language, **given
            )
            if account is not None:
                value = SessionCookies(clinic.key).write(desk.session(account))
                await context.add_cookies([{"name": COOKIE, "value": value, "url": address}])
            page = await context.new_page()
            await page.goto(path)
            return page

        yield open_one


async def test_a_call_from_the_list_to_its_outcome_by_keyboard_alone(
    desk: "Desk", open_page: Open
) -> None:
    task = await desk.task_for(await desk.patient(first_name="Elena"))
    page = await open_page("/calls", await desk.account())
    await page.keyboard.press("n")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Elena")
    await page.get_by_label("Note for the card").focus()
    # a letter in a field is a letter
    await page.keyboard.type("vendrá con su hija")
    await page.keyboard.press("Tab")
    await page.keyboard.press("v")
    await page.wait_for_url("**/calls")
    [call] = await desk.all(Call)
    assert (call.made_by, call.outcome, call.note) == ("Lucía", "voicemail", "vendrá con su hija")
    assert (await desk.again(task)).tries_made == 1


async def test_of_two_at_one_task_one_is_told_who_has_it(desk: "Desk", open_page: Open) -> None:
    await desk.task_for(await desk.patient(first_name="Elena"))
    lucia = await open_page("/calls", await desk.account("Lucía"))
    bruno = await open_page("/calls", await desk.account("Bruno"))
    for page in (lucia, bruno):
        await page.get_by_role("button", name=re.compile("Take this call.*Elena")).click()
    await expect(lucia.get_by_role("button", name="Booked")).to_be_visible()
    await expect(bruno.get_by_role("alert").first).to_contain_text("Lucía is on this call")


async def test_new_work_appears_without_reloading(desk: "Desk", open_page: Open) -> None:
    page = await open_page("/calls", await desk.account())
    await expect(page.get_by_text("Nobody is waiting for a call.")).to_be_visible()
    await desk.task_for(await desk.patient(first_name="Elena"))
    # as when somebody comes back to the page: it is not left to ten seconds of waiting
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await expect(page.get_by_role("heading", name="Elena")).to_be_visible()


async def test_it_works_without_a_script(desk: "Desk", open_page: Open) -> None:
    await desk.task_for(await desk.patient(first_name="Elena"))
    page = await open_page("/calls", await desk.account(), java_script_enabled=False)
    await page.get_by_role("button", name="Next call").click()
    await page.get_by_role("button", name="No answer").click()
    await page.wait_for_url("**/calls")
    assert [call.outcome for call in await desk.all(Call)] == ["no_answer"]


@pytest.mark.parametrize(("language", "scheme"), [("es", "light"), ("ru", "dark"), ("en", "light")])
async def test_every_page_can_be_read_by_everybody_on_a_phone(
    desk: "Desk", open_page: Open, language: str, scheme: str
) -> None:
    task: CallTask = await desk.task_for(await desk.patient(first_name="Elena"))
    account = await desk.account()
    await desk.change(task, claimed_by=account.name, claimed_until=None)
    given = {"viewport": A_PHONE, "color_scheme": scheme, "bypass_csp": True}
    for path, who in (
        ("/login", None),
        ("/calls", account),
        (f"/calls/{task.id}", account),
        ("/calls/ct-0000000000000000", account),
    ):
        page = await open_page(path, who, language, **given)
        found = await Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert await page.evaluate("document.documentElement.scrollWidth") == A_PHONE["width"]
        await page.context.close()


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_browsers_language_is_spoken_and_the_foot_of_the_page_changes_it(
    desk: "Desk", open_page: Open, language: str
) -> None:
    page = await open_page("/calls", await desk.account(), language)
    await expect(page.get_by_role("heading", level=1)).to_have_text(LANGUAGES[language])
    other = "ru" if language != "ru" else "es"
    await page.locator(f"footer a[lang={other}]").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(LANGUAGES[other])
