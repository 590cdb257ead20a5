"""Simulated staff: they use the same commands as people do, and call the example's patients."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

from deploy.local.terminal import terminal

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
        async with terminal(self._environment) as regresa:
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
                else:  # or nobody may call there by now: somebody at that number said stop
                    await regresa.tries("close", task, "--as", who)

    def _outcome(self) -> Sequence[str]:
        choices, weights = zip(*_OUTCOMES, strict=True)
        return list(self._random.choices(choices, weights)[0])
