"""A share of a group, with how far chance alone may have moved it."""

from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

FEW = 30
"""A group of fewer people is marked as small and not ranked.

Under 30 the United States' National Center for Health Statistics does not show a proportion at all
(Parker JD et al., Data Presentation Standards for Proportions, Vital and Health Statistics 2(175),
2017). A manager who knows the people may still want to see it, so here it is shown and marked.
"""

CONFIDENCE = 0.95
_Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


class Interval(NamedTuple):
    """Two ends, the lower first."""

    low: float
    high: float


def wilson(count: int, of: int) -> Interval:
    """Return the range in which a share most likely lies, 0 to 1, at 95 %.

    The score interval of Wilson EB, "Probable inference, the law of succession, and statistical
    inference", Journal of the American Statistical Association 22 (1927) 209-212. Unlike the
    textbook's interval it stays within 0 and 1 and holds what it promises for small groups too:
    Brown LD, Cai TT, DasGupta A, "Interval estimation for a binomial proportion", Statistical
    Science 16 (2001) 101-133. Of nobody, nothing is known: 0 to 1.

    Args:
        count: How many did it.
        of: How many there are.

    Raises:
        ValueError: The count is negative, or larger than the group.
    """
    if not 0 <= count <= of:
        raise ValueError(f"{count} of {of} is no share")
    if of == 0:
        return Interval(0.0, 1.0)
    share, z2 = count / of, _Z * _Z
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    reach = _Z / (1 + z2 / of) * sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    # at the ends the formula is exact on paper and a rounding error off in a computer
    low = 0.0 if count == 0 else min(share, middle - reach)
    high = 1.0 if count == of else max(share, middle + reach)
    return Interval(low, high)


class Share(NamedTuple):
    """So many of a group."""

    number: int
    of: int

    @property
    def share(self) -> float:
        """From 0 to 1; 0 of nobody."""
        return self.number / self.of if self.of else 0.0

    @property
    def interval(self) -> Interval:
        """Where the share most likely lies; see `wilson`."""
        return wilson(self.number, self.of)

    @property
    def few(self) -> bool:
        """Whether the group is too small to be ranked by its share."""
        return self.of < FEW
