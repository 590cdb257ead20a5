"""Two rows that may be one person, side by side: somebody looks, and says which it is."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.accounts import Role
from clinic.audit import Action, note
from clinic.clinic import Clinic
from clinic.refusal import Refusal
from clinic.register.duplicates import Verdict, settle
from clinic.tables import Duplicate, Patient
from console.calls.rows import written
from console.clock import Clock
from console.doors.sessions import Doors, Visitor
from console.register.found import CARD, card_at, note_change
from console.register.words import STATUSES, WHY_ALIKE
from console.staff_view import render, translated
from console.staff_words import N_

_CHOOSE = N_("Choose one of the two, please.")


class SamePerson:
    """Shows two rows that may be one person, and records what somebody finds.

    Args:
        clinic: Whose register.
        clock: What time it is.
    """

    def __init__(self, clinic: Clinic, clock: Clock) -> None:
        self._clinic = clinic
        self._clock = clock

    async def page(
        self, patient_id: str, other_id: str, visitor: Visitor, *, problem: str = ""
    ) -> Response:
        """Return both rows side by side; that they were looked at is noted.

        Args:
            patient_id: One of the two, to whose card it leads back.
            other_id: The other.
            visitor: Who looks.
            problem: Why what they sent can't be taken, in their words.

        Raises:
            HTTPException: 404, there is no such patient, or nothing to be settled between them.
        """
        now = self._clock()
        async with self._clinic.database.writing() as session:
            pair = await _unsettled(session, patient_id, other_id)
            patient = await _looked_at(session, patient_id, visitor, now)
            other = await _looked_at(session, other_id, visitor, now)
        first = other if pair.patient_id == patient.id else patient
        second = patient if first is other else other
        return render(
            visitor,
            "register/same_person.html",
            status=422 if problem else 200,
            patient=patient,
            other=other,
            rows=(first, second),
            reason=pair.reason,
            why_alike=WHY_ALIKE,
            statuses=STATUSES,
            phone_of=written,
            problem=problem,
        )

    async def settle(
        self, patient_id: str, other_id: str, visitor: Visitor, verdict: str
    ) -> Response:
        """Record what somebody found; where somebody else was faster, the card says what."""
        found = next((each for each in Verdict if each.value == verdict), None)
        if found is None:
            problem = translated(visitor, _CHOOSE)
            return await self.page(patient_id, other_id, visitor, problem=problem)
        now = self._clock()
        try:
            async with self._clinic.database.writing() as session:
                ids = sorted({patient_id, other_id})
                rows = {row.id: row for row in await _locked(session, ids)}
                if len(rows) != len(ids) or any(row.erased_at for row in rows.values()):
                    raise HTTPException(404, "no such patients")
                await settle(
                    session,
                    rows[patient_id],
                    rows[other_id],
                    found,
                    who=visitor.account.name,
                    now=now,
                    key=self._clinic.key,
                )
                for each in ids:
                    details = {"what": "same_person", "verdict": verdict}
                    await note_change(session, each, visitor, now, details)
        except Refusal:
            return card_at(patient_id, "settled-before")
        return card_at(patient_id, verdict)


async def _looked_at(
    session: AsyncSession, patient_id: str, visitor: Visitor, now: datetime
) -> Patient:
    """Return the very row, also where another one was kept of this person already."""
    who = visitor.account
    await note(session, who=who, action=Action.VIEWED, now=now, patient_id=patient_id)
    return await session.get_one(Patient, patient_id)


async def _locked(session: AsyncSession, ids: list[str]) -> list[Patient]:
    """Return rows in the order in which an import locks them, so that nobody waits for ever."""
    query = select(Patient).where(Patient.id.in_(ids)).order_by(Patient.id).with_for_update()
    return list(await session.scalars(query))


async def _unsettled(session: AsyncSession, one: str, two: str) -> Duplicate:
    either = or_(
        and_(Duplicate.patient_id == one, Duplicate.other_id == two),
        and_(Duplicate.patient_id == two, Duplicate.other_id == one),
    )
    pair = await session.scalar(select(Duplicate).where(either, Duplicate.verdict.is_(None)))
    if pair is None:
        raise HTTPException(404, "nothing to be settled between them")
    return pair


def router(clinic: Clinic, clock: Clock, doors: Doors) -> APIRouter:
    """Build the doors of two rows that may be one person."""
    routes = APIRouter(default_response_class=HTMLResponse)
    desk = SamePerson(clinic, clock)
    ops = Annotated[Visitor, Depends(doors.signed_in(Role.OPS))]
    path = CARD + "/same/{other_id:patient}"

    @routes.get(path)
    async def show(patient_id: str, other_id: str, visitor: ops) -> Response:
        return await desk.page(patient_id, other_id, visitor)

    @routes.post(path)
    async def settle_it(
        patient_id: str,
        other_id: str,
        visitor: ops,
        verdict: Annotated[str, Form(max_length=30)] = "",
    ) -> Response:
        return await desk.settle(patient_id, other_id, visitor, verdict)

    return routes
