"""Windows of a weekday in local time, and the next moment that lies in one."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from clinic.contact_policy.contact_calendar import ContactCalendar

_DAY = timedelta(days=1)
_MINUTES_A_DAY = 24 * 60
_DAYS_SEARCHED = 400


class Window(BaseModel):
    """A span of local time; it belongs to the day on which it opens.

    Attributes:
        opens: Minutes after midnight, 0 to 1439.
        closes: Minutes after midnight, itself not included, 1 to 1440; not after `opens`: on
            the next day.
    """

    model_config = ConfigDict(frozen=True)

    opens: int
    closes: int

    @property
    def over_midnight(self) -> bool:
        """Whether it closes on the day after it opens."""
        return self.closes <= self.opens

    def __str__(self) -> str:
        return f"{_clock(self.opens)}-{_clock(self.closes)}"


def parse_windows(written: object) -> object:
    """Turn `09:00-20:00`, or a list of such, into windows.

    Raises:
        ValueError: Not of that form, or a window without length.
    """
    return tuple(_parse(each) for each in (written if isinstance(written, list) else [written]))


Windows = Annotated[tuple[Window, ...], BeforeValidator(parse_windows)]
"""The windows of a day; none: nobody is contacted on it."""

Week = Sequence[tuple[Window, ...]]
"""The windows of each weekday, from Monday."""


def opening(week: Week, calendar: ContactCalendar, moment: datetime) -> datetime:
    """Return the moment itself if the wall clock shows a time within a window, else the next.

    Only the wall clock counts: an hour that a clock change repeats is in twice, or out twice, and
    one that it leaves out opens nothing.

    Args:
        week: The windows.
        calendar: In whose zone they are meant.
        moment: Aware UTC.

    Raises:
        ValueError: There is no window at all.
    """
    if _is_open(week, calendar.local(moment)):
        return moment
    day = calendar.day_of(moment)
    for _ in range(_DAYS_SEARCHED):
        later = [start for start in _starts(week, calendar, day) if start > moment]
        found = [start for start in later if _is_open(week, calendar.local(start))]
        if found:
            return min(found)
        day += _DAY
    raise ValueError("no window on any day")


def turns(week: Week, calendar: ContactCalendar, day: date) -> Iterator[datetime]:
    """Give every moment (aware UTC) of a local day at which hours may begin, or cease, to count.

    Args:
        week: The windows; those of other weekdays do no harm.
        calendar: In whose zone they are meant.
        day: The local day.
    """
    yield calendar.start_of(day)
    if (changed := calendar.clock_change_on(day)) is not None:
        yield changed
    for minutes in {minute % _MINUTES_A_DAY for of_day in week for minute in _ends(of_day)}:
        yield from calendar.instants(day, minutes)


def _ends(windows: tuple[Window, ...]) -> Iterator[int]:
    for window in windows:
        yield window.opens
        yield window.closes


def _is_open(week: Week, local: datetime) -> bool:
    minute, weekday = local.hour * 60 + local.minute, local.weekday()
    return any(
        window.opens <= minute and (window.over_midnight or minute < window.closes)
        for window in week[weekday]
    ) or any(window.over_midnight and minute < window.closes for window in week[weekday - 1])


def _starts(week: Week, calendar: ContactCalendar, day: date) -> Iterator[datetime]:
    """Give every moment of a day at which a window may begin to count."""
    yield calendar.start_of(day)
    if (changed := calendar.clock_change_on(day)) is not None:
        yield changed
    for window in week[day.weekday()]:
        yield from calendar.instants(day, window.opens)


def _parse(written: object) -> Window:
    if isinstance(written, Window):
        return written
    try:
        opens, closes = (_minutes(part) for part in str(written).split("-"))
    except ValueError:
        raise ValueError(f"`{written}` is no window: write for example `09:00-20:00`") from None
    if opens in (closes, _MINUTES_A_DAY):
        raise ValueError(f"`{written}` ends as it begins")
    return Window(opens=opens, closes=closes)


def _minutes(clock: str) -> int:
    hours, minutes = (int(part) for part in clock.strip().split(":"))
    total = hours * 60 + minutes
    if not (0 <= minutes < 60 and 0 <= total <= _MINUTES_A_DAY):  # noqa: PLR2004 - of an hour
        raise ValueError(clock)
    return total


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
