"""Starting a campaign on its terms: the same for the command line and the console."""

from datetime import datetime
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from clinic import campaigns
from clinic.campaign_refusal import CampaignProblem, CampaignRefusal
from clinic.plan import Plan
from clinic.segments.rule import Segment
from clinic.segments.sql import members
from clinic.tables import Campaign


class CampaignTerms(BaseModel):
    """What ops want of a new campaign; `clinic.campaign_terms` reads each as people write it.

    Attributes:
        name: For reports; no other campaign has it.
        goal: Share of the segment that should book, 0 to 1; None: none was set.
        until: Aware UTC; after it, nobody new is started and no message leaves. None: no end.
        pace_per_hour: Attempts started in an hour; None: as fast as can be.
        open_calls_at_most: Nobody new is started while so many calls are open; None: however many.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    goal: float | None = None
    until: datetime | None = None
    pace_per_hour: int | None = None
    open_calls_at_most: int | None = None


async def start_campaign(
    session: AsyncSession,
    campaign_id: str,
    segment: Segment,
    plan: Plan,
    terms: CampaignTerms,
    *,
    zone: ZoneInfo,
    key: SecretStr,
    now: datetime,
) -> int:
    """Write a campaign and its planned attempts.

    Args:
        session: A writing transaction; it is to be left behind where this refuses.
        campaign_id: The new campaign's.
        segment: Who; it is evaluated now, once.
        plan: What; the campaign keeps a copy.
        terms: How.
        zone: The clinic's.
        key: The key of the suppression hashes.
        now: Aware UTC.

    Returns:
        How many patients the segment has.

    Raises:
        CampaignRefusal: The name is in use, or the segment has no patients.
    """
    campaign = Campaign(
        id=campaign_id,
        segment=segment.name,
        plan=plan.model_dump(mode="json"),
        started_at=now,
        **terms.model_dump(),
    )
    count = await campaigns.start(session, campaign, members(segment, now, zone), key)
    if count == 0:
        raise CampaignRefusal(
            CampaignProblem.NOBODY,
            f"segment `{segment.name}` has no patients now; nothing was started",
        )
    return count
