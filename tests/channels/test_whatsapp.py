"""WhatsApp by the real Twilio client: approved texts, free ones within the window, found again."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from channels.errors import Misconfigured, Permanent, Transient
from channels.protocol import OutgoingMessage
from channels.whatsapp import WhatsAppChannel, WhatsAppSettings
from clinic.register.contact import Contact
from sandbox.stand_ins import Sandbox
from sandbox.twilio_account import NoWebhookUrlError
from sandbox.twilio_message import TwilioMessage

Make = Callable[..., OutgoingMessage]
Settings = Callable[..., WhatsAppSettings]

CONTENT = "HX" + "0123456789abcdef" * 2


@pytest.fixture
def approved(message: Make) -> Make:
    """Make a message with an approved text, as nearly all on WhatsApp are."""

    def make(to: str, **given: object) -> OutgoingMessage:
        made = message(to, approved_text=CONTENT)
        values = {"1": "Sofía", "2": made.link}
        return made.model_copy(update={"values": values, **given})

    return make


def ago(**time: int) -> datetime:
    return datetime.now(UTC) - timedelta(**time)


async def delivered(sandbox: Sandbox, message: TwilioMessage) -> None:
    async with asyncio.timeout(5):
        await sandbox.twilio.wait_for(lambda one: one is message and one.status == "delivered")


async def test_a_message_goes_to_and_from_whatsapp_numbers(
    whatsapp: WhatsAppChannel, sandbox: Sandbox, approved: Make, number: str
) -> None:
    outgoing = approved(number, valid_for=timedelta(hours=3))
    receipt = await whatsapp.send(outgoing)
    (taken,) = sandbox.twilio.to(f"whatsapp:{number}")
    assert (taken.sid, taken.sender) == (receipt.provider_id, "whatsapp:+13055550101")
    assert (taken.status_callback, taken.validity_s) == (outgoing.status_url, 10_800)


async def test_a_messaging_service_sends_in_place_of_a_number(
    whatsapp_settings: Settings, sandbox: Sandbox, approved: Make, number: str
) -> None:
    service = "MG" + "0" * 32
    channel = WhatsAppChannel(whatsapp_settings(from_number="", messaging_service_sid=service))
    await channel.send(approved(number))
    (taken,) = sandbox.twilio.to(f"whatsapp:{number}")
    assert taken.messaging_service_sid == service
    await channel.close()


def test_without_a_sender_the_settings_are_refused(whatsapp_settings: Settings) -> None:
    with pytest.raises(ValueError, match="REGRESA_WHATSAPP_FROM_NUMBER"):
        whatsapp_settings(from_number="")


def test_the_settings_have_variables_of_their_own(
    monkeypatch: pytest.MonkeyPatch, whatsapp_settings: Settings
) -> None:
    for name, value in whatsapp_settings(per_second=10).model_dump(mode="python").items():
        given = value.get_secret_value() if name == "auth_token" else value
        monkeypatch.setenv(f"REGRESA_WHATSAPP_{name.upper()}", str(given))
    assert WhatsAppSettings() == whatsapp_settings(per_second=10)


@pytest.mark.parametrize(
    "heard_at",
    [
        pytest.param(None, id="who never wrote"),
        pytest.param(ago(days=2), id="who wrote two days ago"),
        pytest.param(ago(hours=23, minutes=30), id="whose window closes while Twilio may queue"),
    ],
)
async def test_outside_the_window_only_the_approved_text_is_sent(
    whatsapp: WhatsAppChannel,
    sandbox: Sandbox,
    approved: Make,
    number: str,
    heard_at: datetime | None,
) -> None:
    outgoing = approved(number, heard_at=heard_at)
    await whatsapp.send(outgoing)
    (taken,) = sandbox.twilio.to(f"whatsapp:{number}")
    assert (taken.content_sid, taken.body) == (CONTENT, f"Sofía {outgoing.link}")
    await delivered(sandbox, taken)


async def test_within_the_window_the_text_itself_is_sent(
    whatsapp: WhatsAppChannel, sandbox: Sandbox, approved: Make, number: str
) -> None:
    outgoing = approved(number, heard_at=ago(hours=22))
    await whatsapp.send(outgoing)
    (taken,) = sandbox.twilio.to(f"whatsapp:{number}")
    assert (taken.content_sid, taken.body) == (None, outgoing.text)  # accents cost nothing here


async def test_without_an_approved_text_nothing_is_sent_outside_the_window(
    whatsapp: WhatsAppChannel, sandbox: Sandbox, message: Make, number: str
) -> None:
    with pytest.raises(Misconfigured) as raised:
        await whatsapp.send(message(number))
    assert raised.value.code == "whatsapp no approved text"
    assert sandbox.twilio.to(f"whatsapp:{number}") == []


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        pytest.param("María\tJosé\n\nde  la     O", "María José de la O", id="white space"),
        pytest.param(" \n", "-", id="nothing"),
        pytest.param('"{{2}}"', '"{{2}}"', id="no place of its own"),
    ],
)
async def test_a_value_is_made_fit_for_whatsapp(
    whatsapp: WhatsAppChannel,
    sandbox: Sandbox,
    approved: Make,
    number: str,
    value: str,
    sent: str,
) -> None:
    outgoing = approved(number)
    await whatsapp.send(outgoing.model_copy(update={"values": {"1": value, "2": outgoing.link}}))
    (taken,) = sandbox.twilio.to(f"whatsapp:{number}")
    assert taken.body == f"{sent} {outgoing.link}"
    await delivered(sandbox, taken)


@pytest.mark.parametrize(
    "heard_at", [pytest.param(None, id="approved"), pytest.param(ago(hours=1), id="free")]
)
async def test_a_message_that_arrived_is_found_by_its_link(
    whatsapp: WhatsAppChannel,
    sandbox: Sandbox,
    approved: Make,
    number: str,
    heard_at: datetime | None,
) -> None:
    with suppress(NoWebhookUrlError):  # nobody listens here
        await sandbox.twilio.receive_sms(f"whatsapp:{number}", "whatsapp:+13055550101", "Hola")
    outgoing = approved(number, heard_at=heard_at)
    receipt = await whatsapp.send(outgoing)
    await whatsapp.send(approved(number))  # another message to the same number is not taken for it
    assert await whatsapp.reconcile(outgoing) == receipt
    assert await whatsapp.reconcile(approved(number)) is None


@pytest.mark.parametrize(
    ("to", "meaning"),
    [
        pytest.param("+15005550001", Permanent, id="invalid"),
        pytest.param("+15005552099", Transient, id="too many requests"),
    ],
)
async def test_what_twilio_refuses_means_the_same_as_for_an_sms(
    whatsapp: WhatsAppChannel, approved: Make, to: str, meaning: type[Exception]
) -> None:
    with pytest.raises(meaning):
        await whatsapp.send(approved(to))


def test_a_number_is_redacted(whatsapp: WhatsAppChannel) -> None:
    said = whatsapp.redact(json.dumps({"to": "whatsapp:+13055550123"}))
    assert said == '{"to": "whatsapp:[phone]"}'


def test_a_landline_may_have_whatsapp_and_a_strangers_number_does_not_count() -> None:
    contact = Contact(email=None, phone="+13055550123", sms_bad=True)
    assert WhatsAppChannel.address_of(contact) == ("+13055550123", False)
    strangers = contact.model_copy(update={"phone_bad": True})
    assert WhatsAppChannel.address_of(strangers) == ("+13055550123", True)
