"""The browser that pictures and tests are taken in: Chromium, as the machine has it installed."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

_PROGRAMS = ("chromium-headless-shell", "chromium", "google-chrome")
"""The first there is. The shell is Chromium without its own windows, which are drawn even where
nobody sees them: a page costs a quarter of the processor time (25 pages: 3 s, else 11 to 16 s)."""
PROGRAM = next(filter(None, map(shutil.which, _PROGRAMS)), None)
"""Where it is; None: this machine has none."""
INSTALL = "apt install chromium-headless-shell"


@asynccontextmanager
async def opened_browser(program: str) -> AsyncIterator[Browser]:
    """Start it, and close it in the end.

    Args:
        program: Where it is.
    """
    async with async_playwright() as playing:
        # as root, Chromium does not start in its own sandbox; it opens our own pages alone
        browser = await playing.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        await browser.close()
