"""What was accepted can be seen from outside, and a patient's SMS played by hand."""

from collections.abc import AsyncIterator, Callable
from email.message import EmailMessage
from html import escape
from typing import Any

import aiosmtplib
import httpx
import pytest

from sandbox import Sandbox, SandboxSettings
from sandbox.messages_page import messages_page

PASSWORD = "a password of the tests"
TOKEN = "a token of the tests"
BROWSERS = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.fixture
async def http(sandbox: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=sandbox.http_url, trust_env=False) as client:
        yield client


async def send_email(sandbox: Sandbox, to: str, text: str = "Te esperamos") -> None:
    message = EmailMessage()
    message["From"] = "recepcion@aurora.example"
    message["To"] = to
    message["Subject"] = "Hola"
    message["Message-ID"] = "<1@aurora.example>"
    message.set_content(text)
    await aiosmtplib.send(
        message,
        hostname="127.0.0.1",
        port=sandbox.smtp_port,
        start_tls=True,
        username="aurora",
        password=PASSWORD,
        cert_bundle=str(sandbox.ca_file),
    )


async def send_sms(sandbox: Sandbox, to: str, text: str = "Te esperamos") -> None:
    async with httpx.AsyncClient(auth=(sandbox.twilio.sid, TOKEN), trust_env=False) as client:
        answer = await client.post(
            f"{sandbox.http_url}/2010-04-01/Accounts/{sandbox.twilio.sid}/Messages.json",
            data={"To": to, "From": "+15005550006", "Body": text},
        )
        answer.raise_for_status()


async def test_messages_of_both_providers_are_listed_in_their_order(
    sandbox: Sandbox, http: httpx.AsyncClient
) -> None:
    await send_email(sandbox, "ramon@example.com")
    await send_sms(sandbox, "+13055550142")
    await sandbox.settled()

    email, sms = (await http.get("/sandbox/messages")).json()

    assert email.pop("began_at") <= email.pop("received_at")
    assert email == {
        "channel": "email",
        "to": "ramon@example.com",
        "subject": "Hola",
        "body": "Te esperamos\n",
        "message_id": "<1@aurora.example>",
    }
    assert sms.pop("began_at") <= sms.pop("received_at")
    assert sms.pop("sid") == sandbox.twilio.messages[0].sid
    assert sms == {
        "channel": "sms",
        "to": "+13055550142",
        "body": "Te esperamos",
        "status": "delivered",
    }


async def test_whoever_opens_the_list_in_a_browser_gets_a_page_newest_first(
    sandbox: Sandbox, http: httpx.AsyncClient
) -> None:
    link = "http://127.0.0.1:8000/p/abc?x=1&y=2"
    await send_email(sandbox, "ramon@example.com", f"Te esperamos: {link}.")
    await send_sms(sandbox, "+13055550142", "<script>alert(1)</script> javascript:alert(1)")

    answer = await http.get("/sandbox/messages", headers={"Accept": BROWSERS})

    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'n")
    page = answer.text
    assert page.index("SMS to +13055550142") < page.index("Email to ramon@example.com")
    assert '<h3 lang="">Hola</h3>' in page
    assert f'<a href="{escape(link)}" rel="noopener">{escape(link)}</a>.' in page
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert page.count("href=") == 1


def test_the_page_of_very_many_messages_shows_the_newest() -> None:
    message = {"channel": "sms", "to": "+13055550142", "received_at": "2027-03-02T17:00:00+00:00"}
    page = messages_page([message | {"body": f"no. {number}."} for number in range(300)])
    text = bytes(page.body).decode()
    assert ("no. 299." in text, "no. 100." in text, "no. 99." in text) == (True, True, False)
    assert "300 so far, the newest first; the last 200 are shown" in text


async def test_the_list_can_be_narrowed(sandbox: Sandbox, http: httpx.AsyncClient) -> None:
    await send_email(sandbox, "ramon@example.com")
    await send_sms(sandbox, "+13055550142")

    async def channels(**query: str) -> list[str]:
        answer = await http.get("/sandbox/messages", params=query)
        return [one["channel"] for one in answer.json()]

    assert await channels(channel="email") == ["email"]
    assert await channels(to="+13055550142") == ["sms"]
    assert await channels(channel="email", to="+13055550142") == []


async def test_a_patients_sms_can_be_played_by_hand(
    sandbox: Sandbox, http: httpx.AsyncClient, product: Any
) -> None:
    sms = {"from": "+13055550142", "to": "+15005550006", "body": "BAJA"}

    answer = await http.post("/sandbox/inbound-sms", json=sms)

    (post,) = product.posts("/webhooks/sms")
    assert answer.json() == {"webhook_status": 200}
    assert (post.form["From"], post.form["Body"]) == ("+13055550142", "BAJA")
    assert (await http.get("/sandbox/messages")).json() == []
    assert len(sandbox.twilio.messages) == 1


@pytest.mark.parametrize(
    ("webhook_url", "status"), [(None, 409), ("http://127.0.0.1:9/webhooks/sms", 502)]
)
async def test_an_sms_that_nobody_takes_is_told_of(
    settings: Callable[..., SandboxSettings], webhook_url: str | None, status: int
) -> None:
    sms = {"from": "+13055550142", "to": "+15005550006", "body": "BAJA"}
    async with (
        Sandbox(settings(webhook_url=webhook_url)) as sandbox,
        httpx.AsyncClient(base_url=sandbox.http_url, trust_env=False) as http,
    ):
        answer = await http.post("/sandbox/inbound-sms", json=sms)

    assert answer.status_code == status


async def test_without_simulated_patients_there_is_nothing_to_count(
    http: httpx.AsyncClient,
) -> None:
    assert (await http.get("/sandbox/patients")).status_code == 404
