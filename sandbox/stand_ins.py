"""All the stand-ins together, on one event loop."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

import httpx
import structlog
import uvicorn
from fastapi import FastAPI

from sandbox.background_work import BackgroundWork
from sandbox.certificates import authority, server_context
from sandbox.doors import Doors
from sandbox.imap_mailbox import ImapMailbox
from sandbox.observer import Observer
from sandbox.persistent_post import machine_client
from sandbox.random_faults import RandomFaults
from sandbox.register import Register, RegisterColumnsError
from sandbox.settings import ENV_PREFIX, SandboxSettings
from sandbox.simulated_patients import SimulatedPatients
from sandbox.smtp_inbox import SmtpInbox
from sandbox.twilio_account import TwilioAccount
from sandbox.twilio_errors import TwilioRefusalError, answer_refusal
from sandbox.twilio_messages import MessagesApi
from sandbox.webhooks import WebhookSender

log: Final = structlog.get_logger(__name__)


class CannotStartError(Exception):
    """The sandbox cannot start; the message names the setting to look at."""


class PortTakenError(CannotStartError):
    """A port is in use; the message names it and the setting that changes it."""


class Sandbox:
    """The stand-ins, serving inside an ``async with`` block.

    Example:
        ``async with Sandbox(settings) as sandbox:`` then send to ``sandbox.smtp_port`` and
        ``sandbox.http_url``, and look at ``sandbox.inbox.messages`` and
        ``sandbox.twilio.messages``.

    Attributes:
        settings: As given.
        inbox: The SMTP server and the emails it accepted.
        twilio: The Twilio account and its messages.
        patients: The simulated patients, or None where there are none.
        smtp_port: The port the SMTP server listens on.
        imap_port: The port of the clinic's own mailbox, where there is one.
        http_url: Where the Twilio look-alike and the observer are, without a final slash.
        ca_file: The certificate (PEM) that SMTP clients must trust.
    """

    inbox: SmtpInbox
    twilio: TwilioAccount
    smtp_port: int
    imap_port: int
    http_url: str

    def __init__(self, settings: SandboxSettings) -> None:
        self.settings = settings
        self.ca_file = settings.ca_file
        self.patients: SimulatedPatients | None = None
        self._work = BackgroundWork()
        self._stack = AsyncExitStack()

    async def settled(self) -> None:
        """Wait until every callback is posted and every simulated patient has answered.

        Raises:
            ExceptionGroup: Some of that work failed.
        """
        await self._work.settled()

    async def __aenter__(self) -> Self:
        """Start serving.

        Raises:
            PortTakenError: A port is in use.
            CannotStartError: Something else that the settings name cannot be used.
        """
        async with AsyncExitStack() as stack:
            await self._start(stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.__aexit__(exc_type, exc, traceback)

    async def _start(self, stack: AsyncExitStack) -> None:
        settings = self.settings
        try:
            tls = server_context(authority(settings.ca_file), settings.host)
        except OSError as error:
            raise CannotStartError(f"{ENV_PREFIX}CA_FILE: {error.strerror}") from error
        smtp_listener = stack.enter_context(
            _listener(settings.host, settings.smtp_port, ENV_PREFIX + "SMTP_PORT")
        )
        http_listener = stack.enter_context(
            _listener(settings.host, settings.http_port, ENV_PREFIX + "HTTP_PORT")
        )
        self.smtp_port = smtp_listener.getsockname()[1]
        self.http_url = f"http://{settings.host}:{http_listener.getsockname()[1]}"

        http = await stack.enter_async_context(machine_client())
        token = settings.twilio_auth_token.get_secret_value()
        faults = RandomFaults(settings.faults, seed=settings.seed)
        self.twilio = TwilioAccount(
            settings.twilio_account_sid,
            numbers=settings.twilio_numbers,
            webhook_url=settings.webhook_url,
            whatsapp_webhook_url=settings.whatsapp_webhook_url,
            contents=settings.twilio_contents,
            webhooks=WebhookSender(
                http, token, pauses=settings.webhook_pauses, faults=faults, work=self._work
            ),
            work=self._work,
        )
        self.inbox = SmtpInbox(
            smtp_listener,
            tls=tls,
            user=settings.smtp_user,
            password=settings.smtp_password.get_secret_value(),
            faults=faults,
        )
        closing = asyncio.Event()
        app = FastAPI(title="Regresa sandbox", openapi_url=None)
        app.add_exception_handler(TwilioRefusalError, answer_refusal)
        api = MessagesApi(self.twilio, auth_token=token, faults=faults, closing=closing)
        app.include_router(api.router)
        observer = Observer(self.inbox, self.twilio, faults)
        mailbox = self._mailbox(stack)
        if settings.patients:
            self.patients = self._patients(http, mailbox)
            self.inbox.on_message = self.patients.read_email
            self.twilio.on_delivered = self.patients.read_sms
            observer.show_patients(self.patients)
        app.include_router(observer.router)

        # In the order of the exits: the servers stop first, then what they started.
        stack.push_async_callback(self._work.close)
        await stack.enter_async_context(self.inbox)
        if mailbox is not None:
            await stack.enter_async_context(mailbox)
        await stack.enter_async_context(_serving(app, http_listener))
        stack.callback(closing.set)
        log.info("sandbox_ready", smtp_port=self.smtp_port, http_url=self.http_url)

    def _mailbox(self, stack: AsyncExitStack) -> ImapMailbox | None:
        settings = self.settings
        if settings.imap_port is None:
            return None
        listener = stack.enter_context(
            _listener(settings.host, settings.imap_port, ENV_PREFIX + "IMAP_PORT")
        )
        self.imap_port = listener.getsockname()[1]
        password = settings.smtp_password.get_secret_value()
        return ImapMailbox(listener, user=settings.smtp_user, password=password)

    def _patients(self, http: httpx.AsyncClient, mailbox: ImapMailbox | None) -> SimulatedPatients:
        settings = self.settings
        # The settings have seen to it that patients come with all three.
        if not (settings.register_file and settings.bookings_url and settings.bookings_token):
            raise ValueError("patients need a register and a door for bookings")
        try:
            register = Register.read(settings.register_file)
        except (OSError, RegisterColumnsError) as error:
            raise CannotStartError(f"{ENV_PREFIX}REGISTER_FILE: {error}") from error
        own_urls = (settings.webhook_url, settings.bookings_url)
        doors = Doors(
            self.twilio,
            http,
            bookings_url=settings.bookings_url,
            bookings_token=settings.bookings_token.get_secret_value(),
            pauses=settings.webhook_pauses,
            page_pauses=settings.page_pauses,
            mailbox=mailbox,
            hosts={host for url in own_urls if url and (host := urlsplit(url).hostname)},
        )
        return SimulatedPatients(
            register,
            doors,
            self._work,
            seed=settings.seed,
            answer_after=settings.answer_after,
            weights=settings.persona_weights,
            sign=settings.patients_sign,
        )


@contextlib.contextmanager
def _listener(host: str, port: int, setting: str) -> Iterator[socket.socket]:
    """Bind a TCP port, and close it in the end if its server has not."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        # A port whose last server has just stopped is free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortTakenError(
                    f"port {port} on {host} is in use; choose another with {setting}"
                ) from error
            raise CannotStartError(
                f"port {port} on {host}: {error.strerror}; choose another with {setting}"
            ) from error
        # Clients may connect from here on: they wait until the server takes them.
        listener.listen()
        listener.setblocking(False)  # noqa: FBT003 - the standard library's signature
        yield listener


class _HttpServer(uvicorn.Server):
    """Uvicorn without its signal handlers: stopping is for whoever runs the sandbox."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def _serving(app: FastAPI, listener: socket.socket) -> AsyncIterator[None]:
    server = _HttpServer(
        uvicorn.Config(
            app,
            lifespan="off",
            ws="none",
            # Paths and queries hold patients' numbers: no access log.
            access_log=False,
            log_config=None,
            timeout_graceful_shutdown=2,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="http")
    try:
        yield
    finally:
        server.should_exit = True
        await serving
