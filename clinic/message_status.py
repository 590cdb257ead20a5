"""What a provider says of a message: reports come late, twice and in any order."""

_IN_ORDER = (
    "queued",
    "accepted",
    "scheduled",
    "sending",
    "sent",
    "delivered",
    "read",
)
_NEVER_ARRIVES = ("failed", "undelivered", "canceled")
"""Final: what was said first stays."""
_ARRIVED = ("delivered", "read")


def furthest(known: str | None, reported: str) -> str:
    """Return the status that stands after a further report; it never goes back.

    Args:
        known: What stood so far; None: nothing.
        reported: What the provider reports now, in its own words. Those that are not listed, as a
            plug-in may have, count as being on the way.
    """
    if known is None or known == reported:
        return reported
    if known in _NEVER_ARRIVES:
        return known
    if reported in _NEVER_ARRIVES:
        return known if known in _ARRIVED else reported
    return reported if _rank(reported) >= _rank(known) else known


def has_arrived(status: str | None) -> bool:
    """Whether a message is known to have arrived."""
    return status in _ARRIVED


def _rank(status: str) -> int:
    return _IN_ORDER.index(status) if status in _IN_ORDER else _IN_ORDER.index("sent")
