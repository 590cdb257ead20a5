"""Columns whose words come from a closed list: sex, status, language, wishes and consents.

A word that is not known never loses the patient: the row is imported without it, and says so.
Where the word may have meant that nobody should write, it is taken to mean that.
"""

from collections.abc import Mapping

from clinic.register.standing import PatientStatus
from clinic.register_import.cell import quoted
from clinic.register_import.cell_problem import CellProblem, Reason
from clinic.register_import.closed_lists import UNKNOWN, listed, listed_values
from clinic.register_import.register_row import RegisterRow

CHANNELS = ("email", "sms", "whatsapp", "call")

_CONSENTS = {f"consent_{about}": about for about in (*CHANNELS, "advertising")}

ANSWERS = (*_CONSENTS, "consent", "do_not_contact", "deceased")
"""The columns that answer with yes or no. `consent` is about every channel that has no column."""


def read_sex(row: RegisterRow, text: str) -> None:
    """Read a woman's or a man's sex."""
    row.sex = _known(row, "sex", text)


def read_language(row: RegisterRow, text: str) -> None:
    """Read a language; one the clinic has no texts in is no reason to lose the patient."""
    tag, dash, _ = text.partition("-")  # a language as of a country: `es-CL`
    row.language = _known(row, "language", tag if dash and listed("language", tag) else text)


def read_loss_reason(row: RegisterRow, text: str) -> None:
    """Read why the patient left."""
    row.loss_reason = _known(row, "loss_reason", text)


def read_preferred_channel(row: RegisterRow, text: str) -> None:
    """Read a wish for a channel; the wish not to be called is a refusal of calls."""
    channel = _known(row, "preferred_channel", text)
    if channel == "no_call":
        row.consents["call"] = False
    else:
        row.preferred_channel = channel


def read_status(row: RegisterRow, text: str) -> None:
    """Read a status. An unknown one is `inactive`: it may be a word for a patient who died."""
    status = listed("status", text)
    if status is None:
        row.unusable["status"] = _silenced("status", text)
        status = PatientStatus.INACTIVE.value
    if row.status != PatientStatus.DECEASED.value:
        row.status = status


def read_deceased(row: RegisterRow, text: str) -> None:
    """Read whether the patient died: an answer, or the day on which it was."""
    answer = listed("answer", text)
    if answer == "yes" or (answer is None and any(map(str.isdigit, text))):
        row.status = PatientStatus.DECEASED.value
    elif answer is None:
        row.unusable["deceased"] = _silenced("answer", text)
        row.status = PatientStatus.INACTIVE.value


def read_consents(row: RegisterRow, said: Mapping[str, str]) -> None:
    """Read what the patient agreed to; an answer that is not known counts as a refusal.

    Args:
        row: What it is added to.
        said: What the row says, by column.
    """
    if said.keys().isdisjoint(ANSWERS):
        return
    for column, about in _CONSENTS.items():
        agrees = _answer(row, said, column, unclear=False)
        if agrees is not None:
            row.consents[about] = agrees
    agrees = _answer(row, said, "consent", unclear=False)
    if agrees is not None:
        row.consents = dict.fromkeys(CHANNELS, agrees) | row.consents
    if _answer(row, said, "do_not_contact", unclear=True):
        row.consents = dict.fromkeys((*CHANNELS, "advertising"), False)


def _answer(
    row: RegisterRow, said: Mapping[str, str], column: str, *, unclear: bool
) -> bool | None:
    text = said.get(column)
    if text is None:
        return None
    answer = listed("answer", text)
    if answer is None:
        taken = "yes" if unclear else "no"
        why = CellProblem.UNKNOWN_YES if unclear else CellProblem.UNKNOWN_NO
        problem = f"{_not_known('answer', text)}; it was taken for `{taken}`"
        row.unusable[column] = Reason(why, problem, text)
        return unclear
    return None if answer == UNKNOWN else answer == "yes"


def _known(row: RegisterRow, column: str, text: str) -> str | None:
    value = listed(column, text)
    if value is None:
        row.unusable[column] = Reason(CellProblem.UNKNOWN_WORD, _not_known(column, text), text)
    return None if value == UNKNOWN else value


def _silenced(name: str, text: str) -> Reason:
    said = _not_known(name, text) + "; nobody will write to them"
    return Reason(CellProblem.UNKNOWN_STATUS, said, text)


def _not_known(name: str, text: str) -> str:
    return f"{quoted(text)} is not known (expected {', '.join(listed_values(name))})"
