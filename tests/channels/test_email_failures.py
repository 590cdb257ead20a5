"""What each failure of a mail server means: what to do next, and never a word of the address."""

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
import trustme
from aiosmtpd.smtp import SMTP
from aiosmtplib import SMTPConnectResponseError, SMTPHeloError
from pydantic import ValidationError

from channels import registry
from channels.email import EmailChannel, EmailSettings
from channels.errors import Misconfigured, Permanent, SendError, Transient, Uncertain
from channels.protocol import OutgoingMessage
from channels.smtp_failures import before_the_message
from clinic.refusal import Refusal
from sandbox.stand_ins import Sandbox

if TYPE_CHECKING:
    from tests.channels.conftest import MailServer

Make = Callable[..., OutgoingMessage]


async def failure_of(channel: EmailChannel, outgoing: OutgoingMessage) -> SendError:
    with pytest.raises(SendError) as raised:
        await channel.send(outgoing)
    assert outgoing.to not in str(raised.value)
    assert raised.value.__cause__ is None  # what the server said holds the address
    return raised.value


@pytest.mark.parametrize(
    ("local_part", "meaning", "code"),
    [
        pytest.param("nobody", Permanent, "smtp 550", id="no such mailbox"),
        pytest.param("full", Transient, "smtp 452", id="mailbox full"),
        pytest.param("greylisted", Transient, "smtp 451", id="greylisted"),
        pytest.param("cutoff", Uncertain, "SMTPServerDisconnected", id="cut off after DATA"),
    ],
)
async def test_a_recipient_that_fails(
    email: EmailChannel, message: Make, local_part: str, meaning: type[SendError], code: str
) -> None:
    failed = await failure_of(email, message(f"{local_part}+{uuid4().hex}@example.com"))
    assert (type(failed), failed.code) == (meaning, code)


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        pytest.param(SMTPConnectResponseError(554, "No"), Misconfigured, id="does not serve us"),
        pytest.param(SMTPHeloError(550, "No"), Misconfigured, id="does not take our name"),
        pytest.param(SMTPConnectResponseError(421, "Busy"), Transient, id="busy"),
        pytest.param(SMTPHeloError(-1, "?"), Transient, id="speaks no SMTP"),
    ],
)
def test_a_server_that_refuses_us_before_the_message(
    error: Exception, meaning: type[SendError]
) -> None:
    assert type(before_the_message(error, still_there=True)) is meaning


async def test_a_greylisted_message_is_taken_the_second_time(
    email: EmailChannel, sandbox: Sandbox, message: Make
) -> None:
    outgoing = message(f"greylisted+{uuid4().hex}@example.com")
    await failure_of(email, outgoing)
    await email.send(outgoing)
    assert len(sandbox.inbox.to(outgoing.to)) == 1


async def test_a_message_cut_off_may_have_arrived(
    email: EmailChannel, sandbox: Sandbox, message: Make
) -> None:
    outgoing = message(f"cutoff+{uuid4().hex}@example.com")
    await failure_of(email, outgoing)
    assert len(sandbox.inbox.to(outgoing.to)) == 1


@pytest.mark.parametrize(
    ("command", "answer", "meaning"),
    [
        pytest.param("mail", "550 5.7.1 Sender refused", Misconfigured, id="sender refused"),
        pytest.param("mail", "451 4.3.0 Try later", Transient, id="sender, later"),
        pytest.param("rcpt", "553 5.1.3 Bad mailbox", Permanent, id="recipient refused"),
        pytest.param("rcpt", "450 4.2.0 Busy", Transient, id="recipient, later"),
        pytest.param("rcpt", "550 No such user", Permanent, id="recipient, no reason"),
        pytest.param("rcpt", "550 5.7.1 Relaying denied", Misconfigured, id="policy on us"),
        pytest.param("rcpt", "550 192.0.5.7.1 [x]", Permanent, id="an IP address is no reason"),
        pytest.param("data", "550 5.1.1 No such user", Permanent, id="recipient, told late"),
        pytest.param("data", "552 5.2.2 Mailbox full", Permanent, id="mailbox, told late"),
        pytest.param("data", "554 Refused", Permanent, id="message refused, no reason"),
        pytest.param("data", "554 5.6.0 Refused", Misconfigured, id="message refused"),
        pytest.param("data", "550 5.7.26 No DMARC", Misconfigured, id="policy on the message"),
        pytest.param("data", "452 4.3.1 No space", Transient, id="message, later"),
        pytest.param("data", "252 Will try", Uncertain, id="message, no plain yes"),
    ],
)
async def test_an_answer_to_a_command(
    plain_email: EmailChannel,
    mail_server: "MailServer",
    message: Make,
    address: str,
    command: str,
    answer: str,
    meaning: type[SendError],
) -> None:
    setattr(mail_server, command, answer)
    failed = await failure_of(plain_email, message(address))
    assert type(failed) is meaning
    assert answer[:3] in failed.code


