"""What of a list could not be used, as a file for whoever takes it along."""

import csv
import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

from clinic.register_import.rejects import as_text
from console.reader import Reader
from console.register_import.reject_words import column_in, reason_in
from console.register_import.report import RejectLine
from console.staff_view import translated
from console.staff_words import N_

HEADER = (
    N_("line of the list"),
    N_("column with an error"),
    N_("what is wrong"),
    N_("what was done"),
)
"""Before the list's own; words that no import takes for a column of patients."""
_TAKEN, _REJECTED = N_("row imported without it"), N_("row rejected")
_LINES_AT_ONCE = 200


def rejects_csv(kept: Path, reader: Reader) -> Iterator[bytes]:
    """Yield what was kept as a reader's spreadsheet takes it, as the results' file.

    In Spanish and Russian it expects a semicolon between cells, in English a comma; what begins
    like a formula is text. It can be mended, and imported again.

    Args:
        kept: What `KeptRejects` wrote.
        reader: Whose language counts.
    """
    buffer = StringIO(newline="")
    writer = csv.writer(buffer, delimiter="," if reader.language == "en" else ";")
    with kept.open(encoding="utf-8") as file:
        header = json.loads(next(file))
        writer.writerow([*(translated(reader, name) for name in HEADER), *map(as_text, header)])
        yield "\ufeff".encode()
        for number, each in enumerate(file, 1):
            writer.writerow(_row(each, reader))
            if number % _LINES_AT_ONCE == 0:
                yield _taken(buffer)
    yield _taken(buffer)


def _row(kept: str, reader: Reader) -> list[str]:
    said, cells = json.loads(kept)
    reject = RejectLine.model_validate_json(said)
    column = column_in(reader, reject.column)
    reasons = [
        reason_in(reader, reject),
        *(f"{column_in(reader, each.column)}: {reason_in(reader, each)}" for each in reject.also),
    ]
    done = translated(reader, _TAKEN if reject.imported else _REJECTED)
    return [str(reject.line), *map(as_text, (column, "; ".join(reasons), done, *cells))]


def _taken(buffer: StringIO) -> bytes:
    written = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return written
