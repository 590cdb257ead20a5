"""The earliest moment that no rule blocks, found by asking every rule again and again."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from clinic.contact_policy.blocks import Check

WITHIN = timedelta(days=400)
"""Hours and public holidays that leave no moment within so long leave none at all: a year has
passed, with every movable holiday in its place."""


def earliest(
    checks: Sequence[Check], start: datetime, within: timedelta | None = None
) -> tuple[datetime, list[str]]:
    """Return the earliest moment that no check blocks, and the words of those that pushed there.

    Every check says until when it blocks without a gap, so going on from the furthest answer
    leaves out no allowed moment. It ends: closing days and contacts are finitely many, and
    hours with holidays were found to leave room when the policy was read.

    Args:
        checks: Each answers for one moment.
        start: Aware UTC.
        within: How far to look; None: as far as it takes.

    Raises:
        ValueError: Everything up to `within` after the start is blocked.
    """
    moment = start
    words: list[str] = []
    while found := [blocked for check in checks if (blocked := check(moment)) is not None]:
        furthest = max(found, key=lambda blocked: blocked.until)
        if not (words and furthest.minor) and furthest.words not in words:
            words.append(furthest.words)
        moment = furthest.until
        if within is not None and moment - start > within:
            raise ValueError(f"no moment within {within.days} days is allowed")
    return moment, words
