"""`make run` leaves nothing behind, however it is told to stop."""

import asyncio
import os
import signal
import socket
import time

import httpx
import pytest

from deploy.local.settings import LocalSettings
from tests.end_to_end.local_run import Told, started, told_by


async def sign_in(told: Told) -> None:
    """Sign in to the console with what the command says, and nothing else."""
    async with httpx.AsyncClient(base_url=told.url) as browser:
        typed = {"name": told.name, "password": told.password}
        answer = await browser.post("/login", data=typed)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert (await browser.get("/calls")).status_code == 200


async def nobody_listens(settings: LocalSettings) -> None:
    deadline = time.monotonic() + 10  # honcho gives its children five seconds
    while any(listens(port) for port, _ in settings.ports().values()):
        assert time.monotonic() < deadline, "the stack outlived its command"
        await asyncio.sleep(0.1)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGHUP, marks=pytest.mark.long)]
)
async def test_a_signal_stops_the_whole_stack_even_without_its_terminal(
    local_settings: LocalSettings, number: signal.Signals
) -> None:
    terminal, end = os.openpty()
    process = started(local_settings, end)
    os.close(end)
    try:
        await sign_in(await told_by(terminal))
        os.close(terminal)
        process.send_signal(number)
        await asyncio.to_thread(process.wait, 40)
        await nobody_listens(local_settings)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def test_ctrl_c_is_how_it_ends_and_no_failure_also_before_the_stack_is_up(
    local_settings: LocalSettings,
) -> None:
    """`make` writes an error under the farewell of a command that does not end with 0."""
    said, end = os.pipe()
    process = started(local_settings, end)
    os.close(end)
    with os.fdopen(said, "rb") as output:
        assert b"Importing" in output.readline()
        process.send_signal(signal.SIGINT)
        rest = output.read()
    assert (process.wait(), b"goes on from there" in rest) == (0, True)
