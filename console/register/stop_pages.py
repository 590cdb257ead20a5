"""A patient says “no more messages”, or that the clinic may write again."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form
from fastapi.responses import HTMLResponse, Response

from clinic.accounts import Role
from clinic.clinic import Clinic
from clinic.register.says_stop import patient_is_welcome, patient_says_stop
from console.clock import Clock
from console.doors.sessions import Doors, Visitor
from console.register.found import CARD, card_at, name_of, note_change, seen, the_patient
from console.register.words import HOW_SAID, WHO_SAID
from console.staff_view import render, translated
from console.staff_words import N_

_NOBODY_SAID = N_("Who said so, and how? Without that it stays as it is.")


class StopWord:
    """Asks whether it is meant, and has it done.

    Args:
        clinic: Whose register.
        clock: What time it is.
    """

    def __init__(self, clinic: Clinic, clock: Clock) -> None:
        self._clinic = clinic
        self._clock = clock

    async def ask_to_stop(self, patient_id: str, visitor: Visitor) -> Response:
        """Return the page that asks; that it was looked at is noted."""
        return await self._page(patient_id, visitor, "register/stop.html")

    async def stop(self, patient_id: str, visitor: Visitor) -> Response:
        """Make sure that nobody writes to a patient again."""
        now, key = self._clock(), self._clinic.key
        async with self._clinic.database.writing() as session:
            patient = await the_patient(session, patient_id, to_change=True)
            is_new = await patient_says_stop(session, patient, now=now, key=key)
            await note_change(session, patient_id, visitor, now, {"what": "stop"})
        return card_at(patient_id, "stopped" if is_new else "stopped-before")

    async def ask_to_lift(
        self, patient_id: str, visitor: Visitor, *, who: str = "", how: str = "", problem: str = ""
    ) -> Response:
        """Return the page that asks who said that the clinic may write again.

        Args:
            patient_id: To whom.
            visitor: Who asks.
            who: What was chosen, of `WHO_SAID`.
            how: What was chosen, of `HOW_SAID`.
            problem: Why that is not enough, in the visitor's words.
        """
        return await self._page(
            patient_id,
            visitor,
            "register/lift.html",
            who=who,
            how=how,
            problem=problem,
            who_said=WHO_SAID,
            how_said=HOW_SAID,
            status=422 if problem else 200,
        )

    async def lift(self, patient_id: str, visitor: Visitor, who: str, how: str) -> Response:
        """Let the clinic write to a patient again; who said so stands in the audit log."""
        if who not in WHO_SAID or how not in HOW_SAID:
            problem = translated(visitor, _NOBODY_SAID)
            return await self.ask_to_lift(patient_id, visitor, who=who, how=how, problem=problem)
        now, key = self._clock(), self._clinic.key
        async with self._clinic.database.writing() as session:
            patient = await the_patient(session, patient_id, to_change=True)
            changed = await patient_is_welcome(session, patient, now=now, key=key)
            if changed:
                details = {"what": "lift", "said_by": who, "heard": how}
                await note_change(session, patient_id, visitor, now, details)
        return card_at(patient_id, "lifted" if changed else "not-stopped")

    async def _page(
        self, patient_id: str, visitor: Visitor, page: str, *, status: int = 200, **values: object
    ) -> Response:
        async with self._clinic.database.writing() as session:
            patient = await seen(session, patient_id, visitor, self._clock())
        return render(
            visitor, page, status=status, patient=patient, name=name_of(patient), **values
        )


def router(clinic: Clinic, clock: Clock, doors: Doors) -> APIRouter:
    """Build the doors of a stop: all staff take one, ops take one back."""
    routes = APIRouter(default_response_class=HTMLResponse)
    desk = StopWord(clinic, clock)
    staff = Annotated[Visitor, Depends(doors.signed_in(Role.STAFF))]
    ops = Annotated[Visitor, Depends(doors.signed_in(Role.OPS))]

    @routes.get(f"{CARD}/stop")
    async def ask_to_stop(patient_id: str, visitor: staff) -> Response:
        return await desk.ask_to_stop(patient_id, visitor)

    @routes.post(f"{CARD}/stop")
    async def stop(patient_id: str, visitor: staff) -> Response:
        return await desk.stop(patient_id, visitor)

    @routes.get(f"{CARD}/lift")
    async def ask_to_lift(patient_id: str, visitor: ops) -> Response:
        return await desk.ask_to_lift(patient_id, visitor)

    @routes.post(f"{CARD}/lift")
    async def lift(
        patient_id: str,
        visitor: ops,
        who: Annotated[str, Form(max_length=30)] = "",
        how: Annotated[str, Form(max_length=30)] = "",
    ) -> Response:
        return await desk.lift(patient_id, visitor, who, how)

    return routes
