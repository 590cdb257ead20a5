"""A call in a real browser: where the keys lead, and that the list refreshes under one's hands."""

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Page, expect

from clinic.tables import Account, Call, CallTask, Message
from tests.browser import A_PHONE, Open, too_wide, violations

if TYPE_CHECKING:
    from tests.console.conftest import Desk, Untranslated

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

COME_BACK = "document.dispatchEvent(new Event('visibilitychange'))"
"""As when somebody comes back to the page: it is not left to ten seconds of waiting."""


async def taken_by(desk: "Desk", account: Account) -> CallTask:
    """Return a task whose patient was written to, and spoken to before."""
    task = await desk.task_for(await desk.patient(first_name="Elena"))
    await desk.add(
        Message(
            attempt_id=task.attempt_id,
            step=0,
            channel="email",
            address_hash="of-somebody",
            claimed_at=desk.now,
            sent_at=desk.now,
        )
    )
    await desk.account("Bruno")
    spoken = {"made_at": desk.now, "made_by": "Bruno", "outcome": "declined", "note": "Otro día"}
    await desk.add(Call(task_id=task.id, loss_reason="price", **spoken))
    until = desk.now + timedelta(minutes=15)
    await desk.change(task, claimed_by=account.name, claimed_until=until)
    return task


async def late(page: Page, desk: "Desk", task: CallTask) -> None:
    """Report on a call that a colleague has completed meanwhile."""
    await page.goto(f"/calls/{task.id}")
    await page.locator("#note").fill("Otro día")
    await desk.change(task, closed_at=desk.now, closed_by="Bruno", outcome="booked")
    await page.locator("button.no_answer").click()


async def test_new_work_appears_and_whoever_is_at_a_patient_stays_there(
    desk: "Desk", open_page: Open
) -> None:
    await desk.task_for(await desk.patient(first_name="Elena"))
    page = await open_page("/calls", await desk.account())
    elena = page.get_by_role("button", name=re.compile("Take this call.*Elena"))
    await elena.focus()
    await desk.task_for(await desk.patient(first_name="Mateo"), priority=0)
    await page.evaluate(COME_BACK)
    await expect(page.get_by_role("heading", name="Mateo")).to_be_visible()
    await expect(elena).to_be_focused()


async def test_whoever_is_at_a_patient_that_a_colleague_took_is_told_there(
    desk: "Desk", open_page: Open
) -> None:
    task = await desk.task_for(await desk.patient(first_name="Elena"))
    page = await open_page("/calls", await desk.account())
    await page.get_by_role("button", name=re.compile("Take this call.*Elena")).focus()
    until = desk.now + timedelta(minutes=15)
    await desk.change(task, claimed_by="Bruno", claimed_until=until)
    await page.evaluate(COME_BACK)
    await expect(page.get_by_text("Bruno is calling")).to_be_focused()


async def test_a_key_counts_by_its_place_on_a_cyrillic_keyboard(
    desk: "Desk", open_page: Open
) -> None:
    account = await desk.account()
    task = await taken_by(desk, account)
    page = await open_page(f"/calls/{task.id}", account)
    await page.evaluate(
        """document.body.dispatchEvent(
          new KeyboardEvent("keydown", {key: "ф", code: "KeyA", bubbles: true}))"""
    )
    await page.wait_for_url("**/calls?done=*")
    assert [call.outcome for call in await desk.all(Call)] == ["declined", "no_answer"]


async def test_a_key_that_is_held_presses_nothing_twice(desk: "Desk", open_page: Open) -> None:
    for _ in range(2):
        await desk.task_for(await desk.patient())
    page = await open_page("/calls", await desk.account())
    await page.keyboard.down("n")
    await page.wait_for_url("**/calls/ct-*")
    for key in ("n", "a"):  # as a keyboard repeats it, and as if the first key were let go unseen
        await page.keyboard.down(key)
    await expect(page.locator("button.no_answer")).to_be_visible()
    assert await desk.all(Call) == []
    await page.keyboard.up("n")
    await page.keyboard.up("a")
    await page.keyboard.press("a")
    await page.wait_for_url("**/calls?done=*")


async def test_what_is_hard_to_take_back_takes_more_than_one_key(
    desk: "Desk", open_page: Open
) -> None:
    account = await desk.account()
    task = await taken_by(desk, account)
    page = await open_page(f"/calls/{task.id}", account)
    await page.keyboard.press("z")
    await expect(page.locator("button.deceased")).to_be_focused()
    assert len(await desk.all(Call)) == 1
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/calls?done=*")
    assert [call.outcome for call in await desk.all(Call)] == ["declined", "deceased"]


async def test_enter_in_a_field_reports_nothing(desk: "Desk", open_page: Open) -> None:
    account = await desk.account()
    page = await open_page(f"/calls/{(await taken_by(desk, account)).id}", account)
    await page.locator("#note").fill("Otro día")
    await page.get_by_text("Another time", exact=True).click()
    for field in ("appointment", "at", "later", "reason"):
        await page.locator(f"#{field}").focus()
        await page.keyboard.press("Enter")
        await page.keyboard.press("Escape")
    await page.keyboard.press("Tab")
    await expect(page.locator("#note")).to_have_value("Otro día")
    assert len(await desk.all(Call)) == 1


async def test_a_message_shows_what_it_said_to_whoever_asks(desk: "Desk", open_page: Open) -> None:
    account = await desk.account()
    page = await open_page(f"/calls/{(await taken_by(desk, account)).id}", account)
    said = page.get_by_text("(the patient's personal link)")
    await expect(said).to_be_hidden()
    await page.locator(".history summary").click()
    await expect(said).to_be_visible()


@pytest.mark.long  # see test_every_page_in_a_browser.py for its short form
@pytest.mark.parametrize(("language", "scheme"), [("es", "dark"), ("ru", "light")])
async def test_a_call_can_be_read_by_everybody_on_a_phone(
    desk: "Desk", open_page: Open, language: str, scheme: str
) -> None:
    account = await desk.account()
    task = await taken_by(desk, account)
    given = {"viewport": A_PHONE, "color_scheme": scheme}
    page = await open_page(f"/calls/{task.id}", account, language, **given)
    await page.locator(".history summary").click()
    assert (await violations(page), await too_wide(page)) == ([], 0)
    await late(page, desk, task)
    assert (await violations(page), await too_wide(page)) == ([], 0)


async def test_every_word_about_a_call_is_a_catalogs_or_somebodys_own(
    desk: "Desk", open_page: Open, untranslated: "Untranslated"
) -> None:
    account = await desk.account()
    task = await taken_by(desk, account)
    page = await open_page(f"/calls/{task.id}", account, "es")
    await page.locator(".history summary").click()
    assert await untranslated(page) == []
    await late(page, desk, task)
    assert await untranslated(page) == []
