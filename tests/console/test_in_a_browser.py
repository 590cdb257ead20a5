"""Staff at work in a real browser: by keyboard alone, two at one task, and on a phone."""

import re
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from clinic.tables import Call, CallTask
from tests.browser import A_PHONE, Open, too_wide, violations

if TYPE_CHECKING:
    from tests.console.conftest import Desk, Untranslated

LANGUAGES = {"es": "Lista de llamadas", "ru": "Список звонков", "en": "Call list"}

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


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
    await page.wait_for_url("**/calls?done=*")
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
    await page.wait_for_url("**/calls?done=*")
    assert [call.outcome for call in await desk.all(Call)] == ["no_answer"]


@pytest.mark.long  # see test_every_page_in_a_browser.py for its short form
@pytest.mark.parametrize(("language", "scheme"), [("es", "light"), ("ru", "dark"), ("en", "light")])
async def test_every_page_can_be_read_by_everybody_on_a_phone(
    desk: "Desk", open_page: Open, language: str, scheme: str
) -> None:
    task: CallTask = await desk.task_for(await desk.patient(first_name="Elena"))
    account = await desk.account()
    await desk.change(task, claimed_by=account.name, claimed_until=None)
    for path, who in (
        ("/login", None),
        ("/calls", account),
        (f"/calls/{task.id}", account),
        ("/calls/ct-0000000000000000", account),
    ):
        page = await open_page(path, who, language, viewport=A_PHONE, color_scheme=scheme)
        assert await violations(page) == []
        assert await too_wide(page) == 0


@pytest.mark.long  # see test_every_page_in_a_browser.py for its short form
async def test_every_word_of_a_page_is_a_catalogs_or_somebodys_own(
    desk: "Desk", open_page: Open, untranslated: "Untranslated"
) -> None:
    task: CallTask = await desk.task_for(await desk.patient(first_name="Elena"))
    account = await desk.account()
    await desk.change(task, claimed_by=account.name, claimed_until=None)
    for path, who in (
        ("/login", None),
        ("/calls", account),
        (f"/calls/{task.id}", account),
        ("/calls/ct-0000000000000000", account),
    ):
        assert await untranslated(await open_page(path, who, "es")) == []


async def test_a_word_that_no_catalog_has_is_found_wherever_a_page_says_it(
    open_page: Open, untranslated: "Untranslated"
) -> None:
    page = await open_page("/login", None, "es")
    await page.evaluate(
        """document.querySelector("h1").insertAdjacentHTML("beforeend", `
          Welcome <img alt="portrait" title="tooltip"> <input type="submit" value="go">
          <p lang="ru">Привет</p> <time>mar 2 mar, 10:30</time>`)"""
    )
    assert await untranslated(page) == ["Welcome", "go", "portrait", "tooltip"]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_browsers_language_is_spoken_and_the_foot_of_the_page_changes_it(
    desk: "Desk", open_page: Open, language: str
) -> None:
    page = await open_page("/calls", await desk.account(), language)
    await expect(page.get_by_role("heading", level=1)).to_have_text(LANGUAGES[language])
    other = "ru" if language != "ru" else "es"
    await page.locator(f"footer a[lang={other}]").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(LANGUAGES[other])
