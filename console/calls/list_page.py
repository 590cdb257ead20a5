"""The call list, open all day: who is to be called, taking a call, and the next one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from clinic import call_check, call_claim, call_closing, call_list
from clinic.accounts import Role
from clinic.audit import Action, Detail, note
from clinic.call_list import OpenCall
from clinic.call_page import call_page
from clinic.call_refusal import CallProblem, CallRefusal
from clinic.clinic import Clinic
from clinic.tables import CallTask
from console.calls.done import done_just_now, given_back
from console.calls.problem import in_words
from console.calls.rows import CallRow, RowGroup, call_rows
from console.calls.seen import SeenCalls
from console.clock import Clock
from console.doors.sessions import Doors, Visitor
from console.staff_view import render

SHOWN = 50
"""Calls on the page: nobody makes more in a morning, and the most urgent come first."""
_LOOKED_THROUGH = (20, 200, 2000)
"""For the next free task, in turn: no clinic has more people on the phone at one time than the
first, but it is night where many of its patients live."""


class CallDesk:
    """Where the call list is shown, and calls are taken from it.

    Args:
        clinic: Whose list.
        clock: What time it is.
    """

    def __init__(self, clinic: Clinic, clock: Clock) -> None:
        self._clinic = clinic
        self._clock = clock
        self._seen = SeenCalls(clinic)

    async def page(
        self,
        visitor: Visitor,
        name: str = "calls.html",
        *,
        status: int = 200,
        problem: str = "",
        nothing_free: bool = False,
        done: str = "",
        back: str = "",
    ) -> HTMLResponse:
        """Return the list as a visitor sees it.

        Args:
            visitor: Who looks.
            name: The whole page, or its rows alone.
            status: Of the answer.
            problem: What did not work just now, in the visitor's words.
            nothing_free: They asked for the next call, and there is none.
            done: The task of the call that they have just reported on.
            back: The task that they have just given back.
        """
        now = self._clock()
        async with self._clinic.database.reading() as session:
            seen = await call_page(
                session, now, self._clinic.key, self._clinic.profile.zone, size=SHOWN
            )
            recorded = await done_just_now(session, done, visitor.account.name, now)
            returned = await given_back(session, back, visitor.account, now)
        await self._seen.note(visitor.account, seen.calls, now)
        me = visitor.account.name
        return render(
            visitor,
            name,
            status=status,
            groups=_in_groups(
                call_rows(self._clinic, seen.calls, now, me=me, refused=seen.refused)
            ),
            seen=seen,
            why_refused=lambda refusal: in_words(refusal, self._clinic, visitor),
            now=now,
            zone=self._clinic.profile.zone,
            problem=problem,
            nothing_free=nothing_free,
            done=recorded,
            returned=returned,
        )

    async def take(self, task_id: str, visitor: Visitor) -> Response:
        """Claim a task and lead to it; the list says why where it can't be had."""
        try:
            return await self._taken(task_id, visitor)
        except CallRefusal as refusal:
            problem = in_words(refusal, self._clinic, visitor)
            return await self.page(visitor, status=409, problem=problem)

    async def take_next(self, visitor: Visitor) -> Response:
        """Claim the most urgent task that is free, and whose patient may be called at this hour.

        Whoever has one already is led back to it first: nobody else can call them meanwhile.
        """
        clinic, now, me = self._clinic, self._clock(), visitor.account.name
        async with clinic.database.reading() as session:
            held = await call_claim.held_by(session, me, now)
        for task_id in held:
            try:
                return await self._taken(task_id, visitor, "?held=1")
            except CallRefusal:  # the register has learned meanwhile that nobody may call
                continue
        seen = 0
        for at_most in _LOOKED_THROUGH:
            async with clinic.database.reading() as session:
                calls = await call_list.open_calls(
                    session, now, clinic.key, at_most=at_most, later=False
                )
                refused = await self._refused(session, calls[seen:], now)
            for row in call_rows(clinic, calls[seen:], now, me=me, refused=refused):
                if row.can_be_next:
                    try:
                        return await self._taken(row.call.task_id, visitor)
                    except CallRefusal:  # somebody was faster
                        continue
            if len(calls) < at_most:
                break
            seen = at_most
        return await self.page(visitor, nothing_free=True)

    async def close(self, task_id: str, visitor: Visitor) -> Response:
        """Close a task whose call the register forbids by now, as the list offered it."""
        clinic, me = self._clinic, visitor.account.name
        try:
            async with clinic.database.writing() as session:
                outcome = await call_closing.close_uncalled(
                    session,
                    task_id,
                    who=me,
                    now=self._clock(),
                    key=clinic.key,
                    zone=clinic.profile.zone,
                )
                if outcome is not None:
                    told = {"what": "no_call", "outcome": outcome.value}
                    await self._note(session, visitor, Action.COMPLETED, task_id, **told)
        except CallRefusal as refusal:
            if refusal.why is not CallProblem.CLOSED or refusal.who != me:  # else: pressed twice
                problem = in_words(refusal, clinic, visitor)
                return await self.page(visitor, status=409, problem=problem)
        else:
            if outcome is None:  # the call may be made again, or something is to be settled first
                return RedirectResponse(f"/calls/{task_id}", 303)
        return RedirectResponse(f"/calls?done={task_id}", 303)

    async def give_back(self, task_id: str, visitor: Visitor) -> Response:
        """End a visitor's claim."""
        async with self._clinic.database.writing() as session:
            if await call_claim.release(session, task_id, who=visitor.account.name):
                await self._note(session, visitor, Action.RELEASED, task_id)
        return RedirectResponse(f"/calls?back={task_id}", 303)

    async def _taken(self, task_id: str, visitor: Visitor, why: str = "") -> Response:
        now, zone, key = self._clock(), self._clinic.profile.zone, self._clinic.key
        me = visitor.account.name
        async with self._clinic.database.writing() as session:
            await call_claim.claim(session, task_id, who=me, now=now, key=key, zone=zone)
            await self._note(session, visitor, Action.CLAIMED, task_id)
        return RedirectResponse(f"/calls/{task_id}{why}", 303)

    async def _refused(
        self, session: AsyncSession, calls: Sequence[OpenCall], now: datetime
    ) -> dict[str, CallRefusal]:
        ids = [call.task_id for call in calls]
        zone = self._clinic.profile.zone
        return await call_check.refused_calls(session, ids, now, self._clinic.key, zone)

    async def _note(
        self,
        session: AsyncSession,
        visitor: Visitor,
        action: Action,
        task_id: str,
        **details: Detail,
    ) -> None:
        await note(
            session,
            who=visitor.account,
            action=action,
            now=self._clock(),
            patient_id=(await session.get_one(CallTask, task_id)).patient_id,
            subject=task_id,
            details=details,
        )


