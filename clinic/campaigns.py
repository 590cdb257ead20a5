"""Campaigns: started, paused and stopped in the database first, then told to Temporal."""

from datetime import datetime
from enum import StrEnum

from pydantic import SecretStr
from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    cast,
    exists,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.attempt import AttemptState
from clinic.campaign_news import tell, tell_attempts
from clinic.campaign_refusal import CampaignProblem, CampaignRefusal
from clinic.event import EventKind
from clinic.plan import Plan
from clinic.tables import Attempt, Campaign, Patient


class CampaignState(StrEnum):
    """What ops want of a campaign."""

    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"


async def start(
    session: AsyncSession, campaign: Campaign, segment: ColumnElement[bool], key: SecretStr
) -> int:
    """Write a campaign with one planned attempt for every patient of its segment.

    The segment is evaluated once, here, by the database: whoever becomes a member later is not
    in this campaign, and every member ends in exactly one row of its report.

    Args:
        session: A writing transaction.
        campaign: The new row.
        segment: The condition that its patients meet.
        key: The key of the suppression hashes.

    Returns:
        How many patients the segment has.

    Raises:
        CampaignRefusal: The name is in use.
    """
    if await session.scalar(select(Campaign.id).where(Campaign.name == campaign.name)):
        raise _name_in_use(campaign.name)
    session.add(campaign)
    try:
        await session.flush()
    except IntegrityError:  # somebody else chose the name at this moment
        raise _name_in_use(campaign.name) from None
    planned = select(
        _random_id(session),
        literal(campaign.id),
        Patient.id,
        literal(AttemptState.PLANNED.value),
        literal(value=False),
    ).where(segment)
    columns = ["id", "campaign_id", "patient_id", "state", "held"]
    await session.execute(insert(Attempt).from_select(columns, planned, include_defaults=False))
    await tell(session, campaign, EventKind.CAMPAIGN_STARTED, campaign.started_at, key)
    counted = select(func.count()).where(Attempt.campaign_id == campaign.id)
    return await session.scalar(counted) or 0


async def pause(session: AsyncSession, name: str, *, now: datetime, key: SecretStr) -> bool:
    """Hold a campaign: nobody new is started, no message leaves; everybody keeps their place.

    Returns:
        False where it was paused already.

    Raises:
        CampaignRefusal: No such campaign, or it was stopped.
    """
    campaign = await to_change(session, name)
    if campaign.state == CampaignState.PAUSED.value:
        return False
    campaign.state = CampaignState.PAUSED.value
    await tell(session, campaign, EventKind.CAMPAIGN_PAUSED, now, key)
    return True


async def resume(session: AsyncSession, name: str, *, now: datetime, key: SecretStr) -> bool:
    """Let a paused campaign go on, and every attempt that was held meanwhile.

    Returns:
        False where it was not paused.

    Raises:
        CampaignRefusal: No such campaign, or it was stopped.
    """
    campaign = await to_change(session, name)
    if campaign.state == CampaignState.RUNNING.value:
        return False
    campaign.state = CampaignState.RUNNING.value
    # a delivery marks its attempt as held while it holds this campaign's row: none is missed
    held = list(await session.scalars(_open_attempts(campaign).where(Attempt.held)))
    await tell_attempts(session, held, EventKind.RESUMED, now)
    await session.execute(
        update(Attempt).where(Attempt.campaign_id == campaign.id).values(held=False)
    )
    await tell(session, campaign, EventKind.CAMPAIGN_RESUMED, now, key)
    return True


async def stop(session: AsyncSession, name: str, *, now: datetime, key: SecretStr) -> int:
    """End a campaign: nobody new is started, and every open attempt ends as cancelled.

    Returns:
        How many attempts were open.

    Raises:
        CampaignRefusal: No such campaign, or it was stopped before.
    """
    campaign = await to_change(session, name)
    campaign.state = CampaignState.STOPPED.value
    opened = list(await session.scalars(_open_attempts(campaign)))
    await tell_attempts(session, opened, EventKind.STOPPED, now)
    await tell(session, campaign, EventKind.CAMPAIGN_STOPPED, now, key)
    return len(opened)


async def find(session: AsyncSession, name: str) -> Campaign:
    """Return a campaign by its name.

    Raises:
        CampaignRefusal: There is none; it lists those there are.
    """
    campaign = await session.scalar(select(Campaign).where(Campaign.name == name))
    if campaign is None:
        names = await session.scalars(select(Campaign.name).order_by(Campaign.started_at))
        known = ", ".join(names) or "none yet"
        raise CampaignRefusal(
            CampaignProblem.UNKNOWN, f"no campaign `{name}`", f"There are: {known}"
        )
    return campaign


async def find_by_id(session: AsyncSession, campaign_id: str) -> Campaign:
    """Return a campaign by its opaque id.

    Raises:
        CampaignRefusal: There is none.
    """
    campaign = await session.get(Campaign, campaign_id)
    if campaign is None:
        raise CampaignRefusal(CampaignProblem.UNKNOWN, "no such campaign")
    return campaign


async def channels_named(session: AsyncSession) -> dict[str, list[str]]:
    """Return the channels that the plans of campaigns under way name, each with the campaigns.

    A campaign is under way while anybody is still to be started, or has an open attempt.
    """
    under_way = exists().where(
        Attempt.campaign_id == Campaign.id,
        Attempt.state.in_([AttemptState.PLANNED.value, AttemptState.OPEN.value]),
    )
    rows = await session.execute(
        select(Campaign.name, Campaign.plan).where(under_way).order_by(Campaign.name)
    )
    named: dict[str, list[str]] = {}
    for name, plan in rows:
        for channel in sorted({step.channel for step in Plan.model_validate(plan).steps}):
            named.setdefault(channel, []).append(name)
    return named


def _name_in_use(name: str) -> CampaignRefusal:
    return CampaignRefusal(
        CampaignProblem.NAME_IN_USE,
        f"there is a campaign `{name}` already",
        "Choose another --name; `regresa report NAME` shows the one there is.",
    )


async def to_change(session: AsyncSession, name: str) -> Campaign:
    """Return a campaign, whose row is held until the transaction ends.

    Args:
        session: A writing transaction.
        name: The campaign's.

    Raises:
        CampaignRefusal: No such campaign, or it was stopped.
    """
    found = await find(session, name)
    campaign = await session.get_one(
        Campaign, found.id, with_for_update=True, populate_existing=True
    )
    if campaign.state == CampaignState.STOPPED.value:
        raise CampaignRefusal(
            CampaignProblem.STOPPED, f"campaign `{name}` was stopped; that is for good"
        )
    return campaign


def _open_attempts(campaign: Campaign) -> Select[str]:
    return select(Attempt.id).where(
        Attempt.campaign_id == campaign.id, Attempt.state == AttemptState.OPEN.value
    )


def _random_id(session: AsyncSession) -> ColumnElement[str]:
    if session.get_bind().dialect.name == "sqlite":
        return literal("at-") + func.lower(func.hex(func.randomblob(8)))
    return literal("at-") + func.substr(
        func.replace(cast(func.gen_random_uuid(), String), "-", ""), 1, 16
    )
