"""Email: out by SMTP, under a Message-ID that is the same on every try; in by IMAP."""

import asyncio
import re
from collections.abc import Sequence
from email.errors import MessageError
from typing import Any, ClassVar

import aiosmtplib
from pydantic_settings import BaseSettings

from channels.email_settings import EmailSettings
from channels.errors import Misconfigured
from channels.mail_composing import ComposedMail, compose
from channels.mail_reading import MailReader
from channels.mail_signature import MailSignature
from channels.mailbox import ArrivedMail, Mailbox
from channels.protocol import Fetched, OutgoingMessage, ProviderEvent, Receipt, WebhookRequest
from channels.smtp_failures import before_the_message, with_the_message
from clinic.register.contact import Contact

__all__ = ["EmailChannel", "EmailSettings"]

_SECONDS = 10
"""To get through to the server, and again to hand the message over: together shorter than an
activity's time-out, so a try ends before the next begins."""

_SECONDS_TO_PART = 2
"""For the server to answer QUIT: by then the message is taken, and the receipt waits."""

_ADDRESS = re.compile(r"[^\s<>\"']+@[^\s<>\"']+")


class _Client(aiosmtplib.SMTP):
    """Knows whether the message itself was begun: until DATA nothing can have been taken."""

    on_its_way = False

    async def data(self, *args: Any, **kwargs: Any) -> aiosmtplib.SMTPResponse:
        self.on_its_way = True
        return await super().data(*args, **kwargs)


class EmailChannel:
    """Sends mail with one-click unsubscribe (RFC 8058), and fetches what comes back."""

    name: ClassVar[str] = "email"
    settings_model: ClassVar[type[BaseSettings]] = EmailSettings
    fetches: ClassVar[bool] = True
    settles: ClassVar[bool] = False

    def __init__(self, settings: BaseSettings) -> None:
        """Take settings that `settings_model` has checked."""
        self._settings = EmailSettings.model_validate(settings)
        self._signature = _signature_of(self._settings)
        self._mailbox = Mailbox(self._settings) if self._settings.imap_host else None
        self._reader = MailReader(self._settings.from_address)

    @property
    def host(self) -> str:
        """The SMTP server's host."""
        return self._settings.host

    @property
    def per_second(self) -> float | None:
        """What the settings allow."""
        return self._settings.per_second

    @staticmethod
    def address_of(contact: Contact) -> tuple[str | None, bool]:
        """Return the patient's email address."""
        return contact.email, contact.email_bad

    async def send(self, message: OutgoingMessage) -> Receipt:
        """Hand a message to the SMTP server.

        Raises:
            SendError: One of the closed set.
        """
        mail = await self._composed(message)
        client = self._client()
        try:
            async with asyncio.timeout(_SECONDS):
                await self._log_in(client)
        except (aiosmtplib.SMTPException, OSError) as error:
            failed = before_the_message(error, still_there=client.is_connected)
            client.close()
            raise failed from None
        try:
            async with asyncio.timeout(_SECONDS):
                await client.sendmail(
                    self._settings.from_address,
                    [message.to],
                    mail.content,
                    mail_options=[] if message.to.isascii() else ["SMTPUTF8", "BODY=8BITMIME"],
                )
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            client.close()
            raise with_the_message(error, on_its_way=client.on_its_way) from None
        await _say_goodbye(client)
        return Receipt(provider_id=mail.message_id)

    async def reconcile(self, message: OutgoingMessage) -> Receipt | None:
        """Let an uncertain message be sent again under the same Message-ID.

        SMTP can't be asked. Mail servers and readers fold two mails with one Message-ID into
        one, so the second sending is the lesser evil.
        """
        del message
        return None

    def verify(self, request: WebhookRequest) -> bool:
        """Mail has no webhooks: no request is genuine."""
        del request
        return False

    def parse(self, request: WebhookRequest) -> list[ProviderEvent]:
        """Mail has no webhooks.

        Raises:
            ValueError: Always.
        """
        del request
        raise ValueError("the email channel takes no webhooks")

    async def fetch(self) -> Sequence[Fetched]:
        """Return what arrived in the mailbox; nothing where the settings name none.

        Raises:
            SendError: `Transient` or `Misconfigured`: the server could not be asked.
        """
        if self._mailbox is None:
            return []
        arrived = await self._mailbox.unread()
        return await asyncio.to_thread(self._read, arrived)

    async def acknowledge(self, fetched: Sequence[Fetched]) -> None:
        """Mark mails as seen, or move them to where the settings say.

        Raises:
            SendError: The server could not be told.
        """
        if self._mailbox is not None and fetched:
            await self._mailbox.put_away([mail.receipt for mail in fetched])

    def redact(self, text: str) -> str:
        """Replace email addresses."""
        return _ADDRESS.sub("[email]", text)

    async def close(self) -> None:
        """Nothing is kept open between messages."""

    async def _composed(self, message: OutgoingMessage) -> ComposedMail:
        try:
            mail = compose(message, self._settings)
        except (ValueError, MessageError):
            raise Misconfigured("mail can't be composed") from None
        if self._signature is None:
            return mail
        signed = await asyncio.to_thread(self._signature.sign, mail.content)
        return mail._replace(content=signed)

    def _read(self, arrived: Sequence[ArrivedMail]) -> list[Fetched]:
        return [
            Fetched(receipt=mail.receipt, events=tuple(self._reader.read(mail.content)))
            for mail in arrived
        ]

    async def _log_in(self, client: _Client) -> None:
        await client.connect()
        # not within `connect`, which closes the connection where it fails: nobody could tell
        # then who closed it
        if self._settings.security == "starttls":
            await client.starttls()
        if self._settings.username:
            password = self._settings.password.get_secret_value()
            await client.login(self._settings.username, password)

    def _client(self) -> _Client:
        settings = self._settings
        return _Client(
            hostname=settings.host,
            port=settings.port,
            use_tls=settings.security == "tls",
            start_tls=False,
            cert_bundle=str(settings.ca_file) if settings.ca_file else None,
            timeout=_SECONDS,
        )


def _signature_of(settings: EmailSettings) -> MailSignature | None:
    if settings.dkim_key_file is None:
        return None
    domain = settings.dkim_domain or settings.domain
    return MailSignature(settings.dkim_key_file, settings.dkim_selector, domain)


async def _say_goodbye(client: aiosmtplib.SMTP) -> None:
    try:
        async with asyncio.timeout(_SECONDS_TO_PART):
            await client.quit()
    except (aiosmtplib.SMTPException, OSError):
        client.close()  # the message was taken; how the server hangs up changes nothing
