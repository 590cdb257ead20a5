"""A cell with phone numbers: often several, with remarks between them."""

from functools import lru_cache
from typing import NamedTuple

from phonenumbers import PhoneNumberMatcher

from clinic.register.address import Phone, read_phone
from clinic.register_import.cell import quoted, was_rounded
from clinic.register_import.cell_problem import CellProblem, Reason


class PhoneCell(NamedTuple):
    """What a cell holds.

    Attributes:
        phones: In the order in which they are written.
        problem: What could not be used, and why; empty where all of it could.
    """

    phones: tuple[Phone, ...]
    problem: str = ""


_LONGEST = 250
"""Characters; `phonenumbers` reads no more of a number."""
_SHOWN = 64


def read_phone_cell(text: str, country: str) -> PhoneCell:
    """Read a cell that holds one phone number or several.

    Args:
        text: As the front desk wrote it.
        country: ISO 3166 code, for numbers without a country prefix.
    """
    if len(text) > _LONGEST:
        said = "too long for a phone number"
        return PhoneCell((), Reason(CellProblem.NO_PHONE, said, text[:_SHOWN]))
    return _read(text, country)


@lru_cache(maxsize=2048)  # those who share a number often stand side by side
def _read(text: str, country: str) -> PhoneCell:
    if was_rounded(text):
        said = f"a spreadsheet rounded it to {quoted(text)}"
        return PhoneCell((), Reason(CellProblem.ROUNDED, said, text))
    try:
        phones: tuple[Phone, ...] = (read_phone(text, country),)
    except ValueError as error:
        phones = tuple(_found_within(text, country))
        if not phones:
            return PhoneCell((), _no_phone(error, text))
        if left := _left_over(text, country):
            kept = phones[0].number
            said = f"{quoted(left)} is not a phone number; {kept} was kept"
            return PhoneCell(phones, Reason(CellProblem.PART_OF_PHONE, said, left, kept))
    if extensions := [phone.extension for phone in phones if phone.extension]:
        said = f"extension {extensions[0]} was left out: whoever calls has to ask for it"
        return PhoneCell(phones, Reason(CellProblem.EXTENSION, said, extensions[0]))
    return PhoneCell(phones)


def _no_phone(error: ValueError, text: str) -> Reason:
    return Reason(CellProblem.NO_PHONE, str(error), text[:_SHOWN])


def _found_within(text: str, country: str) -> list[Phone]:
    phones: list[Phone] = []
    for match in PhoneNumberMatcher(text, country):
        try:
            phone = read_phone(match.raw_string, country)
        except ValueError:
            continue
        if phone not in phones:
            phones.append(phone)
    return phones


def _left_over(text: str, country: str) -> str:
    """Return the digits that belong to no number; remarks such as `(mamá)` are none."""
    for match in PhoneNumberMatcher(text, country):
        text = text.replace(match.raw_string, " ", 1)
    return "".join(text.split()) if any(character.isdigit() for character in text) else ""
