"""One call: who it is, what was said, what to say, and a large button for each outcome."""

from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, HTTPException
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from clinic import call_claim, call_completion, call_late, call_list, call_repeat
from clinic.accounts import Role
from clinic.audit import Action, note
from clinic.call_check import refused_calls
from clinic.call_list import OpenCall
from clinic.call_refusal import CallRefusal
from clinic.clinic import Clinic
from clinic.register.address import address_hash
from clinic.register.card import Card
from clinic.tables import CallTask, Patient
from console.calls.form import LONGEST_NOTE, CallForm
from console.calls.lost_page import LOST, LostCalls
from console.calls.problem import in_words
from console.calls.rows import call_rows
from console.calls.signed_out import or_note_back
from console.clock import Clock
from console.doors.sessions import Doors, Visitor
from console.patient.call_times import call_times
from console.shown_card import shown_card
from console.staff_view import render
from console.staff_words import FINAL, KEYS, OUTCOMES, REASONS

_OFFERED_FROM = timedelta(minutes=30)
"""A time to call back that is nearer would have passed before it is chosen."""


class CallCard:
    """Shows a task to whoever took it, and records what came of the call.

    Args:
        clinic: Whose task.
        clock: What time it is.
    """

    def __init__(self, clinic: Clinic, clock: Clock) -> None:
        self._clinic = clinic
        self._clock = clock
        self._lost = LostCalls(clinic, clock)

    async def page(
        self,
        task_id: str,
        visitor: Visitor,
        *,
        filled: CallForm | None = None,
        refusal: CallRefusal | None = None,
        held: bool = False,
    ) -> Response:
        """Return a task's page; that it was looked at is noted.

        Args:
            task_id: Which.
            visitor: Who looks.
            filled: What they sent and what can't be taken as it is: it is shown again.
            refusal: Why it can't.
            held: They asked for the next call, and have this one still.

        Raises:
            HTTPException: 404, there is no such task.
        """
        clinic, now = self._clinic, self._clock()
        async with clinic.database.writing() as session:
            call = await call_list.open_call(session, task_id, now, clinic.key)
            if call is None:
                return await self._closed(session, task_id, visitor)
            household = await call_claim.household_of(session, task_id, now, clinic.key)
            script = await call_claim.script_for(session, task_id, clinic.folder, household)
            card = await self._card(session, call, now)
            calls_made = await call_repeat.calls_made(session, task_id)
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
            status=422 if refusal else 200,
            row=row,
            card=card,
            script=script,
            mine=call.claimed_by == visitor.account.name,
            times=call_times(clinic.policy, clinic.calendar, call.phone, now + _OFFERED_FROM),
            outcomes=OUTCOMES,
            final=FINAL,
            keys=KEYS,
            reasons=REASONS,
            filled=filled,
            calls_made=calls_made,
            # the number may be another by now, where the form is shown again
            called=filled.called if filled and filled.called else _called(call, clinic.key),
            problem=in_words(refusal, clinic, visitor) if refusal is not None else "",
            wrong=filled.field_of(refusal.why) if filled and refusal else "",
            held=held,
            now=now,
            zone=clinic.profile.zone,
            longest_note=LONGEST_NOTE,
        )

    async def complete(self, task_id: str, visitor: Visitor, form: CallForm) -> Response:
        """Record what came of a call; where it can't be, say why and give back what was said."""
        try:
            await self._completed(task_id, visitor, form)
        except CallRefusal as refusal:
            if refusal.why in LOST:
                return self._lost.page(task_id, visitor, form, refusal)
            return await self.page(task_id, visitor, filled=form, refusal=refusal)
        return RedirectResponse(f"/calls?done={task_id}", 303)

    async def _completed(self, task_id: str, visitor: Visitor, form: CallForm) -> None:
        clinic, now, me = self._clinic, self._clock(), visitor.account.name
        reported = form.reported(clinic.profile.zone)
        async with clinic.database.writing() as session:
            if form.calls_made is not None and await call_repeat.is_repeated(
                session, task_id, reported, who=me, after=form.calls_made
            ):
                return
            await call_late.refuse_overtaken(session, task_id, who=me)
            await call_completion.complete(
                session,
                task_id,
                reported,
                who=me,
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
                patient_id=(await session.get_one(CallTask, task_id)).patient_id,
                subject=task_id,
                details={"outcome": form.outcome.value},
            )

    async def news(self, task_id: str, visitor: Visitor) -> Response:
        """Return what has come in against a call since its card was opened; empty: nothing."""
        clinic, now = self._clinic, self._clock()
        zone, me = clinic.profile.zone, visitor.account.name
        async with clinic.database.reading() as session:
            task = await session.get(CallTask, task_id)
            refused = await refused_calls(session, [task_id], now, clinic.key, zone)
        refusal = refused.get(task_id)
        theirs = task is not None and call_claim.claimant(task, now) not in (None, me)
        if task is None or task.closed_at is not None or theirs:
            refusal = call_claim.why_not(task, task_id, zone)
        said = in_words(refusal, clinic, visitor) if refusal is not None else ""
        return render(visitor, "call_news.html", said=said)

    async def _closed(self, session: AsyncSession, task_id: str, visitor: Visitor) -> Response:
        task = await session.get(CallTask, task_id)
        if task is None:
            raise HTTPException(404, "no such task")
        zone = self._clinic.profile.zone
        said = in_words(call_claim.why_not(task, task_id, zone), self._clinic, visitor)
        return render(visitor, "call_closed.html", said=said, patient_id=task.patient_id)

    async def _card(self, session: AsyncSession, call: OpenCall, now: datetime) -> Card | None:
        if call.patient_id is None:
            return None
        patient = await session.get_one(Patient, call.patient_id)
        return await shown_card(session, patient, self._clinic, now)


