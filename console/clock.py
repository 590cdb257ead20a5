"""What time it is, where a door has to know; tests bring a clock of their own."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the present moment, aware UTC."""


def utc_now() -> datetime:
    """Return the present moment, aware UTC."""
    return datetime.now(UTC)
