"""How many attempts a campaign may start now, or what it waits for."""

from datetime import datetime
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncSession

from clinic import call_list
from clinic.tables import Campaign

LARGEST_PAGE: Final = 200
"""Attempts that are started at once, at most."""


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
        at_most: From how many open calls on nobody is started (`open_calls_at_most`), or how
            many attempts the pace starts in an hour; None where a pace was taken back.
    """

    model_config = ConfigDict(frozen=True)

    waits_for: WaitsFor
    until: datetime | None = None
    open_calls: int | None = None
    at_most: int | None = None

    def words(self, zone: ZoneInfo) -> str:
        """Say it in a line, with times in the clinic's time zone."""
        if self.until is None:
            return (
                f"waits: {self.open_calls} calls are open, at most {self.at_most} "
                "(open_calls_at_most in clinic.yaml)"
            )
        pace = f" (--pace {self.at_most}/h)" if self.at_most else ""
        return f"waits: the next start {self.until.astimezone(zone):%a %Y-%m-%d %H:%M}{pace}"


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
    open_calls = await call_list.count_open(session)
    if open_calls >= calls_at_most:
        return Waits(waits_for=WaitsFor.CALL_LIST, open_calls=open_calls, at_most=calls_at_most)
    return min(size, calls_at_most - open_calls)
