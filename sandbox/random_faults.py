"""Faults that come by chance: each submission may meet one, by its share, its turn and the seed.

| fault | what happens |
| --- | --- |
| ``smtp_cut_after_data`` | the connection drops after DATA; every other mail was accepted before |
| ``smtp_451`` | 451 4.3.0 after DATA, nothing stored |
| ``twilio_429`` | 429, 20429 with ``Retry-After`` of one to three seconds, nothing stored |
| ``twilio_500`` | 500, 20500; every other message was taken before |
| ``twilio_503`` | 503, 20503, nothing stored |
| ``twilio_accept_then_silence`` | taken, and the request is never answered |
| ``webhook_repeat`` | a webhook that was taken comes once more, up to three seconds later |
| ``webhook_reorder`` | a webhook comes up to three seconds late, so that later ones overtake it |
"""

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from sandbox.personas import fraction_of

_LONGEST_PAUSE_S: Final = 3.0


class RandomFault(StrEnum):
    """A fault that a share of all submissions meets."""

    SMTP_CUT_AFTER_DATA = "smtp_cut_after_data"
    SMTP_451 = "smtp_451"
    TWILIO_429 = "twilio_429"
    TWILIO_500 = "twilio_500"
    TWILIO_503 = "twilio_503"
    TWILIO_ACCEPT_THEN_SILENCE = "twilio_accept_then_silence"
    WEBHOOK_REPEAT = "webhook_repeat"
    WEBHOOK_REORDER = "webhook_reorder"


_OF_MAIL: Final = (RandomFault.SMTP_CUT_AFTER_DATA, RandomFault.SMTP_451)
_OF_TWILIO: Final = (
    RandomFault.TWILIO_429,
    RandomFault.TWILIO_500,
    RandomFault.TWILIO_503,
    RandomFault.TWILIO_ACCEPT_THEN_SILENCE,
)


def check_shares(shares: Mapping[RandomFault, float]) -> None:
    """Look whether the shares are shares: what excludes each other sums to 1 at most.

    Raises:
        ValueError: They are not.
    """
    for share in shares.values():
        if not 0 <= share <= 1:
            raise ValueError("each share of a fault is from 0 to 1")
    for kinds in (_OF_MAIL, _OF_TWILIO):
        if sum(shares.get(kind, 0.0) for kind in kinds) > 1:
            raise ValueError("the shares of a provider's faults sum to 1 at most")


class RandomFaults:
    """Chooses the faults, and counts those that it chose.

    Attributes:
        counts: How often each fault came; of those that come in two kinds, by kind.
    """

    def __init__(self, shares: Mapping[RandomFault, float], *, seed: int) -> None:
        """Choose by these shares; the same seed gives the n-th submission the same fault."""
        self.counts: Counter[str] = Counter()
        self._shares = shares
        self._seed = seed
        self._turns: Counter[str] = Counter()

    def of_mail(self) -> RandomFault | None:
        """Return what happens to the next mail."""
        return self._one_of(_OF_MAIL, "mail")

    def of_twilio(self) -> RandomFault | None:
        """Return what happens to the next request to send."""
        return self._one_of(_OF_TWILIO, "twilio")

    def is_taken(self, fault: RandomFault) -> bool:
        """Tell whether what meets this fault was taken before: every other time, and counted."""
        taken = self.counts[f"{fault}, taken"] <= self.counts[f"{fault}, not taken"]
        self.counts[f"{fault}, {'taken' if taken else 'not taken'}"] += 1
        return taken

    def count(self, fault: RandomFault) -> None:
        """Count a fault."""
        self.counts[fault] += 1

    def delay(self) -> float:
        """Return how late the next webhook comes, in seconds; mostly it comes at once."""
        return self._late(RandomFault.WEBHOOK_REORDER)

    def repeat_after(self) -> float:
        """Return after how many seconds the next webhook is repeated; mostly 0: it is not."""
        return self._late(RandomFault.WEBHOOK_REPEAT)

    def retry_after(self) -> int:
        """Return for how many seconds a client is asked to wait."""
        return 1 + int(self._draw("retry_after") * _LONGEST_PAUSE_S)

    def _late(self, fault: RandomFault) -> float:
        if self._draw(fault) >= self._shares.get(fault, 0.0):
            return 0.0
        self.count(fault)
        return self._draw(f"{fault} pause") * _LONGEST_PAUSE_S

    def _one_of(self, kinds: tuple[RandomFault, ...], turn: str) -> RandomFault | None:
        drawn = self._draw(turn)
        reached = 0.0
        for kind in kinds:
            reached += self._shares.get(kind, 0.0)
            if drawn < reached:
                return kind
        return None

    def _draw(self, turn: str) -> float:
        self._turns[turn] += 1
        return fraction_of(self._seed, turn, str(self._turns[turn]))
