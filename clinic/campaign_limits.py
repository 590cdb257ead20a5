"""A campaign's limits, changed while it runs: its pace, and the size of the call list."""

from datetime import datetime

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.campaign_news import tell
from clinic.campaigns import CampaignState, to_change
from clinic.event import EventKind
from clinic.tables import Campaign


async def change_limits(
    session: AsyncSession,
    name: str,
    *,
    pace_per_hour: int | None,
    open_calls_at_most: int | None,
    now: datetime,
    key: SecretStr,
) -> bool:
    """Have a campaign start its attempts at another pace, or for another size of the call list.

    What is left of the time until the next start is taken at the new pace: whoever changes it
    often gains nothing by that.

    Args:
        session: A writing transaction.
        name: The campaign's.
        pace_per_hour: Attempts started in an hour; None: as fast as can be.
        open_calls_at_most: Nobody new is started while so many calls are open; None: however many.
        now: Aware UTC.
        key: The key of the suppression hashes.

    Returns:
        False where both were so already.

    Raises:
        CampaignRefusal: No such campaign, or it was stopped.
    """
    campaign = await to_change(session, name)
    before = (campaign.pace_per_hour, campaign.open_calls_at_most)
    if before == (pace_per_hour, open_calls_at_most):
        return False
    campaign.next_page_at = _next_page_at(campaign, pace_per_hour, now)
    campaign.pace_per_hour = pace_per_hour
    campaign.open_calls_at_most = open_calls_at_most
    if campaign.state == CampaignState.RUNNING.value:
        # its workflow sleeps until the old time, and looks again when it hears this
        await tell(session, campaign, EventKind.CAMPAIGN_RESUMED, now, key)
    return True


def _next_page_at(campaign: Campaign, pace: int | None, now: datetime) -> datetime | None:
    due, old = campaign.next_page_at, campaign.pace_per_hour
    if due is None or due <= now or old is None:
        return due
    return now if pace is None else now + (due - now) * old / pace
