"""A report as its page says it: in words, in the language of whoever reads it."""

from collections.abc import Iterable
from datetime import date, datetime
from itertools import groupby
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.lists import format_list
from babel.numbers import format_decimal

from clinic.register_import.encoding import encoding_name
from clinic.register_import.file_format import FileFormat
from clinic.register_import.file_refusal import FileProblem
from clinic.register_import.reading import UNNAMED, Reading
from clinic.register_import.register_row import RegisterRow
from console.reader import Reader
from console.register_import import words
from console.register_import.reject_words import column_in, reason_in
from console.register_import.report import End, Report, Wrong
from console.staff_view import translated
from console.staff_words import CHANNELS, LANGUAGES, N_, REASONS

_VALUES: dict[str, dict[str, str]] = {
    **words.VALUES,
    "language": LANGUAGES,
    "preferred_channel": CHANNELS,
    "loss_reason": {reason.value: said for reason, said in REASONS.items()},
}

_FORMAT, _ENCODING, _DELIMITER = N_("Kind of file"), N_("Encoding"), N_("Between the cells")
_SHEET, _OTHER_SHEETS = N_("Sheet"), N_("Sheets that are not read, though they look like lists too")
_HEADER, _DATES, _NUMBERS = N_("Header"), N_("Dates"), N_("Phones without a country code")
_TEXT, _IN_LINE, _AS_OF = N_("Text"), N_("in line %(line)s"), N_("are numbers of %(country)s")


class ReadAs(NamedTuple):
    """A column of the register, and the file's own words for it."""

    column: str
    headers: list[str]


class FirstRow(NamedTuple):
    """A field of the first rows: what each of them says."""

    field: str
    values: list[str]


class ReportView:
    """What a page shows of a report.

    Args:
        report: What became of a list.
        reader: Whose language counts.
        zone: The clinic's.
        country: ISO 3166, the clinic's.
    """

    def __init__(self, report: Report, reader: Reader, zone: ZoneInfo, country: str) -> None:
        self._report = report
        self._reader = reader
        self._zone = zone
        self._country = country

    @property
    def facts(self) -> list[tuple[str, str]]:
        """How the file was read: what it is about, and what was found."""
        reading = self._report.reading
        return [] if reading is None else [(self._(name), said) for name, said in self._of(reading)]

    @property
    def columns(self) -> list[ReadAs]:
        """The register's columns that were found, with the file's own words."""
        found = sorted(self._report.columns.items(), key=lambda pair: pair[1])
        order = list(dict.fromkeys(self._report.columns.values()))
        read = {
            column: [header for header, _ in pairs]
            for column, pairs in groupby(found, key=lambda pair: pair[1])
        }
        return [ReadAs(self.column(column), read[column]) for column in order]

    @property
    def ignored(self) -> list[str]:
        """The file's columns that nothing is read from, in its own words."""
        return [name for name in self._report.ignored if name != UNNAMED]

    @property
    def has_unnamed(self) -> bool:
        """Whether cells without a header hold something, of which nothing is read."""
        return UNNAMED in self._report.ignored

    @property
    def first_rows(self) -> list[FirstRow]:
        """The first rows as they were understood, field by field: of those that bring anything."""
        told = self._report.first_changes or self._report.first_rows
        rows = [row.said() for row in told]
        fields = [each for each in RegisterRow.__slots__ if any(each in row for row in rows)]
        return [
            FirstRow(self.column(field), [self._value(field, row.get(field)) for row in rows])
            for field in fields
        ]

    @property
    def problem(self) -> str:
        """Why the list can't be imported, or was not imported to its end; empty: it was."""
        refused = self._report.refused
        if self._report.end is End.BROKEN:
            return self._(words.BROKE)
        if refused is None:
            return ""
        if refused.why is None:
            return self._(words.NOT_READ)
        named = refused.named
        if refused.why is FileProblem.NO_COLUMN:
            named = [self._(each) for each in named]
        said = {
            "line": format_decimal(refused.line or 1, locale=self._reader.language),
            "named": self._listed(named),
        }
        return self._(words.FILE_PROBLEMS[refused.why]) % said

    @property
    def cause(self) -> str:
        """What else is known of the problem, in English; empty: nothing."""
        refused = self._report.refused
        if refused is None or self._report.end is End.BROKEN:
            return ""
        return refused.problem if refused.why in (None, FileProblem.MAPPING) else ""

    def reason(self, wrong: Wrong) -> str:
        """Return what is wrong with a cell; what has no words of ours stays in English."""
        return reason_in(self._reader, wrong)

    def column(self, name: str) -> str:
        """Return what a column of the register is called."""
        return column_in(self._reader, name)

    def _of(self, reading: Reading) -> Iterable[tuple[str, str]]:
        layout = reading.layout
        match layout.format:
            case FileFormat.TEXT:
                yield _FORMAT, self._(_TEXT)
                yield _ENCODING, encoding_name(layout.encoding or "")
                delimiter = layout.delimiter or ""
                yield _DELIMITER, self._(words.DELIMITERS.get(delimiter, "")) or delimiter
            case FileFormat.XLSX:
                yield _FORMAT, "XLSX"
                yield _SHEET, layout.sheet or ""
                if layout.other_sheets:
                    yield _OTHER_SHEETS, self._listed(layout.other_sheets)
            case FileFormat.NDJSON:
                yield _FORMAT, "FHIR R4, NDJSON"
                for kind, count in layout.resources.items():
                    yield words.RESOURCES[kind], self._number(count)
        if reading.header_line is not None:
            yield _HEADER, self._(_IN_LINE) % {"line": self._number(reading.header_line)}
        if reading.date_order is not None:
            yield _DATES, self._(words.DATE_ORDERS[reading.date_order])
        if {"phone", "other_phone", "guardian_phone"} & set(self._report.columns.values()):
            countries = Locale(self._reader.language).territories
            country = countries.get(self._country, self._country)
            yield _NUMBERS, self._(_AS_OF) % {"country": country}

    def _value(self, field: str, value: Any) -> str:
        language = self._reader.language
        match value:
            case None:
                return ""
            case dict():
                agrees, refuses = self._(words.AGREES), self._(words.REFUSES)
                said = (
                    (self._about(what), agrees if given else refuses)
                    for what, given in value.items()
                )
                return ", ".join(f"{what}: {answer}" for what, answer in said)
            case datetime():
                return format_datetime(value.astimezone(self._zone), "short", locale=language)
            case date():
                return format_date(value, "medium", locale=language)
            case int():
                return self._number(value)
        named = _VALUES.get(field, {})
        return self._(named[value]) if value in named else str(value)

    def _about(self, what: str) -> str:
        return self._(CHANNELS.get(what, words.ADVERTISING))

    def _number(self, number: int) -> str:
        return str(format_decimal(number, locale=self._reader.language))

    def _listed(self, said: Iterable[str]) -> str:
        return str(format_list(list(said), locale=self._reader.language))

    def _(self, message: str) -> str:
        return translated(self._reader, message) if message else ""
