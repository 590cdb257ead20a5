"""A file as rows of cells, before anybody knows what they mean."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from clinic.register_import.reading import Layout

CELL_LIMIT = 65_536
"""Characters that a cell may have. Excel's own limit is 32,767: what is longer is no list."""

Numbered = tuple[int, list[str]]
"""A row's line, counted from 1, and its cells."""


class Grid(Protocol):
    """An export's rows, in whatever format they are kept."""

    @property
    def layout(self) -> Layout:
        """The format, and what it was read with."""

    @property
    def size(self) -> int:
        """What `position` has reached at the file's end."""

    @property
    def position(self) -> int:
        """How far `rows` has come."""

    def head(self) -> Sequence[Numbered]:
        """Return the first rows, empty ones left out."""

    def rows(self) -> Iterator[Numbered]:
        """Yield all rows, empty ones left out; memory stays flat.

        Raises:
            Refusal: A row can't be read, with its line, and its column where that is known.
        """
