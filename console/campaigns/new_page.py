"""A plan for a segment: what it would do, the terms to start it on, a last look, and the start."""

from datetime import date, datetime
from typing import Annotated, NamedTuple
from urllib.parse import quote

from babel.dates import format_date
from fastapi import APIRouter, Depends, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from channels.addresses import addresses_by_channel
from clinic import campaigns
from clinic.accounts import Role
from clinic.audit import Action, note
from clinic.campaign_name import free_name
from clinic.campaign_refusal import CampaignProblem, CampaignRefusal
from clinic.campaign_start import CampaignTerms, start_campaign
from clinic.clinic import Clinic
from clinic.identifiers import new_id
from clinic.page_room import CallLoad, call_load
from clinic.plan import Plan
from clinic.segments.rule import Segment
from console.campaigns.looks import CampaignLooks
from console.campaigns.segment_page import found
from console.campaigns.terms_form import Problems, TermsForm, read_limits, read_terms
from console.campaigns.titles import Titles
from console.campaigns.words import CAMPAIGN_PROBLEMS
from console.clock import Clock
from console.doors.sessions import Doors, Visitor
from console.staff_view import render, translated


class Chosen(NamedTuple):
    """What a new campaign is made of."""

    segment: Segment
    plan: Plan

    @property
    def path(self) -> str:
        """Where its pages are."""
        return f"/campaigns/new/{quote(self.segment.name)}/plans/{quote(self.plan.name)}"


