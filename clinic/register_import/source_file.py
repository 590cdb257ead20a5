"""An export as a file: looked through once as a whole, then read row by row."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from clinic.plain_text import legible
from clinic.refusal import Refusal
from clinic.register_import.cell_problem import CellProblem, Reason
from clinic.register_import.columns import find_header, read_header
from clinic.register_import.encoding import encodings_of
from clinic.register_import.fhir import FhirSource
from clinic.register_import.file_format import FileFormat, format_of
from clinic.register_import.file_refusal import FileProblem, FileRefusal
from clinic.register_import.grid import Grid, Numbered
from clinic.register_import.how_to_read import HowToRead
from clinic.register_import.look_through import DATES, Look, look_through
from clinic.register_import.mapping import ExportMapping, checked_encoding, read_mapping
from clinic.register_import.reading import UNNAMED, Reading
from clinic.register_import.register_row import BadCell, ReadRow, RegisterRow, Source
from clinic.register_import.row import RowReader
from clinic.register_import.text_grid import text_grid


def open_source(
    path: Path,
    *,
    country: str,
    language: str,
    zone: ZoneInfo,
    today: date,
    mapping: Path | None = None,
    encoding: str | None = None,
) -> Source:
    """Look through a whole export and make it ready to be read, before anything is written.

    Where its columns are not understood, a mapping is proposed as `<name>.mapping.yaml` in the
    current folder.

    Args:
        path: CSV, TSV, XLSX or FHIR as NDJSON; what it is, is told by what stands in it.
        country: ISO 3166 code of the clinic: for phones without a prefix, and where a file can
            be read in two ways.
        language: The clinic's language, ISO 639.
        zone: The clinic's time zone, which the export's times are in.
        today: The clinic's day.
        mapping: A mapping file, which goes before all that is found out.
        encoding: As Python names it; goes before the mapping's.

    Raises:
        Refusal: The file can't be read, with its line; or its columns are not understood.
    """
    file_format = format_of(path)
    if file_format is FileFormat.NDJSON:
        return FhirSource(path, country=country, zone=zone, today=today)
    how = read_mapping(mapping) if mapping else ExportMapping()
    stamp = _stamp(path)
    grid: Grid
    if file_format is FileFormat.XLSX:
        # imported here: openpyxl costs every other command a tenth of a second
        from clinic.register_import.spreadsheet import SpreadsheetGrid  # noqa: PLC0415

        grid = SpreadsheetGrid(path, lambda rows: find_header(rows, how.columns) is not None)
    else:
        named = _named_encoding(encoding) or how.encoding
        encodings = [named] if named else encodings_of(path, country=country, language=language)
        grid = text_grid(path, encodings, how.delimiter, how.columns)
    reading = HowToRead(path, grid, mapping, how, today)
    header = reading.header()
    columns = read_header(header[1], how.columns)
    look = look_through(grid, header, columns, str(path))
    order = reading.date_order(look, country)
    values = reading.values(look)
    reader = RowReader(
        columns, country=country, zone=zone, today=today, date_order=order, values=values
    )
    dated = DATES & {*columns.values()}
    said = Reading(layout=grid.layout, header_line=header[0], date_order=order if dated else None)
    return FileSource(path, stamp, said, grid, header, columns, reader, look)


class FileSource:
    """An export that was looked through and whose columns are understood; see `Source`."""

    def __init__(
        self,
        path: Path,
        stamp: tuple[int, int],
        reading: Reading,
        grid: Grid,
        header: Numbered,
        columns: Mapping[int, str],
        reader: RowReader,
        look: Look,
    ) -> None:
        self._path = path
        self._stamp = stamp
        self._reading = reading
        self._grid = grid
        self._header_line, self._header = header
        self._columns = columns
        self._reader = reader
        self._has_unnamed = look.has_unnamed

    @property
    def name(self) -> str:
        """The file's name."""
        return self._path.name

    @property
    def header(self) -> Sequence[str]:
        """The columns' names as they stand in the file."""
        return self._header

    @property
    def reading(self) -> Reading:
        """The format, the encoding, the delimiter, the header's line, the order of dates."""
        return self._reading

    @property
    def description(self) -> str:
        """The same as a line."""
        return self._reading.in_words

    @property
    def understood(self) -> dict[str, str]:
        """Header to the register's column; of two with one name, the second is `name (2)`.

        Where several headers stand for one column, the first filled cell of a row counts.
        """
        found: dict[str, str] = {}
        for position, column in sorted(self._columns.items()):
            name = legible(self._header[position])
            same = sum(legible(other) == name for other in self._header[:position])
            found[f"{name} ({same + 1})" if same else name] = column
        return found

    @property
    def ignored(self) -> Sequence[str]:
        """The columns that nothing is read from."""
        names = (legible(name) for at, name in enumerate(self._header) if at not in self._columns)
        unnamed = [UNNAMED] if self._has_unnamed else []
        return [*filter(None, names), *unnamed]

    @property
    def size(self) -> int:
        """What `position` has reached at the file's end."""
        return self._grid.size

    @property
    def position(self) -> int:
        """How far the rows have been read."""
        return self._grid.position

    def rows(self) -> Iterator[ReadRow]:
        """Yield the rows in their order; memory stays flat.

        Empty rows are skipped, and so is the header where it stands once more, as on the pages
        of a printed list.

        Raises:
            Refusal: The file has changed since it was looked through.
        """
        if _stamp(self._path) != self._stamp:
            raise Refusal(
                f"{self._path}: the file has changed since it was looked through",
                "Import it again.",
            )
        read, header_line, header = self._reader.read, self._header_line, self._header
        width = len(header)
        said: RegisterRow | BadCell
        for line, cells in self._grid.rows():
            if line <= header_line or cells == header:
                continue
            if len(cells) > width and any(map(str.strip, cells[width:])):
                said = _too_wide(cells, width)
            else:
                try:
                    said = read(cells)
                except BadCell as bad:
                    said = bad
            yield ReadRow(line, cells, said)


def _named_encoding(name: str | None) -> str | None:
    try:
        return checked_encoding(name) if name else None
    except ValueError as error:
        raise FileRefusal(FileProblem.UNKNOWN_ENCODING, f"--encoding: {error}") from None


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError as error:
        raise Refusal(f"{path}: {error.strerror}") from None
    return status.st_size, status.st_mtime_ns


def _too_wide(cells: Sequence[str], width: int) -> BadCell:
    said = (
        f"{len(cells)} cells where the header has {width}: the delimiter stands in a cell that "
        "is not quoted"
    )
    return BadCell("row", Reason(CellProblem.TOO_WIDE, said, str(len(cells)), str(width)))
