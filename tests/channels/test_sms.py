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
