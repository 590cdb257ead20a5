"""The conditions of a segment that need more than one word, as they stand in YAML."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from clinic.duration import Duration
from clinic.plain_text import plain
from clinic.register_import.closed_lists import listed, listed_values

_LONGEST_AGO = timedelta(days=130 * 366)


class Part(BaseModel):
    """A part of a segment's file: no unknown field, and no field without a value."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _has_a_value(cls, written: object) -> object:
        # `treatment:` with its value forgotten must not come to mean "everybody"
        if written is None:
            raise ValueError("has no value: give it one, or take the line out")
        return written


def as_list(written: object) -> object:
    """Let one value stand for a list of it."""
    return written if isinstance(written, list) else [written]


def from_list(name: str) -> Callable[[object], object]:
    """Return a reader of a closed list's words, as people write them in any of its languages.

    Args:
        name: A list of `register_import/value_aliases.yaml`.
    """

    def read(written: object) -> object:
        values = listed_values(name)
        value = listed(name, written) if isinstance(written, str) else None
        if value not in values:
            raise ValueError(f"`{written}` is not one of: {', '.join(values)}")
        return value

    return read


def _comparable(word: str) -> str:
    if not plain(word):
        raise ValueError(f"`{word}` has neither letters nor digits")
    return word


def _days(duration: timedelta) -> timedelta:
    if duration < timedelta(days=1):
        raise ValueError("must be at least one day")
    if duration > _LONGEST_AGO:
        raise ValueError("is longer than anybody lives")
    return duration


Word = Annotated[str, AfterValidator(_comparable)]
Words = Annotated[list[Word], BeforeValidator(as_list), Field(min_length=1)]
"""Words of the register, such as treatments; case, accents and punctuation do not matter."""

Days = Annotated[Duration, AfterValidator(_days)]
"""One day or more; counted in days of the clinic."""


class AgeRange(Part):
    """An age in whole years, both ends included."""

    from_: Annotated[int, Field(ge=0, le=130, alias="from")] = 0
    to: Annotated[int, Field(ge=0, le=130)] = 130

    @model_validator(mode="after")
    def _runs_upwards(self) -> Self:
        if self.from_ > self.to:
            raise ValueError(f"nobody is from {self.from_} to {self.to} years old")
        return self


class LastVisit(Part):
    """When the patient was last seen: longer ago than, or between two days (both included)."""

    older_than: Days | None = None
    between: tuple[date, date] | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if (self.older_than is None) == (self.between is None):
            raise ValueError("say either `older_than` or `between`")
        if self.between is not None and self.between[0] > self.between[1]:
            raise ValueError("`between` ends before it begins")
        return self


class VisitCount(Part):
    """How many visits the patient made; two treatments on one day are two."""

    at_least: Annotated[int, Field(ge=0)] | None = None
    at_most: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise ValueError("say `at_least`, `at_most` or both")
        return self


class NotContinued(Part):
    """A treatment that was started and not gone on with.

    Attributes:
        treatment: Which treatments are meant; their visits count together.
        for_: The last visit for them was longer ago than this.
        finished_by: A visit for one of these, on the day of that last visit or later, says that
            the treatment came to its end.
    """

    treatment: Words
    for_: Annotated[Days, Field(alias="for")]
    finished_by: Words | None = None


class NeverReturned(Part):
    """The patient came on one day, longer ago than this, and not again."""

    for_: Annotated[Days, Field(alias="for")]


class ControlDue(Part):
    """A control after a procedure, which comes round again after each interval.

    Attributes:
        after: The procedures.
        every: The latest procedure or control was longer ago than this.
        control: The visits that are such a control; without it, any visit is.
    """

    after: Words
    every: Days
    control: Words | None = None


class LastContact(Part):
    """When the clinic last wrote to the patient or called.

    Attributes:
        older_than: There was a contact, and the latest was longer ago.
        within: There was a contact since.
        never: There was none.
    """

    older_than: Days | None = None
    within: Days | None = None
    never: Literal[True] | None = None

    @model_validator(mode="before")
    @classmethod
    def _never_is_a_word(cls, written: object) -> object:
        return {"never": True} if written == "never" else written

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("say `never`, or one of `older_than` and `within`")
        return self
