"""Results counted by hand, and by the clinic."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.clinic import Clinic
from clinic.event import CallOutcome, EventKind
from clinic.outcome import LossReason
from clinic.results.by_contact import ByContact, by_contact
from clinic.results.costs import Costs
from clinic.results.counting import Answered
from clinic.results.facts import BY_THEMSELVES, Stage
from clinic.results.funnel import Funnel
from clinic.results.results import AgainstGoal, CampaignResult, Results, results_of
from clinic.results.selection import Selection
from clinic.tables import Attempt, Call, CallTask, Campaign, Event, Message, Patient, Visit

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EMAIL, SMS, CALL = 0, 1, 2
"""Steps of the fixture's plan."""


class Register:
    """A small register whose results can be counted by hand."""

    def __init__(self, rows: "Rows") -> None:
        self.rows = rows
        self.now = rows.now

    async def attempt(self, campaign: Campaign, **given: object) -> Attempt:
        patient = Patient(external_id=f"x{id(given)}-{len(await self.rows.all(Patient))}")
        patient.first_name = "Sofía"
        await self.rows.add(patient)
        return await self.rows.attempt(patient, campaign, **given)

    async def ended(self, campaign: Campaign, outcome: str, **given: object) -> Attempt:
        fields: dict[str, object] = {
            "state": "ended",
            "outcome": outcome,
            "ended_at": self.now + 10 * DAY,
        }
        return await self.attempt(campaign, **(fields | given))

    async def sent(self, attempt: Attempt, step: int, **given: object) -> None:
        fields: dict[str, Any] = {
            "attempt_id": attempt.id,
            "step": step,
            "channel": ("email", "sms", "call")[step],
            "address_hash": "somebody's",
            "claimed_at": self.now + step * DAY,
            "sent_at": self.now + step * DAY,
        }
        await self.rows.add(Message(**(fields | given)))

    async def said(self, attempt: Attempt, kind: EventKind, after: timedelta) -> None:
        await self.rows.add(
            Event(
                source="sms",
                source_key=attempt.id,
                kind=kind.value,
                attempt_id=attempt.id,
                patient_id=attempt.patient_id,
                details={},
                received_at=self.now + after,
                relay_tries=0,
            )
        )

    async def called(
        self,
        attempt: Attempt,
        *outcomes: CallOutcome,
        who: str = "Vera",
        step: int = CALL,
        after: timedelta = 2 * DAY,
    ) -> None:
        task = CallTask(
            attempt_id=attempt.id,
            patient_id=attempt.patient_id,
            step=step,
            kind="call",
            priority=3,
            due_at=self.now,
            opened_at=self.now,
            tries_allowed=3,
            closed_at=self.now,
        )
        await self.rows.add(task)
        for number, outcome in enumerate(outcomes):
            made_at = self.now + after + number * HOUR
            call = Call(task_id=task.id, made_at=made_at, made_by=who, outcome=outcome.value)
            await self.rows.add(call)

    async def came(self, attempt: Attempt, day: date) -> None:
        await self.rows.add(Visit(patient_id=attempt.patient_id, day=day))

    async def results(self, costs: Costs | None = None, **chosen: Any) -> Results:
        clinic: Clinic = self.rows.clinic
        return await results_of(
            clinic.database,
            Selection(**chosen),
            zone=clinic.profile.zone,
            now=self.now + 30 * DAY,
            costs=costs,
        )


@pytest.fixture
def register(rows: "Rows") -> Register:
    return Register(rows)


