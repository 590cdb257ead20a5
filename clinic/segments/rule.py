"""A segment: a named rule over the register."""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from clinic.multilingual import NOTHING, Multilingual, Title
from clinic.outcome import LossReason
from clinic.register.vocabulary import WordKind
from clinic.segments.conditions import (
    AgeRange,
    ControlDue,
    LastContact,
    LastVisit,
    NeverReturned,
    NotContinued,
    Part,
    VisitCount,
    Words,
    as_list,
    from_list,
)

_OneOrMore = (BeforeValidator(as_list), Field(min_length=1))


class Rule(Part):
    """Conditions over a patient; all that are given must hold."""

    treatment: Words | None = None
    not_continued: NotContinued | None = None
    never_returned: NeverReturned | None = None
    control_due: ControlDue | None = None
    last_visit: LastVisit | None = None
    visits: VisitCount | None = None
    has_future_appointment: bool | None = None
    last_contact: LastContact | None = None
    age: AgeRange | None = None
    sex: Annotated[Literal["female", "male"], BeforeValidator(from_list("sex"))] | None = None
    occupation: Words | None = None
    district: Words | None = None
    insurance: Words | None = None
    provider: Words | None = None
    language: (
        Annotated[list[Annotated[str, BeforeValidator(from_list("language"))]], *_OneOrMore] | None
    ) = None
    preferred_channel: (
        Annotated[
            list[Annotated[str, BeforeValidator(from_list("preferred_channel"))]], *_OneOrMore
        ]
        | None
    ) = None
    status: (
        Annotated[list[Annotated[str, BeforeValidator(from_list("status"))]], *_OneOrMore] | None
    ) = None
    loss_reason: (
        Annotated[
            list[Annotated[LossReason, BeforeValidator(from_list("loss_reason"))]], *_OneOrMore
        ]
        | None
    ) = None
    has_email: bool | None = None
    has_phone: bool | None = None
    all: Annotated[list["Rule"], Field(min_length=1)] | None = None
    any: Annotated[list["Rule"], Field(min_length=1)] | None = None
    not_: Annotated["Rule | None", Field(alias="not")] = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("a rule needs at least one condition")
        return self

    def words(self) -> Iterator[tuple[WordKind, str]]:
        """Yield the register's words that the rule asks for, wherever they stand in it."""
        for kind, words in (
            (WordKind.TREATMENT, self.treatment),
            (WordKind.TREATMENT, self.not_continued and self.not_continued.treatment),
            (WordKind.TREATMENT, self.not_continued and self.not_continued.finished_by),
            (WordKind.TREATMENT, self.control_due and self.control_due.after),
            (WordKind.TREATMENT, self.control_due and self.control_due.control),
            (WordKind.OCCUPATION, self.occupation),
            (WordKind.DISTRICT, self.district),
            (WordKind.INSURANCE, self.insurance),
            (WordKind.PROVIDER, self.provider),
        ):
            for word in words or ():
                yield kind, word
        inner = [*(self.all or ()), *(self.any or ()), *([self.not_] if self.not_ else ())]
        for rule in inner:
            yield from rule.words()


class Segment(Part):
    """A rule with a name.

    Attributes:
        title: What it is called where people choose it.
    """

    name: str
    title: Title = NOTHING
    description: Multilingual = NOTHING
    where: Rule
