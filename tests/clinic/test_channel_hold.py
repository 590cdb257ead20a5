"""A channel is held once for everybody, and goes on for everybody who waits for it."""

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from clinic import campaigns, channel_hold
from clinic.attempt import AttemptState
from clinic.channel_hold import Held
from clinic.delivery import Deferred
from clinic.event import EventKind
from clinic.refusal import Refusal
from clinic.tables import Attempt, Campaign, ChannelHold

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows

HOUR = timedelta(hours=1)
CODE = "twilio 20003"


async def hold(rows: "Rows", channel: str = "sms", code: str = CODE, *, at: datetime) -> bool:
    async with rows.clinic.database.writing() as session:
        return await channel_hold.hold(session, channel, code=code, now=at)


async def resume(rows: "Rows", channel: str = "sms") -> int:
    async with rows.clinic.database.writing() as session:
        return await channel_hold.resume(session, channel, now=rows.now)


async def wait(rows: "Rows", attempt: Attempt, channel: str = "sms") -> Deferred | None:
    async with rows.clinic.database.writing() as session:
        found = await session.get_one(Attempt, attempt.id)
        return await channel_hold.wait(session, found, channel)


async def held(rows: "Rows", *channels: str) -> list[Held]:
    async with rows.clinic.database.reading() as session:
        return await channel_hold.held(session, channels or None)


async def told(rows: "Rows") -> list[str | None]:
    return [event.attempt_id for event in await rows.events(EventKind.RESUMED)]


async def test_only_the_first_who_holds_a_channel_has_news(rows: "Rows", now: datetime) -> None:
    assert await hold(rows, at=now)
    assert not await hold(rows, code="twilio 30007", at=now + HOUR)
    assert await held(rows) == [Held(channel="sms", since=now, code=CODE, waiting=0)]


async def test_of_two_who_hold_a_channel_at_once_one_has_news(rows: "Rows", now: datetime) -> None:
    said = await asyncio.gather(*(hold(rows, at=now) for _ in range(2)))
    assert sorted(said) == [False, True]


async def test_whoever_comes_to_a_held_channel_waits_and_reads_why(
    rows: "Rows", now: datetime
) -> None:
    attempt = await rows.attempt()
    await hold(rows, at=now)
    assert await wait(rows, attempt) == Deferred(
        until=None, rule=f"channel sms is held since 2027-03-02 17:00 UTC: {CODE}"
    )
    assert (await rows.get(Attempt, attempt.id)).held_channel == "sms"
    assert [one.waiting for one in await held(rows)] == [1]


async def test_another_channel_is_not_held(rows: "Rows", now: datetime) -> None:
    attempt = await rows.attempt()
    await hold(rows, at=now)
    assert await wait(rows, attempt, "email") is None
    assert (await rows.get(Attempt, attempt.id)).held_channel is None
    assert await held(rows, "email") == []


async def test_a_channel_that_goes_on_tells_everybody_who_waits(
    rows: "Rows", now: datetime
) -> None:
    first, second = [await rows.attempt() for _ in range(2)]
    await hold(rows, at=now)
    for attempt in (first, second):
        await wait(rows, attempt)
    assert await resume(rows) == 2
    assert sorted(await told(rows), key=str) == sorted([first.id, second.id])
    assert [event.source for event in await rows.events(EventKind.RESUMED)] == ["ops", "ops"]
    assert {row.held_channel for row in await rows.all(Attempt)} == {None}
    assert await held(rows) == []
    assert await wait(rows, first) is None


async def test_whoever_waits_for_something_else_is_not_told(rows: "Rows", now: datetime) -> None:
    other, ended, answered, paused = [await rows.attempt() for _ in range(4)]
    for channel in ("sms", "whatsapp"):
        await hold(rows, channel, at=now)
    await wait(rows, other, "whatsapp")
    for attempt in (ended, answered):
        await wait(rows, attempt)
    await rows.change(ended, state=AttemptState.ENDED.value)
    await rows.store(EventKind.REPLY, attempt_id=answered.id, body="¿Quién es?")
    await rows.change(paused, held=True)
    assert await resume(rows) == 0
    assert (await rows.get(Attempt, other.id)).held_channel == "whatsapp"
    assert (await rows.get(Attempt, paused.id)).held is True
    assert [one.channel for one in await held(rows)] == ["whatsapp"]


async def test_a_campaign_that_goes_on_leaves_who_waits_for_a_channel(
    rows: "Rows", now: datetime
) -> None:
    campaign = await rows.campaign()
    attempt = await rows.attempt(campaign=campaign)
    await hold(rows, at=now)
    await wait(rows, attempt)
    key = rows.clinic.key
    for change in (campaigns.pause, campaigns.resume):
        async with rows.clinic.database.writing() as session:
            await change(session, campaign.name, now=now, key=key)
    assert await told(rows) == []
    assert await resume(rows) == 1
    assert await told(rows) == [attempt.id]


@pytest.mark.parametrize("was_held", [False, True], ids=["never held", "goes on already"])
async def test_a_channel_that_is_not_held_cannot_be_resumed(
    rows: "Rows", now: datetime, *, was_held: bool
) -> None:
    if was_held:
        await hold(rows, at=now)
        await resume(rows)
    with pytest.raises(Refusal, match="channel `sms` is not held"):
        await resume(rows)


async def test_a_channel_that_is_refused_again_is_held_anew(rows: "Rows", now: datetime) -> None:
    await hold(rows, at=now)
    await resume(rows)
    assert await hold(rows, code="twilio 30007", at=now + HOUR)
    (row,) = await rows.all(ChannelHold)
    assert (row.held_since, row.code) == (now + HOUR, "twilio 30007")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("is_held_before", [True, False], ids=["comes to it", "holds it"])
async def test_a_resume_waits_for_a_delivery_that_is_about_to_wait(
    rows: "Rows", now: datetime, *, is_held_before: bool
) -> None:
    # on SQLite writing transactions follow each other
    attempt = await rows.attempt()
    await hold(rows, at=now)
    async with rows.clinic.database.writing() as session:
        found = await session.get_one(Attempt, attempt.id)
        if not is_held_before:
            await channel_hold.hold(session, "sms", code=CODE, now=now)
        await channel_hold.wait(session, found, "sms")
        await session.flush()
        resuming = asyncio.create_task(resume(rows))
        await asyncio.sleep(0.3)
        assert not resuming.done()
    assert await resuming == 1
    assert await told(rows) == [attempt.id]


async def test_the_channels_that_campaigns_under_way_need_are_known(
    rows: "Rows", now: datetime
) -> None:
    step = {"template": "come-back", "wait": "1 day"}
    telegram = {"name": "t", "steps": [step | {"channel": "telegram"}]}
    spring = await rows.campaign(name="spring", plan=telegram)
    await rows.attempt(campaign=spring, state=AttemptState.PLANNED.value, started_at=None)
    over = await rows.campaign(name="over", plan=telegram)
    await rows.attempt(campaign=over, state=AttemptState.ENDED.value, ended_at=now)
    await rows.attempt(campaign=await rows.campaign(name="summer"))
    async with rows.clinic.database.reading() as session:
        named = await campaigns.channels_named(session)
    assert named == {
        "call": ["summer"],
        "email": ["summer"],
        "sms": ["summer"],
        "telegram": ["spring"],
    }
    assert len(await rows.all(Campaign)) == 3
