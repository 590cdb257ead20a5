"""For whoever reports on a call that is not theirs any more: who has it, and their own words."""

from babel.dates import format_datetime
from fastapi.responses import RedirectResponse, Response

from clinic import call_late
from clinic.audit import Action, note
from clinic.call_refusal import CallProblem, CallRefusal
from clinic.call_task import Reported
from clinic.clinic import Clinic
from clinic.event import CallOutcome
from console.calls.form import LONGEST_NOTE, CallForm
from console.calls.problem import in_words
from console.clock import Clock
from console.doors.sessions import Visitor
from console.staff_view import render, translated
from console.staff_words import N_, OUTCOMES, REASONS

_APPOINTMENT = N_("Appointment agreed with the patient: %(at)s")
_AGAIN = N_("Agreed to call again: %(at)s")

LOST = (
    CallProblem.UNKNOWN,
    CallProblem.CLOSED,
    CallProblem.OVER,
    CallProblem.CLAIMED,
    CallProblem.CALLED_MEANWHILE,
)
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
            note=self._with_time(visitor, form),
            can_keep=refusal.why in LOST and refusal.why is not CallProblem.UNKNOWN,
            outcomes=OUTCOMES,
            reasons=REASONS,
            longest_note=LONGEST_NOTE,
        )

    def _with_time(self, visitor: Visitor, form: CallForm) -> str:
        """Return the note with the time that was filled in: the patient was told it."""
        chosen = form.appointment if form.outcome is CallOutcome.BOOKED else form.at or form.later
        chosen = chosen or form.appointment or form.at or form.later
        if chosen is None:
            return form.note
        zone = self._clinic.profile.zone
        try:
            local = chosen.astimezone(zone) if chosen.tzinfo else chosen.replace(tzinfo=zone)
        except OverflowError:  # at either end of the calendar: nobody was told that
            return form.note
        words = _APPOINTMENT if chosen == form.appointment else _AGAIN
        at = format_datetime(local, "short", locale=visitor.language)
        line = translated(visitor, words) % {"at": at}
        # the time comes first: a note of the greatest length is cut at its end
        return "\n".join(filter(None, (line, form.note)))[:LONGEST_NOTE]

    async def keep(self, task_id: str, visitor: Visitor, form: CallForm) -> Response:
        """Keep the report on the patient's card, where it decides nothing, and lead to the list."""
        clinic, now = self._clinic, self._clock()
        try:
            async with clinic.database.writing() as session:
                task = await call_late.keep_late_report(
                    session,
                    task_id,
                    Reported(
                        outcome=form.outcome,
                        reason=form.reason,
                        note=form.note,
                        called=form.called or None,
                    ),
                    who=visitor.account.name,
                    now=now,
                    key=clinic.key,
                    after=form.calls_made or 0,
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
