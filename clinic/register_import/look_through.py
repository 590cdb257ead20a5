"""What only a whole file tells: whether all of it can be read, and what its words mean."""

from collections.abc import Mapping
from dataclasses import dataclass

from clinic.register_import.closed_lists import listed, sexes_by_initials
from clinic.register_import.dates import DateOrderSearch
from clinic.register_import.file_refusal import FileProblem, FileRefusal
from clinic.register_import.grid import Grid

DATES = frozenset({"birth_date", "last_visit", "next_appointment", "consent_date"})

_FEW = 12
_DIFFERENT = 100


@dataclass(frozen=True)
class Look:
    """What a look through a file found.

    Attributes:
        dates: What its dates say of the order of day and month.
        sexes: What the file means by letters that elsewhere mean something else.
        unknown_statuses: The words of the column of statuses, where not one of them is known:
            it is about something else, or in words that only the clinic can tell.
        has_unnamed: Whether cells below an empty header hold something.
    """

    dates: DateOrderSearch
    sexes: Mapping[str, str]
    unknown_statuses: list[str]
    has_unnamed: bool


def look_through(
    grid: Grid, header: tuple[int, list[str]], columns: Mapping[int, str], name: str
) -> Look:
    """Read a file to its end, keeping nothing of it but what the file as a whole tells.

    Args:
        grid: The file.
        header: The header's line and cells.
        columns: Position to column.
        name: The file, for messages.

    Raises:
        Refusal: A row can't be read, with its line; or there is none.
    """
    header_line, names = header
    dates = DateOrderSearch()
    of_dates = [position for position, column in columns.items() if column in DATES]
    words = {
        position: set[str]() for position, column in columns.items() if column in ("sex", "status")
    }
    unnamed = [position for position, title in enumerate(names) if not title.strip()]
    rows, has_unnamed = 0, False
    for line, cells in grid.rows():
        if line <= header_line:
            continue
        rows += 1
        written = len(cells)
        for position in of_dates:
            if position < written:
                dates.see(cells[position])
        for position, seen in words.items():
            if position < written and len(seen) < _DIFFERENT:
                seen.add(cells[position])
        if unnamed and not has_unnamed:
            has_unnamed = any(cells[at].strip() for at in unnamed if at < written)
    if not rows:
        raise FileRefusal(
            FileProblem.NO_ROWS,
            f"{name}:{header_line}: the list has a header and no rows",
            "Export the list again.",
            line=header_line,
        )
    said: dict[str, set[str]] = {"sex": set(), "status": set()}
    for position, seen in words.items():
        said[columns[position]] |= seen
    return Look(
        dates=dates,
        sexes=sexes_by_initials(said["sex"]),
        unknown_statuses=_unknown(said["status"]),
        has_unnamed=has_unnamed,
    )


def _unknown(statuses: set[str]) -> list[str]:
    words = sorted(word.strip() for word in statuses if word.strip(" -"))
    return [] if any(listed("status", word) for word in words) else words[:_FEW]
