"""XLSX: a sheet's rows as text, kept in a temporary file while they are read again."""

import json
import tempfile
import warnings
import weakref
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from xml.etree.ElementTree import ParseError

import openpyxl
from openpyxl.workbook import Workbook
from openpyxl.worksheet._read_only import ReadOnlyWorksheet
from openpyxl.worksheet.formula import ArrayFormula

from clinic.plain_text import legible
from clinic.refusal import Refusal
from clinic.register_import.file_format import FileFormat
from clinic.register_import.file_refusal import FileProblem, FileRefusal
from clinic.register_import.grid import CELL_LIMIT, Numbered
from clinic.register_import.reading import Layout

_HEAD_ROWS = 100
_AT_ONCE = 500
_LONGEST_STRINGS = 1 << 29
"""Bytes of a workbook's table of texts, which openpyxl holds in memory as a whole."""

_BROKEN = (zipfile.BadZipFile, ParseError, KeyError, ValueError, EOFError, OSError)
"""What openpyxl raises for a workbook that is damaged, or was never one."""


class SpreadsheetGrid:
    """A sheet of a workbook.

    Reading XLSX takes far longer than reading text, so the sheet is read once: its rows are put
    into a temporary file that nobody else can open and that is gone with this object.

    Args:
        path: The workbook.
        is_list: Says of a sheet's first rows whether it is the one with the list.

    Raises:
        Refusal: The workbook is damaged, or empty, or one of the sheet's cells is too long.
    """

    def __init__(self, path: Path, is_list: Callable[[Sequence[Sequence[str]]], bool]) -> None:
        self._kept = tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n")  # noqa: SIM115 - lives as long as this object
        weakref.finalize(self, self._kept.close)
        self._head: list[Numbered] = []
        self._position = 0
        try:
            with _opened(path) as workbook:
                sheet, others = _choose(path, workbook, is_list)
                self._keep(path, sheet)
        except _BROKEN as error:
            raise _refusal(path, error) from None
        self._layout = Layout(
            format=FileFormat.XLSX,
            sheet=legible(sheet.title),
            other_sheets=[legible(other.title) for other in others],
        )
        self._size = self._kept.tell()

    @property
    def layout(self) -> Layout:
        """The format and the sheet."""
        return self._layout

    @property
    def size(self) -> int:
        """The rows' characters."""
        return self._size

    @property
    def position(self) -> int:
        """The characters that were read."""
        return self._position

    def head(self) -> list[Numbered]:
        """Return the first rows, empty ones left out."""
        return self._head

    def rows(self) -> Iterator[Numbered]:
        """Yield all rows, empty ones left out; a row's line is its number in the sheet."""
        self._kept.seek(0)
        self._position = 0
        for kept in self._kept:
            self._position += len(kept)
            line, cells = json.loads(kept)
            yield line, cells

    def _keep(self, path: Path, sheet: ReadOnlyWorksheet) -> None:
        for line, cells in _rows(sheet):
            _check_cells(path, sheet.title, line, cells)
            if len(self._head) < _HEAD_ROWS:
                self._head.append((line, cells))
            self._kept.write(json.dumps([line, cells]))
            self._kept.write("\n")


def _choose(
    path: Path, workbook: Workbook, is_list: Callable[[Sequence[Sequence[str]]], bool]
) -> tuple[ReadOnlyWorksheet, list[ReadOnlyWorksheet]]:
    """Return the first sheet with a list, and the others that have one.

    Where none has, the first that is not empty.
    """
    lists: list[ReadOnlyWorksheet] = []
    filled: list[ReadOnlyWorksheet] = []
    for sheet in workbook.worksheets:
        if sheet.sheet_state != "visible":
            continue
        head = [cells for _, cells in islice(_rows(sheet), _HEAD_ROWS)]
        lists += [sheet] if is_list(head) else []
        filled += [sheet] if head else []
    if lists:
        return lists[0], lists[1:]
    if not filled:
        raise FileRefusal(FileProblem.EMPTY, f"{path}: the file is empty", "Export the list again.")
    return filled[0], []


@contextmanager
def _opened(path: Path) -> Iterator[Workbook]:
    with path.open("rb") as file:  # of a path, openpyxl would judge by its ending
        with zipfile.ZipFile(file) as archive:
            texts = [part for part in archive.infolist() if part.filename.endswith("Strings.xml")]
        if sum(part.file_size for part in texts) > _LONGEST_STRINGS:
            raise FileRefusal(
                FileProblem.DAMAGED_WORKBOOK,
                f"{path}: the workbook has too much text",
                "Save the list as CSV.",
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles and checks, which nobody here needs
            # formulas stay formulas: what they once came to is not to be trusted
            workbook = openpyxl.load_workbook(file, read_only=True, data_only=False)
        with closing(workbook):
            yield workbook


def _rows(sheet: ReadOnlyWorksheet) -> Iterator[Numbered]:
    sheet.reset_dimensions()  # many programs write a wrong size, and cells beyond it would be lost
    # the stubs take the method for the one of a sheet that was read whole
    values: Iterator[tuple[object, ...]] = sheet.iter_rows(values_only=True)  # type: ignore[misc]
    numbered = enumerate(values, start=1)
    while True:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a date out of range comes as an error's text
            some = list(islice(numbered, _AT_ONCE))
        if not some:
            return
        for line, row in some:
            cells = [_text(value) for value in row]
            if "".join(cells).strip():
                yield line, cells


def _text(value: object) -> str:
    """Write a cell as a person would: days as ISO, whole numbers without a decimal point."""
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float() if value.is_integer():
            return str(int(value))
        case datetime():
            has_time = value.time() != time()
            return value.isoformat(" ", "seconds") if has_time else value.date().isoformat()
        case date():
            return value.isoformat()
        case time():
            return "" if value == time() else value.isoformat()  # a date cell with 0 in it
        case ArrayFormula():
            return value.text or ""
        case _:
            return str(value)


def _check_cells(path: Path, sheet: str, line: int, cells: list[str]) -> None:
    for position, cell in enumerate(cells):
        if len(cell) > CELL_LIMIT:
            raise FileRefusal(
                FileProblem.CELL_TOO_LONG,
                f"{path}:{line}: column {position + 1} of sheet `{sheet}`: the cell is longer "
                f"than {CELL_LIMIT:,} characters",
                "Mend the cell or empty it.",
                line=line,
            )
        if "\0" in cell:
            raise FileRefusal(
                FileProblem.BROKEN_ROW,
                f"{path}:{line}: column {position + 1}: it has a NUL character",
                line=line,
            )


def _refusal(path: Path, error: Exception) -> Refusal:
    if isinstance(error, OSError) and error.strerror:
        return Refusal(f"{path}: {error.strerror}")
    return FileRefusal(
        FileProblem.DAMAGED_WORKBOOK,
        f"{path}: a workbook that is damaged, or no workbook",
        "Open it in a spreadsheet program and save it as XLSX or CSV.",
    )
