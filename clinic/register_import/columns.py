"""The columns of an export: which header stands for which column of the register."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

import yaml

from clinic.plain_text import plain

IGNORE = "ignore"
"""What a mapping file writes for a header that nothing is to be read from."""

HEADER_WITHIN = 20
"""Among how many first lines a header is looked for: titles and filters stand above many."""

_NUMBER_SIGN = re.compile(r"#|№|\bn\s?[º°]\.?|\bnro\b\.?|\bnum\b\.?", re.IGNORECASE)
_NAMES = frozenset({"name", "first_name"})
_NUMBERS = frozenset({"patient_id", "national_id"})
_ADDRESSES = frozenset({"email", "phone", "other_phone", "guardian_email", "guardian_phone"})
_NEWS = frozenset({"last_visit", "next_appointment", "status"})


def header_key(name: str) -> str:
    """Return a header as headers are compared: `# Paciente` and `Nº paciente` are the same.

    Spaces don't count either, so that `BirthDate` is `birth_date`. The sign for "number" counts
    as a word in front, so that `# Tratamiento` is not `Tratamiento`, and `Chart #` is `# chart`.
    """
    bare, signs = _NUMBER_SIGN.subn(" ", name)
    return ("numero" if signs else "") + plain(bare).replace(" ", "")


def known_columns() -> list[str]:
    """Return the register's columns, in the order of the table of aliases."""
    return list(known_headers())


@cache
def known_headers() -> dict[str, list[str]]:
    """Return the table of aliases: column to the headers it is known by."""
    path = Path(__file__).with_name("header_aliases.yaml")
    table: dict[str, list[str]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return table


def read_header(names: Sequence[str], given: Mapping[str, str] | None = None) -> dict[int, str]:
    """Match a header's names to the register's columns.

    Several positions may stand for one column: the first filled cell of a row counts. Only of
    patients' numbers there is one, the one that the table of aliases has first. A first name
    without a last name beside it is the whole name, and a `Teléfono` without a `Celular` is the
    phone.

    Args:
        names: The header's cells.
        given: A mapping's columns by header, which go before the aliases; `ignore` for none.

    Returns:
        Position to column; names that are not known are left out.
    """
    wanted = {header_key(name): column for name, column in (given or {}).items()}
    columns: dict[int, str] = {}
    for position, name in enumerate(names):
        key = header_key(name)
        column = wanted.get(key) or aliases().get(key)
        if key and column is not None and column != IGNORE:
            columns[position] = column
    _keep_one_number(names, columns, wanted)
    found = set(columns.values())
    instead: dict[str, str] = {}
    if not found & {"last_name", "second_last_name", "name"}:
        instead["first_name"] = "name"
    if "phone" not in found:
        instead["other_phone"] = "phone"
    return {
        position: column if _is_said(names[position], column) else instead.get(column, column)
        for position, column in columns.items()
    }


def lacking(columns: Iterable[str]) -> list[str]:
    """Say what a list of patients has to have and these columns don't; empty where it has all.

    A list of patients names them, tells one from another (by number, birth date or address)
    and says how to reach them. A list of visits, appointments or statuses needs only the
    patients' numbers: it updates those who are on the register.
    """
    found = set(columns)
    if found & _NUMBERS and found & _NEWS:
        return []
    missing: list[str] = []
    if not found & (_NUMBERS | _ADDRESSES | {"birth_date"}):
        missing.append("the patient's number")
    if not found & _NAMES:
        missing.append("the patient's name")
    if not found & _ADDRESSES:
        missing.append("an email or a phone")
    return missing


def find_header(
    rows: Sequence[Sequence[str]], given: Mapping[str, str] | None = None
) -> int | None:
    """Return the index of the first row in which all needed columns are found, or None."""
    for index, names in enumerate(rows[:HEADER_WITHIN]):
        columns = read_header(names, given)
        if columns and not lacking(columns.values()):
            return index
    return None


@cache
def aliases() -> dict[str, str]:
    """Return every header that is known, as headers are compared, with its column."""
    return {
        header_key(name): column
        for column, names in known_headers().items()
        for name in (column, *names)
    }


def _keep_one_number(
    names: Sequence[str], columns: dict[int, str], wanted: Mapping[str, str]
) -> None:
    positions = [position for position, column in columns.items() if column == "patient_id"]
    order = [header_key(name) for name in ("patient_id", *known_headers()["patient_id"])]

    def rank(position: int) -> int:
        key = header_key(names[position])
        return -1 if key in wanted else order.index(key)

    for position in sorted(positions, key=rank)[1:]:
        del columns[position]


def _is_said(name: str, column: str) -> bool:
    """Whether a header is the register's own word, which means what it says."""
    return name.strip().casefold() == column
