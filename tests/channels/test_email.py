"""What arrives in a mailbox, by a real SMTP server that asks for STARTTLS and a login."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from aiosmtpd.smtp import SMTP

from channels.email import EmailChannel, EmailSettings
from channels.protocol import OutgoingMessage
from sandbox.stand_ins import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

    from tests.channels.conftest import MailServer

Make = Callable[..., OutgoingMessage]


async def test_it_sends_over_starttls_and_after_a_login(
    email: EmailChannel, sandbox: Sandbox, message: Make, address: str
) -> None:
    # the sandbox takes no mail without both, as `test_email_failures.py` shows
    await email.send(message(address))
    assert len(sandbox.inbox.to(address)) == 1


async def test_it_sends_over_tls_from_the_first_byte_where_it_is_told_to(
    tls_server: "MailServer",
    tls_ca: "Path",
    email_settings: Callable[..., EmailSettings],
    message: Make,
    address: str,
) -> None:
    settings = email_settings(port=tls_server.port, security="tls", username="", ca_file=tls_ca)
    await EmailChannel(settings).send(message(address))
    assert len(tls_server.taken) == 1


async def test_it_logs_in_nowhere_without_a_user_name(
    plain_email: EmailChannel, mail_server: "MailServer", message: Make, address: str
) -> None:
    await plain_email.send(message(address))  # this server offers no login
    assert len(mail_server.taken) == 1


async def test_the_same_message_keeps_its_message_id(
    email: EmailChannel, sandbox: Sandbox, message: Make, address: str
) -> None:
    outgoing = message(address)
    receipts = [await email.send(outgoing), await email.send(outgoing)]
    arrived = [received.message_id for received in sandbox.inbox.to(address)]
    assert arrived == [f"<{outgoing.key}@aurora.example>"] * 2
    assert [receipt.provider_id for receipt in receipts] == arrived


async def test_another_message_has_another_message_id(
    email: EmailChannel, message: Make, address: str
) -> None:
    first, second = await email.send(message(address)), await email.send(message(address))
    assert first != second


async def test_asking_about_a_message_lets_it_be_sent_again(
    email: EmailChannel, message: Make, address: str
) -> None:
    outgoing = message(address)
    await email.send(outgoing)
    assert await email.reconcile(outgoing) is None


@pytest.mark.parametrize(
    ("language", "sender", "subject", "text"),
    [
        pytest.param(
            "es",
            "Clínica Dental Aurora",
            "¡Un saludo de Clínica Dental Aurora, Sofía Muñoz!",
            "Hola, Sofía:\n\n¿Cómo está? Mañana, 9:00, señora Muñoz.",
            id="Spanish",
        ),
        pytest.param(
            "ru",
            "Стоматология «Аврора»",
            "Тёплый привет из стоматологии «Аврора», дорогая Екатерина Александровна!",
            "Здравствуйте, Екатерина!\n\nБудем рады видеть вас.",
            id="Russian",
        ),
        pytest.param(
            "en",
            'Aurora "Smile", Inc. <best>',
            "Hello from Aurora",
            "Hello O'Brien,\n\n.\nA line that is only a full stop ends no mail.",
            id="English, with what headers and SMTP treat specially",
        ),
    ],
)
async def test_names_subject_and_text_arrive_as_they_were_written(
    email: EmailChannel,
    sandbox: Sandbox,
    message: Make,
    address: str,
    language: str,
    sender: str,
    subject: str,
    text: str,
) -> None:
    await email.send(message(address, language=language, sender=sender, subject=subject, text=text))
    (received,) = sandbox.inbox.to(address)
    (author,) = received.message["From"].addresses
    assert (author.display_name, author.addr_spec) == (sender, "hello@aurora.example")
    assert received.message["Subject"] == subject
    assert received.message["Content-Language"] == language
    assert received.text.replace("\r\n", "\n") == text + "\n"
    assert (received.sender, received.recipients) == ("hello@aurora.example", (address,))


async def test_one_click_unsubscribes_without_a_page(
    email: EmailChannel, sandbox: Sandbox, message: Make, address: str
) -> None:
    outgoing = message(address)
    await email.send(outgoing)
    (received,) = sandbox.inbox.to(address)
    assert received.message["List-Unsubscribe"] == f"<{outgoing.stop_url}>"
    assert received.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


async def test_a_long_unsubscribe_address_stands_on_the_wire_as_it_is(
    plain_email: EmailChannel, mail_server: "MailServer", message: Make, address: str
) -> None:
    # mailbox providers read this header as it is: no encoded words (RFC 2047, section 5)
    outgoing = message(address, stop_url=f"https://{'come-back.' * 12}example/p/token/stop")
    await plain_email.send(outgoing)
    (raw,) = mail_server.taken
    assert f"\r\nList-Unsubscribe: <{outgoing.stop_url}>\r\n".encode() in raw


async def test_no_machine_answers_to_it(
    email: EmailChannel, sandbox: Sandbox, message: Make, address: str
) -> None:
    await email.send(message(address))
    (received,) = sandbox.inbox.to(address)
    assert received.message["Auto-Submitted"] == "auto-generated"


async def test_it_is_dated_by_its_first_try(
    email: EmailChannel, sandbox: Sandbox, message: Make, address: str
) -> None:
    outgoing = message(address)
    await email.send(outgoing)
    (received,) = sandbox.inbox.to(address)
    assert received.message["Date"].datetime == outgoing.claimed_at.replace(microsecond=0)


def test_an_address_in_a_servers_answer_is_redacted(email: EmailChannel) -> None:
    said = "550 5.1.1 <sofía.muñoz+x@example.com>: unknown; mailto:a@b.example"
    assert email.redact(said) == "550 5.1.1 <[email]>: unknown; [email]"


@pytest.fixture
def tls_ca(tmp_path: "Path") -> "Path":
    return tmp_path / "ca.pem"


@pytest.fixture
async def tls_server(mail_server: "MailServer", tls_ca: "Path") -> AsyncIterator["MailServer"]:
    """The same server behind TLS, as on port 465."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tls_ca))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    def connect() -> Any:
        return SMTP(mail_server, hostname="localhost")

    serving = await asyncio.get_running_loop().create_server(connect, "127.0.0.1", 0, ssl=context)
    mail_server.port = serving.sockets[0].getsockname()[1]
    yield mail_server
    serving.close()
    await serving.wait_closed()
