"""`make run` leaves nothing behind, however it is told to stop."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from deploy.local.settings import LocalSettings

ROOT = Path(__file__).parents[2]


def started(settings: LocalSettings, output: int) -> subprocess.Popen[bytes]:
    given = settings.model_dump(mode="json", exclude_none=True)
    variables = {f"REGRESA_LOCAL_{name.upper()}": str(value) for name, value in given.items()}
    return subprocess.Popen(
        [sys.executable, "-m", "deploy.local", "run"],
        cwd=ROOT,
        env=os.environ | variables,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def read_until_up(output: int) -> bytes:
    said = b""
    while b"Ctrl-C stops the stack" not in said:
        part = os.read(output, 4096)
        assert part, said
        said += part
    return said


async def sign_in(said: str) -> None:
    """Sign in to the console with what the stack says, and nothing else."""
    found = re.search(r"(http://\S+)\s+sign in as (\S+), password (\S+)", said)
    assert found is not None, said
    url, name, password = found.groups()
    async with httpx.AsyncClient(base_url=url) as browser:
        answer = await browser.post("/login", data={"name": name, "password": password})
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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_stops_the_whole_stack_even_without_its_terminal(
    local_settings: LocalSettings, number: signal.Signals
) -> None:
    terminal, end = os.openpty()
    process = started(local_settings, end)
    os.close(end)
    try:
        said = await asyncio.wait_for(asyncio.to_thread(read_until_up, terminal), 60)
        await sign_in(said.decode())
        os.close(terminal)
        process.send_signal(number)
        await asyncio.to_thread(process.wait, 40)
        await nobody_listens(local_settings)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