async def test_a_small_register_counted_by_hand(register: Register, rows: "Rows") -> None:
    spring = await rows.campaign(name="spring", segment="lapsed", goal=0.2)
    # left out, still to come, and sent a message that came back: in the segment, and no more
    await register.attempt(spring, state="left_out", started_at=None, left_out_reason="no_address")
    await register.attempt(spring, state="planned", started_at=None)
    returned = await register.attempt(spring)
    await register.sent(returned, EMAIL, failed_at=register.now)
    # contacted: one by their own message, one by another's that names them, one by a call alone
    silent = await register.ended(spring, "exhausted")
    await register.sent(silent, EMAIL)
    await register.sent(silent, SMS)
    with_others = await register.ended(spring, "exhausted")
    await register.sent(with_others, EMAIL, carried_by=silent.id)
    nobody_home = await register.ended(spring, "exhausted")
    await register.called(nobody_home, CallOutcome.NO_ANSWER, CallOutcome.VOICEMAIL, who="Bruno")
    # answered: a reply after the SMS, a no after the email
    replied = await register.attempt(spring)
    await register.sent(replied, EMAIL)
    await register.sent(replied, SMS)
    await register.said(replied, EventKind.REPLY, DAY + HOUR)
    declined = await register.ended(spring, "declined", loss_reason="price")
    await register.sent(declined, EMAIL)
    await register.said(declined, EventKind.DECLINED, HOUR)
    # booked after the SMS, and came on the day of the booking
    booked = await register.ended(spring, "booked")
    await register.sent(booked, EMAIL)
    await register.sent(booked, SMS)
    await register.said(booked, EventKind.BOOKED, DAY + HOUR)
    await register.came(booked, (register.now + 10 * DAY).date())
    # booked in the second call, and was there only before
    by_call = await register.ended(spring, "booked")
    await register.sent(by_call, EMAIL)
    await register.called(by_call, CallOutcome.NO_ANSWER, CallOutcome.BOOKED)
    await register.came(by_call, (register.now + 9 * DAY).date())
    # booked before anybody wrote
    alone = await register.ended(spring, "booked")
    await register.came(alone, (register.now + 20 * DAY).date())

    costs = Costs.model_validate(
        {"currency": "USD", "messages": {"email": 1, "sms": 10}, "call": 100}
    )
    results = await register.results(costs)
    assert results.funnel == Funnel(
        in_segment=11,
        contacted=7,
        answered=4,
        booked=2,
        came=1,
        by_themselves=1,
        under_way=3,
    )
    assert results.channels == (
        ByContact(None, "email", contacts=6, answered=1),
        ByContact(None, "sms", contacts=3, answered=2, booked=1, came=1),
        ByContact(None, "call", contacts=4, answered=1, booked=1),
    )
    assert [(line.step, line.channel) for line in results.steps] == [
        (1, "email"),
        (2, "sms"),
        (3, "call"),
    ]
    assert results.reasons == {LossReason.PRICE: 1}
    assert [tuple(caller) for caller in results.callers] == [
        ("Bruno", 2, 0, 0),
        ("Vera", 2, 1, 1),
    ]
    # the message that came back is paid, the one for a household once
    assert [(line.channel, line.contacts) for line in results.spending.lines] == [
        ("email", 6),
        ("sms", 3),
        ("call", 4),
    ]
    assert results.spending.total == 6 + 30 + 400
    # who never was started is in no week
    assert results.weeks == {date(2027, 3, 1): results.funnel._replace(in_segment=9, under_way=2)}
    [campaign] = results.campaigns
    assert (campaign.name, campaign.goal, campaign.funnel) == ("spring", 0.2, results.funnel)
    assert results.segments == {"lapsed": results.funnel}


async def test_a_call_after_the_first_answer_brought_no_answer(
    register: Register, rows: "Rows"
) -> None:
    replied = await register.ended(await rows.campaign(), "booked")
    await register.sent(replied, EMAIL)
    await register.said(replied, EventKind.REPLY, HOUR)
    await register.called(replied, CallOutcome.BOOKED, step=EMAIL)
    results = await register.results()
    assert results.channels == (ByContact(None, "email", contacts=1, answered=1, booked=1),)
    assert [tuple(caller) for caller in results.callers] == [("Vera", 1, 1, 1)]


async def test_a_call_that_no_plan_names_is_in_between(register: Register, rows: "Rows") -> None:
    checked = await register.attempt(await rows.campaign())
    await register.called(checked, CallOutcome.THINKING, step=EMAIL)
    assert (await register.results()).steps == (ByContact(None, "call", contacts=1, answered=1),)


async def test_a_visit_counts_from_the_clinics_own_day_of_the_booking(
    register: Register, rows: "Rows"
) -> None:
    # 22:30 in New York on 3 March: the next day by the clock of Greenwich
    ended_at = datetime(2027, 3, 4, 3, 30, tzinfo=UTC)
    for day in (date(2027, 3, 2), date(2027, 3, 3)):
        booked = await register.ended(await rows.campaign(), "booked", ended_at=ended_at)
        await register.sent(booked, EMAIL)
        await register.came(booked, day)
    assert (await register.results()).funnel[:5] == (2, 2, 2, 2, 1)


