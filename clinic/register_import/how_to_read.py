"""How an export is read: its header, the order of its dates, its words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from shlex import quote

from clinic.plain_text import legible
from clinic.register_import.columns import (
    find_header,
    header_key,
    known_headers,
    lacking,
    read_header,
)
from clinic.register_import.dates import DateOrder, UnclearDates
from clinic.register_import.file_refusal import FileProblem, FileRefusal
from clinic.register_import.grid import Grid, Numbered
from clinic.register_import.look_through import Look
from clinic.register_import.mapping import ExportMapping
from clinic.register_import.proposal import likely_header, write_proposal

_FEW_HINTS = 8
"""Of so many aliases, spread over the languages, a refusal reminds."""


@dataclass(frozen=True)
class HowToRead:
    """What a file's header, dates and words mean. Where they are not clear, a mapping is proposed.

    Attributes:
        path: The file.
        grid: Its rows.
        mapping_path: Where the mapping stands; None without one.
        mapping: What it says.
        today: The clinic's day.
    """

    path: Path
    grid: Grid
    mapping_path: Path | None
    mapping: ExportMapping
    today: date

    def header(self) -> Numbered:
        """Return the header's line and cells.

        Raises:
            Refusal: There is none with the columns that are needed, or the mapping names a
                column that is not there.
        """
        head = self.grid.head()
        if not head:
            raise FileRefusal(
                FileProblem.EMPTY, f"{self.path}: the file is empty", "Export the list again."
            )
        rows = [cells for _, cells in head]
        at = find_header(rows, self.mapping.columns)
        line, names = head[likely_header(rows) if at is None else at]
        written = {header_key(name) for name in names}
        for name in self.mapping.columns:
            if header_key(name) not in written:
                raise FileRefusal(
                    FileProblem.MAPPING,
                    f"{self.mapping_path}: columns: `{name}` is no column of {self.path} "
                    f"(columns: {_listed(names)})",
                )
        if at is None:
            raise self._refused_header(line, names)
        return line, names

    def date_order(self, look: Look, country: str) -> DateOrder:
        """Return the order of day and month: as the mapping says it, else the file's dates.

        Args:
            look: What a look through the file found.
            country: ISO 3166 code of the clinic, which decides where no date does.

        Raises:
            Refusal: The dates can be read in two ways.
        """
        if self.mapping.date_order:
            return self.mapping.date_order
        try:
            return look.dates.found(country)
        except UnclearDates as unclear:
            raise self._refusal(
                FileProblem.UNCLEAR_DATES,
                f"{self.path}: {unclear}",
                "say `date_order` in it",
                named=unclear.examples,
            ) from None

    def values(self, look: Look) -> dict[str, dict[str, str]]:
        """Return what the file's words mean beyond what the register knows, by column.

        Args:
            look: What a look through the file found.

        Raises:
            Refusal: There are statuses, and not one of them is known.
        """
        values = {column: dict(said) for column, said in self.mapping.values.items()}
        if look.sexes:
            values["sex"] = {**look.sexes, **values.get("sex", {})}
        if look.unknown_statuses and "status" not in values:
            raise self._refusal(
                FileProblem.UNKNOWN_STATUSES,
                f"{self.path}: no word in the column of statuses is known: "
                f"{_listed(look.unknown_statuses)}",
                "say what they mean under `values`, or `ignore` the column",
                named=look.unknown_statuses,
            )
        return values

    def _refused_header(self, line: int, names: Sequence[str]) -> FileRefusal:
        missing = lacking(read_header(names, self.mapping.columns).values())
        known = known_headers()
        hints = {
            "the patient's number": ("patient_id",),
            "the patient's name": ("name", "first_name"),
            "an email or a phone": ("email", "phone"),
        }
        examples = "\n".join(
            f"  {column}: {', '.join(known[column][:: -(-len(known[column]) // _FEW_HINTS)])}, ..."
            for what in missing
            for column in hints[what]
        )
        return self._refusal(
            FileProblem.NO_COLUMN,
            f"{self.path}:{line}: no column for {', nor for '.join(missing)} "
            f"(columns: {_listed(names)})",
            "say there what its columns are",
            f"\nHeaders that are known:\n{examples}",
            line=line,
            named=missing,
        )

    def _refusal(
        self,
        why: FileProblem,
        problem: str,
        what: str,
        more: str = "",
        *,
        line: int | None = None,
        named: Sequence[str] = (),
    ) -> FileRefusal:
        if self.mapping_path:
            remedy = f"Mend {self.mapping_path}: {what}.{more}"
        else:
            remedy = self._proposed(what, more)
        return FileRefusal(why, problem, remedy, line=line, named=named)

    def _proposed(self, what: str, more: str) -> str:
        """Propose a mapping, and return what is to be done with it."""
        proposed = Path(f"{self.path.stem}.mapping.yaml")
        rows = [cells for _, cells in self.grid.head()]
        try:
            is_new = write_proposal(proposed, rows, today=self.today)
        except OSError as error:
            return f"A mapping can't be proposed: {proposed}: {error.strerror}"
        stands = "A mapping was written" if is_new else "A mapping is there already"
        return (
            f"{stands}: edit {proposed} ({what}), then run\n"
            f"  regresa import {quote(str(self.path))} --mapping {quote(str(proposed))}{more}"
        )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(filter(None, map(legible, names)))
