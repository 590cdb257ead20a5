"""What an import remembers of the file it reads, beside memory: it stays flat at any length.

A patient may stand on many rows, far apart. The first row that says a thing wins, and whether
an appointment is gone is known only at the file's end; so both are noted here, in a private
SQLite database on disk that is gone when it is closed.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import NamedTuple, Self

_PAGE = 500
_CACHE_KIB = 8_192


class Seen(NamedTuple):
    """What earlier rows of the file said about a number.

    Attributes:
        line: The first of them.
        said: Which fields they said, as bits.
    """

    line: int
    said: int


class Doubt(NamedTuple):
    """An appointment of the register that a row of the file speaks against.

    It is gone unless another row of the same file says that it stands.
    """

    patient_id: str
    at: datetime
    line: int
    row_was_unchanged: bool


class NumbersSeen:
    """The file's rows so far, as far as later rows depend on them."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for statement in (
            f"PRAGMA cache_size = -{_CACHE_KIB}",
            "PRAGMA journal_mode = OFF",
            "PRAGMA synchronous = OFF",
            "CREATE TABLE seen (number TEXT PRIMARY KEY, line INTEGER, said INTEGER) WITHOUT ROWID",
            "CREATE TABLE standing (patient, at REAL, PRIMARY KEY (patient, at)) WITHOUT ROWID",
            "CREATE TABLE doubts (patient, at REAL, line, unchanged, PRIMARY KEY (patient, at))",
        ):
            self._connection.execute(statement)

    def of(self, numbers: Sequence[str]) -> dict[str, Seen]:
        """Return what was said of numbers; one that is not there was not met."""
        found: dict[str, Seen] = {}
        for page in _pages(numbers):
            marks = ",".join("?" * len(page))
            rows = self._connection.execute(
                f"SELECT number, line, said FROM seen WHERE number IN ({marks})",  # noqa: S608 - marks only
                page,
            )
            found |= {number: Seen(line, said) for number, line, said in rows}
        return found

    def keep(self, seen: dict[str, Seen]) -> None:
        """Remember what was said of numbers."""
        self._connection.executemany(
            "INSERT OR REPLACE INTO seen VALUES (?, ?, ?)",
            [(number, line, said) for number, (line, said) in sorted(seen.items())],
        )

    def appointments_stand(self, said: Iterable[tuple[str, datetime]]) -> None:
        """Remember that the file says of appointments (patient, aware UTC) that they stand."""
        rows = [(patient, at.timestamp()) for patient, at in said]
        self._connection.executemany("INSERT OR IGNORE INTO standing VALUES (?, ?)", rows)

    def doubt(self, doubts: Iterable[Doubt]) -> None:
        """Remember that a row speaks against appointments; the first to do so is kept."""
        self._connection.executemany(
            "INSERT OR IGNORE INTO doubts VALUES (?, ?, ?, ?)",
            [
                (doubt.patient_id, doubt.at.timestamp(), doubt.line, doubt.row_was_unchanged)
                for doubt in doubts
            ],
        )

    def appointments_gone(self, at_once: int) -> Iterator[list[Doubt]]:
        """Yield, in pages, the appointments that no row said to stand; at the file's end."""
        rows = self._connection.execute(
            "SELECT patient, at, line, unchanged FROM doubts AS d WHERE NOT EXISTS "
            "(SELECT 1 FROM standing AS s WHERE s.patient = d.patient AND s.at = d.at) "
            "ORDER BY line"
        )
        while page := list(islice(rows, at_once)):
            yield [
                Doubt(patient, datetime.fromtimestamp(at, UTC), line, bool(unchanged))
                for patient, at, line, unchanged in page
            ]

    def close(self) -> None:
        """Forget all of it."""
        self._connection.close()

    def __enter__(self) -> Self:
        """Return the same."""
        return self

    def __exit__(self, *_: object) -> None:
        """Forget all of it."""
        self.close()


def _pages(numbers: Sequence[str]) -> Iterator[Sequence[str]]:
    return (numbers[at : at + _PAGE] for at in range(0, len(numbers), _PAGE))
