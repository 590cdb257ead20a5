"""What became of a batch's rows."""

from dataclasses import dataclass, field

from clinic.register_import.possible_duplicates import Found
from clinic.register_import.register_row import BadCell, ReadRow
from clinic.register_import.rejects import Reject


@dataclass(slots=True)
class BatchResult:
    """What became of a batch's rows; every row counts in exactly one of the four."""

    new: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    rejects: list[Reject] = field(default_factory=list)
    duplicates: list[Found] = field(default_factory=list)

    def reject(self, read: ReadRow, bad: BadCell) -> None:
        """Count a row that is not imported."""
        self.rejected += 1
        said = bad.column, bad.reason
        self.rejects.append(
            Reject(read.line, *said, imported=False, cells=read.cells, also=bad.also)
        )

    def leave_out(self, read: ReadRow, column: str, reason: str) -> None:
        """Note a cell without which its row is imported."""
        self.rejects.append(Reject(read.line, column, reason, imported=True, cells=read.cells))
