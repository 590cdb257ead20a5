"""The doors under /register/import: bring a list, see what would become of it, import it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from clinic.accounts import Role
from clinic.clinic import Clinic
from console.bounded_body import Bounds
from console.clock import Clock
from console.doors.sessions import Doors, Visitor
from console.register_import.pages import PATH, ImportPages, to
from console.register_import.posted_list import LARGEST_LIST, LARGEST_MAPPING
from console.register_import.upload import Upload

BOUNDS = {PATH: Bounds(largest=4 * LARGEST_LIST, seconds=1800.0)}
"""Of the door that takes lists. What is too large is read to its end and not kept, as a browser
hears no answer before; half an hour is 200 MB at a megabit a second."""


def router(clinic: Clinic, clock: Clock, doors: Doors) -> APIRouter:
    """Build the doors for those who look after the register: a GET shows, a POST changes."""
    pages = ImportPages(clinic, clock)

    @asynccontextmanager
    async def lifespan(_app: object) -> AsyncIterator[None]:
        async with pages.running():
            yield

    routes = APIRouter(default_response_class=HTMLResponse, lifespan=lifespan)
    keeper = Annotated[Visitor, Depends(doors.signed_in(Role.OPS))]
    bringer = Annotated[Visitor, Depends(doors.signed_in(Role.OPS, reads_form=False))]

    @routes.get(PATH)
    async def choose(visitor: keeper) -> Response:
        return await pages.front(visitor)

    @routes.post(PATH)
    async def take(request: Request, visitor: bringer) -> Response:
        return await pages.take(request, visitor)

    _add_doors_of_a_list(routes, pages, doors)
    return routes


def _add_doors_of_a_list(routes: APIRouter, pages: ImportPages, doors: Doors) -> None:
    keeper = Annotated[Visitor, Depends(doors.signed_in(Role.OPS))]

    def theirs(upload_id: str, visitor: keeper) -> Upload:
        upload = pages.desk.uploads.find(upload_id, visitor.account)
        if upload is None:
            raise HTTPException(404, "no such list")
        return upload

    their_own = Annotated[Upload, Depends(theirs)]

    @routes.get(f"{PATH}/{{upload_id}}")
    async def show(upload: their_own, visitor: keeper) -> Response:
        return await pages.show(upload, visitor)

    @routes.post(f"{PATH}/{{upload_id}}/look")
    async def look_again(
        upload: their_own,
        visitor: keeper,
        mapping: Annotated[str, Form(max_length=LARGEST_MAPPING)] = "",
        encoding: Annotated[str, Form(max_length=100)] = "",
    ) -> Response:
        return await pages.look_again(upload, visitor, mapping, encoding)

    @routes.post(f"{PATH}/{{upload_id}}/import")
    async def begin(upload: their_own, visitor: keeper) -> Response:
        await pages.desk.begin_import(upload, visitor.account)
        return to(upload)

    @routes.post(f"{PATH}/{{upload_id}}/discard")
    async def discard(upload: their_own) -> Response:
        return await pages.discard(upload)

    @routes.get(f"{PATH}/{{upload_id}}/rejects.csv")
    async def rejects(upload: their_own, visitor: keeper) -> Response:
        return await pages.rejects(upload, visitor)
