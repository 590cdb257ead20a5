"""A real SMTP server that keeps what it accepts, for tests and demonstrations to look at.

It asks for STARTTLS before anything else and for a login (PLAIN or LOGIN) before any mail, as
submission servers do; a wrong password gets 535. The faults it plays are in `smtp_faults`.
"""

import asyncio
import email
import email.policy
import hmac
import logging
import socket
import ssl
import weakref
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Final, Literal, Self

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from sandbox.random_faults import RandomFault, RandomFaults
from sandbox.smtp_faults import SmtpFault, smtp_fault_for

log: Final = structlog.get_logger(__name__)

# aiosmtpd logs senders, recipients and commands; no log of ours holds an address. What goes wrong
# inside it is reported by `_Receiver.handle_exception`.
logging.getLogger("mail.log").disabled = True


@dataclass(frozen=True, slots=True)
class ReceivedEmail:
    """One message the server accepted."""

    sender: str
    """The envelope's sender."""
    recipients: tuple[str, ...]
    """The envelope's recipients, as accepted."""
    message: EmailMessage
    began_at: datetime
    """When the client began to hand it over (MAIL FROM), in UTC."""
    received_at: datetime
    """When the whole message had arrived, in UTC."""

    @property
    def message_id(self) -> str:
        """The Message-ID header, or an empty string."""
        return str(self.message["Message-ID"] or "").strip()

    @property
    def text(self) -> str:
        """The plain text of the message, or an empty string."""
        return self._body("plain")

    @property
    def html(self) -> str:
        """The HTML of the message, or an empty string."""
        return self._body("html")

    def _body(self, kind: Literal["plain", "html"]) -> str:
        part = self.message.get_body((kind,))
        # Lines end with CR and LF on the wire only.
        return str(part.get_content()).replace("\r\n", "\n") if part else ""


class SmtpInbox:
    """The SMTP server and the messages it holds.

    Use it as an asynchronous context manager: it serves inside the block.

    Attributes:
        messages: Everything accepted so far, oldest first. The same message sent twice is here
            twice: a mail server does not remove repeats.
        on_message: Called with each message accepted, on the event loop.
    """

    def __init__(
        self,
        listener: socket.socket,
        *,
        tls: ssl.SSLContext,
        user: str,
        password: str,
        faults: RandomFaults,
    ) -> None:
        """Prepare a server on `listener`, a bound socket, which it takes over.

        Args:
            listener: A bound TCP socket.
            tls: The context for STARTTLS.
            user: The only user who may log in.
            password: That user's password.
            faults: Says which mails meet a fault by chance.
        """
        self.messages: list[ReceivedEmail] = []
        self.on_message: Callable[[ReceivedEmail], None] | None = None
        self._listener = listener
        self._tls = tls
        self._login = (user.encode(), password.encode())
        self._arrived = asyncio.Condition()
        self._receiver = _Receiver(self._keep, faults)
        self._connections: weakref.WeakSet[_Connection] = weakref.WeakSet()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.get_running_loop().create_server(
            self._connect, sock=self._listener
        )
        return self

    async def __aexit__(self, *_exc_info: object) -> None:
        if self._server is None:
            return
        self._server.close()
        open_ones = tuple(self._connections)
        for connection in open_ones:
            connection.drop()
        for connection in open_ones:
            await connection.ended()
        await self._server.wait_closed()

    def to(self, address: str) -> list[ReceivedEmail]:
        """Return the messages accepted for an address, oldest first."""
        return [received for received in self.messages if address in received.recipients]

    async def wait_for(
        self, wanted: Callable[[ReceivedEmail], bool], *, count: int = 1
    ) -> list[ReceivedEmail]:
        """Wait until at least `count` messages are `wanted`, and return those.

        It waits for ever: put it inside `asyncio.timeout` where the message may not come.
        """
        async with self._arrived:
            await self._arrived.wait_for(lambda: sum(map(wanted, self.messages)) >= count)
            return [received for received in self.messages if wanted(received)]

    async def message_to(self, address: str) -> ReceivedEmail:
        """Wait for a message to `address`, and return the first; see `wait_for`."""
        received = await self.wait_for(lambda received: address in received.recipients)
        return received[0]

    def _connect(self) -> "_Connection":
        connection = _Connection(
            self._receiver,
            hostname="localhost",
            ident="ESMTP Regresa sandbox",
            enable_SMTPUTF8=True,
            tls_context=self._tls,
            require_starttls=True,
            auth_required=True,
            auth_callback=self._login_is_right,
            loop=asyncio.get_running_loop(),
        )
        self._connections.add(connection)
        return connection

    def _login_is_right(self, _mechanism: str, login: bytes, password: bytes) -> bool:
        user, secret = self._login
        return hmac.compare_digest(login, user) and hmac.compare_digest(password, secret)

    async def _keep(self, received: ReceivedEmail) -> None:
        async with self._arrived:
            self.messages.append(received)
            self._arrived.notify_all()
        log.info("email_accepted", recipients=len(received.recipients))
        if self.on_message is not None:
            self.on_message(received)