async def test_campaigns_segments_and_days_are_chosen(register: Register, rows: "Rows") -> None:
    spring = await rows.campaign(name="spring", segment="a")
    autumn = await rows.campaign(name="autumn", segment="b", started_at=register.now + 20 * DAY)
    for campaign, days in ((spring, 0), (spring, 7), (autumn, 21)):
        attempt = await register.attempt(campaign, started_at=register.now + days * DAY)
        await register.sent(attempt, EMAIL)
        await register.called(attempt, CallOutcome.NO_ANSWER)
    waiting = await register.attempt(autumn, state="planned", started_at=None)

    async def counted(**chosen: Any) -> tuple[int, ...]:
        results = await register.results(**chosen)
        contacts = tuple(line.contacts for line in results.channels)
        return (results.funnel.in_segment, *contacts, sum(each.calls for each in results.callers))

    assert await counted() == (4, 3, 3, 3)
    assert await counted(campaigns=(spring.id,)) == (2, 2, 2, 2)
    assert await counted(segment="b") == (2, 1, 1, 1)
    assert await counted(since=date(2027, 3, 9), until=date(2027, 3, 9)) == (1, 1, 1, 1)
    assert await counted(since=date(2027, 3, 10)) == (2, 1, 1, 1)
    # who was never started counts with the day on which the campaign began
    assert await counted(since=date(2027, 3, 22), until=date(2027, 3, 22)) == (1, 0)
    assert waiting.started_at is None


async def test_weeks_without_anybody_are_there_too(register: Register, rows: "Rows") -> None:
    campaign = await rows.campaign()
    for weeks in (0, 2):
        await register.attempt(campaign, started_at=register.now + weeks * 7 * DAY)
    results = await register.results()
    assert {monday: each.in_segment for monday, each in results.weeks.items()} == {
        date(2027, 3, 1): 1,
        date(2027, 3, 8): 0,
        date(2027, 3, 15): 1,
    }


async def test_without_any_campaign_there_is_nothing(register: Register) -> None:
    results = await register.results()
    assert (results.funnel, results.campaigns, results.weeks) == (Funnel(), (), {})


@pytest.mark.parametrize(
    ("goal", "booked", "stands"),
    [
        pytest.param(0.10, 300, AgainstGoal.ABOVE, id="above"),
        pytest.param(0.29, 300, AgainstGoal.OPEN, id="too close above"),
        pytest.param(0.31, 300, AgainstGoal.OPEN, id="too close below"),
        pytest.param(0.40, 300, AgainstGoal.BELOW, id="below"),
        pytest.param(None, 300, None, id="no goal"),
    ],
)
def test_a_goal_is_passed_or_missed_when_chance_can_not_turn_it(
    now: datetime, goal: float | None, booked: int, stands: AgainstGoal | None
) -> None:
    funnel = Funnel(in_segment=1000, contacted=900, answered=500, booked=booked)
    campaign = CampaignResult("ca", "spring", "lapsed", now, goal, funnel)
    assert campaign.against_goal == stands


PEOPLE = st.lists(
    st.tuples(st.sampled_from([BY_THEMSELVES, *Stage]), st.integers(0, 1000), st.booleans())
)


@given(PEOPLE)
def test_each_stage_is_a_part_of_the_one_before(people: list[tuple[int, int, bool]]) -> None:
    funnel = Funnel()
    for number, count, under_way in people:
        funnel = funnel.with_(Funnel.of(number, count, under_way=under_way))
    stages = [funnel[stage] for stage in Stage]
    assert stages == sorted(stages, reverse=True)
    assert funnel.in_segment == sum(count for _, count, _ in people)
    assert funnel.by_themselves <= funnel.in_segment - funnel.contacted


class StartedMeanwhile:
    """A database in which a campaign is started right after the first look at it."""

    def __init__(self, rows: "Rows") -> None:
        self._rows = rows
        self._looks = 0

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        async with self._rows.clinic.database.reading() as session:
            yield session
        self._looks += 1
        if self._looks == 1:
            await self._rows.attempt()

    def writing(self) -> AbstractAsyncContextManager[AsyncSession]:
        return self._rows.clinic.database.writing()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_campaign_that_is_started_meanwhile_is_counted_too(rows: "Rows") -> None:
    zone = rows.clinic.profile.zone
    found = await results_of(StartedMeanwhile(rows), Selection(), zone=zone, now=rows.now)
    assert [each.funnel.in_segment for each in found.campaigns] == [1]


def test_an_answer_in_a_call_that_was_made_after_the_calls_were_counted_is_shown() -> None:
    answered = [Answered("ca-1", 2, "call", answered=1, booked=1, came=0)]
    assert by_contact([], answered, lambda _contact: None) == (
        ByContact(None, "call", answered=1, booked=1),
    )
