"""All campaigns: how each stands, against its goal."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import HTMLResponse, Response

from clinic.accounts import Role
from clinic.campaign_list import campaign_lines
from clinic.clinic import Clinic
from console.campaigns.titles import Titles
from console.clock import Clock
from console.doors.sessions import Doors, Visitor
from console.staff_view import render

SHOWN = 30
"""Campaigns on a page."""


def router(clinic: Clinic, clock: Clock, doors: Doors) -> APIRouter:
    """Build the door /campaigns."""
    del clock
    routes = APIRouter(default_response_class=HTMLResponse)
    ops = Annotated[Visitor, Depends(doors.signed_in(Role.OPS))]

    @routes.get("/campaigns")
    async def show(visitor: ops, page: Annotated[int, Query(ge=1, le=10_000)] = 1) -> Response:
        async with clinic.database.reading() as session:
            lines = await campaign_lines(session, at_most=SHOWN + 1, after=(page - 1) * SHOWN)
        return render(
            visitor,
            "campaigns/list.html",
            lines=lines[:SHOWN],
            titles=Titles(clinic.folder, visitor.language),
            page=page,
            has_more=len(lines) > SHOWN,
            zone=clinic.profile.zone,
        )

    return routes
