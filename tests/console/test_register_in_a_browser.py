"""The register in a real browser: found, corrected, left alone; without a script, by everybody."""

from datetime import date
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Page, expect

from clinic.accounts import Role
from clinic.plain_text import name_key
from clinic.tables import Consent, Duplicate, Patient
from tests.browser import A_PHONE, Open, too_wide, violations

if TYPE_CHECKING:
    from tests.console.conftest import Desk, Untranslated

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def a_full_card(desk: "Desk") -> Patient:
    """A patient of whom all there can be is known."""
    ana = await desk.patient(
        external_id="A-0042",
        first_name="Ana María",
        last_name="Rojas",
        name_key=name_key("Ana María", "Rojas"),
        birth_date=date(2016, 5, 17),
        phone="+13055550142",
        other_phone="+13055550143",
        guardian_name="Elena Gil",
        district="Centro",
        loss_reason="price",
        preferred_channel="sms",
        sms_bad_at=desk.now,
    )
    for given in (True, False):
        channel = "email" if given else "sms"
        word = Consent(patient_id=ana.id, channel=channel, content="reminder", given=given)
        word.source, word.at = "7", desk.now
        await desk.add(word)
    son = await desk.patient(phone="+13055550142", first_name="Tomás")
    await desk.add(
        Duplicate(patient_id=ana.id, other_id=son.id, reason="name and phone", found_at=desk.now)
    )
    await desk.task_for(ana)
    return ana


async def searched(page: Page, written: str) -> None:
    await page.get_by_role("searchbox").fill(written)
    await sent(page)


async def sent(page: Page) -> None:
    """Press Enter in a field that was filled in, and wait for the answer."""
    async with page.expect_navigation():
        await page.keyboard.press("Enter")


async def test_somebody_is_found_corrected_and_wants_no_more_messages_without_a_script(
    desk: "Desk", open_page: Open
) -> None:
    ana = await a_full_card(desk)
    vera = await desk.account("Vera", Role.OPS)
    page = await open_page("/register", vera, java_script_enabled=False)
    await searched(page, "roj ana")
    await page.get_by_role("link", name="Ana María Rojas").click()
    await page.get_by_role("link", name="Edit").click()
    await page.get_by_label("Email address", exact=True).fill("nix")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("No mail can be sent to this address.")).to_be_visible()
    await page.get_by_label("Email address", exact=True).fill("ana.rojas@example.com")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("status")).to_have_text("Saved.")
    await page.get_by_role("link", name="They want no more messages").click()
    await page.get_by_role("button", name="Yes, no more messages").click()
    await expect(page.get_by_text("Wants no messages since")).to_be_visible()
    row = await desk.again(ana)
    assert (row.email, row.opted_out_at) == ("ana.rojas@example.com", desk.now)


PAGES = ("", "/edit", "/consents", "/stop", "/lift", "/forget")


@pytest.mark.long  # see test_every_page_in_a_browser.py for its short form
@pytest.mark.parametrize(("language", "scheme"), [("es", "light"), ("ru", "dark")])
async def test_every_page_can_be_read_by_everybody_on_a_phone(
    desk: "Desk", open_page: Open, language: str, scheme: str
) -> None:
    ana = await a_full_card(desk)
    olga = await desk.account("Olga", Role.ADMIN)
    [pair] = await desk.all(Duplicate)
    same = f"/{ana.id}/same/{pair.other_id}"
    page = await open_page(
        "/register", olga, language, viewport=A_PHONE, color_scheme=scheme, bypass_csp=True
    )
    for path in ("", "/addresses", same, *(f"/{ana.id}{part}" for part in PAGES)):
        await page.goto(f"/register{path}")
        assert (await violations(page), await too_wide(page)) == ([], 0), path
    await page.goto("/register")
    await searched(page, "mun")
    assert (await violations(page), await too_wide(page)) == ([], 0)
    await page.goto(f"/register/{ana.id}/edit")
    await page.locator("#first_name").fill("")
    await sent(page)
    assert (await violations(page), await too_wide(page)) == ([], 0)


@pytest.mark.long  # see test_every_page_in_a_browser.py for its short form
async def test_no_word_of_any_page_is_left_in_english(
    desk: "Desk", open_page: Open, untranslated: "Untranslated"
) -> None:
    ana = await a_full_card(desk)
    olga = await desk.account("Olga", Role.ADMIN)
    [pair] = await desk.all(Duplicate)
    same = f"/{ana.id}/same/{pair.other_id}"
    page = await open_page("/register", olga, "es")
    for path in ("", "/addresses", same, *(f"/{ana.id}{part}" for part in PAGES)):
        await page.goto(f"/register{path}")
        assert await untranslated(page) == [], path
    await page.goto("/register")
    await searched(page, "rojas")
    assert await untranslated(page) == []
    await page.goto(f"/register/{ana.id}/edit")
    await page.locator("#first_name").fill("")
    await page.locator("#phone").fill("5")
    await sent(page)
    assert await untranslated(page) == []
    await page.goto("/register/addresses")
    await page.locator("#address").fill("305 555 0142")
    await sent(page)
    assert await untranslated(page) == []
