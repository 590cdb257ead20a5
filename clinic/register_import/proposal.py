"""The mapping that is proposed for an export nobody has described yet, for a person to edit."""

import json
import re
import unicodedata
from collections.abc import Sequence
from datetime import date
from difflib import get_close_matches
from pathlib import Path

from clinic.plain_text import legible
from clinic.register_import.columns import (
    HEADER_WITHIN,
    IGNORE,
    aliases,
    header_key,
    known_columns,
    read_header,
)

_SAMPLES = 3
_SHAPE_LENGTH = 40
_LIKENESS = 0.85
"""From which likeness a header counts as an alias that was misspelt (difflib's ratio)."""

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.\w+")
_PHONE = re.compile(r"\+?[\d\s().-]{7,20}")
_PHONE_DIGITS = range(7, 16)
_DATE = re.compile(r"(\d{1,4})[./-]\d{1,2}[./-](\d{1,4})\b.*")
_CHILDHOOD = 15
"""Years: where most dates lie further back, they are dates of birth and not of visits."""


def write_proposal(path: Path, rows: Sequence[Sequence[str]], *, today: date) -> bool:
    """Propose a mapping of an export, as a YAML file.

    The samples in it are shapes (`aaa@aaa.aa`), as the cells themselves are personal data.

    Args:
        path: Where to; a file that is there is somebody's work and stays.
        rows: The export's first rows.
        today: The clinic's day.

    Returns:
        Whether it was written.

    Raises:
        OSError: It can't be written there.
    """
    at = likely_header(rows)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(_proposal(rows[at], rows[at + 1 :], today))
    except FileExistsError:
        return False
    return True


def likely_header(rows: Sequence[Sequence[str]]) -> int:
    """Return the index of the row that is most likely the header.

    It is the one with most known names; else the first that is as wide as the rows below it.
    """
    first = rows[:HEADER_WITHIN]
    known = [len(read_header(names)) for names in first]
    if max(known, default=0) > 1:
        return known.index(max(known))
    widths = [sum(bool(cell.strip()) for cell in cells) for cells in first]
    return next((at for at, width in enumerate(widths) if width * 2 > max(widths)), 0)


def _proposal(header: Sequence[str], rows: Sequence[Sequence[str]], today: date) -> str:
    guessed = _guess(header, rows, today)
    written: set[str] = set()
    lines = [
        "# How this export is to be read. Set right what was guessed wrong, and import it with",
        "# --mapping and this file. The samples show only the shape of what stands in the cells.",
        "",
        "columns:",
    ]
    for position, name in enumerate(header):
        title = legible(name)
        if not title or title in written:
            continue
        written.add(title)
        cells = _filled(rows, position)
        samples = ", ".join(dict.fromkeys(_shape(cell) for cell in cells[:_SAMPLES]))
        quoted = json.dumps(title, ensure_ascii=False)
        lines.append(f"  {quoted}: {guessed.get(position, IGNORE)}  # {samples or 'empty'}")
    lines += [
        "",
        "# The register's columns:",
        *(f"#   {column}" for column in known_columns()),
        f"#   {IGNORE}  (nothing is read from it)",
        "",
        "# Where they were found out wrong:",
        "# encoding: cp1252",
        '# delimiter: ";"',
        "# date_order: dmy    # or mdy, ymd: of dates such as 03/04/2026",
        "# values:            # what the file writes: what the register understands",
        "#   status:",
        '#     "Alta": inactive',
        "",
    ]
    return "\n".join(lines)


def _guess(header: Sequence[str], rows: Sequence[Sequence[str]], today: date) -> dict[int, str]:
    """Guess columns by the header's words, then by a likeness to them, then by the cells."""
    guessed = read_header(header)
    known = aliases()
    for position, name in enumerate(header):
        if position in guessed:
            continue
        alike = get_close_matches(header_key(name), known, n=1, cutoff=_LIKENESS)
        if alike and known[alike[0]] not in guessed.values():
            guessed[position] = known[alike[0]]
    for position in range(len(header)):
        if position in guessed:
            continue
        column = _by_cells(_filled(rows, position), today)
        if column == "phone" and "phone" in guessed.values():
            column = "other_phone"
        if column and column not in guessed.values():
            guessed[position] = column
    return guessed


def _by_cells(cells: Sequence[str], today: date) -> str | None:
    if _most(cells, [_EMAIL.fullmatch(cell) for cell in cells]):
        return "email"
    dates = [_DATE.fullmatch(cell) for cell in cells]
    if _most(cells, dates):
        years = sorted(_year(found, today) for found in dates if found)
        is_long_ago = years[len(years) // 2] < today.year - _CHILDHOOD
        return "birth_date" if is_long_ago else "last_visit"
    if _most(cells, [_PHONE.fullmatch(cell) and _has_phone_digits(cell) for cell in cells]):
        return "phone"
    return None


def _most(cells: Sequence[str], found: Sequence[object]) -> bool:
    return sum(map(bool, found)) * 2 > len(cells)


def _has_phone_digits(cell: str) -> bool:
    return sum(character.isdecimal() for character in cell) in _PHONE_DIGITS


def _year(written: re.Match[str], today: date) -> int:
    year = int(max(written[1], written[2], key=len))
    if year >= 100:  # noqa: PLR2004 - a year in full
        return year
    century = today.year // 100 * 100
    return century + year if century + year <= today.year else century - 100 + year


def _filled(rows: Sequence[Sequence[str]], position: int) -> list[str]:
    cells = (cells[position].strip() for cells in rows if position < len(cells))
    return [cell for cell in cells if cell.strip("-")]


def _shape(cell: str) -> str:
    """Return a cell's shape: letters as `a`, digits as `9`, signs as they stand."""
    shape = "".join(
        "a" if character.isalpha() else "9" if character.isdecimal() else character
        for character in cell[:_SHAPE_LENGTH]
    )
    return " ".join(
        "".join(one if unicodedata.category(one)[0] != "C" else "?" for one in word)
        for word in shape.split()
    )
