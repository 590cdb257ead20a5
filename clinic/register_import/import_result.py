"""What became of an import's rows, and how it is said of one that was interrupted."""

from dataclasses import dataclass, field

from clinic.register_import.batch_result import SHOWN_ROWS, BatchResult
from clinic.register_import.possible_duplicates import Found
from clinic.register_import.register_row import ReadRow, RegisterRow
from clinic.register_import.rejects import Reject

_FEW = 20
"""Rejects and duplicates kept in memory, to show."""
_COUNTS = ("new", "updated", "unchanged", "rejected")

AGAIN = (
    "Run the same command again: it finishes the import, and counts as unchanged what is on the "
    "register already."
)


@dataclass
class ImportResult:
    """What became of the rows; every row counts in exactly one of the four.

    Attributes:
        line: The line that was reached: what came before is on the register, or was rejected.
        first_rows: How the first rows were understood.
        first_changes: The same of the first that are new or change something.
        unusable: Cells and rows that could not be used; `rejects` are the first of them.
        duplicates: Patients who may be on the register already, under another number;
            `first_duplicates` are the first of them.
    """

    new: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    line: int = 0
    first_rows: list[RegisterRow] = field(default_factory=list)
    first_changes: list[RegisterRow] = field(default_factory=list)
    unusable: int = 0
    rejects: list[Reject] = field(default_factory=list)
    duplicates: int = 0
    first_duplicates: list[Found] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Rows read."""
        return sum(self.counts.values())

    @property
    def counts(self) -> dict[str, int]:
        """What became of the rows: new, updated, unchanged, rejected."""
        return {name: getattr(self, name) for name in _COUNTS}

    def with_batch(self, batch: BatchResult) -> dict[str, int]:
        """Return the counts as they are once a batch is committed."""
        return {name: count + getattr(batch, name) for name, count in self.counts.items()}

    def add(self, batch: BatchResult, rows: list[ReadRow]) -> None:
        """Add a batch that was committed."""
        for name, count in self.with_batch(batch).items():
            setattr(self, name, count)
        self.line = rows[-1].line
        if len(self.first_rows) < SHOWN_ROWS:
            said = [row.said for row in rows if isinstance(row.said, RegisterRow)]
            self.first_rows += said[: SHOWN_ROWS - len(self.first_rows)]
        self.first_changes += batch.first_changes[: SHOWN_ROWS - len(self.first_changes)]
        self.unusable += len(batch.rejects)
        self.rejects += batch.rejects[: _FEW - len(self.rejects)]
        self.duplicates += len(batch.duplicates)
        self.first_duplicates += batch.duplicates[: _FEW - len(self.first_duplicates)]

    def how_far(self, name: str) -> str:
        """Say of an import of a file that was interrupted how far it came."""
        if not self.rows:
            return f"{name}: nothing was imported"
        counts = ", ".join(f"{count} {what}" for what, count in self.counts.items())
        return f"{name}: imported up to line {self.line} ({counts}), and no further"
