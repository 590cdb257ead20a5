"""Why a task can't be had, or a report not be taken, in the words of whoever is told."""

from babel.dates import format_datetime

from clinic.call_refusal import CallProblem, CallRefusal
from clinic.clinic import Clinic
from console.doors.sessions import Visitor
from console.staff_view import translated
from console.staff_words import NOT_TO_CALL, PROBLEMS


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
    return translated(visitor, PROBLEMS[refusal.why]) % {"who": refusal.who or "", "at": at}
