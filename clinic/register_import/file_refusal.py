"""Why a whole file can't be imported: one of a closed list, for whoever says it in words."""

from collections.abc import Sequence
from enum import StrEnum

from clinic.refusal import Refusal


class FileProblem(StrEnum):
    """What is wrong with a file."""

    EMPTY = "empty"
    NO_ROWS = "no_rows"
    OLD_OR_LOCKED_EXCEL = "old_or_locked_excel"
    ANOTHER_FORMAT = "another_format"
    MARKUP = "markup"
    JSON_IN_ONE_PIECE = "json_in_one_piece"
    DAMAGED_WORKBOOK = "damaged_workbook"
    NO_TEXT = "no_text"
    NOT_IN_ENCODING = "not_in_encoding"
    UNKNOWN_ENCODING = "unknown_encoding"
    BROKEN_ROW = "broken_row"
    CELL_TOO_LONG = "cell_too_long"
    NO_COLUMN = "no_column"
    UNCLEAR_DATES = "unclear_dates"
    UNKNOWN_STATUSES = "unknown_statuses"
    NO_PATIENTS = "no_patients"
    MAPPING = "mapping"


class FileRefusal(Refusal):
    """A file that can't be imported as it is.

    Args:
        why: What is wrong with it.
        problem: See `Refusal`.
        remedy: See `Refusal`.
        line: Where, counted from 1; None: it is about the file as a whole.
        named: What it is about: columns that are missing, or words of the file.
    """

    def __init__(
        self,
        why: FileProblem,
        problem: str,
        remedy: str = "",
        *,
        line: int | None = None,
        named: Sequence[str] = (),
    ) -> None:
        super().__init__(problem, remedy)
        self.why = why
        self.line = line
        self.named = list(named)
