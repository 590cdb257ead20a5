"""All campaigns at a glance: where each stands, in a few figures."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.attempt import AttemptState
from clinic.outcome import Outcome
from clinic.tables import Attempt, Campaign


class CampaignLine(BaseModel):
    """One campaign of the list.

    Attributes:
        started_at: Aware UTC.
        until: Aware UTC; None: no end.
        goal: Share of the segment that should book, 0 to 1; None: none was set.
        patients: The segment's size when it started.
        booked: Of them.
        settled: Those whose row will not change any more.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    segment: str
    plan: str
    state: str
    started_at: datetime
    until: datetime | None
    goal: float | None
    patients: int
    booked: int
    settled: int

    @property
    def booked_share(self) -> float:
        """Share of the segment that has booked, 0 to 1."""
        return self.booked / self.patients if self.patients else 0.0

    @property
    def finished(self) -> bool:
        """Whether every patient's row is final."""
        return self.settled == self.patients


async def campaign_lines(
    session: AsyncSession, *, at_most: int, after: int = 0
) -> Sequence[CampaignLine]:
    """Return campaigns, the newest first.

    Args:
        session: Any transaction.
        at_most: How many.
        after: How many of the newest to pass over.
    """
    newest = select(Campaign).order_by(Campaign.started_at.desc(), Campaign.id)
    rows = (await session.scalars(newest.limit(at_most).offset(after))).all()
    states: dict[str, dict[str, int]] = {row.id: {} for row in rows}
    # read off the index of campaign and state
    counted = await session.execute(
        select(Attempt.campaign_id, Attempt.state, func.count())
        .where(Attempt.campaign_id.in_(states))
        .group_by(Attempt.campaign_id, Attempt.state)
    )
    for campaign_id, state, count in counted:
        states[campaign_id][state] = count
    booked = await _booked(session, list(states))
    return [_line(row, states[row.id], booked.get(row.id, 0)) for row in rows]


async def _booked(session: AsyncSession, campaign_ids: Sequence[str]) -> dict[str, int]:
    counted = await session.execute(
        select(Attempt.campaign_id, func.count())
        .where(
            Attempt.campaign_id.in_(campaign_ids),
            Attempt.state == AttemptState.ENDED.value,
            Attempt.outcome == Outcome.BOOKED.value,
        )
        .group_by(Attempt.campaign_id)
    )
    return {row[0]: row[1] for row in counted}


def _line(campaign: Campaign, states: dict[str, int], booked: int) -> CampaignLine:
    final = (AttemptState.ENDED.value, AttemptState.LEFT_OUT.value)
    return CampaignLine(
        id=campaign.id,
        name=campaign.name,
        segment=campaign.segment,
        plan=campaign.plan["name"],
        state=campaign.state,
        started_at=campaign.started_at,
        until=campaign.until,
        goal=campaign.goal,
        patients=sum(states.values()),
        booked=booked,
        settled=sum(states.get(state, 0) for state in final),
    )
