"""When the clinic may contact a patient: may I now, else when next, and which rule decides."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from clinic.duration import Duration

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY = timedelta(days=1)


class ContactHours(BaseModel):
    """A window of one day in local time; minutes after midnight, the end not included."""

    model_config = ConfigDict(frozen=True)

    opens: int
    closes: int

    def on(self, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Return the window of a day as aware UTC instants; clock changes are accounted for."""
        return _instant(day, self.opens, zone), _instant(day, self.closes, zone)

    def __str__(self) -> str:
        return f"{_clock(self.opens)}-{_clock(self.closes)}"


def parse_hours(written: object) -> object:
    """Turn `09:00-20:00` into a window.

    Raises:
        ValueError: Not of that form, or the end is not after the beginning.
    """
    if isinstance(written, ContactHours):
        return written
    try:
        opens, closes = (_minutes(part) for part in str(written).split("-"))
    except ValueError:
        raise ValueError(f"`{written}` is no window: write for example `09:00-20:00`") from None
    if opens >= closes:
        raise ValueError(f"`{written}` ends before it begins")
    return ContactHours(opens=opens, closes=closes)


class ContactPolicy(BaseModel):
    """When and how often the law and the clinic allow a contact.

    Attributes:
        description: For the person who picks it.
        contact_hours: Weekday to window, local time; a day that is not named has none.
        contacts_per_day: Machine messages for each patient and local day; None: no limit.
        cool_down: Between the end of one attempt and the start of the patient's next.
        demonstration: The policy protects nobody; it is refused unless every provider is on
            the loopback.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    description: str = ""
    contact_hours: dict[str, Annotated[ContactHours, BeforeValidator(parse_hours)]] = Field(
        min_length=1
    )
    contacts_per_day: Annotated[int, Field(ge=1)] | None = None
    cool_down: Annotated[Duration, Field(ge=timedelta(0))] = timedelta(0)
    demonstration: bool = False

    def model_post_init(self, _context: object) -> None:
        """Refuse a day that no week has."""
        for day in self.contact_hours:
            if day not in _WEEKDAYS:
                raise ValueError(f"`{day}` is no weekday: use {', '.join(_WEEKDAYS)}")


class NotBefore(BaseModel):
    """Not now: the earliest allowed moment (aware UTC) and the rule that decides."""

    model_config = ConfigDict(frozen=True)

    until: datetime
    rule: str


def may_contact(
    policy: ContactPolicy, zone: ZoneInfo, now: datetime, earlier: Iterable[datetime]
) -> NotBefore | None:
    """Answer whether a machine message may go out now; None is yes.

    Args:
        policy: The rules.
        zone: The clinic's time zone, in which hours and days are meant.
        now: Aware UTC.
        earlier: When the patient was contacted before, aware UTC; the last two days are enough.
    """
    contacted = [moment.astimezone(zone).date() for moment in earlier]
    rule = ""
    day = now.astimezone(zone).date()
    for _ in range(8):  # a week on, every weekday has had its turn
        hours = policy.contact_hours.get(_WEEKDAYS[day.weekday()])
        if policy.contacts_per_day is not None and contacted.count(day) >= policy.contacts_per_day:
            rule = rule or f"contacts per day: at most {policy.contacts_per_day}"
        elif hours is None:
            rule = rule or f"contact hours: none on {_WEEKDAYS[day.weekday()]}"
        else:
            opens, closes = hours.on(day, zone)
            if now < opens:
                return NotBefore(until=opens, rule=rule or f"contact hours: {hours}")
            if now < closes:
                return None
            rule = rule or f"contact hours: {hours}"
        day += _DAY
    raise ValueError("no window within a week: contacts lie in the future")


def next_opening(policy: ContactPolicy, zone: ZoneInfo, moment: datetime) -> datetime:
    """Return the moment itself if it lies within contact hours, else the next opening."""
    blocked = may_contact(policy.model_copy(update={"contacts_per_day": None}), zone, moment, ())
    return moment if blocked is None else blocked.until


def _instant(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    days, minutes = divmod(minutes, 24 * 60)
    local = datetime.combine(day + days * _DAY, time(minutes // 60, minutes % 60), tzinfo=zone)
    return local.astimezone(UTC)


def _minutes(clock: str) -> int:
    hours, minutes = (int(part) for part in clock.strip().split(":"))
    total = hours * 60 + minutes
    if not (0 <= minutes < 60 and 0 <= total <= 24 * 60):  # noqa: PLR2004 - minutes of an hour
        raise ValueError(clock)
    return total


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
