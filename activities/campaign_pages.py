"""A campaign's pages: each starts the next attempts, nobody twice, and misses nobody."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from pydantic import SecretStr
from sqlalchemy import Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from temporalio import activity
from temporalio.client import Client
from temporalio.common import (
    WorkflowIDConflictPolicy,
)
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError

from activities import names
from activities.interface import CampaignActivities
from channels.protocol import Channel
from clinic import call_list
from clinic.attempt import AttemptInput, AttemptState, CampaignInput, PageResult, PageState
from clinic.campaigns import CampaignState
from clinic.contact_policy import ContactPolicy
from clinic.database import Database
from clinic.delivery_check import LeftOut, address_on, why_left_out
from clinic.duration import spoken
from clinic.plan import Plan
from clinic.standing import standings
from clinic.tables import Attempt, Campaign

_LARGEST_PAGE = 200
_STARTS_AT_ONCE = 16
"""More than this many starts in flight gain nothing on one server (measured in benchmarks/)."""

_CLOSING_PAUSE = timedelta(seconds=5)
"""An attempt whose patient's previous workflow has not closed yet: try again after this."""

_MEND_PAUSE = timedelta(minutes=1)
"""While our settings are wrong, look again this often."""

_CALL_LIST_PAUSE = timedelta(minutes=5)
"""A full call list: look again after this."""

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


class CampaignPages(CampaignActivities):
    """The paging activity and what it needs.

    Args:
        client: Starts the attempts' workflows.
        database: The clinic's database.
        policy: Whose cool-down counts.
        channels: The channels in use, by name.
        key: The key of the suppression hashes.
        task_queue: Where the attempts' workflows run.
    """

    def __init__(
        self,
        *,
        client: Client,
        database: Database,
        policy: ContactPolicy,
        channels: Mapping[str, Channel],
        key: SecretStr,
        task_queue: str = names.TASK_QUEUE,
    ) -> None:
        self._client = client
        self._database = database
        self._policy = policy
        self._channels = channels
        self._key = key
        self._task_queue = task_queue

    @activity.defn
    async def start_page(self, campaign: CampaignInput) -> PageResult:
        """Open the next planned attempts' rows, then start their workflows.

        The rows are the cursor: a page that was cut short is taken up by the next, with the
        attempts that were opened but are not known to have started at its head.
        """
        now = activity.info().started_time
        async with self._database.writing() as session:
            page = await self._open_rows(session, campaign.campaign_id, now)
        if isinstance(page, PageResult):
            return page
        started = await self._start_workflows(page)
        next_page_at = now + self._pause_after(page, started)
        async with self._database.writing() as session:
            await session.execute(
                update(Attempt).where(Attempt.id.in_(started)).values(started_at=now)
            )
            await session.execute(
                update(Campaign)
                .where(Campaign.id == campaign.campaign_id)
                .values(next_page_at=next_page_at)
            )
            remaining = await _remaining(session, campaign.campaign_id)
        return PageResult(
            state=PageState.MORE if remaining else page.ends_as,
            started=len(started),
            left_out=page.left_out,
            remaining=remaining,
            next_page_at=next_page_at if remaining and next_page_at > now else None,
        )

    async def _open_rows(
        self, session: AsyncSession, campaign_id: str, now: datetime
    ) -> _Page | PageResult:
        campaign = await session.get_one(Campaign, campaign_id, with_for_update={"read": True})
        if campaign.state == CampaignState.STOPPED.value:
            return await _leave_out_the_rest(session, campaign, LeftOut.CAMPAIGN_STOPPED)
        if campaign.state == CampaignState.PAUSED.value:
            return await _held(session, campaign, PageState.PAUSED, None)
        if campaign.until is not None and now > campaign.until:
            return await _leave_out_the_rest(session, campaign, LeftOut.CAMPAIGN_OVER)
        if campaign.next_page_at is not None and now < campaign.next_page_at:
            # a campaign that was paused and goes on keeps its pace
            return await _held(session, campaign, PageState.MORE, campaign.next_page_at)
        size = await _page_size(session, campaign)
        if size <= 0:
            return await _held(session, campaign, PageState.MORE, now + _CALL_LIST_PAUSE)
        plan = Plan.model_validate(campaign.plan)
        self._refuse_missing_channels(plan)
        rows = list(await session.scalars(_to_start(campaign_id).order_by(Attempt.id).limit(size)))
        patients = await standings(session, [row.patient_id for row in rows], now, self._key)
        opened: list[Attempt] = []
        for row in rows:
            if row.state == AttemptState.OPEN.value:
                opened.append(row)
                continue
            patient = patients[row.patient_id]
            addresses = {
                step.channel: address_on(
                    self._channels[step.channel].address_of, patient.contact, self._key
                )
                for step in plan.steps
            }
            reason = why_left_out(patient, plan, addresses, self._policy, now)
            if reason is None:
                row.state = AttemptState.OPEN.value
                opened.append(row)
            else:
                row.state, row.left_out_reason = AttemptState.LEFT_OUT.value, reason.value
        return _Page(campaign, plan, opened, len(rows) - len(opened))

    @staticmethod
    def _pause_after(page: _Page, started: Sequence[str]) -> timedelta:
        pace = page.campaign.pace_per_hour
        pause = timedelta(hours=len(page.attempts) / pace) if pace else timedelta(0)
        if page.attempts and not started:
            # their patients' previous attempts are about to close
            return max(pause, _CLOSING_PAUSE)
        return pause

    def _refuse_missing_channels(self, plan: Plan) -> None:
        missing = sorted({step.channel for step in plan.steps} - set(self._channels))
        if missing:
            _log.error("channel not in use", channel=missing[0])
            raise ApplicationError(
                f"channel {missing[0]} is not in use here (REGRESA_CHANNELS)",
                type="Misconfigured",
                next_retry_delay=_MEND_PAUSE,
            )

    async def _start_workflows(self, page: _Page) -> list[str]:
        at_once = asyncio.Semaphore(_STARTS_AT_ONCE)

        async def start(attempt: Attempt) -> str | None:
            async with at_once:
                is_started = await self._start(page, attempt)
                activity.heartbeat()
            return attempt.id if is_started else None

        results = await asyncio.gather(*(start(attempt) for attempt in page.attempts))
        return [attempt_id for attempt_id in results if attempt_id is not None]

    async def _start(self, page: _Page, attempt: Attempt) -> bool:
        campaign, plan = page.campaign, page.plan
        workflow_id = names.attempt_workflow_id(attempt.patient_id)
        try:
            await self._client.start_workflow(
                names.RECOVERY_WORKFLOW,
                AttemptInput(attempt_id=attempt.id, patient_id=attempt.patient_id, plan=plan),
                id=workflow_id,
                task_queue=self._task_queue,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                memo={names.ATTEMPT_MEMO: attempt.id},
                search_attributes=names.of_campaign(campaign.name, campaign.segment, plan.name),
                static_summary=f"{campaign.name}: {plan.name}"[:200],
                static_details=_details(campaign, plan, attempt),
            )
        except WorkflowAlreadyStartedError:
            return await self._is_this_one(workflow_id, attempt)
        return True

    async def _is_this_one(self, workflow_id: str, attempt: Attempt) -> bool:
        """Tell whether the workflow that runs is this attempt's.

        It is, where an earlier page was cut short. Else it is the patient's previous one, which
        has recorded its outcome and is about to close: the next page tries again.
        """
        description = await self._client.get_workflow_handle(workflow_id).describe()
        memo = await description.memo()
        return bool(memo.get(names.ATTEMPT_MEMO) == attempt.id)


