"""All that is held about a person, for that person; and forgetting them at their wish."""

import json
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from fastapi.responses import HTMLResponse, Response

from clinic.accounts import Role
from clinic.audit import Action, note
from clinic.clinic import Clinic
from clinic.plain_text import legible
from clinic.register import erasure, forgetting
from clinic.register.erasure import ForgottenBefore
from clinic.register.forgetting import MayBeAnotherRow
from clinic.register.patient_export import export_patient
from clinic.register.search import rows_of_person
from console.clock import Clock
from console.doors.sessions import Doors, Visitor
from console.register.found import CARD, card_at, name_of, seen, the_patient
from console.staff_view import render, translated
from console.staff_words import N_

_ANOTHER_NUMBER = N_("This is not the number %(number)s: nobody was forgotten.")
_UNSETTLED = N_(
    "Nobody has settled yet whether the rows %(one)s and %(two)s are the same person. Have that "
    "settled first: the other row would stay. Nobody was forgotten."
)
_LONGEST_NUMBER = 200


class PatientPrivacy:
    """Gives a person's data away to them, and forgets them.

    Args:
        clinic: Whose register.
        clock: What time it is.
    """

    def __init__(self, clinic: Clinic, clock: Clock) -> None:
        self._clinic = clinic
        self._clock = clock

    async def export(self, patient_id: str, visitor: Visitor) -> Response:
        """Return all that is held about a person as a file of JSON."""
        clinic, now = self._clinic, self._clock()
        async with clinic.database.writing() as session:
            patient = await the_patient(session, patient_id)
            held = await export_patient(
                session, patient, clinic=clinic.profile.name, now=now, key=clinic.key
            )
            for row in await rows_of_person(session, patient_id):
                who = visitor.account
                await note(session, who=who, action=Action.EXPORTED, now=now, patient_id=row.id)
        return Response(
            json.dumps(held, ensure_ascii=False, indent=2) + "\n",
            media_type="application/json",
            headers={"Content-Disposition": f'attachment; filename="{patient_id}.json"'},
        )

    async def ask_to_forget(
        self, patient_id: str, visitor: Visitor, *, typed: str = "", problem: str = ""
    ) -> Response:
        """Return the page that says what forgetting means, and asks for the number.

        Args:
            patient_id: Whom.
            visitor: Who asks.
            typed: The number as it was typed.
            problem: Why that was not enough, in the visitor's words.
        """
        now = self._clock()
        meant = None
        async with self._clinic.database.writing() as session:
            patient = await seen(session, patient_id, visitor, now)
            try:
                meant = await forgetting.foresee(session, patient_id, now)
            except MayBeAnotherRow as refusal:
                problem = _unsettled(visitor, refusal)
        return render(
            visitor,
            "register/forget.html",
            status=409 if meant is None else 422 if problem else 200,
            patient=patient,
            name=name_of(patient),
            meant=meant,
            typed=typed,
            problem=problem,
            longest=_LONGEST_NUMBER,
        )

    async def forget(self, patient_id: str, visitor: Visitor, typed: str) -> Response:
        """Erase a person everywhere, where the number that was typed is theirs."""
        clinic, now = self._clinic, self._clock()
        async with clinic.database.reading() as session:
            number = (await the_patient(session, patient_id)).external_id
        if legible(typed) != legible(number):
            problem = translated(visitor, _ANOTHER_NUMBER) % {"number": number}
            return await self.ask_to_forget(patient_id, visitor, typed=typed, problem=problem)
        try:
            async with clinic.database.writing() as session:
                rows = [row.id for row in await rows_of_person(session, patient_id)]
                await erasure.forget(session, patient_id, now=now, key=clinic.key)
                for row in rows:
                    who = visitor.account
                    await note(session, who=who, action=Action.FORGOTTEN, now=now, patient_id=row)
        except MayBeAnotherRow as refusal:
            problem = _unsettled(visitor, refusal)
            return await self.ask_to_forget(patient_id, visitor, typed=typed, problem=problem)
        except ForgottenBefore:
            return card_at(patient_id)
        emptied = await clinic.database.leave_no_traces()
        return card_at(patient_id, "" if emptied else "traces")


def _unsettled(visitor: Visitor, refusal: MayBeAnotherRow) -> str:
    one, two = refusal.pairs[0]
    return translated(visitor, _UNSETTLED) % {"one": one, "two": two}


def router(clinic: Clinic, clock: Clock, doors: Doors) -> APIRouter:
    """Build the doors of what a person may ask of the clinic: their data, and to be forgotten."""
    routes = APIRouter(default_response_class=HTMLResponse)
    desk = PatientPrivacy(clinic, clock)
    ops = Annotated[Visitor, Depends(doors.signed_in(Role.OPS))]
    admin = Annotated[Visitor, Depends(doors.signed_in(Role.ADMIN))]

    @routes.post(f"{CARD}/export")
    async def export(patient_id: str, visitor: ops) -> Response:
        return await desk.export(patient_id, visitor)

    @routes.get(f"{CARD}/forget")
    async def ask_to_forget(patient_id: str, visitor: admin) -> Response:
        return await desk.ask_to_forget(patient_id, visitor)

    @routes.post(f"{CARD}/forget")
    async def forget(
        patient_id: str,
        visitor: admin,
        number: Annotated[str, Form(max_length=_LONGEST_NUMBER)] = "",
    ) -> Response:
        return await desk.forget(patient_id, visitor, number)

    return routes