class _Connection(SMTP):
    """One client's connection, which the server can drop."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        # Called once more after STARTTLS, in the same conversation.
        if self._handler_coroutine is not None and self._original_transport is None:
            self._handler_coroutine.add_done_callback(_report_broken_conversation)

    def drop(self) -> None:
        """Break the connection off without another word to the client."""
        # The plain transport below TLS: aborting TLS within its handshake would tell nobody.
        transport = self._original_transport or self.transport
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()
        if self._handler_coroutine is not None:
            self._handler_coroutine.cancel()

    async def ended(self) -> None:
        """Wait until the conversation is over."""
        if self._handler_coroutine is not None:
            await asyncio.wait([self._handler_coroutine])


def _report_broken_conversation(conversation: asyncio.Task[None]) -> None:
    if not conversation.cancelled() and (error := conversation.exception()) is not None:
        log.info("smtp_conversation_broken_off", error=type(error).__name__)


class _Receiver:
    """What the server answers to RCPT and DATA; shared by all connections."""

    def __init__(
        self, keep: Callable[[ReceivedEmail], Awaitable[None]], faults: RandomFaults
    ) -> None:
        self._keep = keep
        self._faults = faults
        self._began: weakref.WeakKeyDictionary[Envelope, datetime] = weakref.WeakKeyDictionary()
        self._tried: set[tuple[SmtpFault, str]] = set()

    async def handle_MAIL(  # noqa: N802 - the hook's name is aiosmtpd's
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        self._began[envelope] = datetime.now(UTC)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 Ok"

    async def handle_RCPT(  # noqa: N802 - the hook's name is aiosmtpd's
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        # The answers echo the address, as Postfix does: clients must not log them as they are.
        match smtp_fault_for(address):
            case SmtpFault.NO_SUCH_USER:
                return f"550 5.1.1 <{address}>: Recipient address rejected: User unknown"
            case SmtpFault.MAILBOX_FULL:
                return f"452 4.2.2 <{address}>: Recipient's mailbox is out of space"
            case SmtpFault.GREYLISTED if self._is_first_try(SmtpFault.GREYLISTED, address):
                return f"451 4.7.1 <{address}>: Greylisted, try again later"
            case _:
                envelope.rcpt_tos.append(address)
                envelope.rcpt_options.extend(options)
                return "250 2.1.5 Ok"

    async def handle_DATA(  # noqa: N802 - the hook's name is aiosmtpd's
        self, server: "_Connection", _session: Session, envelope: Envelope
    ) -> str:
        cut_off = [
            self._is_first_try(SmtpFault.CUT_OFF, address)
            for address in envelope.rcpt_tos
            if smtp_fault_for(address) is SmtpFault.CUT_OFF
        ]
        fault = self._faults.of_mail()
        if fault is RandomFault.SMTP_451:
            self._faults.count(fault)
            return "451 4.3.0 Temporary failure, try again later"
        is_dropped = fault is RandomFault.SMTP_CUT_AFTER_DATA
        if not is_dropped or self._faults.is_taken(RandomFault.SMTP_CUT_AFTER_DATA):
            await self._keep(self._received(envelope))
        if is_dropped or any(cut_off):
            server.drop()
            # Dropping cancels this very conversation: it ends here, before any answer.
            await asyncio.get_running_loop().create_future()
        return "250 2.0.0 Ok: queued"

    def _received(self, envelope: Envelope) -> ReceivedEmail:
        return ReceivedEmail(
            sender=envelope.mail_from or "",
            recipients=tuple(envelope.rcpt_tos),
            message=email.message_from_bytes(
                envelope.original_content or b"", policy=email.policy.default
            ),
            began_at=self._began[envelope],
            received_at=datetime.now(UTC),
        )

    async def handle_exception(self, error: Exception) -> str:
        # Without the traceback, whose values may hold addresses.
        log.error("smtp_conversation_failed", error=type(error).__name__)
        return "451 4.3.0 Local error in processing"

    def _is_first_try(self, fault: SmtpFault, address: str) -> bool:
        tried = (fault, address.lower())
        if tried in self._tried:
            return False
        self._tried.add(tried)
        return True
