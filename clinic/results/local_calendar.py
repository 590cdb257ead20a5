"""The clinic's days and weeks as SQL: databases keep UTC, and SQLite knows no time zones."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Date, DateTime, Interval, case, cast, func, literal
from sqlalchemy import types as sql_types
from sqlalchemy.orm import InstrumentedAttribute

from clinic.tables import UtcMoment

_DAY = timedelta(days=1)
_Moment = ColumnElement[datetime] | InstrumentedAttribute[datetime | None]
_Change = tuple[datetime, timedelta]


class LocalCalendar:
    """Says in SQL on which day, and in which week, of a zone a moment lies.

    Args:
        zone: The clinic's time zone.
        since: Aware UTC; the earliest moment that will be asked for.
        until: Aware UTC; the latest one.
        dialect: The database's, `sqlite` or `postgresql`.
    """

    def __init__(self, zone: ZoneInfo, since: datetime, until: datetime, dialect: str) -> None:
        self._first, self._changes = _offsets(zone, since - _DAY, until + _DAY)
        self._embedded = dialect == "sqlite"

    def day(self, moment: _Moment) -> ColumnElement[date]:
        """Return the day on which a moment lies."""
        if self._embedded:
            return func.date(moment, self._shift(moment), type_=Date)
        return cast(self._local(moment), Date)

    def monday(self, moment: _Moment) -> ColumnElement[date]:
        """Return the day on which a moment's week begins: weeks are those of ISO 8601."""
        if self._embedded:
            sunday = ("weekday 0", "-6 days")  # the week's last day, then back to its first
            return func.date(moment, self._shift(moment), *sunday, type_=Date)
        return cast(func.date_trunc("week", self._local(moment)), Date)

    def _local(self, moment: _Moment) -> ColumnElement[datetime]:
        utc = func.timezone("UTC", moment, type_=DateTime)
        return utc + cast(self._shift(moment), Interval)

    def _shift(self, moment: _Moment) -> ColumnElement[str]:
        """Return how far the zone is from UTC at a moment, as both databases read it."""
        last = self._first if not self._changes else self._changes[-1][1]
        branches, before = [], self._first
        for at, offset in self._changes:
            branches.append((moment < literal(at, UtcMoment()), _seconds(before)))
            before = offset
        return case(*branches, else_=_seconds(last)) if branches else _seconds(last)


def begins(day: date, zone: ZoneInfo) -> datetime:
    """Return when a day of a zone begins, aware UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def _seconds(offset: timedelta) -> ColumnElement[str]:
    return literal(f"{int(offset.total_seconds())} seconds", sql_types.String)


def _offsets(zone: ZoneInfo, since: datetime, until: datetime) -> tuple[timedelta, list[_Change]]:
    """Return a zone's offset at first, and each moment at which it becomes another."""
    first = before = _offset(zone, since)
    changes: list[_Change] = []
    moment = since
    while moment < until:
        following = moment + _DAY
        offset = _offset(zone, following)
        if offset != before:
            changes.append((_when(zone, moment, following), offset))
            before = offset
        moment = following
    return first, changes


def _when(zone: ZoneInfo, earlier: datetime, later: datetime) -> datetime:
    """Return the moment, to the second, at which a zone has its later offset."""
    offset = _offset(zone, later)
    while later - earlier > timedelta(seconds=1):
        middle = earlier + (later - earlier) // 2
        if _offset(zone, middle) == offset:
            later = middle
        else:
            earlier = middle
    return later.replace(microsecond=0)


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta(0)