async def _page_size(session: AsyncSession, campaign: Campaign) -> int:
    """Return how many attempts the pace, and the room on the call list, allow; 0: none now."""
    size = _LARGEST_PAGE
    if campaign.pace_per_hour is not None:
        size = max(1, min(campaign.pace_per_hour // 60, _LARGEST_PAGE))
    if campaign.open_calls_at_most is not None:
        size = min(size, campaign.open_calls_at_most - await call_list.count_open(session))
    return size


def _to_start(campaign_id: str) -> Select[Attempt]:
    return select(Attempt).where(
        Attempt.campaign_id == campaign_id,
        Attempt.started_at.is_(None),
        Attempt.state.in_([AttemptState.PLANNED.value, AttemptState.OPEN.value]),
    )


async def _remaining(session: AsyncSession, campaign_id: str) -> int:
    query = select(func.count()).select_from(_to_start(campaign_id).subquery())
    return await session.scalar(query) or 0


async def _held(
    session: AsyncSession, campaign: Campaign, state: PageState, until: datetime | None
) -> PageResult:
    remaining = await _remaining(session, campaign.id)
    return PageResult(state=state, started=0, left_out=0, remaining=remaining, next_page_at=until)


async def _leave_out_the_rest(session: AsyncSession, campaign: Campaign, reason: LeftOut) -> _Page:
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
    opened = (await session.scalars(_to_start(campaign.id))).all()
    stopped = reason is LeftOut.CAMPAIGN_STOPPED
    return _Page(
        campaign,
        Plan.model_validate(campaign.plan),
        opened,
        left_out=len(left_out.all()),
        ends_as=PageState.STOPPED if stopped else PageState.FINISHED,
    )


def _details(campaign: Campaign, plan: Plan, attempt: Attempt) -> str:
    ladder = "\n".join(
        f"{number}. {step.channel} `{step.template}`, wait {spoken(step.wait)}"
        for number, step in enumerate(plan.steps, start=1)
    )
    return (
        f"Attempt `{attempt.id}` of campaign **{campaign.name}**, "
        f"segment `{campaign.segment}`, plan `{plan.name}`:\n\n{ladder}"
    )
