"""A segment: a named rule over the register."""

from datetime import date, timedelta
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from clinic.duration import Duration
from clinic.outcome import LossReason


def _listed(written: object) -> object:
    return written if isinstance(written, list) else [written]


OneOrMore = Annotated[list[str], BeforeValidator(_listed), Field(min_length=1)]
_LONGEST_AGO = timedelta(days=130 * 366)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _has_a_value(cls, written: object) -> object:
        # `treatment:` with its value forgotten must not come to mean "everybody"
        if written is None:
            raise ValueError("has no value: give it one, or take the line out")
        return written


class AgeRange(_Part):
    """An age in whole years, both ends included."""

    from_: Annotated[int, Field(ge=0, le=130, alias="from")] = 0
    to: Annotated[int, Field(ge=0, le=130)] = 130

    @model_validator(mode="after")
    def _runs_upwards(self) -> Self:
        if self.from_ > self.to:
            raise ValueError(f"nobody is from {self.from_} to {self.to} years old")
        return self


class LastVisit(_Part):
    """When the patient was last seen: longer ago than, or between two days (both included)."""

    older_than: Duration | None = None
    between: tuple[date, date] | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if (self.older_than is None) == (self.between is None):
            raise ValueError("say either `older_than` or `between`")
        if self.between is not None and self.between[0] > self.between[1]:
            raise ValueError("`between` ends before it begins")
        if self.older_than is not None and self.older_than < timedelta(days=1):
            raise ValueError("`older_than` must be at least one day")
        if self.older_than is not None and self.older_than > _LONGEST_AGO:
            raise ValueError("`older_than` is longer than anybody lives")
        return self


class VisitCount(_Part):
    """How many visits the patient made."""

    at_least: Annotated[int, Field(ge=0)] | None = None
    at_most: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise ValueError("say `at_least`, `at_most` or both")
        return self


class Rule(_Part):
    """Conditions over a patient; all that are given must hold."""

    treatment: OneOrMore | None = None
    age: AgeRange | None = None
    sex: Literal["female", "male"] | None = None
    occupation: OneOrMore | None = None
    district: OneOrMore | None = None
    language: OneOrMore | None = None
    last_visit: LastVisit | None = None
    visits: VisitCount | None = None
    has_future_appointment: bool | None = None
    has_email: bool | None = None
    has_phone: bool | None = None
    loss_reason: (
        Annotated[list[LossReason], BeforeValidator(_listed), Field(min_length=1)] | None
    ) = None
    all: Annotated[list["Rule"], Field(min_length=1)] | None = None
    any: Annotated[list["Rule"], Field(min_length=1)] | None = None
    not_: Annotated["Rule | None", Field(alias="not")] = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("a rule needs at least one condition")
        return self


class Segment(_Part):
    """A rule with a name."""

    name: str
    description: str = ""
    where: Rule
