"""The number a patient has on the register where the export gives none."""

import hashlib

from clinic.plain_text import name_key
from clinic.register_import.cell_problem import CellProblem, Reason
from clinic.register_import.register_row import BadCell, RegisterRow

MADE = "auto-"
"""Begins each number that the import made, so that people can tell it from the clinic's own."""

_HEX_DIGITS = 16


def number_of(row: RegisterRow) -> str:
    """Return the number a row's patient goes by; the same row gets the same one every time.

    It is the clinic's own number; where the export has none, one made of the national id; else
    of the name and the birth date; else of the name and the phone or email.

    Raises:
        BadCell: The row has nothing to know its patient by.
    """
    if row.external_id is not None:
        return row.external_id
    if row.national_id is not None:
        return _made("national id", row.national_id)
    if row.first_name is None:
        said = "is missing: it says whose appointment this is"
        raise BadCell("patient_id", Reason(CellProblem.MISSING, said))
    name = name_key(row.first_name, row.last_name)
    if row.birth_date is not None:
        return _made("birth date", name, row.birth_date.isoformat())
    address = row.phone or row.email
    if address is None:
        said = (
            "is missing, and there is no national id, birth date, phone or email that can be used: "
            "nothing tells this patient from others of the name"
        )
        raise BadCell("patient_id", Reason(CellProblem.NOTHING_TO_KNOW_BY, said))
    return _made("address", name, address.casefold())


def _made(*known: str) -> str:
    digest = hashlib.sha256("\0".join(known).encode()).hexdigest()
    return f"{MADE}{digest[:_HEX_DIGITS]}"
