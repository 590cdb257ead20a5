"""A claimed message is handed to its channel, once, in time, and whatever the channel raises."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import structlog

from activities.delivery_errors import CLAIM_SETTLES, Unsettled
from activities.handing_over import hand_over
from activities.outgoing import Ready
from channels.errors import OptedOut, Transient, Uncertain
from channels.protocol import OutgoingMessage, Receipt
from clinic.ledger import Claim

if TYPE_CHECKING:
    from tests.activities.conftest import Told, ToldChannel

TAKEN = Receipt(provider_id="SM-taken")
FAULT = RuntimeError("no account of +13055550177")
SECOND = timedelta(seconds=1)


def ready(
    channel: "ToldChannel",
    claim: Claim = Claim.FRESH,
    *,
    valid_for: timedelta | None = None,
    lasted: timedelta = timedelta(0),
) -> Ready:
    moment = datetime(2027, 3, 2, 17, tzinfo=UTC)
    message = OutgoingMessage(
        key="at-1.1",
        attempt_id="at-1",
        step=1,
        to="+13055550177",
        language="en",
        sender="Clinic",
        subject="",
        text="Come back",
        link="https://clinic.example.com/p/1",
        stop_url="https://clinic.example.com/s/1",
        status_url="https://clinic.example.com/webhooks/sms",
        claimed_at=moment,
        due_at=moment,
        tries=1,
        valid_for=valid_for,
    )
    return Ready(claim, message, channel, time.monotonic() - lasted.total_seconds())


async def test_what_was_taken_before_is_not_sent_again(told: "Told") -> None:
    channel = told(found=TAKEN)
    assert await hand_over(ready(channel, Claim.UNCERTAIN)) == "SM-taken"
    assert channel.sent == []


async def test_a_provider_that_cannot_tell_leaves_it_to_a_person(told: "Told") -> None:
    channel = told(found=Uncertain("gateway 404"))
    with pytest.raises(Unsettled, match="gateway 404"):
        await hand_over(ready(channel, Claim.UNCERTAIN))
    assert channel.sent == []


async def test_a_fault_of_the_channel_may_have_come_after_the_sending(told: "Told") -> None:
    with structlog.testing.capture_logs() as logs, pytest.raises(Uncertain) as raised:
        await hand_over(ready(told(FAULT)))
    assert raised.value.code == "RuntimeError"
    assert raised.value.__cause__ is None
    (log,) = logs
    assert (log["log_level"], log["channel"], log["reason"]) == ("error", "sms", "RuntimeError")
    assert "555" not in str(logs)


async def test_a_fault_while_asking_has_sent_nothing(told: "Told") -> None:
    channel = told(found=FAULT)
    with pytest.raises(Transient, match=r"^RuntimeError$"):
        await hand_over(ready(channel, Claim.UNCERTAIN))
    assert channel.sent == []


@pytest.mark.parametrize("claim", [Claim.FRESH, Claim.UNCERTAIN])
async def test_a_channel_that_takes_too_long_is_broken_off_before_the_next_try(
    told: "Told", monkeypatch: pytest.MonkeyPatch, claim: Claim
) -> None:
    channel = told(TAKEN)

    async def hang(_message: OutgoingMessage) -> Receipt:
        await asyncio.Event().wait()
        return TAKEN

    monkeypatch.setattr(channel, "send" if claim is Claim.FRESH else "reconcile", hang)
    late = ready(channel, claim, lasted=CLAIM_SETTLES - 2.1 * SECOND)
    async with asyncio.timeout(5):
        with pytest.raises(Uncertain if claim is Claim.FRESH else Transient, match="TimeoutError"):
            await hand_over(late)
    assert channel.sent == []


async def test_what_a_channel_says_in_the_closed_set_stays_as_it_is(told: "Told") -> None:
    with pytest.raises(OptedOut):
        await hand_over(ready(told(OptedOut("twilio 21610"))))


async def test_the_time_that_went_by_is_no_part_of_what_is_left(told: "Told") -> None:
    channel = told(TAKEN)
    await hand_over(ready(channel, valid_for=60 * SECOND, lasted=4 * SECOND))
    (message,) = channel.sent
    assert message.valid_for is not None
    assert 50 * SECOND < message.valid_for <= 56 * SECOND


@pytest.mark.parametrize("claim", [Claim.FRESH, Claim.UNCERTAIN])
async def test_nothing_is_sent_once_the_hours_close(told: "Told", claim: Claim) -> None:
    channel = told(TAKEN)
    with pytest.raises(Transient, match="hours close"):
        await hand_over(ready(channel, claim, valid_for=12 * SECOND, lasted=4 * SECOND))
    assert channel.sent == []
