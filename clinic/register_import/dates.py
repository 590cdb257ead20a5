"""Dates as exports write them: in several orders, with two-digit years, with times and zones."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from clinic.register_import.cell import quoted
from clinic.register_import.cell_problem import CellProblem, Reason
from clinic.register_import.written_date import (
    NUMERIC_DATE,
    SHORT_YEAR,
    DateOrder,
    WrittenDate,
    read_written_date,
)

__all__ = ["DateOrder", "DateOrderSearch", "DateReader", "UnclearDates", "date_order_of"]

_EARLIEST = date(1890, 1, 1)
_YEARS_AHEAD = 10
"""No clinic books further ahead: it is a slip of the pen."""

_NO_DAY = frozenset(
    {
        date(1, 1, 1),  # .NET and Open Dental
        date(1753, 1, 1),  # the first day of SQL Server
        date(1899, 12, 30),  # day 0 of Delphi, Access and 1C; day 0 of Excel is the next one
        date(1899, 12, 31),
        date(1900, 1, 1),
        date(9999, 12, 31),  # "never"
    }
)
"""What programs write where they know no day. Nobody born on 1900-01-01 is left to be treated."""

_NO_DIGITS = re.compile(r"[0\s./:T-]*")

_EXPECTED = {"dmy": "28/02/2026", "mdy": "02/28/2026", "ymd": "2026/02/28"}


class UnclearDates(ValueError):
    """A file's dates can be read in two ways, and nothing in it tells which is meant.

    Args:
        problem: What is wrong, as a sentence.
        examples: Dates of the file for which it is.
    """

    def __init__(self, problem: str, *examples: str) -> None:
        super().__init__(problem)
        self.examples = examples


class DateOrderSearch:
    """Tells the order of day and month from a whole file: a single date often can't.

    `03/04/2026` is read by what the file's other dates say. Dates with dots are day first
    everywhere, and a four-digit year in front is ISO, so neither of them says anything.
    """

    _SLIPS = 0.02
    """Up to this share of dates in the other order are slips, rejected with their rows."""

    def __init__(self) -> None:
        self._first: dict[DateOrder, tuple[str, int]] = {}
        self._unclear = ""

    def see(self, text: str) -> None:
        """Look at a cell of a column of dates."""
        if text[:4].isdecimal():
            return  # nearly all: the year stands first
        written = NUMERIC_DATE.match(text.strip())
        if written is None or written[2] == "." or len(written[1]) > SHORT_YEAR:
            return
        first, second = int(written[1]), int(written[3])
        months = 12
        if first > months >= second > 0:
            self._count("dmy", text)
        elif second > months >= first > 0:
            self._count("mdy", text)
        elif first != second:
            self._unclear = self._unclear or text

    def found(self, country: str) -> DateOrder:
        """Say the order of day and month.

        Args:
            country: ISO 3166 code of the clinic; it decides where no date does, except in the
                countries in which both orders are in use.

        Raises:
            UnclearDates: The dates stand in both orders, or could.
        """
        day_first, month_first = (self._first.get(order, ("", 0)) for order in ("dmy", "mdy"))
        fewer, more = sorted((day_first[1], month_first[1]))
        if fewer > more * self._SLIPS:
            raise UnclearDates(
                f"the dates stand in two orders: `{day_first[0]}` and `{month_first[0]}`",
                day_first[0],
                month_first[0],
            )
        if more:
            return "dmy" if day_first[1] > month_first[1] else "mdy"
        if self._unclear and country in _BOTH_ORDERS:
            raise UnclearDates(
                f"nothing tells whether `{self._unclear}` begins with day or month", self._unclear
            )
        return "dmy"

    def _count(self, order: DateOrder, text: str) -> None:
        example, seen = self._first.get(order, (text, 0))
        self._first[order] = (example, seen + 1)


_BOTH_ORDERS = frozenset({"US", "PR", "VI", "GU", "CA", "PH"})
"""Where m/d/y is the custom (Unicode CLDR) but a program made elsewhere writes d/m/y."""


def date_order_of(samples: Iterable[str], country: str) -> DateOrder:
    """Tell the order of day and month from the cells of all columns of dates in a file.

    Raises:
        UnclearDates: The dates stand in both orders, or could.
    """
    search = DateOrderSearch()
    for sample in samples:
        search.see(sample)
    return search.found(country)


class DateReader:
    """Reads the dates of one file. Its methods raise ValueError with the reason.

    Args:
        zone: The clinic's time zone, which times without a zone are in.
        today: The clinic's day; nobody was born or seen after it.
        order: Of day and month where a date has its year last, and is not written with dots.
    """

    def __init__(self, *, zone: ZoneInfo, today: date, order: DateOrder) -> None:
        self._zone = zone
        self._today = today
        self._order = order
        # a file has few different days: most cells have been read before
        self.birth_date = lru_cache(maxsize=32_768)(self._birth_date)
        self.past_day = lru_cache(maxsize=32_768)(self._past_day)
        self.appointment = lru_cache(maxsize=8_192)(self._appointment)

    def _birth_date(self, text: str) -> date | None:
        """Return the day that is written, whatever its zone; None for a placeholder."""
        written = self._written(text)
        day = written and self._day(written, text, latest_year=self._today.year)
        if day and day > self._today and written and written.has_short_year:
            day = self._day(written, text, latest_year=self._today.year - 1)
        return self._not_ahead(day, text)

    def _past_day(self, text: str) -> date | None:
        """Return the clinic's day on which something was; None for a placeholder."""
        written = self._written(text)
        # a two-digit year that lies ahead is wrong, and not a century ago
        day = written and self._day(written, text, latest_year=self._today.year + 20)
        if day and written and written.clock and written.clock.tzinfo:
            day = datetime.combine(day, written.clock).astimezone(self._zone).date()
        return self._not_ahead(day, text)

    def _appointment(self, text: str) -> datetime | None:
        """Return an appointment's moment, aware UTC; None for a placeholder.

        A day without a time is its last minute: the patient is expected until then.
        """
        written = self._written(text)
        day = written and self._day(written, text, latest_year=self._today.year + _YEARS_AHEAD)
        if day is None or written is None:
            return None
        if day.year > self._today.year + _YEARS_AHEAD:
            raise ValueError(
                Reason(CellProblem.TOO_FAR_AHEAD, f"{quoted(text)} is too far ahead", text)
            )
        clock = written.clock or time(23, 59)
        moment = datetime.combine(day, clock)
        return (moment if clock.tzinfo else moment.replace(tzinfo=self._zone)).astimezone(UTC)

    def _not_ahead(self, day: date | None, text: str) -> date | None:
        if day and day > self._today:
            raise ValueError(Reason(CellProblem.FUTURE, f"{quoted(text)} lies in the future", text))
        return day

    def _written(self, text: str) -> WrittenDate | None:
        if _NO_DIGITS.fullmatch(text):
            return None
        written = read_written_date(text, self._order)
        if written is None:
            raise self._no_date(text)
        return written

    def _day(self, written: WrittenDate, text: str, *, latest_year: int) -> date | None:
        year = written.year
        if written.has_short_year:
            year += latest_year // 100 * 100
            year -= 100 if year > latest_year else 0
        try:
            day = date(year, written.month, written.day)
        except ValueError:
            raise self._no_date(text) from None
        if day in _NO_DAY:
            return None
        if day < _EARLIEST:
            raise ValueError(
                Reason(CellProblem.TOO_LONG_AGO, f"{quoted(text)} is too long ago", text)
            )
        return day

    def _no_date(self, text: str) -> ValueError:
        expected = _EXPECTED[self._order]
        said = f"{quoted(text)} is no date (expected 2026-02-28 or {expected})"
        return ValueError(Reason(CellProblem.NO_DATE, said, text, expected))