def _called(call: OpenCall, key: SecretStr) -> str:
    return address_hash(key, call.phone) if call.phone else ""


def router(clinic: Clinic, clock: Clock, doors: Doors) -> APIRouter:
    """Build the doors under /calls/<task>: a GET shows, only a POST changes anything."""
    routes = APIRouter(default_response_class=HTMLResponse)
    desk, lost = CallCard(clinic, clock), LostCalls(clinic, clock)
    signed_in = doors.signed_in(Role.STAFF, Role.OPS, Role.ADMIN)
    caller = Annotated[Visitor, Depends(signed_in)]
    reporter = Annotated[Visitor, Depends(or_note_back(signed_in, clinic))]

    @routes.get("/calls/{task_id}")
    async def show(task_id: str, visitor: caller, held: str = "") -> Response:
        return await desk.page(task_id, visitor, held=bool(held))

    # what the page asks for now and then, while somebody is on the phone
    @routes.get("/calls/{task_id}/news")
    async def news(task_id: str, visitor: caller) -> Response:
        return await desk.news(task_id, visitor)

    # where a page that a POST answered is loaded again
    async def back_to_card(task_id: str, visitor: caller) -> Response:  # noqa: ARG001
        return RedirectResponse(f"/calls/{quote(task_id, safe='')}", 303)

    for door in ("claim", "release", "complete", "keep", "close"):
        routes.add_api_route(f"/calls/{{task_id}}/{door}", back_to_card, methods=["GET"])

    @routes.post("/calls/{task_id}/complete")
    async def complete(
        task_id: str,
        visitor: reporter,
        form: Annotated[CallForm, Form()],
    ) -> Response:
        return await desk.complete(task_id, visitor, form)

    @routes.post("/calls/{task_id}/keep")
    async def keep(
        task_id: str,
        visitor: reporter,
        form: Annotated[CallForm, Form()],
    ) -> Response:
        return await lost.keep(task_id, visitor, form)

    return routes