class NewCampaign:
    """Shows what a plan would do for a segment, and starts it.

    Args:
        clinic: Whose.
        clock: What time it is.
        looks: Counts who would get what.
    """

    def __init__(self, clinic: Clinic, clock: Clock, looks: CampaignLooks) -> None:
        self._clinic = clinic
        self._clock = clock
        self._looks = looks

    def chosen(self, segment: str, plan: str) -> Chosen:
        """Return a segment and a plan.

        Raises:
            HTTPException: 404, there is no such segment or plan, or its file can't be read.
        """
        folder, channels = self._clinic.folder, addresses_by_channel(self._clinic)
        return Chosen(
            found(segment, folder.segment), found(plan, lambda name: folder.plan(name, channels))
        )

    async def page(
        self,
        chosen: Chosen,
        visitor: Visitor,
        filled: TermsForm | None = None,
        problems: Problems | None = None,
    ) -> Response:
        """Return the plan's page with the form.

        Args:
            chosen: What is to be started.
            visitor: Who looks.
            filled: What they filled in before; None: the form is new.
            problems: What of it can't be taken as it is.
        """
        titles = Titles(self._clinic.folder, visitor.language)
        filled = filled or await self._fresh(titles.title(chosen.segment).text, visitor.language)
        said = {
            field: translated(visitor, CAMPAIGN_PROBLEMS[why])
            for field, why in (problems or {}).items()
        }
        limits, _ = read_limits(filled)
        load, most = await self._load(), limits["open_calls_at_most"]
        return render(
            visitor,
            "campaigns/plan.html",
            status=422 if said else 200,
            chosen=chosen,
            titles=titles,
            look=await self._looks.outlook(*chosen, self._clock()),
            filled=filled,
            problems=said,
            zone=self._clinic.profile.zone,
            today=self._today,
            load=load,
            at_most=most,
            is_full=not load.leaves_room(most),
        )

    async def take(self, chosen: Chosen, visitor: Visitor, form: TermsForm) -> Response:
        """Do what a form asks for: have a last look, go back to it, or start the campaign."""
        now = self._clock()
        terms, problems = read_terms(form, self._clinic, now)
        if form.do == "change":
            return await self.page(chosen, visitor, form)
        if terms is not None and form.do == "check" and await self._is_in_use(terms, form):
            problems["name"] = CampaignProblem.NAME_IN_USE
        if problems or terms is None:
            return await self.page(chosen, visitor, form, problems)
        if form.do == "check":
            return await self._last_look(chosen, visitor, form, terms)
        try:
            await self._start(chosen, visitor, form.campaign, terms, now)
        except CampaignRefusal as refusal:
            if not await self._has_started(form.campaign):
                field = "name" if refusal.why is CampaignProblem.NAME_IN_USE else ""
                return await self.page(chosen, visitor, form, {field: refusal.why})
        return RedirectResponse(f"/campaigns/{form.campaign}", 303)

    async def again(self, chosen: Chosen) -> Response:
        """Look at everybody anew."""
        await self._looks.outlook(*chosen, self._clock(), anew=True)
        return RedirectResponse(chosen.path, 303)

    @property
    def _today(self) -> date:
        return self._clock().astimezone(self._clinic.profile.zone).date()

    async def _fresh(self, title: str, language: str) -> TermsForm:
        """Return a form that can be sent as it is."""
        calls = self._clinic.profile.open_calls_at_most
        day = format_date(self._today, "medium", locale=language)
        async with self._clinic.database.reading() as session:
            name = await free_name(session, title, day)
        return TermsForm(
            campaign=new_id("ca"), name=name, open_calls="" if calls is None else str(calls)
        )

    async def _last_look(
        self, chosen: Chosen, visitor: Visitor, form: TermsForm, terms: CampaignTerms
    ) -> Response:
        look = await self._looks.outlook(*chosen, self._clock())
        counts = await self._looks.counts([chosen.segment], self._clock())
        load = await self._load()
        return render(
            visitor,
            "campaigns/check.html",
            chosen=chosen,
            titles=Titles(self._clinic.folder, visitor.language),
            filled=form,
            terms=terms,
            outlook=look.result,
            calls=look.result.calls if look.result else None,
            patients=look.result.patients if look.result else counts[chosen.segment.name].result,
            zone=self._clinic.profile.zone,
            load=load,
            at_most=terms.open_calls_at_most,
            is_full=not load.leaves_room(terms.open_calls_at_most),
        )

    async def _load(self) -> CallLoad:
        async with self._clinic.database.reading() as session:
            return await call_load(session)

    async def _start(
        self,
        chosen: Chosen,
        visitor: Visitor,
        campaign_id: str,
        terms: CampaignTerms,
        now: datetime,
    ) -> None:
        async with self._clinic.database.writing() as session:
            await start_campaign(
                session,
                campaign_id,
                *chosen,
                terms,
                zone=self._clinic.profile.zone,
                key=self._clinic.key,
                now=now,
            )
            await note(
                session,
                who=visitor.account,
                action=Action.CAMPAIGN_STARTED,
                now=now,
                subject=campaign_id,
            )

    async def _is_in_use(self, terms: CampaignTerms, form: TermsForm) -> bool:
        async with self._clinic.database.reading() as session:
            try:
                return (await campaigns.find(session, terms.name)).id != form.campaign
            except CampaignRefusal:
                return False

    async def _has_started(self, campaign_id: str) -> bool:
        """Say whether this very form was sent before: its button was pressed twice."""
        async with self._clinic.database.reading() as session:
            try:
                await campaigns.find_by_id(session, campaign_id)
            except CampaignRefusal:
                return False
        return True


def router(clinic: Clinic, clock: Clock, doors: Doors, looks: CampaignLooks) -> APIRouter:
    """Build the doors that start a campaign."""
    routes = APIRouter(default_response_class=HTMLResponse)
    desk = NewCampaign(clinic, clock, looks)
    ops = Annotated[Visitor, Depends(doors.signed_in(Role.OPS))]

    @routes.get("/campaigns/new/{segment}/plans/{plan}")
    async def show(segment: str, plan: str, visitor: ops) -> Response:
        return await desk.page(desk.chosen(segment, plan), visitor)

    @routes.post("/campaigns/new/{segment}/plans/{plan}")
    async def take(
        segment: str, plan: str, visitor: ops, form: Annotated[TermsForm, Form()]
    ) -> Response:
        return await desk.take(desk.chosen(segment, plan), visitor, form)

    again = [Depends(doors.signed_in(Role.OPS))]

    @routes.post("/campaigns/new/{segment}/plans/{plan}/count", dependencies=again)
    async def count(segment: str, plan: str) -> Response:
        return await desk.again(desk.chosen(segment, plan))

    return routes
