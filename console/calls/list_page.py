"""The call list, open all day: who is to be called, taking a call, and the next one."""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from clinic import call_claim, call_list
from clinic.accounts import Role
from clinic.audit import Action, note
from clinic.call_refusal import CallRefusal
from clinic.clinic import Clinic
from clinic.tables import CallTask
from console.calls.done import done_just_now
from console.calls.problem import in_words
from console.calls.rows import call_rows
from console.calls.seen import SeenCalls
from console.clock import Clock
from console.doors.sessions import Doors, Visitor
from console.staff_view import render

SHOWN = 50
"""Tasks on the page: nobody calls more in a morning, and the most urgent come first."""
_LOOKED_THROUGH = 20
"""For the next free task: no clinic has more people on the phone at one time."""


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
    ) -> HTMLResponse:
        """Return the list as a visitor sees it.

        Args:
            visitor: Who looks.
            name: The whole page, or its rows alone.
            status: Of the answer.
            problem: What did not work just now, in the visitor's words.
            nothing_free: They asked for the next call, and there is none.
            done: The task of the call that they have just reported on.
        """
        now = self._clock()
        async with self._clinic.database.reading() as session:
            calls = await call_list.open_calls(session, now, self._clinic.key, at_most=SHOWN)
            open_tasks, due = await call_list.counts(session, now)
            recorded = await done_just_now(session, done, visitor.account.name, now)
        await self._seen.note(visitor.account, calls, now)
        return render(
            visitor,
            name,
            status=status,
            rows=call_rows(self._clinic, calls, now, me=visitor.account.name),
            open_tasks=open_tasks,
            due=due,
            now=now,
            zone=self._clinic.profile.zone,
            problem=problem,
            nothing_free=nothing_free,
            done=recorded,
        )

    async def take(self, task_id: str, visitor: Visitor) -> Response:
        """Claim a task and lead to it; the list says why where it can't be had."""
        try:
            return await self._taken(task_id, visitor)
        except CallRefusal as refusal:
            problem = in_words(refusal, self._clinic, visitor)
            return await self.page(visitor, status=409, problem=problem)

    async def take_next(self, visitor: Visitor) -> Response:
        """Claim the most urgent task that is free."""
        now, me = self._clock(), visitor.account.name
        async with self._clinic.database.reading() as session:
            calls = await call_list.open_calls(
                session, now, self._clinic.key, at_most=_LOOKED_THROUGH
            )
        for call in calls:
            if call.claimed_by in (None, me) and not call.opted_out:
                try:
                    return await self._taken(call.task_id, visitor)
                except CallRefusal:  # somebody was faster, or nobody may call
                    continue
        return await self.page(visitor, nothing_free=True)

    async def give_back(self, task_id: str, visitor: Visitor) -> Response:
        """End a visitor's claim."""
        async with self._clinic.database.writing() as session:
            if await call_claim.release(session, task_id, who=visitor.account.name):
                await self._note(session, visitor, Action.RELEASED, task_id)
        return RedirectResponse("/calls", 303)

    async def _taken(self, task_id: str, visitor: Visitor) -> Response:
        now, zone, key = self._clock(), self._clinic.profile.zone, self._clinic.key
        me = visitor.account.name
        async with self._clinic.database.writing() as session:
            await call_claim.claim(session, task_id, who=me, now=now, key=key, zone=zone)
            await self._note(session, visitor, Action.CLAIMED, task_id)
        return RedirectResponse(f"/calls/{task_id}", 303)

    async def _note(
        self, session: AsyncSession, visitor: Visitor, action: Action, task_id: str
    ) -> None:
        await note(
            session,
            who=visitor.account,
            action=action,
            now=self._clock(),
            patient_id=(await session.get_one(CallTask, task_id)).patient_id,
            subject=task_id,
        )


def router(clinic: Clinic, clock: Clock, doors: Doors) -> APIRouter:
    """Build the doors under /calls that concern the list as a whole."""
    routes = APIRouter(default_response_class=HTMLResponse)
    desk = CallDesk(clinic, clock)
    caller = Annotated[Visitor, Depends(doors.signed_in(Role.STAFF, Role.OPS, Role.ADMIN))]

    @routes.get("/calls")
    async def show(visitor: caller, done: str = "") -> Response:
        return await desk.page(visitor, done=done)

    # what the page asks for now and then, to show new work without being loaded again
    @routes.get("/calls/rows")
    async def rows(visitor: caller) -> Response:
        return await desk.page(visitor, "call_rows.html")

    @routes.post("/calls/next")
    async def take_next(visitor: caller) -> Response:
        return await desk.take_next(visitor)

    @routes.post("/calls/{task_id}/claim")
    async def take(task_id: str, visitor: caller) -> Response:
        return await desk.take(task_id, visitor)

    @routes.post("/calls/{task_id}/release")
    async def give_back(task_id: str, visitor: caller) -> Response:
        return await desk.give_back(task_id, visitor)

    return routes
