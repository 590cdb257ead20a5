"""Columns that say one thing in one cell, and how each is read into a row."""

from collections.abc import Callable, Mapping
from datetime import date
from functools import partial

from clinic.register_import import listed_columns
from clinic.register_import.cell import quoted, was_rounded, whole_number
from clinic.register_import.cell_problem import CellProblem, Reason
from clinic.register_import.dates import DateReader
from clinic.register_import.email_cell import read_email_cell
from clinic.register_import.national_id import read_national_id
from clinic.register_import.phone_columns import read_guardian_phone
from clinic.register_import.register_row import BadCell, RegisterRow

Read = Callable[[RegisterRow, str], None]
"""Reads a cell into a row; `BadCell` where the row is rejected for it."""

_MOST_DIGITS = 5


def column_readers(country: str, dates: DateReader) -> Mapping[str, Read]:
    """Return how each column is read, by its name.

    Args:
        country: ISO 3166 code of the clinic, for phones without a prefix and national ids.
        dates: Reads the file's dates.
    """
    return _READERS | {
        "national_id": partial(_read_national_id, country),
        "guardian_phone": partial(read_guardian_phone, country),
        "birth_date": partial(_read_dated, "birth_date", "birth_date", dates.birth_date),
        "last_visit": partial(_read_dated, "last_visit", "last_visit", dates.past_day),
        "consent_date": partial(_read_dated, "consent_date", "consent_at", dates.past_day),
        "next_appointment": partial(
            _read_dated, "next_appointment", "next_appointment", dates.appointment
        ),
    }


def _keep(column: str, row: RegisterRow, text: str) -> None:
    setattr(row, column, text)


def _read_number(column: str, field: str, row: RegisterRow, text: str) -> None:
    if was_rounded(text):  # and the numbers of several patients have become one
        said = f"a spreadsheet rounded it to {quoted(text)}"
        raise BadCell(column, Reason(CellProblem.ROUNDED, said, text))
    setattr(row, field, whole_number(text))


def _read_visits(row: RegisterRow, text: str) -> None:
    digits = whole_number(text)
    if not digits.isdecimal() or len(digits) > _MOST_DIGITS:
        said = f"{quoted(text)} is no number of visits"
        raise BadCell("visits", Reason(CellProblem.NO_COUNT, said, text))
    row.visits = int(digits)


def _read_dated(
    column: str, field: str, read: Callable[[str], date | None], row: RegisterRow, text: str
) -> None:
    try:
        setattr(row, field, read(text))
    except ValueError as error:
        raise BadCell(column, Reason.of(error)) from None


def _read_email(column: str, row: RegisterRow, text: str) -> None:
    email, problem = read_email_cell(text)
    setattr(row, column, email)
    if problem:
        row.unusable[column] = problem


def _read_national_id(country: str, row: RegisterRow, text: str) -> None:
    try:
        row.national_id = read_national_id(whole_number(text), country)
    except ValueError as error:
        row.unusable["national_id"] = Reason.of(error)


_TEXTS = (
    "occupation",
    "district",
    "insurance",
    "provider",
    "treatment",
    "guardian_name",
    "consent_source",
)
_READERS: dict[str, Read] = {
    **{column: partial(_keep, column) for column in _TEXTS},
    "patient_id": partial(_read_number, "patient_id", "external_id"),
    "guardian_number": partial(_read_number, "guardian_number", "guardian_number"),
    "email": partial(_read_email, "email"),
    "guardian_email": partial(_read_email, "guardian_email"),
    "visits": _read_visits,
    "sex": listed_columns.read_sex,
    "language": listed_columns.read_language,
    "preferred_channel": listed_columns.read_preferred_channel,
    "loss_reason": listed_columns.read_loss_reason,
    "status": listed_columns.read_status,
    "deceased": listed_columns.read_deceased,
}

COLUMNS = frozenset(
    {
        *_READERS,
        "national_id",
        "guardian_phone",
        "birth_date",
        "last_visit",
        "consent_date",
        "next_appointment",
    }
)
"""Those that are read here."""
