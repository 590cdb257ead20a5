"""One row of a clinic's export, read into what the register knows."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial
from types import MappingProxyType
from zoneinfo import ZoneInfo

from clinic.register.address import Phone
from clinic.register_import import listed_columns
from clinic.register_import.cell import quoted, statement_of, text_of, was_rounded, whole_number
from clinic.register_import.cell_problem import CellProblem, Reason
from clinic.register_import.closed_lists import word_key
from clinic.register_import.dates import DateOrder, DateReader
from clinic.register_import.email_cell import read_email_cell
from clinic.register_import.national_id import read_national_id
from clinic.register_import.person_name import read_full_name
from clinic.register_import.phone_cell import read_phone_cell
from clinic.register_import.register_row import BadCell, RegisterRow

_Read = Callable[[RegisterRow, str], None]


class RowReader:
    """Reads the rows of one file.

    Args:
        columns: Position to column, of `READABLE_COLUMNS`. Where several positions have one
            column, the first that says anything counts.
        country: ISO 3166 code of the clinic, for phones without a prefix and national ids.
        zone: The clinic's time zone, in which appointments are written.
        today: The clinic's day; nobody was born or seen after it.
        date_order: Of day and month; `dates.DateOrderSearch` tells it from the whole file.
        values: What this file's words mean, by column: what is written, to what it means.

    Raises:
        ValueError: A column is not known.
    """

    def __init__(
        self,
        columns: Mapping[int, str],
        *,
        country: str,
        zone: ZoneInfo,
        today: date,
        date_order: DateOrder = "dmy",
        values: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
    ) -> None:
        self._columns = frozenset(columns.values())
        if unknown := sorted(self._columns - READABLE_COLUMNS):
            raise ValueError(f"no such column: {', '.join(unknown)}")
        self._plan = [
            (position, column, text_of if column in _NAMES_AND_ANSWERS else statement_of)
            for position, column in sorted(columns.items())
        ]
        dates = DateReader(zone=zone, today=today, order=date_order)
        self._readers: dict[str, _Read] = _READERS | {
            "national_id": partial(_read_national_id, country),
            "guardian_phone": partial(_read_guardian_phone, country),
            "birth_date": partial(_read_dated, "birth_date", "birth_date", dates.birth_date),
            "last_visit": partial(_read_dated, "last_visit", "last_visit", dates.past_day),
            "consent_date": partial(_read_dated, "consent_date", "consent_at", dates.past_day),
            "next_appointment": partial(
                _read_dated, "next_appointment", "next_appointment", dates.appointment
            ),
        }
        self._country = country
        self._values = {
            column: {word_key(written): value for written, value in meant.items()}
            for column, meant in values.items()
        }

    def read(self, cells: Sequence[str]) -> RegisterRow:
        """Read a row; cells that are lacking at its end are empty.

        Raises:
            BadCell: A cell that can't be read, for which the row is rejected; with all others.
        """
        said = self._said(cells)
        row = RegisterRow()
        bad: list[BadCell] = []
        for column, text in said.items():
            if read := self._readers.get(column):
                try:
                    read(row, text)
                except BadCell as cell:
                    bad.append(cell)
        row.first_name, row.last_name = _name(said)
        if wrong := self._wrong_name(row):
            bad.append(wrong)
        _read_phones(row, said, self._country)
        listed_columns.read_consents(row, said)
        if bad:  # whoever mends the row is told of all at once
            raise bad[0].along_with(bad[1:], row.unusable)
        if row.guardian_number in (row.external_id, _NO_GUARDIAN):
            row.guardian_number = None
        if row.next_appointment is None and "next_appointment" in self._columns:
            row.says_no_appointment = True
        return row

    def _wrong_name(self, row: RegisterRow) -> BadCell | None:
        if row.first_name is None and self._columns & _FIRST_NAMES:
            return BadCell("name", Reason(CellProblem.MISSING, "is missing"))
        if row.first_name and not any(map(str.isalpha, row.first_name + row.last_name)):
            said = f"{quoted(row.first_name)} is no name"  # a row of totals
            return BadCell("name", Reason(CellProblem.NO_NAME, said, row.first_name))
        return None

    def _said(self, cells: Sequence[str]) -> dict[str, str]:
        said: dict[str, str] = {}
        written = len(cells)
        for position, column, read in self._plan:
            if (
                position < written
                and (cell := cells[position])
                and column not in said
                and (text := read(cell))
            ):
                said[column] = text
        for column, meant in self._values.items():
            if column in said:
                said[column] = meant.get(word_key(said[column]), said[column])
        return said


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


def _read_guardian_phone(country: str, row: RegisterRow, text: str) -> None:
    phones, problem = read_phone_cell(whole_number(text), country)
    if phones:
        row.guardian_phone = min(phones, key=_rank).number
    if problem:
        row.unusable["guardian_phone"] = problem


def _name(said: Mapping[str, str]) -> tuple[str | None, str]:
    first = " ".join(said[part] for part in ("first_name", "middle_name") if part in said)
    last = " ".join(said[part] for part in ("last_name", "second_last_name") if part in said)
    if first:
        return first, last
    if "name_surname_first" in said:
        return read_full_name(said["name_surname_first"], surname_first=True)
    if "name" in said:
        return read_full_name(said["name"])
    return last or None, ""


def _read_phones(row: RegisterRow, said: Mapping[str, str], country: str) -> None:
    """Take the number that is best to write to, and another one to call."""
    phones: list[Phone] = []
    for column in ("phone", "other_phone"):
        if text := said.get(column):
            found, problem = read_phone_cell(whole_number(text), country)
            phones += found
            if problem:
                row.unusable[column] = problem
    if not phones:
        return
    best = phones[0] if len(phones) == 1 else min(phones, key=_rank)  # of equals, the first
    row.phone, row.phone_kind = best.number, best.kind
    others = list(dict.fromkeys(phone.number for phone in phones if phone.number != best.number))
    if others:
        row.other_phone = others[0]
    for number in others[1:]:
        third = f"a third number, {number}, has no place"
        row.unusable.setdefault("other_phone", Reason(CellProblem.THIRD_PHONE, third, number))


def _rank(phone: Phone) -> int:
    return ("mobile", "unknown", "landline").index(phone.kind)


_FIRST_NAMES = frozenset({"name", "name_surname_first", "first_name"})
_NAMES = _FIRST_NAMES | {"middle_name", "last_name", "second_last_name"}
_NAMES_AND_ANSWERS = _NAMES | {"guardian_name", *listed_columns.ANSWERS}

_MOST_DIGITS = 5
_NO_GUARDIAN = "0"
"""Open Dental's Guarantor of somebody who pays for themselves, beside their own number."""

_TEXTS = (
    "occupation",
    "district",
    "insurance",
    "provider",
    "treatment",
    "guardian_name",
    "consent_source",
)
_READERS: dict[str, _Read] = {
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

READABLE_COLUMNS = frozenset(
    {
        *_READERS,
        *_NAMES,
        *listed_columns.ANSWERS,
        "phone",
        "other_phone",
        "guardian_phone",
        "national_id",
        "birth_date",
        "last_visit",
        "next_appointment",
        "consent_date",
    }
)
"""What a header may stand for: the columns of the register, and parts and forms of them."""
