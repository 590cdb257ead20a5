"""For whoever reports on a call that is not theirs any more: who has it, and their own words."""

from fastapi.responses import RedirectResponse, Response

from clinic import call_late
from clinic.audit import Action, note
from clinic.call_refusal import CallProblem, CallRefusal
from clinic.clinic import Clinic
from console.calls.form import LONGEST_NOTE, CallForm
from console.calls.problem import in_words
from console.clock import Clock
from console.doors.sessions import Visitor
from console.staff_view import render
from console.staff_words import OUTCOMES, REASONS

LOST = (CallProblem.UNKNOWN, CallProblem.CLOSED, CallProblem.OVER, CallProblem.CLAIMED)
"""Somebody else has the task, or had, or nobody has it any more."""


class LostCalls:
    """Gives back what was filled in for a call that somebody else has, and keeps it if wished.

    Args:
        clinic: Whose call.
        clock: What time it is.
    """

    def __init__(self, clinic: Clinic, clock: Clock) -> None:
        self._clinic = clinic
        self._clock = clock

    def page(
        self, task_id: str, visitor: Visitor, form: CallForm, refusal: CallRefusal
    ) -> Response:
        """Return the page that says who has it, with all that was filled in.

        Args:
            task_id: The task.
            visitor: Who reported.
            form: What they filled in.
            refusal: Why it was not taken.
        """
        return render(
            visitor,
            "call_lost.html",
            status=409,
            problem=in_words(refusal, self._clinic, visitor),
            task_id=task_id,
            form=form,
            can_keep=refusal.why in LOST and refusal.why is not CallProblem.UNKNOWN,
            outcomes=OUTCOMES,
            reasons=REASONS,
            longest_note=LONGEST_NOTE,
        )

    async def keep(self, task_id: str, visitor: Visitor, form: CallForm) -> Response:
        """Keep the report on the patient's card, where it decides nothing, and lead to the list."""
        clinic, now = self._clinic, self._clock()
        try:
            async with clinic.database.writing() as session:
                task = await call_late.keep_late_report(
                    session,
                    task_id,
                    form.reported(clinic.profile.zone),
                    who=visitor.account.name,
                    now=now,
                    key=clinic.key,
                )
                await note(
                    session,
                    who=visitor.account,
                    action=Action.CHANGED,
                    now=now,
                    patient_id=task.patient_id,
                    subject=task_id,
                    details={"what": "late_report", "outcome": form.outcome.value},
                )
        except CallRefusal as refusal:
            return self.page(task_id, visitor, form, refusal)
        return RedirectResponse(f"/calls?done={task_id}", 303)