def _in_groups(rows: Sequence[CallRow]) -> dict[RowGroup, list[CallRow]]:
    """Return the parts of the list that have rows, in their order."""
    parts = {group: [row for row in rows if row.group is group] for group in RowGroup}
    return {group: part for group, part in parts.items() if part}


def router(clinic: Clinic, clock: Clock, doors: Doors) -> APIRouter:
    """Build the doors under /calls that concern the list as a whole."""
    routes = APIRouter(default_response_class=HTMLResponse)
    desk = CallDesk(clinic, clock)
    caller = Annotated[Visitor, Depends(doors.signed_in(Role.STAFF, Role.OPS, Role.ADMIN))]

    @routes.get("/calls")
    async def show(visitor: caller, done: str = "", back: str = "") -> Response:
        return await desk.page(visitor, done=done, back=back)

    # what the page asks for now and then, to show new work without being loaded again
    @routes.get("/calls/rows")
    async def rows(visitor: caller) -> Response:
        return await desk.page(visitor, "call_rows.html")

    # where a page that a POST answered is loaded again
    @routes.get("/calls/next")
    async def back_to_list(visitor: caller) -> Response:  # noqa: ARG001 - whoever is signed in
        return RedirectResponse("/calls", 303)

    @routes.post("/calls/next")
    async def take_next(visitor: caller) -> Response:
        return await desk.take_next(visitor)

    @routes.post("/calls/{task_id}/claim")
    async def take(task_id: str, visitor: caller) -> Response:
        return await desk.take(task_id, visitor)

    @routes.post("/calls/{task_id}/close")
    async def close(task_id: str, visitor: caller) -> Response:
        return await desk.close(task_id, visitor)

    @routes.post("/calls/{task_id}/release")
    async def give_back(task_id: str, visitor: caller) -> Response:
        return await desk.give_back(task_id, visitor)

    return routes
