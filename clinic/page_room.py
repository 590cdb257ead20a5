"""How many attempts a campaign may start now, or what it waits for."""

from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict
from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic import call_list
from clinic.attempt import AttemptState
from clinic.campaigns import CampaignState
from clinic.plan import CALL
from clinic.tables import Attempt, CallTask, Campaign, StepNote

LARGEST_PAGE: Final = 200
"""Attempts that are started at once, at most."""

_DEFERRED = "deferred"
"""As `clinic.delivery` names it, and `clinic.step_notes` keeps it."""


class WaitsFor(StrEnum):
    """What keeps a campaign that runs from starting anybody just now."""

    CALL_LIST = "call_list"
    PACE = "pace"


class Waits(BaseModel):
    """Why a campaign that runs starts nobody just now.

    Attributes:
        waits_for: A full call list, or the campaign's pace.
        until: Aware UTC; when the pace lets the next ones start. None for a full call list: it
            has room once calls are completed.
        open_calls: How many calls are open; None for a pace.
        coming: Attempts that have begun, and whose call is about to stand on the list.
        at_most: From how many open calls on nobody is started (`open_calls_at_most`), or how
            many attempts the pace starts in an hour; None where a pace was taken back.
    """

    model_config = ConfigDict(frozen=True)

    waits_for: WaitsFor
    until: datetime | None = None
    open_calls: int | None = None
    coming: int = 0
    at_most: int | None = None

    def words(self, zone: ZoneInfo) -> str:
        """Say it in a line, with times in the clinic's time zone."""
        if self.until is None:
            coming = f", {self.coming} on their way" if self.coming else ""
            return (
                f"waits: {self.open_calls} calls are open{coming}, at most {self.at_most} "
                "(complete calls, or allow the campaign more of them in the console)"
            )
        pace = f" (--pace {self.at_most}/h)" if self.at_most else ""
        return f"waits: the next start {self.until.astimezone(zone):%a %Y-%m-%d %H:%M}{pace}"


class CallLoad(NamedTuple):
    """What counts towards the length of the call list.

    Attributes:
        open_calls: Calls that stand on it.
        coming: Attempts that have begun, and whose call is about to stand on it.
    """

    open_calls: int
    coming: int

    def leaves_room(self, at_most: int | None) -> bool:
        """Say whether a campaign may start anybody, as far as the call list goes.

        Args:
            at_most: From how many open calls on it may not; None: however many there are.
        """
        return at_most is None or self.open_calls + self.coming < at_most


async def call_load(session: AsyncSession) -> CallLoad:
    """Return how long the call list is, with what is about to come onto it.

    Args:
        session: Any transaction.
    """
    return CallLoad(open_calls=await call_list.count_open(session), coming=await _coming(session))


async def room_for(session: AsyncSession, campaign: Campaign, now: datetime) -> int | Waits:
    """Return how many attempts the pace, and the room on the call list, allow; or why none.

    Args:
        session: Any transaction.
        campaign: A campaign that runs.
        now: Aware UTC.
    """
    pace = campaign.pace_per_hour
    if campaign.next_page_at is not None and now < campaign.next_page_at:
        return Waits(waits_for=WaitsFor.PACE, until=campaign.next_page_at, at_most=pace)
    size = LARGEST_PAGE if pace is None else max(1, min(pace // 60, LARGEST_PAGE))
    calls_at_most = campaign.open_calls_at_most
    if calls_at_most is None:
        return size
    load = await call_load(session)
    open_calls, coming = load
    if load.leaves_room(calls_at_most):
        return min(size, calls_at_most - open_calls - coming)
    return Waits(
        waits_for=WaitsFor.CALL_LIST, open_calls=open_calls, coming=coming, at_most=calls_at_most
    )


async def _coming(session: AsyncSession) -> int:
    """Return how many attempts come onto the call list by their first step, and are not there yet.

    Their workflows have just begun, or wait for the hours in which calls may be made; whichever
    campaign that runs they are of, the list is one. Where a message goes before the call, nobody
    knows whether a call comes of the attempt: it counts once the call is open.
    """
    run = select(Campaign).where(Campaign.state == CampaignState.RUNNING.value)
    begin_with_call = [
        campaign.id
        for campaign in await session.scalars(run)
        if campaign.plan["steps"][0]["channel"] == CALL
    ]
    if not begin_with_call:
        return 0
    called = exists().where(CallTask.attempt_id == Attempt.id)
    passed_over = exists().where(StepNote.attempt_id == Attempt.id, StepNote.result != _DEFERRED)
    query = select(func.count(Attempt.id)).where(
        Attempt.campaign_id.in_(begin_with_call),
        Attempt.state == AttemptState.OPEN.value,
        Attempt.started_at.is_not(None),
        ~called,
        ~passed_over,
    )
    return await session.scalar(query) or 0
