"""A patient's card: who it is, how they are reached, what they agreed to, and what has been."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic import audit
from clinic.accounts import Role
from clinic.clinic import Clinic
from clinic.register.card import Card
from clinic.tables import AuditEntry, Patient
from console.calls.rows import written
from console.clock import Clock
from console.doors.sessions import Doors, Visitor
from console.register.found import CARD, seen
from console.register.words import (
    ACTIONS,
    CHANGES,
    CHOICE_WORDS,
    CONTENTS,
    FIELDS,
    NOTICES,
    STATUSES,
    WHY_ALIKE,
)
from console.shown_card import shown_card
from console.staff_view import render, translated

_HOUSEHOLD_SHOWN = 10
"""People; a clinic may have its own number on a thousand rows."""
_AUDIT_SHOWN = 20
"""Lines; the rest is a command's: `regresa audit --patient`."""


class PatientCard:
    """Shows a patient to whoever has to know.

    Args:
        clinic: Whose register.
        clock: What time it is.
    """

    def __init__(self, clinic: Clinic, clock: Clock) -> None:
        self._clinic = clinic
        self._clock = clock

    async def page(
        self, patient_id: str, visitor: Visitor, *, said: str = "", problem: str = "", at: str = ""
    ) -> Response:
        """Return a patient's card; that it was looked at is noted.

        Args:
            patient_id: The opaque id.
            visitor: Who looks.
            said: What has just been done, of `NOTICES`.
            problem: Why it could not, in the visitor's words.
            at: The time of an appointment that could not be noted, as it was typed.

        Raises:
            HTTPException: 404, there is no such patient.
            AnsweredAlready: Another row of the person counts.
        """
        clinic, now = self._clinic, self._clock()
        async with clinic.database.writing() as session:
            erased = await self._forgotten_at(session, patient_id)
            if erased is not None:
                return self._forgotten(visitor, erased, left_traces=said == "traces")
            patient = await seen(session, patient_id, visitor, now)
            card = await shown_card(session, patient, clinic, now)
            ids = await _ids_of(session, card)
            log = await self._log(session, patient_id, visitor)
        return render(
            visitor,
            "register/card.html",
            status=422 if problem else 200,
            patient=patient,
            card=card,
            ids=ids,
            phones=_phones(card),
            shown=_HOUSEHOLD_SHOWN,
            roles=Role,
            log=log,
            tasks=[*card.open_tasks, *(one.open_task for one in card.attempts if one.open_task)],
            notice=translated(visitor, NOTICES[said]) if said in NOTICES else "",
            problem=problem,
            at=at,
            now=now,
            zone=clinic.profile.zone,
            statuses=STATUSES,
            reasons=CHOICE_WORDS["loss_reason"],
            why_alike=WHY_ALIKE,
            contents=CONTENTS,
            actions=ACTIONS,
            changes=CHANGES,
            fields=FIELDS,
        )

    async def _forgotten_at(self, session: AsyncSession, patient_id: str) -> datetime | None:
        patient = await session.get(Patient, patient_id)
        return patient.erased_at if patient is not None else None

    def _forgotten(self, visitor: Visitor, at: datetime, *, left_traces: bool) -> Response:
        return render(
            visitor,
            "register/forgotten.html",
            at=at.astimezone(self._clinic.profile.zone).date(),
            left_traces=left_traces,
            roles=Role,
        )

    async def _log(
        self, session: AsyncSession, patient_id: str, visitor: Visitor
    ) -> Sequence[AuditEntry]:
        if not visitor.may(Role.OPS):
            return ()
        return await audit.entries(session, patient_id=patient_id, at_most=_AUDIT_SHOWN)


def _phones(card: Card) -> dict[str, str]:
    """Return the numbers of a card as people write them."""
    addresses = [line.address for line in card.suppressed]
    numbers = (card.contact.phone, card.other_phone, *addresses)
    return {number: written(number) for number in numbers if number and "@" not in number}


async def _ids_of(session: AsyncSession, card: Card) -> dict[str, str]:
    """Return the opaque ids of the others whom a card names, by the clinic's numbers."""
    numbers = [other.external_id for other in (*card.household, *card.same_person)]
    rows = await session.execute(
        select(Patient.external_id, Patient.id).where(Patient.external_id.in_(numbers))
    )
    return {row.external_id: row.id for row in rows}


def router(clinic: Clinic, clock: Clock, doors: Doors) -> APIRouter:
    """Build the door of the card."""
    routes = APIRouter(default_response_class=HTMLResponse)
    desk = PatientCard(clinic, clock)
    staff = Annotated[Visitor, Depends(doors.signed_in(Role.STAFF))]

    @routes.get(CARD)
    async def show(patient_id: str, visitor: staff, request: Request) -> Response:
        return await desk.page(patient_id, visitor, said=request.query_params.get("said", ""))

    return routes
