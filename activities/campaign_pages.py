"""A campaign's pages: each starts the next attempts, nobody twice, and misses nobody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from pydantic import SecretStr
from sqlalchemy import Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from activities import names
from activities.attempt_starts import AttemptStarts
from activities.interface import CampaignActivities
from channels.protocol import Channel
from clinic import call_opening
from clinic.attempt import AttemptState, CampaignInput, PageResult, PageState
from clinic.campaigns import CampaignState
from clinic.contact_policy import ContactPolicy
from clinic.database import Database
from clinic.delivery_check import LeftOut, StepContent, address_on, calendar_of, why_left_out
from clinic.folder import ClinicFolder
from clinic.page_room import LARGEST_PAGE, Waits, room_for
from clinic.plan import Plan
from clinic.register.standing import Standing, standings
from clinic.tables import Attempt, Campaign

_CLOSING_PAUSE = timedelta(seconds=5)
"""An attempt whose patient's previous workflow has not closed yet: try again after this."""

_MEND_PAUSE = timedelta(minutes=1)
"""While our settings are wrong, look again this often."""

_CALL_LIST_PAUSE = timedelta(minutes=5)
"""A full call list: look again after this."""

_PLANNED, _OPEN = AttemptState.PLANNED.value, AttemptState.OPEN.value

_log = structlog.get_logger()


@dataclass(frozen=True)
class _Page:
    """Attempts whose rows are open and whose workflows are to be started."""

    campaign: Campaign
    plan: Plan
    attempts: Sequence[Attempt]
    left_out: int
    ends_as: PageState = PageState.FINISHED
    """How the campaign goes on when nobody is left to start."""
    hold: "_Hold | None" = None
    """Why nobody was opened; who was open before is started all the same."""


@dataclass(frozen=True)
class _Hold:
    """Nobody is opened for now.

    Attributes:
        until: Aware UTC; look again then. None: when an event says so.
        why: What a campaign that runs waits for.
    """

    until: datetime | None
    why: Waits | None = None


class CampaignPages(CampaignActivities):
    """The paging activity and what it needs.

    Args:
        client: Starts the attempts' workflows.
        database: The clinic's database.
        folder: The clinic's folder: its calendar, and what templates are.
        policy: Whose cool-down, and whose rules on consent, count.
        channels: The channels in use, by name.
        key: The key of the suppression hashes.
        task_queue: Where the attempts' workflows run.
    """

    def __init__(
        self,
        *,
        client: Client,
        database: Database,
        folder: ClinicFolder,
        policy: ContactPolicy,
        channels: Mapping[str, Channel],
        key: SecretStr,
        task_queue: str = names.TASK_QUEUE,
    ) -> None:
        self._starts = AttemptStarts(client, task_queue)
        self._database = database
        self._folder = folder
        self._policy = policy
        self._channels = channels
        self._key = key

    @activity.defn
    async def start_page(self, campaign: CampaignInput) -> PageResult:
        """Open the next planned attempts' rows, then start their workflows.

        The rows are the cursor: a page that was cut short is taken up by the next, with the
        attempts that were opened but are not known to have started at its head. So is who began
        with a household's message: they were written to, and no pace, pause or full call list
        keeps them from having a workflow that hears their answer.
        """
        now = activity.info().started_time
        async with self._database.writing() as session:
            page = await self._open_rows(session, campaign.campaign_id, now)
        started = await self._starts.start(page.campaign, page.plan, page.attempts)
        async with self._database.writing() as session:
            await session.execute(
                update(Attempt).where(Attempt.id.in_(started)).values(started_at=now)
            )
            next_page_at = await self._next_page_at(session, page, started, now)
            remaining = await _remaining(session, campaign.campaign_id)
        return PageResult(
            state=_state_after(page, remaining),
            started=len(started),
            left_out=page.left_out,
            remaining=remaining,
            next_page_at=next_page_at if remaining else None,
            waits=self._waits(page) if remaining else "",
        )

    async def _open_rows(self, session: AsyncSession, campaign_id: str, now: datetime) -> _Page:
        campaign = await session.get_one(Campaign, campaign_id, with_for_update={"read": True})
        plan = Plan.model_validate(campaign.plan)
        if campaign.state == CampaignState.STOPPED.value:
            return await _leave_out_the_rest(session, campaign, plan, LeftOut.CAMPAIGN_STOPPED)
        is_paused = campaign.state == CampaignState.PAUSED.value
        if not is_paused and campaign.until is not None and now > campaign.until:
            return await _leave_out_the_rest(session, campaign, plan, LeftOut.CAMPAIGN_OVER)
        begun = list(await session.scalars(_to_start(campaign_id, _OPEN).limit(LARGEST_PAGE)))
        if is_paused:
            return _Page(campaign, plan, begun, left_out=0, hold=_Hold(until=None))
        room = await room_for(session, campaign, now)
        if isinstance(room, Waits):
            # by its pace, too: one that was paused and goes on keeps it
            hold = _Hold(until=room.until or now + _CALL_LIST_PAUSE, why=room)
            return _Page(campaign, plan, begun, left_out=0, hold=hold)
        self._refuse_missing_channels(plan)
        opened, left_out = await self._open_planned(
            session, campaign_id, plan, room - len(begun), now
        )
        return _Page(campaign, plan, [*begun, *opened], left_out)

    async def _open_planned(
        self, session: AsyncSession, campaign_id: str, plan: Plan, at_most: int, now: datetime
    ) -> tuple[list[Attempt], int]:
        """Open the next planned rows; return them, and how many were left out instead."""
        next_ones = _to_start(campaign_id, _PLANNED).limit(max(at_most, 0))
        # a delivery to a household may be opening one of these just now: its word counts
        rows = list(await session.scalars(next_ones.with_for_update(key_share=True)))
        clinic = self._folder.profile.calendar
        patient_ids = [row.patient_id for row in rows]
        patients = await standings(session, patient_ids, now, self._key, zone=clinic.zone)
        opened: list[Attempt] = []
        for row in rows:
            left_out = self._why_left_out(patients[row.patient_id], plan, now)
            if left_out is not None:
                row.state = AttemptState.LEFT_OUT.value
                row.left_out_reason, row.left_out_rule = left_out
                continue
            row.state = AttemptState.OPEN.value
            opened.append(row)
        await call_opening.hand_to_attempts(session, opened)
        return opened, len(rows) - len(opened)

    def _why_left_out(
        self, patient: Standing, plan: Plan, now: datetime
    ) -> tuple[LeftOut, str] | None:
        addresses = {
            step.channel: address_on(
                self._channels[step.channel].address_of, patient.contact, self._key
            )
            for step in plan.steps
        }
        # each text's length is looked at when it is delivered
        contents = [
            StepContent(kind=self._folder.template(step.template).kind) for step in plan.steps
        ]
        calendar = calendar_of(patient.contact, self._policy, self._folder.profile.calendar)
        return why_left_out(patient, plan, addresses, contents, self._policy, calendar, now)

    async def _next_page_at(
        self, session: AsyncSession, page: _Page, started: Sequence[str], now: datetime
    ) -> datetime | None:
        """Return when to look again, and keep the campaign's pace; None: at once, or when told."""
        if page.hold is not None:
            return page.hold.until
        campaign = await session.get_one(
            # as it stands by now: ops may have changed the pace while the workflows were started
            Campaign,
            page.campaign.id,
            with_for_update={"key_share": True},
        )
        next_page_at = now + _pause_after(campaign.pace_per_hour, page, started)
        campaign.next_page_at = next_page_at
        return next_page_at if next_page_at > now else None

    def _waits(self, page: _Page) -> str:
        if page.hold is None or page.hold.why is None:
            return ""
        return page.hold.why.words(self._folder.profile.zone)

    def _refuse_missing_channels(self, plan: Plan) -> None:
        missing = sorted({step.channel for step in plan.steps} - set(self._channels))
        if missing:
            _log.error("channel not in use", channel=missing[0])
            raise ApplicationError(
                f"channel {missing[0]} is not in use here (REGRESA_CHANNELS)",
                type="Misconfigured",
                next_retry_delay=_MEND_PAUSE,
            )


