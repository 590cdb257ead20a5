"""What of a file could not be used: each row or cell, why, and the file that lists them."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

_COLUMNS = ("line", "column", "reason", "done")
_OURS = f"\ufeff{','.join(_COLUMNS)}".encode()


@dataclass(frozen=True, slots=True)
class Reject:
    """A row, or a cell of it, that could not be used.

    Attributes:
        line: The row's line in the file; a file's first line is 1.
        column: The register's column.
        reason: What is wrong with it.
        imported: Whether the rest of the row was imported.
        cells: The row as it stood.
        also: What else of the row could not be used: columns, each with its reason.
    """

    line: int
    column: str
    reason: str
    imported: bool
    cells: Sequence[str]
    also: Sequence[tuple[str, str]] = ()

    @property
    def whole_reason(self) -> str:
        """All that is wrong with the row, as one line."""
        return "; ".join([self.reason, *(f"{column}: {reason}" for column, reason in self.also)])


class RejectsFile:
    """Writes rejects as they come, so that a million of them need no memory.

    The file is begun with the first of them: a list without any leaves no file behind, also
    not the rejects of an earlier run.
    """

    def __init__(self, path: Path, header: Sequence[str]) -> None:
        self._path = path
        self._header = header
        self._file: IO[str] | None = None
        self._writer: Any = None

    def add(self, reject: Reject) -> None:
        """Write one: line, column, reason, what was done, the original row."""
        if self._file is None:
            self._begin()
        done = "row imported without it" if reject.imported else "row rejected"
        cells = [as_text(cell) for cell in reject.cells]
        said = (reject.column, reject.whole_reason, done)
        self._writer.writerow([reject.line, *map(as_text, said), *cells])

    def _begin(self) -> None:
        self._path.touch(mode=0o600)  # whole rows about people: nobody else reads along
        # with its mark, so that a spreadsheet shows accents
        self._file = self._path.open("w", encoding="utf-8-sig", newline="")
        self._writer = csv.writer(self._file)
        header = [as_text(name) for name in self._header]
        self._writer.writerow([*_COLUMNS, *header])

    def __enter__(self) -> Self:
        """Return the same; nothing is written yet."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Close the file; one of an earlier run goes if this one came through without rejects."""
        if self._file is not None:
            self._file.close()
        elif kind is None and _is_ours(self._path):
            self._path.unlink()


def _is_ours(path: Path) -> bool:
    """Whether a file holds rejects; anything else of the name is not ours to remove."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_OURS)) == _OURS


def as_text(cell: str) -> str:
    """Keep a spreadsheet from running a cell as a formula (OWASP, CSV injection)."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
