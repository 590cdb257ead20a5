"""What the process that reads a list tells the console of it: how far it is, and what it found."""

from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import BaseModel, SecretStr, field_serializer

from clinic.register_import.cell_problem import CellProblem, Reason
from clinic.register_import.file_refusal import FileProblem
from clinic.register_import.reading import Reading
from clinic.register_import.register_row import RegisterRow
from clinic.register_import.rejects import Reject


class Kind(StrEnum):
    """What is done with a list."""

    TRIAL = "trial"
    IMPORT = "import"


class Order(BaseModel):
    """What is to be done with a list; it holds secrets, and goes through a pipe alone.

    Attributes:
        folder: The upload's; the process works in it.
        list_file: The list.
        kind: Whether anything is written to the register.
        mapping: How it is to be read, where somebody said so.
        encoding: The same; empty: found out.
        database_url: The register's.
        key: The clinic's.
        country: ISO 3166.
        language: ISO 639.
        zone: The clinic's, of the IANA database.
        now: Aware UTC.
        today: The clinic's day.
    """

    folder: Path
    list_file: Path
    kind: Kind
    mapping: Path | None
    encoding: str
    database_url: SecretStr
    key: SecretStr
    country: str
    language: str
    zone: str
    now: datetime
    today: date

    @field_serializer("database_url", "key")
    def _plainly(self, secret: SecretStr) -> str:
        return secret.get_secret_value()


class Progress(BaseModel):
    """How far a list has been read.

    Attributes:
        position: Of `size`, which is reached at the list's end.
        rows: Rows that were read.
    """

    position: int
    size: int
    rows: int


class End(StrEnum):
    """How the work ended."""

    DONE = "done"
    REFUSED = "refused"
    STOPPED = "stopped"
    BROKEN = "broken"


class Refused(BaseModel):
    """Why a list can't be imported.

    Attributes:
        why: Of the closed list; None: something else, such as a database that went away.
        problem: In English, without paths.
        line: Where, counted from 1.
        named: What it is about: columns that are missing, or words of the file.
    """

    why: FileProblem | None = None
    problem: str
    line: int | None = None
    named: list[str] = []


class Wrong(BaseModel):
    """What is wrong with a cell.

    Attributes:
        column: The register's, or an element of FHIR.
        reason: In English.
        why: The same of a closed list; None: there are no other words for it.
        shown: What it is about.
    """

    column: str
    reason: str
    why: CellProblem | None = None
    shown: list[str] = []

    @classmethod
    def of(cls, column: str, reason: str) -> Self:
        """Take a reason as an import gives it."""
        if isinstance(reason, Reason):
            return cls(column=column, reason=str(reason), why=reason.why, shown=list(reason.shown))
        return cls(column=column, reason=reason)


class RejectLine(Wrong):
    """A row or a cell that could not be used; see `clinic.register_import.rejects.Reject`."""

    line: int
    imported: bool
    also: list[Wrong] = []

    @classmethod
    def of_reject(cls, reject: Reject) -> Self:
        """Take a reject without its row."""
        return cls(
            **Wrong.of(reject.column, reject.reason).model_dump(),
            line=reject.line,
            imported=reject.imported,
            also=[Wrong.of(*each) for each in reject.also],
        )

    @property
    def all_wrong(self) -> list[Wrong]:
        """All that is wrong with the row."""
        return [self, *self.also]


class Report(BaseModel):
    """What became of a list. It stands beside the list, and goes with it.

    Attributes:
        end: How the work ended.
        at: When it began, aware UTC: what names the run in the table of imports.
        seconds: How long it took.
        refused: Why it did not come to the list's end.
        reading: How the file was read; None where it could not be.
        columns: The file's header to the register's column.
        ignored: The file's columns that nothing is read from.
        counts: What became of the rows: new, updated, unchanged, rejected.
        line: The line that was reached.
        first_rows: How the first rows were understood.
        first_changes: The same of the first that are new or change something.
        unusable: Cells and rows that could not be used; `rejects` are the first of them.
        duplicates: Patients who may be on the register already, under another number.
    """

    end: End
    at: datetime
    seconds: float = 0.0
    refused: Refused | None = None
    reading: Reading | None = None
    columns: dict[str, str] = {}
    ignored: list[str] = []
    counts: dict[str, int] = {}
    line: int = 0
    first_rows: list[RegisterRow] = []
    first_changes: list[RegisterRow] = []
    unusable: int = 0
    rejects: list[RejectLine] = []
    duplicates: int = 0

    @property
    def rows(self) -> int:
        """Rows read."""
        return sum(self.counts.values())

    @property
    def changes(self) -> int:
        """Rows that change something on the register."""
        return self.counts.get("new", 0) + self.counts.get("updated", 0)
