"""What is wrong with a cell, in the words of whoever reads it."""

from clinic.register_import.cell_problem import CellProblem
from console.reader import Reader
from console.register_import import words
from console.register_import.report import Wrong
from console.staff_view import translated
from console.staff_words import N_

CELL_PROBLEMS = {
    CellProblem.MISSING: N_("is missing"),
    CellProblem.NO_NAME: N_("“%(one)s” is no name"),
    CellProblem.ROUNDED: N_("a spreadsheet rounded the number to “%(one)s”: its digits are lost"),
    CellProblem.NO_COUNT: N_("“%(one)s” is no number of visits"),
    CellProblem.NO_DATE: N_("“%(one)s” is no date; write it as 2026-02-28 or %(two)s"),
    CellProblem.NO_WHOLE_DATE: N_("“%(one)s” is no whole date"),
    CellProblem.FUTURE: N_("“%(one)s” lies in the future"),
    CellProblem.TOO_FAR_AHEAD: N_("“%(one)s” is too far ahead"),
    CellProblem.TOO_LONG_AGO: N_("“%(one)s” is too long ago"),
    CellProblem.NO_EMAIL: N_("no mail can be sent to “%(one)s”"),
    CellProblem.SECOND_EMAIL: N_("a second address, %(one)s, has no place"),
    CellProblem.NO_PHONE: N_("“%(one)s” is no phone number that can be called"),
    CellProblem.PART_OF_PHONE: N_("“%(one)s” is no phone number; %(two)s was kept"),
    CellProblem.EXTENSION: N_("the extension %(one)s was left out: whoever calls asks for it"),
    CellProblem.THIRD_PHONE: N_("a third number, %(one)s, has no place"),
    CellProblem.NO_NATIONAL_ID: N_("“%(one)s” is no national id"),
    CellProblem.UNKNOWN_WORD: N_("we do not know the word “%(one)s”"),
    CellProblem.UNKNOWN_STATUS: N_(
        "we do not know the word “%(one)s”: nobody will write to this patient"
    ),
    CellProblem.UNKNOWN_YES: N_("we do not know the word “%(one)s”: it was taken for a yes"),
    CellProblem.UNKNOWN_NO: N_("we do not know the word “%(one)s”: it was taken for a no"),
    CellProblem.NOTHING_TO_KNOW_BY: N_(
        "is missing, and there is no national id, birth date, phone or email that can be used: "
        "nothing tells this patient from others of the name"
    ),
    CellProblem.NO_PATIENT: N_("patient %(one)s is not on the register: import the patients first"),
    CellProblem.FORGOTTEN: N_("was forgotten at their own wish"),
    CellProblem.CONTRADICTED: N_(
        "an earlier row says otherwise, and stands (the first is line %(one)s)"
    ),
    CellProblem.TOO_WIDE: N_(
        "%(one)s cells where the header has %(two)s: a cell holds the sign between the cells, and "
        "no quotation marks"
    ),
    CellProblem.NO_ELEMENT: N_("is not an element that FHIR has there"),
    CellProblem.NOT_FHIR: N_("is not as the FHIR standard asks for it: “%(one)s”"),
}


def reason_in(reader: Reader, wrong: Wrong) -> str:
    """Return what is wrong with a cell; what has no words of ours stays in English.

    Args:
        reader: Whose language counts.
        wrong: What is wrong.
    """
    if wrong.why is None:
        return wrong.reason
    shown = dict(zip(("one", "two"), wrong.shown, strict=False))
    return translated(reader, CELL_PROBLEMS[wrong.why]) % shown


def column_in(reader: Reader, name: str) -> str:
    """Return what a column of the register is called; an element of FHIR stays as it is."""
    return translated(reader, words.COLUMNS[name]) if name in words.COLUMNS else name
