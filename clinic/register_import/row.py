"""One row of a clinic's export, read into what the register knows."""

from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType
from zoneinfo import ZoneInfo

from clinic.register_import import column_readers, listed_columns, phone_columns
from clinic.register_import.cell import quoted, statement_of, text_of
from clinic.register_import.cell_problem import CellProblem, Reason
from clinic.register_import.closed_lists import word_key
from clinic.register_import.dates import DateOrder, DateReader
from clinic.register_import.patient_number import number_of
from clinic.register_import.person_name import read_full_name
from clinic.register_import.register_row import BadCell, RegisterRow


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
        self._readers = column_readers.column_readers(country, dates)
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
        phone_columns.read_phones(row, said, self._country)
        listed_columns.read_consents(row, said)
        if bad:  # whoever mends the row is told of all at once
            others = [*bad[1:], *_unknown(row, bad)]
            raise bad[0].along_with(others, row.unusable)
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


def _unknown(row: RegisterRow, bad: Sequence[BadCell]) -> list[BadCell]:
    """Return that nothing tells whose row it is, if so: without its bad cells it was no better."""
    if {"patient_id", "name"} & {cell.column for cell in bad} or row.first_name is None:
        return []
    try:
        number_of(row)
    except BadCell as unknown:
        return [unknown]
    return []


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


_FIRST_NAMES = frozenset({"name", "name_surname_first", "first_name"})
_NAMES = _FIRST_NAMES | {"middle_name", "last_name", "second_last_name"}
_NAMES_AND_ANSWERS = _NAMES | {"guardian_name", *listed_columns.ANSWERS}

_NO_GUARDIAN = "0"
"""Open Dental's Guarantor of somebody who pays for themselves, beside their own number."""

READABLE_COLUMNS = frozenset(
    {*column_readers.COLUMNS, *_NAMES, *listed_columns.ANSWERS, *phone_columns.COLUMNS}
)
"""What a header may stand for: the columns of the register, and parts and forms of them."""
