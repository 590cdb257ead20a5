"""Opaque identifiers: they name a row and tell nothing about the person behind it."""

import secrets

# 64 random bits: at a million rows the odds of any collision are about 1 in 37 million, and
# a collision is refused by the primary key rather than mixed up.
_RANDOM_BYTES = 8


def new_id(prefix: str) -> str:
    """Return a new opaque id such as `at-5f0c9a3e1b7d2c48`, safe in URLs and workflow ids."""
    return f"{prefix}-{secrets.token_hex(_RANDOM_BYTES)}"


def new_ids(prefix: str, count: int) -> list[str]:
    """Return so many new opaque ids; cheaper than one after the other."""
    digits = secrets.token_hex(_RANDOM_BYTES * count)
    width = 2 * _RANDOM_BYTES
    return [f"{prefix}-{digits[at : at + width]}" for at in range(0, len(digits), width)]
