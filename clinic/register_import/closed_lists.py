"""The words of closed lists, such as a sex or a status, in the languages of the exports."""

from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path

import yaml

from clinic.plain_text import plain

UNKNOWN = "unknown"
"""What a list's words stand for that say nothing."""


_LONGEST_WORD = 64
"""Characters: what is longer stands in no list."""


def listed(name: str, written: str) -> str | None:
    """Return the value of a closed list that a cell means.

    Args:
        name: The list: a column, or `answer` for yes and no.
        written: The cell's text, in any case, with or without accents.

    Returns:
        The value; `unknown` for a word that says nothing; None for one that is not known.
    """
    return _listed(name, written) if len(written) <= _LONGEST_WORD else None


def listed_values(name: str) -> list[str]:
    """Return the values that a closed list has, for messages and to check a mapping by.

    Raises:
        KeyError: There is no such list.
    """
    return [value for value in _table()[name] if value != UNKNOWN]


def word_key(written: str) -> str:
    """Return a word as words are compared; a lone sign, such as `+`, stays what it is."""
    return plain(written) or written.strip()


def sexes_by_initials(samples: Iterable[str]) -> dict[str, str]:
    """Tell what `M` means from a whole column: `mujer` where others are `H`, for `hombre`.

    Returns:
        Values for `RowReader`'s `values`, under `sex`; empty where `M` means a man.
    """
    return {"M": "female"} if any(plain(sample) == "h" for sample in samples) else {}


@lru_cache(maxsize=8192)
def _listed(name: str, written: str) -> str | None:
    return _aliases()[name].get(word_key(written))


@cache
def _aliases() -> dict[str, dict[str, str]]:
    return {
        name: {word_key(alias): value for value, aliases in values.items() for alias in aliases}
        for name, values in _table().items()
    }


@cache
def _table() -> dict[str, dict[str, list[str]]]:
    path = Path(__file__).with_name("value_aliases.yaml")
    table: dict[str, dict[str, list[str]]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return table