async def test_a_server_that_hangs_up_after_its_offer_is_tried_again(
    email_settings: Callable[..., EmailSettings], message: Make, address: str
) -> None:
    async def offer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ready\r\n")
        await reader.readline()
        writer.write(b"250-mail.example\r\n250 STARTTLS\r\n")
        writer.close()

    async with await asyncio.start_server(offer, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        failed = await failure_of(EmailChannel(email_settings(port=port)), message(address))
    assert type(failed) is Transient


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
async def test_a_server_that_hangs_up_before_the_message_has_certainly_not_taken_it(
    plain_email: EmailChannel,
    mail_server: "MailServer",
    message: Make,
    address: str,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
) -> None:
    async def hang_up(server: SMTP, _argument: str) -> None:
        assert server.transport is not None
        server.transport.close()

    monkeypatch.setattr(SMTP, f"smtp_{command}", hang_up)
    failed = await failure_of(plain_email, message(address))
    # DATA may have been answered and its answer lost
    assert type(failed) is (Uncertain if command == "DATA" else Transient)
    assert mail_server.taken == []


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"password": "wrong"}, id="wrong password"),
        pytest.param({"username": "somebody"}, id="wrong user"),
        pytest.param({"username": ""}, id="no user at a server that asks for one"),
        pytest.param({"ca_file": None}, id="certificate of an unknown authority"),
        pytest.param({"ca_file": Path("no-such-file.pem")}, id="no certificate file"),
        pytest.param({"security": "none"}, id="server insists on TLS"),
        pytest.param({"security": "tls"}, id="TLS at a server that speaks STARTTLS"),
    ],
)
async def test_settings_that_the_server_cannot_accept_hold_everybody(
    email_settings: Callable[..., EmailSettings],
    sandbox: Sandbox,
    message: Make,
    address: str,
    change: dict[str, object],
) -> None:
    failed = await failure_of(EmailChannel(email_settings(**change)), message(address))
    assert type(failed) is Misconfigured
    assert sandbox.inbox.to(address) == []


async def test_a_certificate_of_another_authority_holds_everybody(
    email_settings: Callable[..., EmailSettings], message: Make, address: str, tmp_path: Path
) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    failed = await failure_of(EmailChannel(email_settings(ca_file=other)), message(address))
    assert type(failed) is Misconfigured


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"security": "starttls"}, id="no STARTTLS"),
        pytest.param({"username": "aurora"}, id="no login"),
    ],
)
async def test_a_server_that_lacks_what_the_settings_ask_for_holds_everybody(
    email_settings: Callable[..., EmailSettings],
    mail_server: "MailServer",
    message: Make,
    address: str,
    change: dict[str, object],
) -> None:
    fields: dict[str, object] = {"port": mail_server.port, "security": "none", "username": ""}
    channel = EmailChannel(email_settings(**(fields | change)))
    failed = await failure_of(channel, message(address))
    assert type(failed) is Misconfigured


async def test_an_address_that_the_server_cannot_write_is_refused_for_good(
    plain_email: EmailChannel, mail_server: "MailServer", message: Make
) -> None:
    # nothing was sent: the server has no SMTPUTF8, which such an address needs
    failed = await failure_of(plain_email, message("sofía@example.com"))
    assert type(failed) is Permanent
    assert mail_server.taken == []


def test_a_sender_that_not_every_server_can_write_is_refused_at_start(
    email_settings: Callable[..., EmailSettings],
) -> None:
    # else every patient's address would be refused for the sender's sake
    with pytest.raises(ValidationError, match="from_address"):
        email_settings(from_address="información@aurora.example")


async def test_a_server_that_is_down_is_tried_again(
    email_settings: Callable[..., EmailSettings],
    unused_port: int,
    message: Make,
    address: str,
) -> None:
    failed = await failure_of(EmailChannel(email_settings(port=unused_port)), message(address))
    assert type(failed) is Transient


async def test_a_server_that_greets_with_not_now_is_tried_again(
    email_settings: Callable[..., EmailSettings],
    busy_port: int,
    message: Make,
    address: str,
) -> None:
    failed = await failure_of(EmailChannel(email_settings(port=busy_port)), message(address))
    assert (type(failed), failed.code) == (Transient, "smtp 421")


async def test_a_server_that_never_greets_is_tried_again(
    email_settings: Callable[..., EmailSettings],
    silent_port: int,
    message: Make,
    address: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("channels.email._SECONDS", 0.1)
    failed = await failure_of(EmailChannel(email_settings(port=silent_port)), message(address))
    assert type(failed) is Transient


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"subject": "Un saludo\r\nBcc: all@example.com"}, id="subject"),
        pytest.param({"sender": "Aurora\r\nBcc: all@example.com"}, id="sender"),
        pytest.param({"to": "sofia@example.com\nBcc: all@example.com"}, id="recipient"),
        pytest.param({"text": "Hola \udc00"}, id="text that no encoding has"),
    ],
)
async def test_a_mail_that_cannot_be_composed_holds_everybody(
    plain_email: EmailChannel, mail_server: "MailServer", message: Make, change: dict[str, str]
) -> None:
    outgoing = message("sofia@example.com").model_copy(update=change)
    failed = await failure_of(plain_email, outgoing)
    assert (type(failed), failed.code) == (Misconfigured, "mail can't be composed")
    assert mail_server.taken == []


async def test_a_server_that_does_not_say_goodbye_delays_no_receipt(
    plain_email: EmailChannel,
    mail_server: "MailServer",
    message: Make,
    address: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("channels.email._SECONDS_TO_PART", 0.1)
    mail_server.parts_after = 2
    async with asyncio.timeout(1.5):
        await plain_email.send(message(address))
    assert len(mail_server.taken) == 1


@pytest.mark.parametrize(
    ("host", "accepted"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("smtp.aurora.example", False),
        ("10.0.0.5", False),
        ("127.0.0.1.aurora.example", False),
    ],
)
def test_mail_leaves_this_machine_only_encrypted(
    monkeypatch: pytest.MonkeyPatch, host: str, *, accepted: bool
) -> None:
    monkeypatch.setenv("REGRESA_EMAIL_HOST", host)
    monkeypatch.setenv("REGRESA_EMAIL_FROM_ADDRESS", "hello@aurora.example")
    monkeypatch.setenv("REGRESA_EMAIL_SECURITY", "none")
    expected = nullcontext() if accepted else pytest.raises(Refusal, match="EMAIL_SECURITY: `none`")
    with expected:
        registry.in_use(["email"])
