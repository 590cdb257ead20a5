"""A date's parts as they are written, in digits or with a month's name, with a time or without."""

import re
from datetime import UTC, time, timedelta, timezone
from typing import Literal, NamedTuple

from clinic.register_import.month_names import month_of

DateOrder = Literal["dmy", "mdy", "ymd"]


class WrittenDate(NamedTuple):
    """A date's parts; `clock` is None where no time is written, or midnight, which means none."""

    year: int
    month: int
    day: int
    has_short_year: bool = False
    clock: time | None = None


def read_written_date(text: str, order: DateOrder) -> WrittenDate | None:
    """Return a date's parts, which may be of no day that exists; None for what is no date.

    Args:
        text: One line.
        order: Of day and month where the year stands last, and no dots between them.
    """
    if written := NUMERIC_DATE.fullmatch(text):
        return _numeric(written, order)
    if written := _COMPACT.fullmatch(text):
        return WrittenDate(int(written[1]), int(written[2]), int(written[3]))
    if written := _DAY_FIRST.fullmatch(text):
        return _named(written[3], written[2], written[1])
    if written := _MONTH_FIRST.fullmatch(text):
        return _named(written[3], written[1], written[2])
    return None


def _numeric(written: "re.Match[str]", order: DateOrder) -> WrittenDate | None:
    first, mark, second, third, rest = written.groups()
    clock = None
    if rest:
        try:
            clock = _read_clock(rest)
        except ValueError:
            return None
    if len(first) == _LONG_YEAR or (order == "ymd" and mark != "." and len(third) <= SHORT_YEAR):
        year, month, day = first, second, third
    elif order == "mdy" and mark != ".":
        month, day, year = first, second, third
    else:
        day, month, year = first, second, third
    if len(year) not in (SHORT_YEAR, _LONG_YEAR) or len(day) > len("31"):
        return None
    return WrittenDate(int(year), int(month), int(day), len(year) == SHORT_YEAR, clock)


def _named(year: str, name: str, day: str) -> WrittenDate | None:
    month = month_of(name)
    if month is None:
        return None
    return WrittenDate(int(year), month, int(day), len(year) == SHORT_YEAR)


def _read_clock(text: str) -> time | None:
    """Read a time of day, aware where its zone is written; None for midnight.

    Raises:
        ValueError: It is no time.
    """
    written = _CLOCK.fullmatch(text)
    if written is None:
        raise ValueError(text)
    hour, minute, second, half, utc, sign, ahead_hours, ahead_minutes = written.groups()
    hours = int(hour)
    if half:
        hours = hours % 12 + (12 if half in "pP" else 0)
    if not hours + int(minute) + int(second or 0):
        return None
    zone = UTC if utc else None
    clock = time(hours, int(minute), int(second or 0), tzinfo=zone)
    if not sign:
        return clock
    ahead = timedelta(hours=int(ahead_hours), minutes=int(ahead_minutes or 0))
    return clock.replace(tzinfo=timezone(ahead if sign == "+" else -ahead))


NUMERIC_DATE = re.compile(r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})(?:(?:[T ]|, ?)(\S.*))?")
"""The parts of a date in digits, its mark, and what follows it."""

_COMPACT = re.compile(r"((?:18|19|20)\d\d)(\d\d)(\d\d)")
_DAY_FIRST = re.compile(
    r"(\d{1,2})(?: de)?[ .-]+([^\W\d_]+)\.?(?: de)?[ .,-]+(\d{2}|\d{4})(?: ?[^\W\d_]\.)?"
)
_MONTH_FIRST = re.compile(r"([^\W\d_]+)\.? (\d{1,2}),? (\d{4})")
_CLOCK = re.compile(
    r"(\d{1,2})[:.h](\d\d)(?::(\d\d)(?:[.,]\d+)?)?(?: ?([ap])\.? ?m\.?)?"
    r" ?(?:(Z|UTC)|([+-])(\d\d):?(\d\d)?)?",
    re.IGNORECASE,
)
SHORT_YEAR, _LONG_YEAR = 2, 4
"""In digits."""
