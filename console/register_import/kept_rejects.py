"""What of a list could not be used, as it is kept beside the list."""

import json
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from clinic.register_import.rejects import Reject
from console.register_import.report import RejectLine


class KeptRejects:
    """Writes rejects as they come: a million of them need no memory, and none leave no file.

    Args:
        path: Of the file, one JSON value a line: the header, then each reject with its row.
        header: The list's.
    """

    def __init__(self, path: Path, header: Sequence[str]) -> None:
        self._path = path
        self._header = header
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        """Return the same; nothing is written yet."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def add(self, reject: Reject) -> None:
        """Write one."""
        if self._file is None:
            self._file = self._path.open("w", encoding="utf-8")
            self._file.write(json.dumps(list(self._header)) + "\n")
        line = RejectLine.of_reject(reject).model_dump_json()
        self._file.write(json.dumps([line, list(reject.cells)]) + "\n")
