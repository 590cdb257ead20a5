"""`python -m deploy.screenshots`: take the documentation's pictures anew (`make screenshots`)."""

import asyncio
import io
import os
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from PIL import Image
from playwright.async_api import Browser, ViewportSize

from channels import registry
from clinic.clinic import Clinic
from clinic.refusal import Refusal
from clinic.settings import PREFIX, ClinicSettings, load_settings
from console.app import build_app
from console.doors.session_cookie import COOKIE, SessionClaim, SessionCookies
from deploy.local.settings import HOST, LocalSettings, environment
from deploy.screenshots.browser import INSTALL, PROGRAM, opened_browser
from deploy.screenshots.pictures import PICTURES, Picture
from deploy.screenshots.scene import NOW, Scene, write_scene

_FOLDER = Path("docs/screenshots")
_DESK = 1120
"""CSS pixels wide."""
_PHONE: ViewportSize = {"width": 390, "height": 780}
_COLOURS = 64
"""A page has few; so a picture takes a fifth of the bytes."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    names: Annotated[list[str] | None, typer.Argument(help="Only these pictures.")] = None,
    folder: Annotated[Path, typer.Option(help="Where they are written.")] = _FOLDER,
) -> None:
    """Take pictures of the console's main pages, in an invented clinic on an invented day.

    Example: python -m deploy.screenshots call-list campaign
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        asyncio.run(_take(names or [picture.name for picture in PICTURES], folder))
    except Refusal as refusal:
        typer.echo(f"screenshots: {refusal}", err=True)
        sys.exit(2)


async def _take(names: Collection[str], folder: Path) -> None:
    chosen = [picture for picture in PICTURES if picture.name in names]
    if len(chosen) < len(names):
        known = ", ".join(picture.name for picture in PICTURES)
        raise Refusal("there is no such picture", f"There are: {known}")
    with tempfile.TemporaryDirectory(prefix="regresa-screenshots-") as state:
        # as the local stack's, without a way to any provider: nothing is sent
        os.environ.update(environment(LocalSettings(), Path(state), demonstration=False))
        clinic = Clinic(load_settings(ClinicSettings, PREFIX))
        async with (
            clinic.opened(),
            _serving(clinic) as address,
            opened_browser(_program()) as browser,
        ):
            scene = await write_scene(clinic)
            for picture in chosen:
                png = await _picture(browser, picture, clinic, scene, address)
                (folder / f"{picture.name}.png").write_bytes(png)
                typer.echo(f"{folder / picture.name}.png  {len(png) / 1000:.0f} kB")


async def _picture(
    browser: Browser, picture: Picture, clinic: Clinic, scene: Scene, address: str
) -> bytes:
    window = await browser.new_context(
        base_url=address,
        locale=picture.language,
        timezone_id=clinic.profile.timezone,
        viewport=_PHONE if picture.phone else {"width": _DESK, "height": picture.window},
        color_scheme="dark" if picture.dark else "light",
        reduced_motion="reduce",
    )
    if picture.signed_in:
        value = SessionCookies(clinic.key).write(SessionClaim.new(scene.account.id, NOW))
        await window.add_cookies([{"name": COOKIE, "value": value, "url": address}])
    page = await window.new_page()
    answer = await page.goto(picture.address(scene))
    if answer is None or not answer.ok:
        raise Refusal(f"{picture.name}: the page at {picture.path} does not open")
    if picture.before is not None:
        await picture.before(page)
    png = await page.screenshot(full_page=not picture.phone, animations="disabled")
    await window.close()
    return _smaller(png, picture.tallest)


def _smaller(png: bytes, tallest: int) -> bytes:
    small = io.BytesIO()
    with Image.open(io.BytesIO(png)) as picture:
        shown = picture.crop((0, 0, picture.width, min(picture.height, tallest)))
        shown.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE).save(
            small, "PNG", optimize=True
        )
    return small.getvalue()


def _program() -> str:
    if PROGRAM is None:
        raise Refusal("there is no Chromium on this machine", f"Install it: {INSTALL}")
    return PROGRAM


@asynccontextmanager
async def _serving(clinic: Clinic) -> AsyncIterator[str]:
    """Serve the console on a free port, at the time of the pictures; give its address."""
    channels = registry.in_use(clinic.settings.channels)
    with socket.create_server((HOST, 0)) as listener:
        console = build_app(clinic, channels, clock=lambda: NOW)
        config = uvicorn.Config(console, log_config=None, access_log=False, ws="none")
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield f"http://{HOST}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running


if __name__ == "__main__":
    app()
