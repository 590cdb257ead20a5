"""An attempt whose channel is held keeps its place, hears everything, and goes on when it may."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from channels.email import EmailChannel, EmailSettings
from channels.protocol import Channel
from clinic import channel_hold, ledger
from clinic.event import EventKind
from clinic.outcome import LossReason, Outcome
from clinic.tables import Message
from sandbox.stand_ins import Sandbox
from tests.workflows.test_recovery import details, sent

if TYPE_CHECKING:
    from tests.workflows.conftest import Recovery

EMAIL = {"channel": "email", "template": "come-back", "wait": "10 days"}
SMS = {"channel": "sms", "template": "come-back", "wait": "20 days"}


async def held(recovery: "Recovery") -> None:
    """Wait until the latest attempt waits for a channel."""
    while (await recovery.row()).held_channel is None:
        await asyncio.sleep(0.02)


async def resume(recovery: "Recovery") -> None:
    async with recovery.clinic.database.writing() as session:
        await channel_hold.resume(session, "email", now=datetime.now(UTC))


async def come_back(recovery: "Recovery") -> None:
    """Have the provider say that the first step's message was not delivered, for our own fault."""
    now = datetime.now(UTC)
    async with recovery.clinic.database.writing() as session:
        await channel_hold.hold(session, "email", code="suspended", now=now)
        message = await session.get_one(Message, (recovery.attempts[-1], 0, 1))
        await ledger.set_aside(session, message, "suspended", now)
    await recovery.say(EventKind.RETURNED, step=0)


def mails(recovery: "Recovery", sandbox: Sandbox) -> int:
    return len(sandbox.inbox.to(recovery.emails[-1]))


async def test_it_waits_without_a_single_try_and_goes_on_by_command(
    recovery: "Recovery",
    channels: dict[str, Channel],
    email_settings: Callable[..., EmailSettings],
    sandbox: Sandbox,
) -> None:
    right = channels["email"]
    channels["email"] = EmailChannel(email_settings(password="wrong"))
    handle = await recovery.start(EMAIL, SMS, real_waits=True)
    await held(recovery)
    while "put off: channel email is held since" not in await details(handle):
        await asyncio.sleep(0.02)
    # mended
    channels["email"] = right
    assert (await handle.describe()).raw_description.pending_activities == []
    assert await recovery.message(0) is None
    await resume(recovery)
    await sent(recovery, 0)
    assert mails(recovery, sandbox) == 1
    await handle.terminate()


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        pytest.param(EventKind.BOOKED, Outcome.BOOKED, id="a booking"),
        pytest.param(EventKind.STOPPED, Outcome.CANCELLED, id="a stop by staff"),
        pytest.param(EventKind.DECLINED, Outcome.DECLINED, id="a no"),
    ],
)
async def test_it_hears_an_answer_all_the_same(
    recovery: "Recovery", kind: EventKind, outcome: Outcome
) -> None:
    async with recovery.clinic.database.writing() as session:
        await channel_hold.hold(session, "email", code="suspended", now=datetime.now(UTC))
    handle = await recovery.start(EMAIL, SMS, real_waits=True)
    await held(recovery)
    await recovery.say(kind)
    assert await handle.result() is outcome


async def test_a_message_that_came_back_is_sent_once_more_when_the_channel_goes_on(
    recovery: "Recovery", sandbox: Sandbox
) -> None:
    handle = await recovery.start(EMAIL, SMS, real_waits=True)
    await sent(recovery, 0)
    await come_back(recovery)
    await held(recovery)
    assert mails(recovery, sandbox) == 1
    await resume(recovery)
    await sent(recovery, 0)
    while "waiting for an answer" not in await details(handle):
        await asyncio.sleep(0.02)
    assert mails(recovery, sandbox) == 2
    assert await recovery.message(1) is None
    await handle.terminate()


async def test_a_no_ends_an_attempt_with_its_reason(recovery: "Recovery") -> None:
    handle = await recovery.start(EMAIL, SMS, real_waits=True)
    await sent(recovery, 0)
    await recovery.say(EventKind.DECLINED, loss_reason=LossReason.PRICE.value)
    assert await handle.result() is Outcome.DECLINED
    assert (await recovery.row()).loss_reason == "price"
