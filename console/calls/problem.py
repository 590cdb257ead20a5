"""Why a task can't be had, or a report not be taken, in the words of whoever is told."""

from babel.dates import format_datetime

from clinic.call_refusal import CallProblem, CallRefusal
from clinic.clinic import Clinic
from clinic.event import CallOutcome
from clinic.outcome import Outcome
from console.doors.sessions import Visitor
from console.staff_view import translated
from console.staff_words import ENDS, NOT_TO_CALL, OUTCOMES, PROBLEMS


def in_words(refusal: CallRefusal, clinic: Clinic, visitor: Visitor) -> str:
    """Return a refusal as a sentence, with times by the clinic's clock.

    Args:
        refusal: Of a claim, or of a report on a call.
        clinic: Whose clock.
        visitor: Who is told.
    """
    at = ""
    if refusal.at is not None:
        local = refusal.at.astimezone(clinic.profile.zone)
        at = format_datetime(local, "short", locale=visitor.language)
    if refusal.why is CallProblem.NOT_TO_CALL and refusal.skip in NOT_TO_CALL:
        return translated(visitor, NOT_TO_CALL[refusal.skip])
    values = {"who": refusal.who or "", "at": at, "outcome": _came(refusal, visitor)}
    return translated(visitor, PROBLEMS[refusal.why]) % values


def _came(refusal: CallRefusal, visitor: Visitor) -> str:
    """Return as what a task was closed, by a person or with its attempt."""
    if refusal.outcome is None:
        return ""
    if refusal.why is CallProblem.OVER:
        return translated(visitor, ENDS[Outcome(refusal.outcome)])
    return translated(visitor, OUTCOMES[CallOutcome(refusal.outcome)])
