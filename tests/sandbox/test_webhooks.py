"""Webhooks reach the product signed as Twilio signs them, and again until they are taken."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from twilio.request_validator import RequestValidator

from sandbox import Sandbox, SandboxSettings
from sandbox.persistent_post import NotTakenError
from sandbox.twilio_account import NoWebhookUrlError

TOKEN = "a token of the tests"
FROM = "+15005550006"
PATIENT = "+13055550142"


async def send(sandbox: Sandbox, **changes: str) -> httpx.Response:
    form = {"To": PATIENT, "From": FROM, "Body": "Hola", **changes}
    async with httpx.AsyncClient(auth=(sandbox.twilio.sid, TOKEN), trust_env=False) as http:
        return await http.post(
            f"{sandbox.http_url}/2010-04-01/Accounts/{sandbox.twilio.sid}/Messages.json", data=form
        )


def is_signed(url: str, received: Any) -> bool:
    return bool(
        RequestValidator(TOKEN).validate(
            url, received.form, received.headers.get("X-Twilio-Signature", "")
        )
    )


async def test_a_message_is_reported_sent_and_then_delivered(
    sandbox: Sandbox, product: Any
) -> None:
    url = f"{product.url}/webhooks/status?attempt=7"
    message = (await send(sandbox, StatusCallback=url)).json()
    await sandbox.settled()

    reports = product.posts("/webhooks/status")

    assert [report.form["MessageStatus"] for report in reports] == ["sent", "delivered"]
    assert all(is_signed(url, report) for report in reports)
    assert reports[0].form == {
        "AccountSid": sandbox.twilio.sid,
        "ApiVersion": "2010-04-01",
        "From": FROM,
        "MessageSid": message["sid"],
        "MessageStatus": "sent",
        "SmsSid": message["sid"],
        "SmsStatus": "sent",
        "To": PATIENT,
    }


@pytest.mark.parametrize(("number", "code"), [("+15005552400", "30006"), ("+15005552599", "30003")])
async def test_a_message_that_cannot_be_delivered_is_reported_with_its_code(
    sandbox: Sandbox, product: Any, number: str, code: str
) -> None:
    url = f"{product.url}/webhooks/status"
    assert (await send(sandbox, To=number, StatusCallback=url)).status_code == 201
    await sandbox.settled()

    last = product.posts("/webhooks/status")[-1]

    assert (last.form["MessageStatus"], last.form["ErrorCode"]) == ("undelivered", code)
    assert sandbox.twilio.to(number)[0].error_code == int(code)


async def test_a_whatsapp_text_needs_a_message_from_the_patient_first(
    sandbox: Sandbox, product: Any
) -> None:
    pair = {"To": f"whatsapp:{PATIENT}", "From": f"whatsapp:{FROM}"}
    url = f"{product.url}/webhooks/status"

    await send(sandbox, **pair, StatusCallback=url)
    await sandbox.settled()
    await sandbox.twilio.receive_sms(pair["To"], pair["From"], "Hola")
    await send(sandbox, **pair, StatusCallback=url)
    await sandbox.settled()

    forms = [report.form for report in product.posts("/webhooks/status")]
    assert [(form["MessageStatus"], form.get("ErrorCode")) for form in forms] == [
        ("undelivered", "63016"),
        ("sent", None),
        ("delivered", None),
    ]


async def test_a_webhook_answered_with_5xx_is_posted_again(sandbox: Sandbox, product: Any) -> None:
    product.answers += [503, 500]

    status = await sandbox.twilio.receive_sms(PATIENT, FROM, "Hola")

    posts = product.posts("/webhooks/sms")
    assert status == 200
    assert len(posts) == 3
    assert len({post.form["MessageSid"] for post in posts}) == 1


async def test_repeats_have_an_end(sandbox: Sandbox, product: Any) -> None:
    product.answers += [500] * 9

    assert await sandbox.twilio.receive_sms(PATIENT, FROM, "Hola") == 500
    assert len(product.posts("/webhooks/sms")) == 3


async def test_a_refused_webhook_is_not_repeated(sandbox: Sandbox, product: Any) -> None:
    product.answers.append(403)

    assert await sandbox.twilio.receive_sms(PATIENT, FROM, "Hola") == 403
    assert len(product.posts("/webhooks/sms")) == 1


async def test_a_receiver_that_does_not_exist_is_told_of(
    settings: Callable[..., SandboxSettings],
) -> None:
    # Port 9 of loopback (discard) is served by nobody here.
    async with Sandbox(settings(webhook_url="http://127.0.0.1:9/webhooks/sms")) as sandbox:
        with pytest.raises(NotTakenError):
            await sandbox.twilio.receive_sms(PATIENT, FROM, "Hola")

        assert (await send(sandbox, StatusCallback="http://127.0.0.1:9/status")).status_code == 201
        await sandbox.settled()

        assert sandbox.twilio.callbacks_given_up == 2
        assert sandbox.twilio.to(PATIENT)[0].status == "delivered"


async def test_an_sms_without_a_webhook_is_refused_loudly(
    settings: Callable[..., SandboxSettings],
) -> None:
    async with Sandbox(settings(webhook_url=None)) as sandbox:
        with pytest.raises(NoWebhookUrlError, match="REGRESA_SANDBOX_WEBHOOK_URL"):
            await sandbox.twilio.receive_sms(PATIENT, FROM, "Hola")


async def test_a_patients_sms_reaches_the_webhook_signed(sandbox: Sandbox, product: Any) -> None:
    await sandbox.twilio.receive_sms(PATIENT, FROM, "¿Puedo ir el jueves?")

    (post,) = product.posts("/webhooks/sms")

    assert is_signed(f"{product.url}/webhooks/sms", post)
    assert post.form["MessageSid"].startswith("SM")
    assert {name: value for name, value in post.form.items() if not name.endswith("Sid")} == {
        "ApiVersion": "2010-04-01",
        "Body": "¿Puedo ir el jueves?",
        "From": PATIENT,
        "NumMedia": "0",
        "NumSegments": "1",
        "SmsStatus": "received",
        "To": FROM,
    }


@pytest.mark.parametrize("word", ["STOP", " stop\n", "Unsubscribe", "OPTOUT"])
async def test_twilios_own_words_block_a_number(sandbox: Sandbox, product: Any, word: str) -> None:
    await sandbox.twilio.receive_sms(PATIENT, FROM, word)

    refused = await send(sandbox)
    other_sender = await send(sandbox, From="+13055550100")

    assert (refused.status_code, refused.json()["code"]) == (400, 21610)
    assert other_sender.status_code == 201
    assert len(product.posts("/webhooks/sms")) == 1


@pytest.mark.parametrize("word", ["BAJA", "СТОП", "stop it please", "restart", "no stop"])
async def test_other_words_block_nothing(sandbox: Sandbox, word: str) -> None:
    await sandbox.twilio.receive_sms(PATIENT, FROM, word)

    assert (await send(sandbox)).status_code == 201


@pytest.mark.parametrize("word", ["START", "unstop", "Yes"])
async def test_a_number_can_be_unblocked(sandbox: Sandbox, word: str) -> None:
    await sandbox.twilio.receive_sms(PATIENT, FROM, "STOP")
    await sandbox.twilio.receive_sms(PATIENT, FROM, word)

    assert (await send(sandbox)).status_code == 201


async def test_a_stop_holds_for_the_messaging_service_of_the_number(sandbox: Sandbox) -> None:
    await sandbox.twilio.receive_sms(PATIENT, FROM, "STOP")

    refused = await send(sandbox, MessagingServiceSid="MG" + "0" * 32)

    assert refused.json()["code"] == 21610
