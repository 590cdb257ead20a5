"""A campaign's figures: every patient of the segment stands in exactly one row."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, computed_field
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic import channel_hold
from clinic.attempt import AttemptState
from clinic.campaigns import CampaignState
from clinic.channel_hold import Held
from clinic.outcome import Outcome
from clinic.page_room import Waits, room_for
from clinic.plan import CALL, Plan
from clinic.tables import Attempt, CallTask, Campaign, Message


class Report(BaseModel):
    """Where a campaign stands.

    Attributes:
        patients: The segment's size when the campaign started.
        outcomes: Outcome to number of attempts; every outcome is there, zero or not.
        waiting: Open attempts in which the machine has the next word.
        with_person: Open attempts that stand on the call list.
        not_started: Attempts still to be started.
        left_out: Reason to number of patients who got no attempt.
        messages: Channel to number of messages sent.
        loss_reasons: Reason to number of attempts that were declined for it.
        goal: Share of the segment that should book, 0 to 1.
        held: Those of the plan's channels that are held for everybody.
        waits: Why nobody is started just now, although attempts are still to be started and
            the campaign runs.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    segment: str
    plan: str
    state: str
    started_at: datetime
    until: datetime | None
    goal: float | None
    patients: int
    outcomes: dict[Outcome, int]
    waiting: int
    with_person: int
    not_started: int
    left_out: dict[str, int]
    messages: dict[str, int]
    loss_reasons: dict[str, int]
    held: tuple[Held, ...] = ()
    waits: Waits | None = None

    @computed_field  # type: ignore[prop-decorator]  # mypy #14461: decorators on properties
    @property
    def booked_share(self) -> float:
        """Share of the segment that has booked, 0 to 1."""
        return self.outcomes[Outcome.BOOKED] / self.patients if self.patients else 0.0

    @computed_field  # type: ignore[prop-decorator]  # mypy #14461: decorators on properties
    @property
    def settled(self) -> int:
        """Patients whose row will not change any more."""
        return sum(self.outcomes.values()) + sum(self.left_out.values())

    @computed_field  # type: ignore[prop-decorator]  # mypy #14461: decorators on properties
    @property
    def finished(self) -> bool:
        """Whether every patient's row is final."""
        return self.settled == self.patients

    def rows(self) -> list[tuple[str, int]]:
        """Return the table: label to number of patients; the numbers add up to `patients`."""
        return [
            *((outcome.value, count) for outcome, count in self.outcomes.items()),
            ("waiting for an answer", self.waiting),
            ("on the call list", self.with_person),
            ("not started yet", self.not_started),
            *((f"left out: {reason}", count) for reason, count in sorted(self.left_out.items())),
        ]


async def report_on(session: AsyncSession, campaign: Campaign, now: datetime) -> Report:
    """Count a campaign in one transaction.

    Args:
        session: Any transaction.
        campaign: The campaign.
        now: Aware UTC.
    """
    counted = await session.execute(
        select(Attempt.state, Attempt.outcome, Attempt.left_out_reason, func.count())
        .where(Attempt.campaign_id == campaign.id)
        .group_by(Attempt.state, Attempt.outcome, Attempt.left_out_reason)
    )
    outcomes = dict.fromkeys(Outcome, 0)
    left_out: dict[str, int] = {}
    by_state: dict[str, int] = {}
    for state, outcome, reason, count in counted:
        by_state[state] = by_state.get(state, 0) + count
        if state == AttemptState.ENDED.value:
            outcomes[Outcome(str(outcome))] += count
        elif state == AttemptState.LEFT_OUT.value:
            left_out[str(reason)] = count
    with_person = await session.scalar(
        select(func.count())
        .select_from(CallTask)
        .join(Attempt, Attempt.id == CallTask.attempt_id)
        .where(
            Attempt.campaign_id == campaign.id,
            Attempt.state == AttemptState.OPEN.value,
            CallTask.closed_at.is_(None),
        )
    )
    not_started = by_state.get(AttemptState.PLANNED.value, 0)
    return Report(
        name=campaign.name,
        segment=campaign.segment,
        plan=campaign.plan["name"],
        state=campaign.state,
        started_at=campaign.started_at,
        until=campaign.until,
        goal=campaign.goal,
        patients=sum(by_state.values()),
        outcomes=outcomes,
        waiting=by_state.get(AttemptState.OPEN.value, 0) - (with_person or 0),
        with_person=with_person or 0,
        not_started=not_started,
        left_out=left_out,
        messages=await _messages(session, campaign),
        loss_reasons=await _loss_reasons(session, campaign),
        held=tuple(await channel_hold.held(session, _channels_of(campaign))),
        waits=await _waits(session, campaign, now) if not_started else None,
    )


async def _waits(session: AsyncSession, campaign: Campaign, now: datetime) -> Waits | None:
    is_over = campaign.until is not None and now > campaign.until
    if campaign.state != CampaignState.RUNNING.value or is_over:
        return None
    room = await room_for(session, campaign, now)
    return room if isinstance(room, Waits) else None


def _channels_of(campaign: Campaign) -> list[str]:
    return [step.channel for step in Plan.model_validate(campaign.plan).steps]


async def _messages(session: AsyncSession, campaign: Campaign) -> dict[str, int]:
    rows = await session.execute(
        select(Message.channel, func.count())
        .join(Attempt, Attempt.id == Message.attempt_id)
        .where(
            Attempt.campaign_id == campaign.id,
            Message.sent_at.is_not(None),
            Message.try_number == 1,  # one that came back for our own fault is sent again
            Message.carried_by.is_(None),  # a household's message is one
        )
        .group_by(Message.channel)
        .order_by(Message.channel)
    )
    return {channel: count for channel, count in rows if channel != CALL}


async def _loss_reasons(session: AsyncSession, campaign: Campaign) -> dict[str, int]:
    rows = await session.execute(
        select(Attempt.loss_reason, func.count())
        .where(Attempt.campaign_id == campaign.id, Attempt.loss_reason.is_not(None))
        .group_by(Attempt.loss_reason)
        .order_by(func.count().desc())
    )
    return {reason: count for reason, count in rows if reason}
