"""What became of a batch's rows."""

from dataclasses import dataclass, field

from clinic.register_import.possible_duplicates import Found
from clinic.register_import.register_row import BadCell, ReadRow, RegisterRow
from clinic.register_import.rejects import Reject

SHOWN_ROWS = 3
"""So many are kept for people to see that they were understood right."""


@dataclass(slots=True)
class BatchResult:
    """What became of a batch's rows; every row counts in exactly one of the four.

    Attributes:
        first_changes: How the first rows were understood that are new or change something.
    """

    new: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    rejects: list[Reject] = field(default_factory=list)
    duplicates: list[Found] = field(default_factory=list)
    first_changes: list[RegisterRow] = field(default_factory=list)

    def reject(self, read: ReadRow, bad: BadCell) -> None:
        """Count a row that is not imported."""
        self.rejected += 1
        said = bad.column, bad.reason
        self.rejects.append(
            Reject(read.line, *said, imported=False, cells=read.cells, also=bad.also)
        )

    def show(self, row: RegisterRow) -> None:
        """Keep a row that is new, or changes something, if it is among the first of them."""
        if len(self.first_changes) < SHOWN_ROWS:
            self.first_changes.append(row)

    def leave_out(self, read: ReadRow, column: str, reason: str) -> None:
        """Note a cell without which its row is imported."""
        self.rejects.append(Reject(read.line, column, reason, imported=True, cells=read.cells))
