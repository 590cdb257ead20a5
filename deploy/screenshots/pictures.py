"""Which pages are shown in the documentation: a line each."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from playwright.async_api import Page

from deploy.screenshots.scene import Scene

_ANOTHER_LIST = Path(__file__).parents[2] / "examples/exports/pacientes-punto-y-coma.csv"


class Picture(NamedTuple):
    """One picture.

    Attributes:
        name: Of its file, without `.png`.
        path: Of the page; `{task}` and such stand for what the scene names.
        language: Of the browser.
        phone: On a phone's screen; else on a desk's.
        window: Pixels; how high the desk's screen is.
        tallest: Pixels; what lies below is cut off.
        dark: As on a device that is set so.
        signed_in: By the scene's account.
        before: What is done on the page before the picture is taken.
    """

    name: str
    path: str
    language: str = "en"
    phone: bool = False
    window: int = 760
    tallest: int = 1150
    dark: bool = False
    signed_in: bool = True
    before: Callable[[Page], Awaitable[None]] | None = None

    def address(self, scene: Scene) -> str:
        """Return the page's path in a scene."""
        return self.path.format_map(scene._asdict())


async def upload_a_list(page: Page) -> None:
    """Have a list looked through, on the page where it is chosen; nothing is imported."""
    await page.locator("#list").set_input_files(_ANOTHER_LIST)
    await page.locator("main form button:not([hidden])").first.click()
    await page.wait_for_url("**/register/import/*")
    await page.locator("main table").first.wait_for()


PICTURES = (
    Picture("login", "/login", "es", signed_in=False),
    Picture("call-list", "/calls"),
    Picture("call-list-phone", "/calls", "ru", phone=True, dark=True),
    Picture("call", "/calls/{task}", "es", window=1040),
    Picture("campaigns", "/campaigns"),
    Picture("campaign", "/campaigns/{campaign}", "ru", tallest=1260),
    Picture("new-campaign", "/campaigns/new/lapsed-orthodontics", "es"),
    Picture("results", "/results", tallest=1190),
    Picture("register-card", "/register/{patient}", "es"),
    Picture("import", "/register/import", before=upload_a_list),
    Picture("patient-phone", "{link}", "es", phone=True, signed_in=False),
)
