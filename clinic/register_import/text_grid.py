"""CSV, TSV and their like: rows of cells in a text file."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NoReturn, TextIO

from clinic.plain_text import legible
from clinic.register_import.columns import HEADER_WITHIN, find_header, read_header
from clinic.register_import.encoding import encoding_name, undecodable_line
from clinic.register_import.file_format import FileFormat
from clinic.register_import.file_refusal import FileProblem, FileRefusal
from clinic.register_import.grid import CELL_LIMIT, Numbered
from clinic.register_import.reading import Layout

DELIMITERS = (",", ";", "\t", "|")

_HEAD = 1 << 17
_HEAD_ROWS = 100
_LONGEST_LINE = 1 << 20
_SEPARATOR = re.compile(r'"?sep=(\t|[^\w\s"])"?')


def text_grid(
    path: Path, encodings: Sequence[str], delimiter: str | None, given: Mapping[str, str]
) -> "TextGrid":
    """Find out how a text file is to be read: as what makes most sense of its header.

    Args:
        path: The file.
        encodings: What it can be in, the likeliest first.
        delimiter: None: found out; a first line such as Excel's `sep=;` says it.
        given: A mapping's columns by header.

    Raises:
        Refusal: Its first lines are text in none of the encodings.
    """
    best: TextGrid | None = None
    best_score = (False, -1, -1)
    for encoding in encodings:
        grid = TextGrid(path, encoding, ",")
        named = delimiter or grid.named_delimiter()
        for each in (named,) if named else DELIMITERS:
            grid = TextGrid(path, encoding, each)
            score = _sense(grid, given)
            if score is not None and score > best_score:
                best, best_score = grid, score
    return best or TextGrid(path, encodings[0], ",").refuse_encoding()


def _sense(grid: "TextGrid", given: Mapping[str, str]) -> tuple[bool, int, int] | None:
    """Return whether there is a header, how much of it is known, how wide it is."""
    try:
        rows = [cells for _, cells in grid.head()]
    except UnicodeError:
        return None
    at = find_header(rows, given)
    headers = rows[:HEADER_WITHIN] if at is None else [rows[at]]
    known = max((len(read_header(names, given)) for names in headers), default=0)
    return at is not None, known, max((len(names) for names in headers), default=0)


@dataclass
class TextGrid:
    """A text file with a delimiter between its cells and a line for each row.

    Attributes:
        encoding: As Python names it.
        delimiter: One character; a cell that has it stands in double quotes.
    """

    path: Path
    encoding: str
    delimiter: str
    _file: TextIO | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def layout(self) -> Layout:
        """The format, the encoding, the delimiter."""
        return Layout(format=FileFormat.TEXT, encoding=self.encoding, delimiter=self.delimiter)

    @property
    def size(self) -> int:
        """The file's bytes."""
        return self.path.stat().st_size

    @property
    def position(self) -> int:
        """The bytes that were read."""
        if self._file is None:
            return 0
        return self.size if self._file.closed else self._file.buffer.tell()

    def head(self) -> list[Numbered]:
        """Return the first rows as far as they can be read, empty ones left out.

        Raises:
            UnicodeError: The file is not in this encoding.
        """
        with self._open() as file:
            text = file.read(_HEAD)
        if len(text) == _HEAD:
            text = text[: text.rfind("\n") + 1] or text
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter)
        found: list[Numbered] = []
        line = 1
        try:
            for cells in islice(reader, _HEAD_ROWS):
                if "".join(cells).strip():
                    found.append((line, cells))
                line = reader.line_num + 1
        except csv.Error:
            pass  # `rows` says what is wrong
        return found

    def rows(self) -> Iterator[Numbered]:
        """Yield all rows, empty ones left out.

        Raises:
            Refusal: A row is not CSV, or not text in this encoding, or a cell is too long.
        """
        line = 1
        with self._open() as self._file:
            reader = csv.reader(self._lines(self._file), delimiter=self.delimiter, strict=True)
            try:
                for cells in reader:
                    whole = "".join(cells)
                    if len(whole) > CELL_LIMIT:
                        self._check_cells(line, cells)
                    if whole and not whole.isspace():
                        yield line, cells
                    line = reader.line_num + 1
            except csv.Error as error:
                self._refuse_row(line, error)
            except _LineTooLongError:
                self._refuse_long(line)
            except UnicodeError:
                self.refuse_encoding(line)

    def named_delimiter(self) -> str | None:
        """Return the delimiter that the first line names, as Excel's `sep=;` does."""
        try:
            with self._open() as file:
                line = file.readline(len('"sep=;"\r\n'))
        except UnicodeError:
            return None
        named = _SEPARATOR.fullmatch(line.strip("\r\n"))
        return named[1] if named else None

    def refuse_encoding(self, line: int = 1) -> NoReturn:
        """Refuse the file, naming the line that is not text in this encoding.

        Raises:
            Refusal: Always.
        """
        line = undecodable_line(self.path, self.encoding) or line
        name = encoding_name(self.encoding)
        raise FileRefusal(
            FileProblem.NOT_IN_ENCODING,
            f"{self.path}:{line}: not text in {name}",
            "Export the list again as CSV in UTF-8, or name its encoding with --encoding.",
            line=line,
            named=[name],
        ) from None

    def _open(self) -> io.TextIOWrapper:
        return self.path.open(encoding=self.encoding, newline="")

    def _lines(self, file: TextIO) -> Iterator[str]:
        # a file without line ends must not fill the memory
        while line := file.readline(_LONGEST_LINE):
            if len(line) == _LONGEST_LINE:
                raise _LineTooLongError
            if "\0" in line:
                raise csv.Error("it has a NUL character")
            yield line

    def _check_cells(self, line: int, cells: list[str]) -> None:
        for position, cell in enumerate(cells):
            if len(cell) > CELL_LIMIT:
                self._refuse_cell(line, position)

    def _refuse_row(self, line: int, error: csv.Error) -> NoReturn:
        if "field larger" in str(error):  # than csv's own limit, which is above ours
            self._refuse_long(line)
        raise FileRefusal(
            FileProblem.BROKEN_ROW,
            f"{self.path}:{line}: not CSV: {error}",
            "A quote is opened here and not closed, or stands in the middle of a quoted cell."
            if "NUL" not in str(error)
            else "Export the list again as CSV or XLSX.",
            line=line,
        ) from None

    def _refuse_long(self, line: int) -> NoReturn:
        """Refuse a row of which one cell, or all together, are too long; find which."""
        with self._open() as file:
            for _ in range(line - 1):
                file.readline()
            position, length, is_quoted = 0, 0, False
            while text := file.read(CELL_LIMIT):
                for character in text:
                    if character == '"':
                        is_quoted = not is_quoted
                    if character == self.delimiter and not is_quoted:
                        position, length = position + 1, 0
                    elif (length := length + 1) > CELL_LIMIT:
                        self._refuse_cell(line, position)
        raise FileRefusal(
            FileProblem.BROKEN_ROW,
            f"{self.path}:{line}: the line is longer than {_LONGEST_LINE:,} characters",
            line=line,
        )

    def _refuse_cell(self, line: int, position: int) -> NoReturn:
        # a title line has one cell, so the first row that is wide enough is the header
        wide = (cells for _, cells in self.head() if len(cells) > max(position, 1))
        name = f" (`{legible(names[position])}`)" if (names := next(wide, None)) else ""
        raise FileRefusal(
            FileProblem.CELL_TOO_LONG,
            f"{self.path}:{line}: column {position + 1}{name}: the cell is longer than "
            f"{CELL_LIMIT:,} characters",
            "Is a quote opened there that is never closed? Mend the cell or empty it.",
            line=line,
        ) from None


class _LineTooLongError(Exception):
    """A line is longer than is read at once."""
