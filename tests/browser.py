"""A real browser for tests, and what is asked of every page that it shows."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, ConsoleMessage, Page

from deploy.screenshots.browser import INSTALL, PROGRAM, opened_browser

A_PHONE = {"width": 360, "height": 740}

Open = Callable[..., Coroutine[Any, Any, Page]]
"""See the fixture `open_page`."""

_A_STATUS = "Failed to load resource: the server responded with a status"
"""How Chromium reports a page of our own that refuses something."""


@asynccontextmanager
async def a_browser() -> AsyncIterator[Browser]:
    """Start Chromium; a test that needs it is skipped where the machine has none."""
    if PROGRAM is None:
        pytest.skip(f"no Chromium on this machine: {INSTALL}")
    async with opened_browser(PROGRAM) as chromium:
        yield chromium


def listen_for_complaints(page: Page, complaints: list[str]) -> None:
    """Keep what the browser finds wrong with a page: errors of scripts, what the CSP refuses."""

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(_A_STATUS):
            complaints.append(f"{page.url}: {message.text}")

    page.on("console", heard)
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))


async def violations(page: Page) -> list[str]:
    """Return what axe-core finds on a page that not everybody could read or use."""
    found = await Axe().run(page)
    return [
        f"{rule['id']} ({rule['help']}): {node['html']}"
        for rule in found.response["violations"]
        for node in rule["nodes"]
    ]


async def too_wide(page: Page) -> int:
    """Return by how many CSS pixels a page has to be scrolled sideways; 0 is what is wanted."""
    return int(
        await page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
    )
