"""A cell with an email address: at times with several, or with what a mail program adds."""

import re

from clinic.register.address import read_email
from clinic.register_import.cell_problem import CellProblem, Reason

_APART = re.compile(r"[;,/|<>()\s]+|mailto:", re.IGNORECASE)


def read_email_cell(text: str) -> tuple[str | None, str]:
    """Read a cell that holds an email address, or several.

    Returns:
        The first address that mail could be sent to, or None; and what could not be used, and
        why, empty where all of it could.
    """
    try:
        return read_email(text), ""
    except ValueError as error:
        problem = Reason(CellProblem.NO_EMAIL, str(error), text)
    emails: list[str] = []
    for part in filter(_has_at, _APART.split(text)):
        try:
            emails.append(read_email(part))
        except ValueError:
            continue
    if not emails:
        return None, problem
    others = [email for email in dict.fromkeys(emails) if email != emails[0]]
    if not others:
        return emails[0], ""
    said = f"a second address, {others[0]}, has no place"
    return emails[0], Reason(CellProblem.SECOND_EMAIL, said, others[0])


def _has_at(part: str) -> bool:
    return "@" in part
