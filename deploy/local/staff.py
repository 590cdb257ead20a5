"""Simulated staff: they use the same commands as people do, and call the example's patients."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Sequence
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
_BEFORE_THE_NEXT_LOOK = 4
"""Calls that one of them makes from a list; it changes meanwhile."""


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
        while True:
            listed: list[dict[str, Any]] = json.loads(await self._regresa("calls", "--json"))
            free = [call["task_id"] for call in listed if call["claimed_by"] is None]
            if not free:
                await asyncio.sleep(_LOOK_AGAIN_SECONDS)
                continue
            for task in self._random.sample(free, min(len(free), _BEFORE_THE_NEXT_LOOK)):
                # the other may be faster: whoever has the claim makes the call
                if await self._try("claim", task, "--as", who):
                    outcome = self._outcome()
                    await self._regresa("complete", task, "--as", who, "--outcome", *outcome)
                    self.outcomes[outcome[0]] += 1

    def _outcome(self) -> Sequence[str]:
        choices, weights = zip(*_OUTCOMES, strict=True)
        return list(self._random.choices(choices, weights)[0])

    async def _regresa(self, *arguments: str) -> str:
        code, output, errors = await self._run(*arguments)
        if code != 0:
            raise RuntimeError(f"regresa {arguments[0]} ended with {code}: {errors}")
        return output

    async def _try(self, *arguments: str) -> bool:
        return (await self._run(*arguments))[0] == 0

    async def _run(self, *arguments: str) -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            "regresa",
            *arguments,
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            output, errors = await process.communicate()
        except asyncio.CancelledError:
            process.terminate()
            await process.wait()
            raise
        return process.returncode or 0, output.decode(), errors.decode()
