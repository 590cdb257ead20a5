"""The SMTP server behaves as real ones do, seen by the client that the product uses."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import aiosmtplib
import pytest

from sandbox import Sandbox

PASSWORD = "a password of the tests"


def message_to(address: str, *, message_id: str = "<one@aurora.example>") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "recepcion@aurora.example"
    message["To"] = address
    message["Subject"] = "Hola, Ramón"
    message["Message-ID"] = message_id
    message.set_content("Te esperamos: http://127.0.0.1/p/abc\n")
    message.add_alternative("<p>Te esperamos</p>", subtype="html")
    return message


async def send(
    sandbox: Sandbox, address: str, *, password: str = PASSWORD, auth: str = "plain"
) -> None:
    client = aiosmtplib.SMTP(
        hostname="127.0.0.1",
        port=sandbox.smtp_port,
        start_tls=True,
        tls_context=ssl.create_default_context(cafile=sandbox.ca_file),
        timeout=10,
    )
    async with client:
        await client.ehlo()
        await getattr(client, f"auth_{auth}")("aurora", password)
        await client.send_message(message_to(address))


async def test_a_message_is_kept_as_it_was_sent(sandbox: Sandbox) -> None:
    await send(sandbox, "ramon@example.com")

    received = await sandbox.inbox.message_to("ramon@example.com")

    assert received.sender == "recepcion@aurora.example"
    assert received.recipients == ("ramon@example.com",)
    assert received.message_id == "<one@aurora.example>"
    assert received.message["Subject"] == "Hola, Ramón"
    assert "http://127.0.0.1/p/abc" in received.text
    assert "<p>Te esperamos</p>" in received.html
    assert received.received_at.tzinfo is UTC
    assert datetime.now(UTC) - received.received_at < timedelta(minutes=1)


async def test_waiting_begins_before_the_message_comes(sandbox: Sandbox) -> None:
    waiting = asyncio.create_task(
        sandbox.inbox.wait_for(lambda received: "b@example.com" in received.recipients, count=2)
    )

    await send(sandbox, "b@example.com")
    await send(sandbox, "other@example.com")
    assert not waiting.done()
    await send(sandbox, "b@example.com")

    assert len(await waiting) == 2
    assert len(sandbox.inbox.to("b@example.com")) == 2


@pytest.mark.parametrize("mechanism", ["plain", "login"])
async def test_both_usual_ways_to_log_in_work(sandbox: Sandbox, mechanism: str) -> None:
    await send(sandbox, "ramon@example.com", auth=mechanism)

    assert len(sandbox.inbox.messages) == 1


@pytest.mark.parametrize("mechanism", ["plain", "login"])
async def test_a_wrong_password_is_refused_with_535(sandbox: Sandbox, mechanism: str) -> None:
    with pytest.raises(aiosmtplib.SMTPAuthenticationError) as refused:
        await send(sandbox, "ramon@example.com", password="wrong", auth=mechanism)

    assert refused.value.code == 535
    assert sandbox.inbox.messages == []


async def test_mail_without_a_login_is_refused_with_530(sandbox: Sandbox) -> None:
    client = aiosmtplib.SMTP(
        hostname="127.0.0.1",
        port=sandbox.smtp_port,
        start_tls=True,
        tls_context=ssl.create_default_context(cafile=sandbox.ca_file),
    )
    async with client:
        await client.ehlo()
        with pytest.raises(aiosmtplib.SMTPResponseException) as refused:
            await client.mail("recepcion@aurora.example")

    assert refused.value.code == 530


async def test_nothing_is_taken_without_tls(sandbox: Sandbox) -> None:
    client = aiosmtplib.SMTP(hostname="127.0.0.1", port=sandbox.smtp_port, start_tls=False)
    async with client:
        await client.ehlo()
        assert not client.supports_extension("auth")
        mail = await client.execute_command(b"MAIL", b"FROM:<recepcion@aurora.example>")
        auth = await client.execute_command(b"AUTH", b"PLAIN", b"AGF1cm9yYQB4")

    assert (mail.code, auth.code) == (530, 530)


async def test_a_client_that_does_not_trust_the_authority_goes_no_further(
    sandbox: Sandbox,
) -> None:
    client = aiosmtplib.SMTP(hostname="127.0.0.1", port=sandbox.smtp_port, start_tls=True)

    with pytest.raises(ssl.SSLCertVerificationError):
        await client.connect()

    assert sandbox.inbox.messages == []


@pytest.mark.parametrize(
    ("address", "code", "enhanced"),
    [
        pytest.param("nobody@example.com", 550, "5.1.1", id="no such user"),
        pytest.param("nobody+17@example.com", 550, "5.1.1", id="no such user, tagged"),
        pytest.param("full@example.com", 452, "4.2.2", id="mailbox full"),
        pytest.param("Greylisted@example.com", 451, "4.7.1", id="greylisted, in capitals"),
    ],
)
async def test_a_fault_is_chosen_by_the_recipients_address(
    sandbox: Sandbox, address: str, code: int, enhanced: str
) -> None:
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refused:
        await send(sandbox, address)

    assert refused.value.recipients[0].code == code
    assert refused.value.recipients[0].message.startswith(enhanced)
    assert sandbox.inbox.messages == []


async def test_a_fault_is_not_chosen_by_half_a_word(sandbox: Sandbox) -> None:
    await send(sandbox, "fuller@example.com")

    assert len(sandbox.inbox.messages) == 1


@pytest.mark.parametrize("tag", ["", "+1", "+2"])
async def test_a_greylisted_address_is_taken_at_the_second_try(sandbox: Sandbox, tag: str) -> None:
    address = f"greylisted{tag}@example.com"
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
        await send(sandbox, address)

    await send(sandbox, address)

    assert len(sandbox.inbox.to(address)) == 1


async def test_a_connection_cut_off_leaves_the_message_delivered_and_unanswered(
    sandbox: Sandbox,
) -> None:
    with pytest.raises(aiosmtplib.SMTPServerDisconnected):
        await send(sandbox, "cutoff+1@example.com")
    assert len(sandbox.inbox.to("cutoff+1@example.com")) == 1

    await send(sandbox, "cutoff+1@example.com")

    twice = sandbox.inbox.to("cutoff+1@example.com")
    assert [received.message_id for received in twice] == ["<one@aurora.example>"] * 2


async def test_stopping_does_not_wait_for_idle_clients(sandbox: Sandbox) -> None:
    client = aiosmtplib.SMTP(
        hostname="127.0.0.1",
        port=sandbox.smtp_port,
        start_tls=True,
        tls_context=ssl.create_default_context(cafile=sandbox.ca_file),
    )
    await client.connect()

    async with asyncio.timeout(5):
        await sandbox.inbox.__aexit__(None, None, None)

    with pytest.raises(aiosmtplib.SMTPServerDisconnected):
        await client.noop()
