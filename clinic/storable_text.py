"""Text from outside, as a database takes it: what can't be kept must not lose all the rest."""

from hashlib import sha256

_LONGEST_KEY = 200


def storable(text: str) -> str:
    """Return a text without NUL, which PostgreSQL takes nowhere, and without half characters."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def storable_key(key: str) -> str:
    """Return a giver's key as it is; a long one, for which an index has no room, as its hash."""
    key = storable(key)
    if len(key) <= _LONGEST_KEY:
        return key
    return f"{key[: _LONGEST_KEY // 2]}.{sha256(key.encode()).hexdigest()}"
