"""The results' page and its file, for ops and admins; what takes long is counted beside."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, FastAPI, Form, Request
from fastapi.responses import HTMLResponse, Response
from starlette.datastructures import QueryParams

from clinic.accounts import Role
from clinic.audit import Action, note
from clinic.clinic import Clinic
from clinic.database import Database
from clinic.multilingual import Saying
from clinic.results.results import Results, campaigns_of, results_of
from clinic.results.selection import Selection
from clinic.results.share import FEW
from clinic.tables import Campaign
from console.campaigns.background import Background, Look
from console.campaigns.titles import Titles, told_apart
from console.clock import Clock
from console.doors.sessions import Doors, Visitor
from console.results.csv_file import csv_of
from console.results.filter_form import FilterForm, asked_for, segments_of
from console.results.formats import tells_day
from console.results.tables import shown
from console.results.words import AGAINST_GOAL, STAGES
from console.staff_view import render, translated
from console.translations import translations

PATIENCE = 0.8
"""Seconds that the page waits for its figures; what takes longer it shows once it is there."""
LONG_PATIENCE = 20.0
"""Seconds that the file waits for them."""


class ResultsDesk:
    """Shows what campaigns came to.

    Args:
        clinic: Whose.
        clock: What time it is.
    """

    def __init__(self, clinic: Clinic, clock: Clock) -> None:
        self._clinic = clinic
        self._clock = clock
        # counted anew each time, but for what takes so long that it needs a rest
        self._counts = Background(clinic.settings.database_url, timedelta(0))

    def close(self) -> None:
        """Leave what is being counted."""
        self._counts.close()

    async def page(self, visitor: Visitor, filled: FilterForm) -> Response:
        """Return the page; where a choice can't be read, with what is wrong and no figures.

        Args:
            visitor: Who looks.
            filled: What they chose.
        """
        every = await campaigns_of(self._clinic.database)
        selection = filled.selection(every)
        if isinstance(selection, str):
            problem = translated(visitor, selection)
            return self._rendered(visitor, every, filled, None, problem=problem)
        look = await self._counted(selection, PATIENCE) if every else None
        return self._rendered(visitor, every, filled, look)

    async def file(self, visitor: Visitor, filled: FilterForm) -> Response:
        """Return the figures as a file, and note that they were taken.

        Args:
            visitor: Who takes them.
            filled: What they chose.
        """
        every = await campaigns_of(self._clinic.database)
        selection = filled.selection(every)
        if isinstance(selection, str):
            problem = translated(visitor, selection)
            return self._rendered(visitor, every, filled, None, problem=problem)
        look = await self._counted(selection, LONG_PATIENCE)
        results = look.result
        if results is None:  # the page says that it is being counted
            return self._rendered(visitor, every, filled, look)
        costs = self._clinic.profile.costs
        written = csv_of(
            results,
            self._titles(every, visitor),
            visitor.language,
            translations(visitor.language).gettext,
            costs.currency if costs else "",
        )
        async with self._clinic.database.writing() as session:
            await note(
                session,
                who=visitor.account,
                action=Action.EXPORTED,
                now=self._clock(),
                details={"what": "results", "campaigns": len(results.campaigns)},
            )
        day = self._clock().astimezone(self._clinic.profile.zone).date()
        return Response(
            written,
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="results-{day}.csv"'},
        )

    async def _counted(self, selection: Selection, patience: float) -> Look[Results]:
        profile, now = self._clinic.profile, self._clock()

        async def work(database: Database, look: Look[Results]) -> Results:
            del look  # a few statements: there is no progress to tell
            return await results_of(
                database, selection, zone=profile.zone, now=now, costs=profile.costs
            )

        look = self._counts.look(selection, work, now)
        await self._counts.wait([selection], patience)
        return look

    def _titles(self, every: Sequence[Campaign], visitor: Visitor) -> Mapping[str, Saying]:
        """Return what the segments of campaigns are called, by their names, in order."""
        titles = Titles(self._clinic.folder, visitor.language)
        return told_apart({name: titles.segment(name) for name in segments_of(every)})

    def _rendered(
        self,
        visitor: Visitor,
        every: Sequence[Campaign],
        filled: FilterForm,
        look: Look[Results] | None,
        *,
        problem: str = "",
    ) -> HTMLResponse:
        results = look.result if look else None
        titles = self._titles(every, visitor)
        return render(
            visitor,
            "results/results.html",
            status=422 if problem else 200,
            problem=problem,
            every=every,
            segments=titles,
            filled=filled,
            look=look,
            results=results,
            **(shown(results, titles, visitor.language) if results else {}),
            stages=STAGES,
            against_goal=AGAINST_GOAL,
            costs=self._clinic.profile.costs,
            few=FEW,
            tells_day=tells_day,
            counted_at=look.counted_at if look else None,
            zone=self._clinic.profile.zone,
            chosen=urlencode(_as_query(filled)),
        )


def router(clinic: Clinic, clock: Clock, doors: Doors) -> APIRouter:
    """Build the doors under /results."""
    desk = ResultsDesk(clinic, clock)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        desk.close()

    routes = APIRouter(default_response_class=HTMLResponse, lifespan=lifespan)
    manager = Annotated[Visitor, Depends(doors.signed_in(Role.OPS, Role.ADMIN))]

    @routes.get("/results")
    async def show(request: Request, visitor: manager) -> Response:
        return await desk.page(visitor, asked_for(request.query_params))

    @routes.post("/results/figures.csv")
    async def take(visitor: manager, chosen: Annotated[str, Form()] = "") -> Response:
        return await desk.file(visitor, asked_for(QueryParams(chosen)))

    return routes


def _as_query(filled: FilterForm) -> list[tuple[str, str]]:
    pairs = [("campaign", each) for each in filled.campaigns]
    named = (("segment", filled.segment), ("from", filled.since), ("to", filled.until))
    return [*pairs, *((name, value) for name, value in named if value)]
