"""How an export was read, for whoever has to see that it was read right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from clinic.register_import.encoding import encoding_name
from clinic.register_import.file_format import FileFormat
from clinic.register_import.written_date import DateOrder

UNNAMED = "(columns without a name)"
"""What stands for them among the columns that nothing is read from."""

_DELIMITER_NAMES = {"\t": "tab"}
_ORDERS = {"dmy": "day/month/year", "mdy": "month/day/year", "ymd": "year/month/day"}


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How a file's rows are told apart, before anybody knows what they mean.

    Attributes:
        format: Of the file.
        encoding: As Python names it; None where the format says it.
        delimiter: One character; None where the format has none.
        sheet: The sheet that is read; None: it is no workbook.
        other_sheets: Those that look like a list, too, and are not read.
        resources: FHIR's resources that are read, with their number.
    """

    format: FileFormat
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    other_sheets: Sequence[str] = ()
    resources: Mapping[str, int] = field(default_factory=dict)

    @property
    def in_words(self) -> str:
        """Return the same as a line, in English."""
        match self.format:
            case FileFormat.TEXT:
                delimiter = self.delimiter or ""
                named = _DELIMITER_NAMES.get(delimiter, f"`{delimiter}`")
                return f"text in {encoding_name(self.encoding or '')}, separated by {named}"
            case FileFormat.XLSX:
                others = ", ".join(f"`{other}`" for other in self.other_sheets)
                unread = f" (not read, though it looks like a list too: {others})" if others else ""
                return f"XLSX, sheet `{self.sheet}`{unread}"
            case FileFormat.NDJSON:
                counts = ", ".join(f"{count:,} {kind}" for kind, count in self.resources.items())
                return f"FHIR R4, NDJSON, UTF-8: {counts}"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How a whole file was read.

    Attributes:
        layout: Its format, and what it was read with.
        header_line: Where its header stands, counted from 1; None: it has none.
        date_order: Of day, month and year; None where it has no dates that could be mistaken.
    """

    layout: Layout
    header_line: int | None = None
    date_order: DateOrder | None = None

    @property
    def in_words(self) -> str:
        """Return the same as a line, in English."""
        said = [self.layout.in_words]
        if self.header_line is not None:
            said.append(f"header in line {self.header_line}")
        if self.date_order is not None:
            said.append(f"dates as {_ORDERS[self.date_order]}")
        return ", ".join(said)
