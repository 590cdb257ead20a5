"""A terminal in which `regresa` commands are typed: see `deploy.local.command_line`."""

import asyncio
import json
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

_LONGEST_ANSWER = 1 << 24
"""Bytes: a call list is one line."""


class Answer(NamedTuple):
    """What came of a command.

    Attributes:
        code: It ended with.
        output: On its standard output.
        errors: On its standard error.
    """

    code: int
    output: str
    errors: str


class Terminal:
    """Where somebody types commands.

    Args:
        process: Runs them (`deploy.local.command_line`).
    """

    def __init__(self, process: Process) -> None:
        self._process = process

    async def says(self, *arguments: str) -> str:
        """Type a command and return what it prints.

        Raises:
            RuntimeError: It ended with an error.
        """
        answer = await self.type(*arguments)
        if answer.code != 0:
            raise RuntimeError(f"regresa {arguments[0]} ended with {answer.code}: {answer.errors}")
        return answer.output

    async def tries(self, *arguments: str) -> bool:
        """Type a command that may be refused; return whether it was not."""
        return (await self.type(*arguments)).code == 0

    async def type(self, *arguments: str) -> Answer:
        """Type a command; return what came of it, whatever it is."""
        typed, printed = self._process.stdin, self._process.stdout
        if typed is None or printed is None:
            raise RuntimeError("the command line was started without pipes")
        typed.write(json.dumps(arguments).encode() + b"\n")
        await typed.drain()
        line = await printed.readline()
        if not line:
            raise RuntimeError(f"regresa {arguments[0]} broke down")
        return Answer(**json.loads(line))


@asynccontextmanager
async def terminal(environment: dict[str, str]) -> AsyncIterator[Terminal]:
    """Open a terminal.

    Args:
        environment: Of the commands.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.local.command_line"),
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LONGEST_ANSWER,
        start_new_session=True,  # Ctrl-C reaches the demo alone, which then ends it
    )
    try:
        yield Terminal(process)
    finally:
        # a command that is under way ends in order; after it there is nothing more to read
        if process.stdin is not None:
            process.stdin.close()
        process.terminate()
        await process.wait()
