"""A message to send, and providers that answer as a test tells them."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web
from aiosmtpd.smtp import SMTP

from channels.call import CallChannel, CallSettings
from channels.email import EmailChannel, EmailSettings
from channels.protocol import OutgoingMessage
from channels.sms import SmsChannel, SmsSettings
from channels.whatsapp import WhatsAppChannel, WhatsAppSettings
from clinic.attempt import AttemptState
from clinic.clinic import Clinic
from clinic.identifiers import new_id
from clinic.plan import Plan
from clinic.tables import Attempt, Campaign, Patient


@pytest.fixture
def message() -> Callable[..., OutgoingMessage]:
    """Make a message that no other test sends; keywords replace or add."""

    def make(to: str, **given: object) -> OutgoingMessage:
        attempt_id = f"at-{uuid4().hex[:16]}"
        link = f"https://aurora.example/p/{attempt_id}.0.a-signature-of-27-letters-0"
        claimed_at = datetime.now(UTC)
        fields: dict[str, object] = {
            "key": f"{attempt_id}.0",
            "attempt_id": attempt_id,
            "step": 0,
            "to": to,
            "language": "es",
            "sender": "Clínica Dental Aurora",
            "subject": "Un saludo de Clínica Dental Aurora",
            "text": f"Hola, Sofía: le esperamos con gusto.\n\n{link}",
            "link": link,
            "stop_url": f"{link}/stop",
            "status_url": "http://127.0.0.1:9/webhooks/sms",
            "claimed_at": claimed_at,
            "due_at": claimed_at + timedelta(days=2),
            "tries": 1,
        }
        return OutgoingMessage.model_validate(fields | given)

    return make


@pytest.fixture
def address() -> str:
    """An email address that no other test writes to."""
    return f"p{uuid4().hex[:12]}@example.com"


@pytest.fixture
def number() -> str:
    """A phone number that no other test writes to."""
    return f"+1305{uuid4().int % 10**9:09}"


@pytest.fixture
def email(email_settings: Callable[..., EmailSettings]) -> EmailChannel:
    return EmailChannel(email_settings())


@pytest.fixture
async def sms(sms_settings: Callable[..., SmsSettings]) -> AsyncIterator[SmsChannel]:
    channel = SmsChannel(sms_settings())
    yield channel
    await channel.close()


@pytest.fixture
async def whatsapp(
    whatsapp_settings: Callable[..., WhatsAppSettings],
) -> AsyncIterator[WhatsAppChannel]:
    channel = WhatsAppChannel(whatsapp_settings())
    yield channel
    await channel.close()


@pytest.fixture
async def calls(clinic: Clinic) -> AsyncIterator[CallChannel]:
    channel = CallChannel(CallSettings(database_url=clinic.settings.database_url))
    yield channel
    await channel.close()


@pytest.fixture
async def attempt(clinic: Clinic) -> Attempt:
    """An open attempt of one patient."""
    patient = Patient(id=new_id("pt"), external_id="A-1", first_name="Sofía", phone="+13055550123")
    step = {"channel": "call", "template": "come-back", "wait": "2 days"}
    plan = Plan.model_validate({"name": "test", "steps": [step]})
    campaign = Campaign(
        id=new_id("ca"),
        name="spring",
        segment="test",
        plan=plan.model_dump(mode="json"),
        started_at=datetime.now(UTC),
    )
    made = Attempt(
        id=new_id("at"),
        campaign_id=campaign.id,
        patient_id=patient.id,
        state=AttemptState.OPEN.value,
    )
    async with clinic.database.writing() as session:
        session.add_all([patient, campaign])
        await session.flush()
        session.add(made)
    return made


@dataclass
class MailServer:
    """A mail server without TLS or login that answers MAIL, RCPT and DATA as it is told."""

    port: int = 0
    ehlo: str = ""
    """When given, the one line that it answers to EHLO, so that it offers nothing."""
    mail: str = "250 OK"
    rcpt: str = "250 OK"
    data: str = "250 OK"
    parts_after: float = 0
    """Seconds that it takes to answer QUIT."""
    taken: list[bytes] = field(default_factory=list)

    async def handle_EHLO(  # noqa: N802 - the hook's name is aiosmtpd's
        self, _server: object, session: Any, _envelope: object, name: str, offers: list[str]
    ) -> list[str]:
        session.host_name = name
        return [self.ehlo] if self.ehlo else offers

    async def handle_MAIL(  # noqa: N802 - the hook's name is aiosmtpd's
        self, _server: object, _session: object, envelope: Any, sender: str, _options: object
    ) -> str:
        envelope.mail_from = sender
        return self.mail

    async def handle_RCPT(  # noqa: N802 - the hook's name is aiosmtpd's
        self, _server: object, _session: object, envelope: Any, to: str, _options: object
    ) -> str:
        if self.rcpt.startswith("250"):
            envelope.rcpt_tos.append(to)
        return self.rcpt

    async def handle_DATA(  # noqa: N802 - the hook's name is aiosmtpd's
        self, _server: object, _session: object, envelope: Any
    ) -> str:
        if self.data.startswith("250"):
            self.taken.append(envelope.original_content)
        return self.data

    async def handle_QUIT(  # noqa: N802 - the hook's name is aiosmtpd's
        self, _server: object, _session: object, _envelope: object
    ) -> str:
        await asyncio.sleep(self.parts_after)
        return "221 Bye"


@pytest.fixture
async def mail_server() -> AsyncIterator[MailServer]:
    told = MailServer()

    def connect() -> SMTP:
        return SMTP(told, hostname="localhost", enable_SMTPUTF8=False)

    serving = await asyncio.get_running_loop().create_server(connect, "127.0.0.1", 0)
    told.port = serving.sockets[0].getsockname()[1]
    yield told
    serving.close()
    await serving.wait_closed()


@pytest.fixture
def plain_email(
    mail_server: MailServer, email_settings: Callable[..., EmailSettings]
) -> EmailChannel:
    """The email channel, pointed at the server that answers as it is told."""
    settings = email_settings(port=mail_server.port, security="none", username="")
    return EmailChannel(settings)


@pytest.fixture
def unused_port() -> Iterator[int]:
    """A port where nobody listens; it is held, so that nobody begins to."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.fixture
async def busy_port() -> AsyncIterator[int]:
    """A mail server that sends everybody away for now."""

    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"421 4.3.2 Too busy\r\n")
        await writer.drain()
        writer.close()

    serving = await asyncio.start_server(greet, "127.0.0.1", 0)
    yield serving.sockets[0].getsockname()[1]
    serving.close()
    await serving.wait_closed()


@dataclass
class Answers:
    """An HTTP server in Twilio's place that gives one answer to everything."""

    url: str = ""
    status: int = 201
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)

    async def give(self, request: web.Request) -> web.Response:
        self.requests.append(request.method)
        return web.Response(
            status=self.status,
            text=self.body,
            headers=self.headers,
            content_type="application/json",
        )


@pytest.fixture(scope="session")
async def _answering() -> AsyncIterator[Answers]:
    made = Answers()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.give)
    async with AsyncExitStack() as stack:
        runner = web.AppRunner(app)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        made.url = "http://{}:{}".format(*runner.addresses[0][:2])
        yield made


@pytest.fixture
def answers(_answering: Answers) -> Answers:
    """Twilio's place, to be told what to answer."""
    _answering.status, _answering.body, _answering.headers = 201, "", {}
    _answering.requests.clear()
    return _answering
