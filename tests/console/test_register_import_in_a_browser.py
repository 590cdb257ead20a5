"""A patient list from its file to the register, in a real browser."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import Page, expect

from clinic.accounts import Role
from clinic.tables import Patient
from tests.browser import A_PHONE, Open, too_wide, violations

if TYPE_CHECKING:
    from tests.console.conftest import Desk, Untranslated

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

EXPORTS = Path(__file__).parents[2] / "examples" / "exports"
SEMICOLONS = EXPORTS / "pacientes-punto-y-coma.csv"
SECONDS = 60_000
"""For a list to be read, on a machine that has much to do; in milliseconds."""


async def bring(page: Page, file: Path | dict[str, Any]) -> None:
    """Choose a list, and wait until it was looked at."""
    await page.locator("#list").set_input_files(file)  # type: ignore[arg-type]
    await page.locator("form.bring button").click()
    await expect(page.locator("#list")).to_have_count(0)
    await read(page)


async def read(page: Page) -> None:
    await expect(page.locator("#work")).to_have_count(0, timeout=SECONDS)


async def test_a_list_from_its_file_to_the_register_without_a_script(
    desk: "Desk", open_page: Open
) -> None:
    olga = await desk.account("Olga", Role.OPS)
    page = await open_page("/register/import", olga, java_script_enabled=False)
    await bring(page, SEMICOLONS)
    assert await desk.all(Patient) == []
    await page.get_by_role("button", name="Import 10 rows").click()
    await read(page)
    await expect(page.get_by_role("heading", level=1)).to_have_text("The list is imported")
    assert len(await desk.all(Patient)) == 10


async def test_what_was_not_understood_is_set_right_on_the_page(
    desk: "Desk", open_page: Open
) -> None:
    page = await open_page("/register/import", await desk.account("Olga", Role.OPS))
    odd = b"Kurzel,Wer,Tel\n1,Elena Ruiz,3055550101\n2,Olga Paz,3055550102\n"
    await bring(page, {"name": "odd.csv", "mimeType": "text/csv", "buffer": odd})
    await expect(page.get_by_role("alert")).to_contain_text("no column for the patient's name")
    mapping = page.get_by_label("Which column is which")
    proposed = await mapping.input_value()
    mended = proposed.replace('"Kurzel": ignore', '"Kurzel": patient_id')
    await mapping.fill(mended.replace('"Wer": ignore', '"Wer": nombre'))
    await page.get_by_role("button", name="Look at the list again").click()
    await read(page)
    # a mistake in it is told with its line, and nothing that was written is lost
    await expect(page.locator(".cause")).to_contain_text("mapping.yaml:6: columns.Wer")
    mapping = page.get_by_label("Which column is which")
    assert '"Kurzel": patient_id' in await mapping.input_value()
    await mapping.fill((await mapping.input_value()).replace(": nombre", ": name"))
    await page.get_by_role("button", name="Look at the list again").click()
    await read(page)
    await expect(page.get_by_role("button", name="Import 2 rows")).to_be_visible()


async def test_a_list_that_is_too_large_is_not_even_sent(
    desk: "Desk", open_page: Open, tmp_path: Path
) -> None:
    large = tmp_path / "large.csv"
    with large.open("wb") as file:
        file.truncate(201 * 1024 * 1024)
    page = await open_page("/register/import", await desk.account("Olga", Role.OPS))
    await page.locator("#list").set_input_files(large)
    await expect(page.get_by_role("alert")).to_contain_text("at most 200 MB")
    await page.get_by_role("button", name="Look at the list").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Import a patient list")


@pytest.mark.long  # see test_every_page_in_a_browser.py for its short form
async def test_every_page_can_be_read_by_everybody_on_a_phone(
    desk: "Desk", open_page: Open, untranslated: "Untranslated"
) -> None:
    olga = await desk.account("Olga", Role.OPS)
    given = {"viewport": A_PHONE, "color_scheme": "dark", "bypass_csp": True}
    page = await open_page("/register/import", olga, "es", **given)

    async def seen() -> None:
        assert await violations(page) == []
        assert await too_wide(page) == 0
        assert await untranslated(page) == []

    rejected = SEMICOLONS.read_bytes() + b"9999;;;;;;;;;;;;;;\n"
    picture = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
    odd = b"Kurzel,Wer,Tel\n1,Elena Ruiz,3055550101\n"
    await bring(page, {"name": "lista.csv", "mimeType": "text/csv", "buffer": rejected})
    await seen()
    await page.locator("form[action$='/import'] button").click()
    await read(page)
    await seen()
    for content in (picture, odd):
        await page.goto("/register/import")
        await bring(page, {"name": "lista.csv", "mimeType": "text/csv", "buffer": content})
        await seen()
    await page.goto("/register/import")
    await seen()
