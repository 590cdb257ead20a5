"""Where a page may send its reader on: to a path of the console, never to another host."""

import re

_OWN = re.compile(r"/(?:[A-Za-z0-9_.~%-][A-Za-z0-9_.~%/-]*)?")
"""No second slash and no backslash at the beginning: browsers read both as another host."""
_LONGEST = 300


def own_path(asked: str, otherwise: str = "/") -> str:
    """Return a path that was asked for if it is one of our own.

    A query is not taken along: what somebody searched for may be personal.

    Args:
        asked: As it came in; anybody may have written it.
        otherwise: What to return in its place.
    """
    return asked if len(asked) <= _LONGEST and _OWN.fullmatch(asked) else otherwise
