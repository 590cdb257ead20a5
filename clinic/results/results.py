"""Campaigns' results: the funnel, and the same by campaign, channel, step, segment and week."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import select

from clinic.attempt import AttemptState
from clinic.database import Transactions
from clinic.outcome import LossReason
from clinic.plan import CALL
from clinic.results import counting
from clinic.results.by_contact import ByContact, by_contact, step_in
from clinic.results.costs import Costs
from clinic.results.counting import Answered, Caller, Cell, Contact
from clinic.results.facts import Stage
from clinic.results.funnel import Funnel
from clinic.results.local_calendar import LocalCalendar
from clinic.results.selection import Selection
from clinic.results.spending import Spending, spending
from clinic.tables import Campaign

_Key = TypeVar("_Key", str, date)
_WEEK = timedelta(weeks=1)
_UNDER_WAY = (AttemptState.PLANNED.value, AttemptState.OPEN.value)


class AgainstGoal(StrEnum):
    """How a campaign stands against its goal."""

    ABOVE = "above"
    """Even the least that the share of the booked may be is above it."""
    BELOW = "below"
    """Even the most that it may be is below it."""
    OPEN = "open"
    """The goal lies within the range: chance alone may decide it."""


@dataclass(frozen=True)
class CampaignResult:
    """One campaign.

    Attributes:
        goal: Share of the segment that should book, 0 to 1.
    """

    campaign_id: str
    name: str
    segment: str
    started_at: datetime
    goal: float | None
    funnel: Funnel

    @property
    def against_goal(self) -> AgainstGoal | None:
        """How it stands; None where it has no goal."""
        if self.goal is None:
            return None
        low, high = self.funnel.share(Stage.BOOKED).interval
        if low > self.goal:
            return AgainstGoal.ABOVE
        return AgainstGoal.BELOW if high < self.goal else AgainstGoal.OPEN


@dataclass(frozen=True)
class Results:
    """What a selection of attempts came to.

    Attributes:
        funnel: All of it.
        campaigns: Each with its goal, in the order in which they started.
        segments: By name.
        weeks: By the Monday, in the clinic's zone, of the week in which attempts started; who was
            never started is in none.
        channels: In the order in which plans use them.
        steps: Likewise, each by its place in the plan.
        reasons: Why those left who declined; None: they gave no reason.
        spending: What the contacts cost.
        callers: Each person's calls, by name.
    """

    funnel: Funnel
    campaigns: tuple[CampaignResult, ...]
    segments: Mapping[str, Funnel]
    weeks: Mapping[date, Funnel]
    channels: tuple[ByContact, ...]
    steps: tuple[ByContact, ...]
    reasons: Mapping[LossReason | None, int]
    spending: Spending
    callers: tuple[Caller, ...]

    @property
    def declined(self) -> int:
        """How many said that they will not come."""
        return sum(self.reasons.values())


async def campaigns_of(database: Transactions) -> Sequence[Campaign]:
    """Return every campaign, the newest first."""
    async with database.reading() as session:
        query = select(Campaign).order_by(Campaign.started_at.desc(), Campaign.id)
        return (await session.scalars(query)).all()


async def results_of(
    database: Transactions,
    selection: Selection,
    *,
    zone: ZoneInfo,
    now: datetime,
    costs: Costs | None = None,
) -> Results:
    """Count what a selection of attempts came to.

    The database does the counting, in a few queries at one time; what comes back does not grow
    with the number of attempts. They are no one transaction: what happens in that second may
    stand in one figure and not yet in another.

    Args:
        database: The clinic's.
        selection: Which attempts.
        zone: The clinic's time zone.
        now: Aware UTC.
        costs: The clinic's prices; None: it has none.
    """
    began = min((campaign.started_at for campaign in await campaigns_of(database)), default=now)
    async with database.reading() as session:
        dialect = session.get_bind().dialect.name
    calendar = LocalCalendar(zone, min(began, now), max(began, now), dialect)
    conditions = selection.conditions(zone)

    async def count_attempts() -> Sequence[Cell]:
        async with database.reading() as session:
            return await counting.cells(session, conditions, calendar)

    async def count_answers() -> tuple[Sequence[Answered], Sequence[Contact]]:
        async with database.reading() as session:
            answered = await counting.answers(session, conditions, calendar)
            return answered, await counting.messages(session, conditions)

    async def count_calls() -> tuple[Sequence[Contact], Mapping[str | None, int], Sequence[Caller]]:
        async with database.reading() as session:
            calls = await counting.calls(session, conditions)
            reasons = await counting.reasons(session, conditions)
            return calls, reasons, await counting.callers(session, conditions)

    cells, (answered, messages), (calls, reasons, callers) = await asyncio.gather(
        count_attempts(), count_answers(), count_calls()
    )
    # only now: a campaign may have been started since the first look
    every = {campaign.id: campaign for campaign in await campaigns_of(database)}
    contacts = [*messages, *calls]
    paid: dict[str, int] = defaultdict(int)
    for contact in messages:
        paid[contact.channel] += contact.paid
    paid[CALL] = sum(caller.calls for caller in callers)
    return Results(
        funnel=_funnel(cells),
        campaigns=_campaigns(cells, every),
        segments=_by(cells, lambda cell: every[cell.campaign_id].segment),
        weeks=_without_gaps(_by(_started(cells), lambda cell: cell.week)),
        channels=by_contact(contacts, answered, lambda _contact: None),
        steps=by_contact(contacts, answered, step_in(every)),
        reasons={_reason(word): count for word, count in reasons.items()},
        spending=spending(paid, costs),
        callers=tuple(callers),
    )


def _funnel(cells: Iterable[Cell]) -> Funnel:
    total = Funnel()
    for cell in cells:
        under_way = cell.state in _UNDER_WAY
        total = total.with_(Funnel.of(cell.stage, cell.number, under_way=under_way))
    return total


def _by(cells: Iterable[Cell], key_of: Callable[[Cell], _Key]) -> dict[_Key, Funnel]:
    groups: dict[_Key, list[Cell]] = defaultdict(list)
    for cell in cells:
        groups[key_of(cell)].append(cell)
    return {key: _funnel(groups[key]) for key in sorted(groups)}


def _started(cells: Iterable[Cell]) -> list[Cell]:
    return [cell for cell in cells if cell.started]


def _without_gaps(weeks: Mapping[date, Funnel]) -> dict[date, Funnel]:
    """Return the weeks with those between them in which nobody was started: time goes on."""
    if not weeks:
        return {}
    first, last = min(weeks), max(weeks)
    mondays = (first + number * _WEEK for number in range((last - first) // _WEEK + 1))
    return {monday: weeks.get(monday, Funnel()) for monday in mondays}


def _campaigns(cells: Iterable[Cell], every: Mapping[str, Campaign]) -> tuple[CampaignResult, ...]:
    funnels = _by(cells, lambda cell: cell.campaign_id)
    found = sorted((every[key] for key in funnels), key=lambda each: (each.started_at, each.id))
    return tuple(
        CampaignResult(
            campaign_id=campaign.id,
            name=campaign.name,
            segment=campaign.segment,
            started_at=campaign.started_at,
            goal=campaign.goal,
            funnel=funnels[campaign.id],
        )
        for campaign in found
    )


def _reason(word: str | None) -> LossReason | None:
    return LossReason(word) if word is not None else None