def _pause_after(pace: int | None, page: _Page, started: Sequence[str]) -> timedelta:
    pause = timedelta(hours=len(page.attempts) / pace) if pace else timedelta(0)
    if page.attempts and not started:
        # their patients' previous attempts are about to close
        return max(pause, _CLOSING_PAUSE)
    return pause


def _state_after(page: _Page, remaining: int) -> PageState:
    if page.hold is not None and page.hold.until is None:
        return PageState.PAUSED
    return PageState.MORE if remaining else page.ends_as


def _to_start(campaign_id: str, *states: str) -> Select[Attempt]:
    return (
        select(Attempt)
        .where(
            Attempt.campaign_id == campaign_id,
            Attempt.started_at.is_(None),
            Attempt.state.in_(states),
        )
        .order_by(Attempt.id)
    )


async def _remaining(session: AsyncSession, campaign_id: str) -> int:
    waiting = _to_start(campaign_id, _PLANNED, _OPEN).order_by(None)
    query = select(func.count()).select_from(waiting.subquery())
    return await session.scalar(query) or 0


async def _leave_out_the_rest(
    session: AsyncSession, campaign: Campaign, plan: Plan, reason: LeftOut
) -> _Page:
    """End the campaign for everybody planned.

    What a page that was cut short has opened is started all the same: the workflow hears of the
    end and closes its row, else the patient would never be free for another attempt.
    """
    planned = Attempt.state == AttemptState.PLANNED.value
    left_out = await session.scalars(
        update(Attempt)
        .where(Attempt.campaign_id == campaign.id, planned)
        .values(state=AttemptState.LEFT_OUT.value, left_out_reason=reason.value)
        .returning(Attempt.id)
    )
    opened = (await session.scalars(_to_start(campaign.id, _OPEN))).all()
    stopped = reason is LeftOut.CAMPAIGN_STOPPED
    return _Page(
        campaign,
        plan,
        opened,
        left_out=len(left_out.all()),
        ends_as=PageState.STOPPED if stopped else PageState.FINISHED,
    )
