"""How many came how far: counts that can be added up, and the shares that are made of them."""

from typing import NamedTuple, Self

from clinic.results.facts import BY_THEMSELVES, Stage
from clinic.results.share import Share


class Funnel(NamedTuple):
    """How many of a group came at least so far.

    Attributes:
        in_segment: Everybody in the group.
        contacted: Of those.
        answered: Of those contacted.
        booked: Of those who answered.
        came: Of those who booked.
        by_themselves: In the segment, and booked before the clinic had contacted them.
        under_way: In the segment, and their attempt has not ended, or not begun.
    """

    in_segment: int = 0
    contacted: int = 0
    answered: int = 0
    booked: int = 0
    came: int = 0
    by_themselves: int = 0
    under_way: int = 0

    @classmethod
    def of(cls, number: int, count: int, *, under_way: bool) -> Self:
        """Return the counts of people of whom all came equally far.

        Args:
            number: How far: of a `Stage`, or `BY_THEMSELVES`.
            count: How many they are.
            under_way: Whether their attempts have not ended.
        """
        reached = [count if number >= stage else 0 for stage in list(Stage)[1:]]
        by_themselves = count if number == BY_THEMSELVES else 0
        return cls._make([count, *reached, by_themselves, count if under_way else 0])

    def with_(self, other: "Funnel") -> "Funnel":
        """Return the counts of both groups together."""
        return Funnel(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))

    def share(self, stage: Stage, of: Stage = Stage.IN_SEGMENT) -> Share:
        """Return how many came to a stage, of those who came to an earlier one."""
        return Share(self[stage], self[of])
