"""A contact policy as data: what the law, and the clinic, allow."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator

from clinic.contact_policy import blocks
from clinic.contact_policy.contact_calendar import ContactCalendar
from clinic.contact_policy.rules import (
    ConsentRule,
    ContactCaps,
    ContactHours,
    CoolDown,
    HolidayRule,
    LengthRule,
    OneChannelAWeek,
    TimeZoneRule,
)
from clinic.contact_policy.search import WITHIN, earliest

_ANY_DAY = date(2026, 1, 1)
_ANY_ZONE = ContactCalendar(zone=ZoneInfo("UTC"))
_EACH_SEASON = (timedelta(0), timedelta(days=182))
"""Zones lie further apart while only one of them has its summer time."""

_AN_ORDINARY_WEEK_WITHIN = timedelta(days=22)
"""Public holidays take no three weeks in a row."""


class ContactPolicy(BaseModel):
    """When, how often and with what a patient may be contacted.

    Attributes:
        description: For the person who picks it.
        country: Whose law it follows, ISO 3166 code; empty: no country's.
        contact_hours: Windows for each weekday.
        holidays: Public holidays on which nobody is contacted.
        time_zone: Whose time counts; None: the clinic's.
        contacts: How many at most; None: no limit.
        one_channel_a_week: None: channels may follow each other at once.
        cool_down: Between two attempts; None: none.
        consent: Which consent is needed. A refused one blocks its channel without any rule.
        length: How long texts may be.
        demonstration: The policy protects nobody; it is refused unless every provider is on
            the loopback.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    description: str = ""
    country: Annotated[str, Field(pattern=r"^([A-Z]{2})?$")] = ""
    contact_hours: ContactHours
    holidays: HolidayRule | None = None
    time_zone: TimeZoneRule | None = None
    contacts: ContactCaps | None = None
    one_channel_a_week: OneChannelAWeek | None = None
    cool_down: CoolDown | None = None
    consent: tuple[ConsentRule, ...] = ()
    length: tuple[LengthRule, ...] = ()
    demonstration: bool = False

    @model_validator(mode="after")
    def _leaves_room(self) -> Self:
        """Refuse hours that holidays never leave open: a step would wait for ever."""
        if self.holidays is not None:
            earliest(self._openings([_ANY_ZONE]), self._compared_from, WITHIN)
        return self

    def leaves_room(self, zones: Sequence[ZoneInfo]) -> bool:
        """Whether there are moments, in summer as in winter, that are open in every zone at once.

        Args:
            zones: Twelve hours apart, the day of one is the night of the other.
        """
        checks = self._openings([ContactCalendar(zone=zone) for zone in zones])
        try:
            for season in _EACH_SEASON:
                earliest(checks, self._compared_from + season, _AN_ORDINARY_WEEK_WITHIN)
        except ValueError:
            return False
        return True

    @property
    def _compared_from(self) -> datetime:
        day = _ANY_DAY if self.holidays is None else max(_ANY_DAY, self.holidays.since)
        return datetime.combine(day, time(), tzinfo=UTC)

    def _openings(self, calendars: Sequence[ContactCalendar]) -> list[blocks.Check]:
        checks = [partial(blocks.outside_hours, self.contact_hours, each) for each in calendars]
        if self.holidays is None:
            return [*checks]
        return [*checks, *(partial(blocks.on_holiday, self.holidays, each) for each in calendars)]
