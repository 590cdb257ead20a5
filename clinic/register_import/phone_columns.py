"""The columns of a row that hold phone numbers, and which of the numbers is the one to write to."""

from collections.abc import Mapping

from clinic.register.address import Phone
from clinic.register_import.cell import whole_number
from clinic.register_import.cell_problem import CellProblem, Reason
from clinic.register_import.phone_cell import read_phone_cell
from clinic.register_import.register_row import RegisterRow

COLUMNS = ("phone", "other_phone")
"""Of the patient; the one that is better to write to is the row's phone, wherever it stands."""


def read_phones(row: RegisterRow, said: Mapping[str, str], country: str) -> None:
    """Take the number that is best to write to, and another one to call."""
    phones: list[Phone] = []
    for column in COLUMNS:
        if text := said.get(column):
            found, problem = read_phone_cell(whole_number(text), country)
            phones += found
            if problem:
                row.unusable[column] = problem
    if not phones:
        return
    best = phones[0] if len(phones) == 1 else min(phones, key=_rank)  # of equals, the first
    row.phone, row.phone_kind = best.number, best.kind
    others = list(dict.fromkeys(phone.number for phone in phones if phone.number != best.number))
    if others:
        row.other_phone = others[0]
    for number in others[1:]:
        third = f"a third number, {number}, has no place"
        row.unusable.setdefault("other_phone", Reason(CellProblem.THIRD_PHONE, third, number))


def read_guardian_phone(country: str, row: RegisterRow, text: str) -> None:
    """Take the number of a cell that is best to write to a minor's guardian."""
    phones, problem = read_phone_cell(whole_number(text), country)
    if phones:
        row.guardian_phone = min(phones, key=_rank).number
    if problem:
        row.unusable["guardian_phone"] = problem


def _rank(phone: Phone) -> int:
    return ("mobile", "unknown", "landline").index(phone.kind)
