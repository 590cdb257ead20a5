"""What is wrong with a cell or a row: one of a closed list, for whoever says it in words."""

from enum import StrEnum
from typing import Any, Self


class CellProblem(StrEnum):
    """What is wrong with a cell, or with a row for it."""

    MISSING = "missing"
    NO_NAME = "no_name"
    ROUNDED = "rounded"
    NO_COUNT = "no_count"
    NO_DATE = "no_date"
    NO_WHOLE_DATE = "no_whole_date"
    FUTURE = "future"
    TOO_FAR_AHEAD = "too_far_ahead"
    TOO_LONG_AGO = "too_long_ago"
    NO_EMAIL = "no_email"
    SECOND_EMAIL = "second_email"
    NO_PHONE = "no_phone"
    PART_OF_PHONE = "part_of_phone"
    EXTENSION = "extension"
    THIRD_PHONE = "third_phone"
    NO_NATIONAL_ID = "no_national_id"
    UNKNOWN_WORD = "unknown_word"
    UNKNOWN_STATUS = "unknown_status"
    UNKNOWN_YES = "unknown_yes"
    UNKNOWN_NO = "unknown_no"
    NOTHING_TO_KNOW_BY = "nothing_to_know_by"
    NO_PATIENT = "no_patient"
    FORGOTTEN = "forgotten"
    CONTRADICTED = "contradicted"
    TOO_WIDE = "too_wide"
    NO_ELEMENT = "no_element"
    NOT_FHIR = "not_fhir"


class Reason(str):
    """Why a cell can't be used, said in English, and what it takes to say it otherwise.

    Args:
        why: What is wrong.
        said: The same in English.
        shown: What it is about, such as the cell's text or a number that was kept.
    """

    __slots__ = ("shown", "why")

    why: CellProblem
    shown: tuple[str, ...]

    def __new__(cls, why: CellProblem, said: str, *shown: object) -> Self:
        """Return the sentence."""
        made = super().__new__(cls, said)
        made.why = why
        made.shown = tuple(map(str, shown))  # FHIR may bring a number where a text belongs
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        """Return how it is made anew at the other end of a pipe."""
        return Reason, (self.why, str(self), *self.shown)

    @staticmethod
    def of(error: ValueError) -> str:
        """Return the reason that an error was raised with."""
        reason = error.args[0] if error.args else ""
        return reason if isinstance(reason, str) else str(error)
