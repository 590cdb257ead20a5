"""A campaign that has started: how far it is, what it waits for; pause, resume, stop, limits."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from clinic import call_list, campaigns
from clinic.accounts import Role
from clinic.audit import Action, Details, note
from clinic.campaign_limits import change_limits
from clinic.campaign_refusal import CampaignProblem, CampaignRefusal
from clinic.campaigns import CampaignState
from clinic.clinic import Clinic
from clinic.contact_policy import next_opening
from console.campaigns.looks import CampaignLooks, Figures
from console.campaigns.terms_form import LimitsForm, read_limits
from console.campaigns.titles import Titles
from console.campaigns.words import CAMPAIGN_PROBLEMS
from console.clock import Clock
from console.doors.sessions import Doors, Visitor
from console.staff_view import render, translated

_Change = Callable[[AsyncSession, str, datetime], Awaitable[bool]]
"""Changes the campaign of a name, and says whether that changed anything."""


STOP_PAGE = "campaigns/stop.html"
_JUST_STARTED = timedelta(minutes=2)
"""An attempt begins within seconds; if not, the figures tell more than a promise."""


def is_starting(figures: Figures, now: datetime, visitor: Visitor) -> bool:
    """Say whether a campaign has just been started, and nobody has come to any step yet.

    Args:
        figures: The campaign's.
        now: Aware UTC.
        visitor: Who looks; while Temporal is away, what was just started waits for it.
    """
    report, steps = figures
    if now - report.started_at > _JUST_STARTED and visitor.engine.delay is None:
        return False
    runs = report.state == CampaignState.RUNNING.value and report.waits is None
    begun = any(step.came_here for step in steps) or any(report.outcomes.values())
    return runs and not begun and report.not_started + report.waiting > 0


class CampaignDesk:
    """Shows a campaign, and changes what ops want of it.

    Args:
        clinic: Whose.
        clock: What time it is.
        looks: Counts what has become of it.
    """

    def __init__(self, clinic: Clinic, clock: Clock, looks: CampaignLooks) -> None:
        self._clinic = clinic
        self._clock = clock
        self._looks = looks

    async def page(
        self,
        campaign_id: str,
        visitor: Visitor,
        name: str = "campaigns/campaign.html",
        *,
        filled: LimitsForm | None = None,
        problems: dict[str, CampaignProblem] | None = None,
        status: int = 200,
    ) -> Response:
        """Return a campaign's page.

        Args:
            campaign_id: Which.
            visitor: Who looks.
            name: The page itself, or the question whether to stop.
            filled: The limits that they wrote, to be shown again.
            problems: Field to what is wrong with it; the empty field: with all of it.
            status: Of the answer.

        Raises:
            HTTPException: 404, there is no such campaign.
        """
        now = self._clock()
        async with self._clinic.database.reading() as session:
            try:
                campaign = await campaigns.find_by_id(session, campaign_id)
            except CampaignRefusal:
                raise HTTPException(404, "no such campaign") from None
            open_calls = await call_list.count_open(session)
            stops = name == STOP_PAGE or campaign.state == CampaignState.STOPPED.value
            wrote = await call_list.count_wrote(session, campaign_id) if stops else 0
        look = await self._looks.figures(campaign_id, now)
        figures = look.result
        over = campaign.until is not None and now > campaign.until
        said = {
            field: translated(visitor, CAMPAIGN_PROBLEMS[why])
            for field, why in (problems or {}).items()
        }
        limits = LimitsForm(
            pace=str(campaign.pace_per_hour or ""),
            open_calls=str(campaign.open_calls_at_most or ""),
        )
        return render(
            visitor,
            name,
            status=status,
            campaign=campaign,
            look=look,
            titles=Titles(self._clinic.folder, visitor.language),
            report=figures.report if figures else None,
            steps=figures.steps if figures else (),
            starting=figures is not None and not over and is_starting(figures, now, visitor),
            opens_at=next_opening(self._clinic.policy, self._clinic.calendar, now),
            open_calls=open_calls,
            wrote=wrote,
            over=over,
            filled=filled or limits,
            problems=said,
            problem=said.get("", ""),
            now=now,
            zone=self._clinic.profile.zone,
        )

    async def pause(self, campaign_id: str, visitor: Visitor) -> Response:
        """Hold a campaign."""

        async def change(session: AsyncSession, name: str, now: datetime) -> bool:
            return await campaigns.pause(session, name, now=now, key=self._clinic.key)

        return await self._changed(campaign_id, visitor, Action.CAMPAIGN_PAUSED, change)

    async def resume(self, campaign_id: str, visitor: Visitor) -> Response:
        """Let a campaign go on."""

        async def change(session: AsyncSession, name: str, now: datetime) -> bool:
            return await campaigns.resume(session, name, now=now, key=self._clinic.key)

        return await self._changed(campaign_id, visitor, Action.CAMPAIGN_RESUMED, change)

    async def stop(self, campaign_id: str, visitor: Visitor) -> Response:
        """End a campaign for good."""

        async def change(session: AsyncSession, name: str, now: datetime) -> bool:
            await campaigns.stop(session, name, now=now, key=self._clinic.key)
            return True

        return await self._changed(campaign_id, visitor, Action.CAMPAIGN_STOPPED, change)

    async def limit(self, campaign_id: str, visitor: Visitor, form: LimitsForm) -> Response:
        """Have a campaign keep another pace, or another size of the call list."""
        limits, problems = read_limits(form)
        if problems:
            return await self.page(campaign_id, visitor, filled=form, problems=problems, status=422)

        async def change(session: AsyncSession, name: str, now: datetime) -> bool:
            return await change_limits(
                session,
                name,
                pace_per_hour=limits["pace_per_hour"],
                open_calls_at_most=limits["open_calls_at_most"],
                now=now,
                key=self._clinic.key,
            )

        details = {name: value for name, value in limits.items() if value is not None}
        return await self._changed(campaign_id, visitor, Action.CHANGED, change, details)

    async def _changed(
        self,
        campaign_id: str,
        visitor: Visitor,
        action: Action,
        change: _Change,
        details: Details | None = None,
    ) -> Response:
        """Change a campaign and note it; what changes nothing is not noted."""
        now = self._clock()
        try:
            async with self._clinic.database.writing() as session:
                campaign = await campaigns.find_by_id(session, campaign_id)
                if await change(session, campaign.name, now):
                    await note(
                        session,
                        who=visitor.account,
                        action=action,
                        now=now,
                        subject=campaign_id,
                        details=details,
                    )
        except CampaignRefusal as refusal:
            # where there is none, its page says so
            return await self.page(campaign_id, visitor, problems={"": refusal.why}, status=409)
        return RedirectResponse(f"/campaigns/{campaign_id}", 303)


def router(clinic: Clinic, clock: Clock, doors: Doors, looks: CampaignLooks) -> APIRouter:
    """Build the doors of a campaign that has started."""
    routes = APIRouter(default_response_class=HTMLResponse)
    desk = CampaignDesk(clinic, clock, looks)
    ops = Annotated[Visitor, Depends(doors.signed_in(Role.OPS))]

    @routes.get("/campaigns/{campaign_id}")
    async def show(campaign_id: str, visitor: ops) -> Response:
        return await desk.page(campaign_id, visitor)

    @routes.get("/campaigns/{campaign_id}/stop")
    async def ask(campaign_id: str, visitor: ops) -> Response:
        return await desk.page(campaign_id, visitor, STOP_PAGE)

    @routes.post("/campaigns/{campaign_id}/pause")
    async def pause(campaign_id: str, visitor: ops) -> Response:
        return await desk.pause(campaign_id, visitor)

    @routes.post("/campaigns/{campaign_id}/resume")
    async def resume(campaign_id: str, visitor: ops) -> Response:
        return await desk.resume(campaign_id, visitor)

    @routes.post("/campaigns/{campaign_id}/stop")
    async def stop(campaign_id: str, visitor: ops) -> Response:
        return await desk.stop(campaign_id, visitor)

    @routes.post("/campaigns/{campaign_id}/limits")
    async def limit(
        campaign_id: str, visitor: ops, form: Annotated[LimitsForm, Form()]
    ) -> Response:
        return await desk.limit(campaign_id, visitor, form)

    return routes
