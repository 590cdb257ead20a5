"""One call: who it is, what was said, what to say, and a large button for each outcome."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from clinic import call_claim, call_completion, call_list
from clinic.accounts import Role
from clinic.audit import Action, note
from clinic.call_completion import Completed
from clinic.call_list import OpenCall
from clinic.call_refusal import CallProblem, CallRefusal
from clinic.call_task import Reported
from clinic.clinic import Clinic
from clinic.event import CallOutcome
from clinic.outcome import LossReason
from clinic.register.card import Card, card_of
from clinic.tables import Patient
from console.calls.list_page import CallDesk
from console.calls.problem import in_words
from console.calls.rows import call_rows
from console.clock import Clock
from console.doors.sessions import Doors, Visitor
from console.staff_view import render
from console.staff_words import KEYS, OUTCOMES, REASONS

_LOST = (CallProblem.UNKNOWN, CallProblem.CLOSED, CallProblem.CLAIMED)
"""Somebody else has the task, or had: the list is where to go on."""

LONGEST_NOTE = 2000
"""Characters."""


class CallForm(BaseModel):
    """What a member of staff filled in, as the browser sends it.

    Attributes:
        outcome: What came of the call.
        reason: Why the patient left; empty: none was chosen.
        at: By the clinic's clock, as `<input type="datetime-local">` writes it; empty: none.
        note: Free words.
    """

    outcome: CallOutcome
    reason: LossReason | None = None
    at: datetime | None = None
    note: str = Field(default="", max_length=LONGEST_NOTE)


class CallCard:
    """Shows a task to whoever took it, and records what came of the call.

    Args:
        clinic: Whose task.
        clock: What time it is.
    """

    def __init__(self, clinic: Clinic, clock: Clock) -> None:
        self._clinic = clinic
        self._clock = clock
        self._list = CallDesk(clinic, clock)

    async def page(
        self,
        task_id: str,
        visitor: Visitor,
        *,
        filled: CallForm | None = None,
        problem: str = "",
    ) -> Response:
        """Return a task's page; that it was looked at is noted.

        Args:
            task_id: Which.
            visitor: Who looks.
            filled: What they sent and what can't be taken as it is: it is shown again.
            problem: Why it can't, in their words.

        Raises:
            HTTPException: 404, there is no such open task.
        """
        clinic, now = self._clinic, self._clock()
        async with clinic.database.writing() as session:
            call = await call_list.open_call(session, task_id, now, clinic.key)
            if call is None:
                raise HTTPException(404, "no such open task")
            household = await call_claim.household_of(session, task_id, now, clinic.key)
            script = await call_claim.script_for(session, task_id, clinic.folder, household)
            card = await self._card(session, call, now)
            await note(
                session,
                who=visitor.account,
                action=Action.VIEWED,
                now=now,
                patient_id=call.patient_id,
                subject=task_id,
            )
        [row] = call_rows(clinic, [call], now, me=visitor.account.name)
        return render(
            visitor,
            "call.html",
            status=422 if problem else 200,
            row=row,
            card=card,
            script=script,
            mine=call.claimed_by == visitor.account.name,
            outcomes=OUTCOMES,
            keys=KEYS,
            reasons=REASONS,
            filled=filled,
            problem=problem,
            now=now,
            zone=clinic.profile.zone,
            longest_note=LONGEST_NOTE,
        )

    async def complete(self, task_id: str, visitor: Visitor, form: CallForm) -> Response:
        """Record what came of a call; where it can't be, say why and keep what was filled in."""
        try:
            await self._completed(task_id, visitor, form)
        except CallRefusal as refusal:
            problem = in_words(refusal, self._clinic, visitor)
            if refusal.why in _LOST:
                return await self._list.page(visitor, status=409, problem=problem)
            return await self.page(task_id, visitor, filled=form, problem=problem)
        return RedirectResponse("/calls", 303)

    async def _completed(self, task_id: str, visitor: Visitor, form: CallForm) -> Completed:
        clinic, now = self._clinic, self._clock()
        at = form.at
        if at is not None:
            at = (at if at.tzinfo else at.replace(tzinfo=clinic.profile.zone)).astimezone(UTC)
        reported = Reported(outcome=form.outcome, reason=form.reason, at=at, note=form.note)
        async with clinic.database.writing() as session:
            completed = await call_completion.complete(
                session,
                task_id,
                reported,
                who=visitor.account.name,
                now=now,
                policy=clinic.policy,
                calendar=clinic.calendar,
                key=clinic.key,
            )
            await note(
                session,
                who=visitor.account,
                action=Action.COMPLETED,
                now=now,
                subject=task_id,
                details={"outcome": form.outcome.value},
            )
        return completed

    async def _card(self, session: AsyncSession, call: OpenCall, now: datetime) -> Card | None:
        if call.patient_id is None:
            return None
        patient = await session.get_one(Patient, call.patient_id)
        return await card_of(
            session, patient, now=now, zone=self._clinic.profile.zone, key=self._clinic.key
        )


def router(clinic: Clinic, clock: Clock, doors: Doors) -> APIRouter:
    """Build the doors under /calls/<task>: a GET shows, only a POST changes anything."""
    routes = APIRouter(default_response_class=HTMLResponse)
    desk = CallCard(clinic, clock)
    caller = Annotated[Visitor, Depends(doors.signed_in(Role.STAFF, Role.OPS, Role.ADMIN))]

    @routes.get("/calls/{task_id}")
    async def show(task_id: str, visitor: caller) -> Response:
        return await desk.page(task_id, visitor)

    @routes.post("/calls/{task_id}/complete")
    async def complete(
        task_id: str,
        visitor: caller,
        form: Annotated[CallForm, Form()],
    ) -> Response:
        return await desk.complete(task_id, visitor, form)

    return routes
