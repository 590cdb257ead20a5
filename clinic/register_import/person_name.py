"""A person's full name in one cell, split into what a message greets by, and the rest."""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import yaml


def read_full_name(written: str, *, surname_first: bool = False) -> tuple[str, str]:
    """Split a full name into first name and last name.

    A comma parts the surname from what follows. A Russian name gives itself away by its
    patronymic, or by the ending of its surname; it is `Фамилия Имя Отчество` where it does not.
    The patronymic belongs to the first name: that is how patients are addressed.

    Args:
        written: One line, not empty.
        surname_first: Whether the column says so, such as «Apellidos y nombres».

    Returns:
        First name and last name; the last name is empty where there is one word.
    """
    before, comma, after = (part.strip() for part in written.partition(","))
    if comma:
        return (after, before) if after and before else (before or after or written, "")
    words = written.split()
    if len(words) == 1:
        return written, ""
    if _CYRILLIC.fullmatch(words[0]):
        surname_at = _russian_surname_at(words, surname_first=surname_first)
        first = " ".join(words[:surname_at] + words[surname_at + 1 :])
        return first, words[surname_at]
    if surname_first:
        # «Gil Soto Ana»: Spanish names have two surnames, others have one
        surnames = 2 if len(words) > len(("surname", "first name")) else 1
        return " ".join(words[surnames:]), " ".join(words[:surnames])
    return words[0], " ".join(words[1:])


_CYRILLIC = re.compile(r"[\u0400-\u04FF.'\u2019-]+")


def _russian_surname_at(words: list[str], *, surname_first: bool) -> int:
    last = len(words) - 1
    if surname_first:
        return 0
    if any(map(_is_patronymic, words[1:last])):
        return last  # first name, patronymic, surname; which may itself end like a patronymic
    if last > 1 and _is_patronymic(words[last]):
        return 0  # surname, first name, patronymic
    ends_like_one = [_is_like_surname(word) for word in (words[0], words[last])]
    return last if ends_like_one == [False, True] else 0


def _is_patronymic(word: str) -> bool:
    return _ends(word, _russian()["patronymic_endings"])


def _is_like_surname(word: str) -> bool:
    known = _russian()
    return (
        _ends(word, known["surname_endings"] | known["patronymic_endings"])
        and word.casefold() not in known["given_names"]
    )


def _ends(word: str, endings: Iterable[str]) -> bool:
    stem = 2  # letters: `Ева` is a first name
    return any(
        len(word) >= len(ending) + stem and word.casefold().endswith(ending) for ending in endings
    )


@cache
def _russian() -> dict[str, frozenset[str]]:
    path = Path(__file__).with_name("russian_names.yaml")
    table: dict[str, list[str]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {name: frozenset(words) for name, words in table.items()}
