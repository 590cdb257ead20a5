"""Simulated staff: they use the same commands as people do, and call the example's patients."""

import asyncio
import json
import random
import sys
from asyncio.subprocess import Process
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

_OUTCOMES: Sequence[tuple[Sequence[str], int]] = (
    (("booked",), 35),
    (("no-answer",), 25),
    (("declined", "--reason", "price"), 10),
    (("declined", "--reason", "other-clinic"), 10),
    (("voicemail",), 10),
    (("wrong-number",), 5),
    (("do-not-contact",), 5),
)
"""What comes of a call, with weights: every way an attempt can end shows up in the demo."""

_LOOK_AGAIN_SECONDS = 1.0
_LONGEST_ANSWER = 1 << 24
"""Bytes: a call list is one line."""


class Staff:
    """Two people who work through the call list.

    Args:
        environment: Of the commands they run.
        seed: The same seed gives the same outcomes for the same list.
    """

    def __init__(self, environment: dict[str, str], seed: int = 7) -> None:
        self._environment = environment
        self._random = random.Random(seed)  # noqa: S311 - a simulation, not a secret
        self.outcomes: Counter[str] = Counter()

    async def work(self) -> None:
        """Call whoever is on the list, until cancelled."""
        await asyncio.gather(self._call("Lucía"), self._call("Irina"))

    async def _call(self, who: str) -> None:
        async with _terminal(self._environment) as regresa:
            while True:
                listed: list[dict[str, Any]] = json.loads(await regresa.says("calls", "--json"))
                # their own, too: a demo that was interrupted left them with a call under way
                free = [call for call in listed if call["claimed_by"] in (None, who)]
                if not free:
                    await asyncio.sleep(_LOOK_AGAIN_SECONDS)
                    continue
                task = self._random.choice(free)["task_id"]
                # the other may be faster: whoever has the claim makes the call
                if await regresa.tries("claim", task, "--as", who):
                    outcome = self._outcome()
                    await regresa.says("complete", task, "--as", who, "--outcome", *outcome)
                    self.outcomes[outcome[0]] += 1

    def _outcome(self) -> Sequence[str]:
        choices, weights = zip(*_OUTCOMES, strict=True)
        return list(self._random.choices(choices, weights)[0])


class _Terminal:
    """Where one of them types commands.

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
        answer = await self._type(arguments)
        if answer["code"] != 0:
            raise RuntimeError(
                f"regresa {arguments[0]} ended with {answer['code']}: {answer['errors']}"
            )
        return str(answer["output"])

    async def tries(self, *arguments: str) -> bool:
        """Type a command that may be refused; return whether it was not."""
        return bool((await self._type(arguments))["code"] == 0)

    async def _type(self, arguments: Sequence[str]) -> dict[str, Any]:
        typed, printed = self._process.stdin, self._process.stdout
        if typed is None or printed is None:
            raise RuntimeError("the command line was started without pipes")
        typed.write(json.dumps(arguments).encode() + b"\n")
        await typed.drain()
        line = await printed.readline()
        if not line:
            raise RuntimeError(f"regresa {arguments[0]} broke down")
        answer: dict[str, Any] = json.loads(line)
        return answer


@asynccontextmanager
async def _terminal(environment: dict[str, str]) -> AsyncIterator[_Terminal]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.local.command_line"),
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LONGEST_ANSWER,
        start_new_session=True,  # Ctrl-C reaches the demo alone, which then ends it
    )
    try:
        yield _Terminal(process)
    finally:
        # a command that is under way ends in order; after it there is nothing more to read
        if process.stdin is not None:
            process.stdin.close()
        process.terminate()
        await process.wait()
