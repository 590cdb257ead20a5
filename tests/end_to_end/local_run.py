"""`make run` as a new user has it: what it prints is all that they know."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from deploy.local.settings import LocalSettings

ROOT = Path(__file__).parents[2]
_UP = b"Ctrl-C stops the stack"


class Told(NamedTuple):
    """What the command says about signing in."""

    url: str
    name: str
    password: str


def started(settings: LocalSettings, output: int) -> subprocess.Popen[bytes]:
    """Start the command; it prints to a file descriptor."""
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


async def told_by(output: int) -> Told:
    """Read until the stack is up, and return what a visitor needs."""
    said = await asyncio.wait_for(asyncio.to_thread(_read_until_up, output), 60)
    found = re.search(r"(http://\S+)\s+Name +(\S+)\s+Password +(\S+)", said)
    assert found is not None, said
    return Told(*found.groups())


@asynccontextmanager
async def make_run(settings: LocalSettings) -> AsyncIterator[Told]:
    """Have the stack up, as after `make run`; leaving the block is Ctrl-C."""
    terminal, end = os.openpty()
    process = started(settings, end)
    os.close(end)
    try:
        yield await told_by(terminal)
    finally:
        process.send_signal(signal.SIGINT)
        await asyncio.to_thread(process.wait, 40)
        os.close(terminal)
    assert process.returncode == 0, "`make` would call it an error"


def _read_until_up(output: int) -> str:
    said = b""
    while _UP not in said:
        part = os.read(output, 4096)
        assert part, said
        said += part
    return said.decode()
