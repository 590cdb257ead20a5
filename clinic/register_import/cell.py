"""A cell's text, and whether it says anything."""

import re
from functools import cache, lru_cache
from pathlib import Path

import yaml

from clinic.plain_text import legible

_APOSTROPHE = re.compile(r"'(?=[\d=+@.-])")
"""How spreadsheets mark a number, or what looks like a formula, as text."""

_TEXT_FORMULA = re.compile(r'="([^"]*)"')
"""How exports keep a spreadsheet from taking `00123` for the number 123."""

_SHORT = 64
"""Characters; longer cells are remarks, which seldom come twice and would fill the memory."""

_ROUNDED = re.compile(r"\d+(?:[.,]\d+)?E\+\d+", re.IGNORECASE)


def text_of(cell: str) -> str:
    """Return what is written in a cell, as one line; empty for a placeholder such as `-`.

    A formula is text like any other: nothing is calculated.
    """
    return _short_text(cell) if len(cell) <= _SHORT else _bare(cell)


def statement_of(cell: str) -> str:
    """Return the same, but empty also for words that say nothing: `no tiene`, «нет данных».

    Not for names and answers, where `No` says something.
    """
    return _short_statement(cell) if len(cell) <= _SHORT else _bare(cell)


def whole_number(text: str) -> str:
    """Return a number as it was before a spreadsheet took it for a fraction: not `305555.0`."""
    digits = text.removesuffix(".0")
    return digits if digits.isdecimal() else text


def quoted(text: str) -> str:
    """Return a cell's text as a message shows it: in backticks, and not endless."""
    return f"`{text}`" if len(text) <= _SHORT else f"`{text[:_SHORT]}...`"


def was_rounded(text: str) -> bool:
    """Say whether a spreadsheet wrote a number as `3.05555E+09`: its last digits are lost."""
    return "+" in text and _ROUNDED.fullmatch(text) is not None


@cache
def placeholders() -> tuple[frozenset[str], frozenset[str]]:
    """Return what says nothing anywhere, and what says nothing but in names and answers."""
    path = Path(__file__).with_name("placeholders.yaml")
    table: dict[str, list[str]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    everywhere = frozenset(map(str.casefold, table["everywhere"]))
    return everywhere, everywhere.union(map(str.casefold, table["other_than_names"]))


# but for numbers and addresses, the cells of a file are few words, over and over
@lru_cache(maxsize=16_384)
def _short_text(cell: str) -> str:
    text = _bare(cell)
    return "" if text.casefold() in placeholders()[0] else text


@lru_cache(maxsize=32_768)
def _short_statement(cell: str) -> str:
    text = _bare(cell)
    return "" if text.casefold() in placeholders()[1] else text


def _bare(cell: str) -> str:
    text = legible(cell)
    if text[:1] == "'":
        return _APOSTROPHE.sub("", text, count=1)
    if text[:2] == '="' and (formula := _TEXT_FORMULA.fullmatch(text)):
        return formula[1].strip()
    return text
