"""Local days and clocks of one time zone, with the days on which the clinic is closed."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_LONGEST_CLOSURE = timedelta(days=366)


def parse_closing_days(written: object) -> object:
    """Turn a list of days, and of spans such as `2026-12-24 to 2027-01-02`, into a set of days.

    Raises:
        ValueError: No day of that name, or a span that ends before it begins or after a year.
    """
    if not isinstance(written, Iterable) or isinstance(written, str):
        raise ValueError("write a list such as [2026-12-24, 2027-01-02 to 2027-01-05]")  # noqa: TRY004 - pydantic hears ValueError
    return frozenset(day for each in written for day in _days(each))


ClosingDays = Annotated[frozenset[date], BeforeValidator(parse_closing_days)]
"""Days on which the clinic contacts nobody."""


class ContactCalendar(BaseModel):
    """In which zone hours and days are meant, and when the clinic is closed.

    Attributes:
        zone: The clinic's, or the patient's where the policy asks for it.
        closing_days: The clinic's own; days of the zone above.
        further_zones: More zones in which the patient may be: what counts in one counts in each.
    """

    model_config = ConfigDict(frozen=True)

    zone: ZoneInfo
    closing_days: frozenset[date] = frozenset()
    further_zones: tuple[ZoneInfo, ...] = ()

    def in_zones(self, zone: ZoneInfo, *further: ZoneInfo) -> "ContactCalendar":
        """Return the same calendar in other zones: wherever the patient may be."""
        return self.model_copy(update={"zone": zone, "further_zones": further})

    def by_zone(self) -> "tuple[ContactCalendar, ...]":
        """Return the calendar of each zone on its own."""
        if not self.further_zones:
            return (self,)
        return tuple(self.in_zones(zone) for zone in (self.zone, *self.further_zones))

    def local(self, moment: datetime) -> datetime:
        """Return what the clock on the wall shows."""
        return moment.astimezone(self.zone)

    def day_of(self, moment: datetime) -> date:
        """Return the local day."""
        return moment.astimezone(self.zone).date()

    def start_of(self, day: date) -> datetime:
        """Return the first moment of a local day, aware UTC; midnight need not exist."""
        return next(self.instants(day, 0))

    def instants(self, day: date, minutes: int) -> Iterator[datetime]:
        """Give the moments (aware UTC) at which the clock shows a time of a day.

        The earlier one first of an hour that a clock change repeats. For a time that it leaves
        out: by the offset before the change, then by the one after it.

        Args:
            day: The local day.
            minutes: After midnight, 0 to 1439.
        """
        local = datetime.combine(day, time(minutes // 60, minutes % 60), tzinfo=self.zone)
        for fold in (0, 1):
            yield local.replace(fold=fold).astimezone(UTC)

    def clock_change_on(self, day: date) -> datetime | None:
        """Return when the zone's offset changes within a local day; None where it does not.

        Found by halving the day, for zones tell no list; no zone changes twice a day.
        """
        before, after = self.start_of(day), self.start_of(day + _DAY)
        old = self.local(before).utcoffset()
        if self.local(after - _SECOND).utcoffset() == old:
            return None
        while after - before > _SECOND:
            middle = before + (after - before) // 2 // _SECOND * _SECOND
            if self.local(middle).utcoffset() == old:
                before = middle
            else:
                after = middle
        return after


def _days(written: object) -> Iterator[date]:
    if isinstance(written, date):
        yield written
        return
    first, _, last = (part.strip() for part in str(written).partition(" to "))
    try:
        day, end = date.fromisoformat(first), date.fromisoformat(last or first)
    except ValueError:
        raise ValueError(
            f"`{written}` is no day: write 2026-12-24, or 2026-12-24 to 2027-01-02"
        ) from None
    if not day <= end <= day + _LONGEST_CLOSURE:
        raise ValueError(f"`{written}` ends before it begins, or after a year")
    while day <= end:
        yield day
        day += _DAY
