"""The rules that a contact policy may have; each names its source and its date."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from clinic.contact_policy.public_holidays import check_place
from clinic.contact_policy.windows import Windows
from clinic.duration import Duration

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

Content = Literal["reminder", "advertising"]
"""What a template is; an offer of any sort makes a reminder advertising."""


ChannelName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]
"""Written as channels are: `SMS` would protect nobody."""


class Rule(BaseModel):
    """What every rule says of itself.

    Attributes:
        source: The law and its article, or `house rule: ...` where no law says so.
        since: The day from which it is in force; before it, the rule does not count.
        note: For the person who reads the file.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: Annotated[str, Field(min_length=1, max_length=80)]
    since: date
    note: str = ""

    @model_validator(mode="before")
    @classmethod
    def _has_fields(cls, written: object) -> object:
        if isinstance(written, Mapping | Rule):
            return written
        named = ", ".join(field.alias or name for name, field in cls.model_fields.items())
        raise ValueError(f"`{written}` is no rule: write its fields below it ({named})")

    def in_force(self, day: date) -> bool:
        """Whether the rule counts on a day."""
        return day >= self.since


class ContactHours(Rule):
    """Windows of local time for each weekday; a day that is not named has none.

    They count even before `since`: without hours, nights would be allowed.
    """

    monday: Windows = ()
    tuesday: Windows = ()
    wednesday: Windows = ()
    thursday: Windows = ()
    friday: Windows = ()
    saturday: Windows = ()
    sunday: Windows = ()

    @property
    def week(self) -> tuple[Windows, ...]:
        """The windows of each weekday, from Monday."""
        return (
            self.monday,
            self.tuesday,
            self.wednesday,
            self.thursday,
            self.friday,
            self.saturday,
            self.sunday,
        )

    @model_validator(mode="after")
    def _has_a_window(self) -> Self:
        if not any(self.week):
            raise ValueError("no day has a window: write for example `monday: 09:00-20:00`")
        return self


class HolidayRule(Rule):
    """No contact on public holidays.

    Attributes:
        country: ISO 3166 code.
        subdivision: A part of the country that has holidays of its own.
    """

    country: str
    subdivision: str | None = None

    @model_validator(mode="after")
    def _place_is_known(self) -> Self:
        check_place(self.country, self.subdivision)
        return self


class TimeZoneRule(Rule):
    """In whose time zone hours and days are meant."""

    of: Literal["patient", "clinic"]


class ContactCaps(Rule):
    """How many contacts a patient gets at most.

    Attributes:
        per_day: In one local day; None: no limit.
        per_week: In any seven local days in a row; None: no limit.
    """

    per_day: Annotated[int, Field(ge=1)] | None = None
    per_week: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _limits_something(self) -> Self:
        if self.per_day is None and self.per_week is None:
            raise ValueError("write per_day, per_week, or both")
        return self


class OneChannelAWeek(Rule):
    """After a contact on one channel, no other channel for seven days."""


class CoolDown(Rule):
    """The rest between the end of one attempt and the start of the patient's next."""

    rest: Annotated[Duration, Field(alias="for", gt=timedelta(0))]


def parse_channels(written: object) -> object:
    """Turn `all` into None, and one channel's name into a list.

    Raises:
        ValueError: An empty list.
    """
    if written == "all":
        return None
    if written == []:
        raise ValueError("is empty: write `all`, or a list of channels")
    return [written] if isinstance(written, str) else written


class ConsentRule(Rule):
    """Which consent a kind of content needs.

    Attributes:
        content: What kind of content.
        channels: On which channels; None: on all.
        needs: `given`: the patient said yes; `not_refused`: the patient did not say no.
    """

    content: Content
    channels: Annotated[frozenset[ChannelName] | None, BeforeValidator(parse_channels)]
    needs: Literal["given", "not_refused"]


class LengthRule(Rule):
    """How long a text may be, in characters, on one channel for one kind of content."""

    channel: ChannelName
    content: Content
    characters: Annotated[int, Field(ge=1)]
