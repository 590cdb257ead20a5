"""The register's first page: one field that finds a patient by whatever is known of them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form
from fastapi.responses import HTMLResponse, Response

from clinic.accounts import Role
from clinic.audit import Action, note
from clinic.clinic import Clinic
from clinic.register.hits import LONGEST, MOST, FoundBy, Hits, look_up
from console.clock import Clock
from console.doors.sessions import Doors, Visitor
from console.register.found import card_at, note_shown
from console.register.words import FOUND_BY, STATUSES
from console.staff_view import render


class RegisterSearch:
    """Finds patients, and notes that somebody searched and whom they saw; what for, nowhere.

    Args:
        clinic: Whose register.
        clock: What time it is.
    """

    def __init__(self, clinic: Clinic, clock: Clock) -> None:
        self._clinic = clinic
        self._clock = clock

    def page(self, visitor: Visitor, written: str = "", hits: Hits | None = None) -> HTMLResponse:
        """Return the page, with whoever was found.

        Args:
            visitor: Who looks.
            written: What they searched for.
            hits: Who may be meant; None: nobody was searched for.
        """
        return render(
            visitor,
            "register/search.html",
            written=written,
            hits=hits,
            found_by=FOUND_BY,
            statuses=STATUSES,
            longest=LONGEST,
            most=MOST,
            roles=Role,
            zone=self._clinic.profile.zone,
        )

    async def search(self, visitor: Visitor, written: str) -> Response:
        """Return whoever may be meant; the one patient whose number it is, by their card."""
        clinic, now = self._clinic, self._clock()
        async with clinic.database.reading() as session:
            hits = await look_up(session, written, key=clinic.key, country=clinic.profile.country)
        is_one = hits.by is FoundBy.EXACT and len(hits.found) == 1
        only_one = hits.found[0].patient_id if is_one else None
        # a transaction of its own: who searches keeps nobody from writing
        async with clinic.database.writing() as session:
            await note(
                session,
                who=visitor.account,
                action=Action.SEARCHED,
                now=now,
                details={"hits": len(hits.found), "more": hits.more},
            )
            if only_one is None and hits.found:
                await note_shown(
                    session, [hit.patient_id for hit in hits.found], visitor, now, where="search"
                )
        return self.page(visitor, written, hits) if only_one is None else card_at(only_one)


def router(clinic: Clinic, clock: Clock, doors: Doors) -> APIRouter:
    """Build the doors of the search: by POST, so that no name stands in an address."""
    routes = APIRouter(default_response_class=HTMLResponse)
    desk = RegisterSearch(clinic, clock)
    staff = Annotated[Visitor, Depends(doors.signed_in(Role.STAFF))]

    @routes.get("/register")
    async def show(visitor: staff) -> Response:
        return desk.page(visitor)

    @routes.post("/register/search")
    async def search(
        visitor: staff, written: Annotated[str, Form(max_length=LONGEST)] = ""
    ) -> Response:
        return await desk.search(visitor, written)

    # where a browser leads that is reloaded, or changes its language, after a search
    @routes.get("/register/search")
    async def again(visitor: staff) -> Response:
        return desk.page(visitor)

    return routes
