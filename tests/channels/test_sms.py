"""The real Twilio client against a look-alike of its API: what is sent, and what is found again."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from channels.protocol import OutgoingMessage
from channels.sms import SmsChannel, SmsSettings
from sandbox.stand_ins import Sandbox

Make = Callable[..., OutgoingMessage]
Settings = Callable[..., SmsSettings]


async def test_a_message_goes_out_with_its_sender_and_where_to_report(
    sms: SmsChannel, sandbox: Sandbox, message: Make, number: str
) -> None:
    outgoing = message(number)
    receipt = await sms.send(outgoing)
    (taken,) = sandbox.twilio.to(number)
    assert (taken.sid, taken.sender) == (receipt.provider_id, "+13055550100")
    assert taken.status_callback == outgoing.status_url


async def test_a_messaging_service_sends_in_place_of_a_number(
    sms_settings: Settings, sandbox: Sandbox, message: Make, number: str
) -> None:
    service = "MG" + "0" * 32
    channel = SmsChannel(sms_settings(from_number="", messaging_service_sid=service))
    await channel.send(message(number))
    (taken,) = sandbox.twilio.to(number)
    assert taken.messaging_service_sid == service
    await channel.close()


@pytest.mark.parametrize(
    ("valid_for", "seconds"),
    [
        pytest.param(timedelta(hours=2), 7200, id="in seconds"),
        pytest.param(timedelta(seconds=90.9), 90, id="never longer than said"),
        pytest.param(timedelta(hours=12), 36_000, id="at most what Twilio takes"),
        pytest.param(timedelta(milliseconds=200), 1, id="at least what Twilio takes"),
        pytest.param(timedelta(seconds=-5), 1, id="over already"),
        pytest.param(None, 36_000, id="Twilio's own, where nothing is said"),
    ],
)
async def test_twilio_keeps_a_message_for_as_long_as_it_may_arrive(
    sms: SmsChannel,
    sandbox: Sandbox,
    message: Make,
    number: str,
    valid_for: timedelta | None,
    seconds: int,
) -> None:
    await sms.send(message(number, valid_for=valid_for))
    (taken,) = sandbox.twilio.to(number)
    assert taken.validity_s == seconds


async def test_a_message_that_waits_too_long_is_never_delivered(
    sms: SmsChannel, sandbox: Sandbox, message: Make
) -> None:
    slow = "+15005552603"
    await sms.send(message(slow, valid_for=timedelta(seconds=1)))
    async with asyncio.timeout(2.5):
        (expired,) = await sandbox.twilio.wait_for(
            lambda taken: taken.to == slow and taken.status == "failed"
        )
    assert (expired.error_code, expired.sent_at) == (30036, None)


@pytest.mark.parametrize(
    ("given", "expected"), [(None, None), (1, 1.0), ("0.5", 0.5)], ids=["any", "one", "a half"]
)
def test_the_rate_is_that_of_the_settings(
    sms_settings: Settings, given: object, expected: float | None
) -> None:
    assert SmsChannel(sms_settings(per_second=given)).per_second == expected


@pytest.mark.parametrize("given", [0, -1, "inf", "nan", "fast"])
def test_a_rate_that_is_none_is_refused(sms_settings: Settings, given: object) -> None:
    with pytest.raises(ValueError, match="per_second"):
        sms_settings(per_second=given)


def test_without_a_sender_the_settings_are_refused(sms_settings: Settings) -> None:
    with pytest.raises(ValueError, match="REGRESA_SMS_FROM_NUMBER"):
        sms_settings(from_number="")


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        pytest.param("Sofía, ¿mañana?", "Sofia, ¿mañana?", id="accents cost segments"),
        pytest.param("Екатерина, вам рады", "Екатерина, вам рады", id="Cyrillic stays"),
    ],
)
async def test_accents_go_where_that_makes_the_message_cheaper(
    sms: SmsChannel, sandbox: Sandbox, message: Make, number: str, written: str, sent: str
) -> None:
    await sms.send(message(number, text=written))
    (taken,) = sandbox.twilio.to(number)
    assert taken.body == sent


async def test_many_messages_at_once_are_many_messages(
    sms: SmsChannel, sandbox: Sandbox, message: Make, number: str
) -> None:
    receipts = await asyncio.gather(*(sms.send(message(number)) for _ in range(20)))
    assert {taken.sid for taken in sandbox.twilio.to(number)} == {
        receipt.provider_id for receipt in receipts
    }


async def test_a_message_that_arrived_is_found_by_its_link(
    sms: SmsChannel, message: Make, number: str
) -> None:
    outgoing = message(number)
    receipt = await sms.send(outgoing)
    await sms.send(message(number))  # another message to the same number is not taken for it
    assert await sms.reconcile(outgoing) == receipt


async def test_a_message_that_never_arrived_is_not_found(
    sms: SmsChannel, message: Make, number: str
) -> None:
    await sms.send(message(number))
    assert await sms.reconcile(message(number)) is None


async def test_a_message_to_another_number_is_not_taken_for_it(
    sms: SmsChannel, message: Make, number: str
) -> None:
    outgoing = message(number)
    await sms.send(outgoing)
    assert await sms.reconcile(outgoing.model_copy(update={"to": "+13055559999"})) is None


@pytest.mark.parametrize(
    ("family", "is_found"),
    [
        pytest.param("+150055524", True, id="a landline: it was sent, and is not sent again"),
        pytest.param("+150055527", False, id="our own fault: the patient is to get it after all"),
    ],
)
async def test_a_message_that_came_back_is_found_unless_it_was_our_fault(
    sms: SmsChannel, sandbox: Sandbox, message: Make, family: str, *, is_found: bool
) -> None:
    outgoing = message(f"{family}{len(sandbox.twilio.messages) % 100:02}")
    receipt = await sms.send(outgoing)
    [sent] = [one for one in sandbox.twilio.messages if one.sid == receipt.provider_id]
    while sent.status != "undelivered":
        await asyncio.sleep(0.02)
    found = await sms.reconcile(outgoing)
    assert found == (receipt if is_found else None)


async def test_dates_decide_nothing_about_what_is_found(
    sms: SmsChannel, message: Make, number: str
) -> None:
    # a message in Twilio's queue has no date of sending yet
    outgoing = message(number)
    receipt = await sms.send(outgoing)
    moved = outgoing.model_copy(update={"claimed_at": outgoing.claimed_at + timedelta(hours=1)})
    assert await sms.reconcile(moved) == receipt


async def test_a_message_is_found_among_many_to_one_number(
    sms: SmsChannel, message: Make, number: str
) -> None:
    outgoing = message(number)
    receipt = await sms.send(outgoing)
    await asyncio.gather(*(sms.send(message(number)) for _ in range(60)))  # over a page of 50
    assert await sms.reconcile(outgoing) == receipt


def test_a_number_in_a_providers_answer_is_redacted(sms: SmsChannel) -> None:
    said = "21211: Invalid 'To' Phone Number: +1 (305) 555-0123 or +13055550123"
    assert sms.redact(said) == "21211: Invalid 'To' Phone Number: [phone] or [phone]"
