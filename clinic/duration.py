"""Durations as people write them in the clinic's files: `3 days`, `8 seconds`, `2 h`."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator

_UNITS = {
    "s": timedelta(seconds=1),
    "sec": timedelta(seconds=1),
    "second": timedelta(seconds=1),
    "min": timedelta(minutes=1),
    "minute": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "hour": timedelta(hours=1),
    "d": timedelta(days=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_WRITTEN = re.compile(r"(-?\d+(?:\.\d+)?)\s*([a-z]+)", re.IGNORECASE)


def parse_duration(written: object) -> object:
    """Turn `3 days` into a timedelta; hand anything else on unchanged (ISO 8601 goes to pydantic).

    Raises:
        ValueError: A bare number (its unit is missing), an unknown unit, or too long a time.
    """
    if isinstance(written, int | float) or (
        # pydantic would take it for seconds
        isinstance(written, str) and _NUMBER.fullmatch(written.strip())
    ):
        raise ValueError(f"{written} has no unit: write for example `{written} days`")
    if not isinstance(written, str) or (match := _WRITTEN.fullmatch(written.strip())) is None:
        return written
    number, unit = match.groups()
    length = _UNITS.get(unit.lower()) or _UNITS.get(unit.lower().removesuffix("s"))
    if length is None:
        known = "seconds, minutes, hours, days, weeks"
        raise ValueError(f"unknown unit `{unit}`: use {known}")
    try:
        return float(number) * length
    except OverflowError:
        raise ValueError(f"`{written}` is too long a time") from None


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
"""A timedelta that also reads `3 days`."""


def spoken(duration: timedelta) -> str:
    """Say a duration with its largest whole unit: `3 days`, `90 minutes`, `8 seconds`."""
    seconds = int(duration.total_seconds())
    for name in ("week", "day", "hour", "minute"):
        unit = int(_UNITS[name].total_seconds())
        if seconds and seconds % unit == 0:
            count = seconds // unit
            return f"{count} {name}{'' if count == 1 else 's'}"
    return f"{seconds} second{'' if seconds == 1 else 's'}"
