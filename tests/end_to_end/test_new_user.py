"""From `make run` to a booked patient by clicking alone, in each language, with nothing read."""

import asyncio
import sqlite3

import pytest
from playwright.async_api import Browser, expect

from console.translations import translations
from deploy.local.settings import LocalSettings
from tests.browser import listen_for_complaints
from tests.end_to_end.local_run import Told, make_run

SEGMENTS = {
    "es": "Ortodoncia: hace tiempo que no vienen",
    "ru": "Говорят по-русски: давно не были",
    "en": "60 and older",
}
"""Whom each newcomer chooses; each has patients of their own."""
WITHIN = 40_000
"""Milliseconds: the plan `demo` sends an email and an SMS before it asks for a call."""
BOOKED = """
SELECT count(*) FROM call_tasks JOIN attempts ON attempts.id = call_tasks.attempt_id
WHERE call_tasks.outcome = 'booked' AND attempts.outcome = 'booked'
"""


async def visit(
    chromium: Browser, told: Told, language: str, turn: asyncio.Lock, complaints: list[str]
) -> None:
    """Go from the login to a booked patient by the words that a newcomer sees."""
    words = translations(language).gettext
    window = await chromium.new_context(locale=language)
    page = await window.new_page()
    listen_for_complaints(page, complaints)
    main, top = page.get_by_role("main"), page.get_by_role("navigation").first
    await page.goto(told.url)
    await page.get_by_label(words("Name")).fill(told.name)
    await page.get_by_label(words("Password")).fill(told.password)
    await page.get_by_role("button", name=words("Sign in")).click()

    await top.get_by_role("link", name=words("Campaigns")).click()
    await main.get_by_role("link", name=words("New campaign")).first.click()
    await main.get_by_role("link", name=SEGMENTS[language]).click()
    # the first is the one for demonstrations; and the campaign has a name already
    await main.get_by_role("link", name=words("Use this plan")).first.click()
    await main.get_by_role("button", name=words("Next: have a last look")).click()
    await main.get_by_role("button", name=words("Start the campaign")).click()
    await expect(main.get_by_role("heading", level=1)).to_contain_text(SEGMENTS[language])

    await top.get_by_role("link", name=words("Call list")).click()
    # the list stays open, and work comes to it by itself
    await expect(main.locator("#calls h2").first).to_be_visible(timeout=WITHIN)
    # they share an account: what one of them has taken is the other's as well
    async with turn:
        await main.get_by_role("button", name=words("Next call")).click()
        await main.get_by_role("button", name=words("Booked")).click()
        await expect(main.get_by_role("heading", level=1)).to_have_text(words("Call list"))
    await window.close()


async def bookings_by_call(settings: LocalSettings) -> int:
    file = f"file:{settings.state}/regresa.db?mode=ro"
    with sqlite3.connect(file, uri=True) as database:
        count: int = database.execute(BOOKED).fetchone()[0]
    return count


@pytest.mark.long  # test_staffs_day.py is its short form
@pytest.mark.timeout(200)
async def test_three_newcomers_each_book_a_patient_by_clicking_alone(
    local_settings: LocalSettings, chromium: Browser
) -> None:
    complaints: list[str] = []
    turn = asyncio.Lock()
    async with make_run(local_settings) as told:
        visits = [visit(chromium, told, language, turn, complaints) for language in SEGMENTS]
        await asyncio.gather(*visits)
        async with asyncio.timeout(20):
            while await bookings_by_call(local_settings) < len(SEGMENTS):
                await asyncio.sleep(0.2)
    assert complaints == []
