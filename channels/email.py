"""Email by SMTP: STARTTLS and login, a Message-ID that is the same on every try."""

import asyncio
import re
import ssl
from email.errors import MessageError
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import aiosmtplib
from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from channels.errors import Misconfigured, Permanent, SendError, Transient, Uncertain
from channels.loopback import is_loopback
from channels.protocol import OutgoingMessage, ProviderEvent, Receipt, WebhookRequest
from clinic.register.contact import Contact

_SECONDS = 10
"""To get through to the server, and again to hand the message over: together shorter than an
activity's time-out, so a try ends before the next begins."""

_SECONDS_TO_PART = 2
"""For the server to answer QUIT: by then the message is taken, and the receipt waits."""

_ADDRESS = re.compile(r"[^\s<>\"']+@[^\s<>\"']+")
_TEMPORARY = range(400, 500)
_ENHANCED = re.compile(r"(?<![\d.])5\.(\d{1,3})\.\d{1,3}(?!\.?\d)")
"""An enhanced status (RFC 3463), by its subject; a longer dotted number is an IP address."""
_OF_ADDRESS, _OF_MAILBOX, _OF_POLICY = "1", "2", "7"
_BROKEN_OFF = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
"""TLS that ended without a reason: the connection's fault, not the settings'."""


class _UrlHeader(UnstructuredHeader, BaseHeader):
    """Stands on the wire as it is: the library would turn a long URL into encoded words."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("list-unsubscribe", _UrlHeader)
_POLICY = SMTP.clone(header_factory=_HEADERS)


class EmailSettings(BaseSettings):
    """Settings of the email channel; each is the variable REGRESA_EMAIL_<NAME>.

    Attributes:
        host: The SMTP server.
        port: Its port; 587 is the standard one for submission.
        security: `starttls` (port 587), `tls` (port 465), or `none` (loopback only).
        username: Empty: no login.
        from_address: The sender's address, ASCII; the sender's name is the clinic's.
        ca_file: Certificates to trust besides the system's, for a server with its own.
    """

    model_config = SettingsConfigDict(env_prefix="REGRESA_EMAIL_", env_file=".env", extra="ignore")

    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    password: SecretStr = SecretStr("")
    from_address: Annotated[str, Field(pattern=r"^[!-?A-~]+@[!-?A-~]+$")]
    ca_file: Path | None = None

    @field_validator("security")
    @classmethod
    def _is_secured(cls, security: str, info: ValidationInfo) -> str:
        host = info.data.get("host")
        if security == "none" and host is not None and not is_loopback(host):
            raise ValueError(f"`none` is for a server on this machine, and {host} is not")
        return security


class EmailChannel:
    """Sends plain-text mail with one-click unsubscribe (RFC 8058)."""

    name: ClassVar[str] = "email"
    settings_model: ClassVar[type[BaseSettings]] = EmailSettings
    settles: ClassVar[bool] = False

    def __init__(self, settings: BaseSettings) -> None:
        """Take settings that `settings_model` has checked."""
        self._settings = EmailSettings.model_validate(settings)

    @property
    def host(self) -> str:
        """The SMTP server's host."""
        return self._settings.host

    @staticmethod
    def address_of(contact: Contact) -> tuple[str | None, bool]:
        """Return the patient's email address."""
        return contact.email, contact.email_bad

    async def send(self, message: OutgoingMessage) -> Receipt:
        """Hand a message to the SMTP server.

        Raises:
            SendError: One of the closed set.
        """
        try:
            mail = self._compose(message)
        except (ValueError, MessageError):
            raise Misconfigured("mail can't be composed") from None
        client = self._client()
        try:
            async with asyncio.timeout(_SECONDS):
                await client.connect()
                if self._settings.username:
                    password = self._settings.password.get_secret_value()
                    await client.login(self._settings.username, password)
        except (aiosmtplib.SMTPException, OSError) as error:
            client.close()
            raise _before_the_message(error) from None
        try:
            async with asyncio.timeout(_SECONDS):
                await client.send_message(mail)
        except (aiosmtplib.SMTPException, OSError) as error:
            client.close()
            raise _with_the_message(error) from None
        await _say_goodbye(client)
        return Receipt(provider_id=str(mail["Message-ID"]))

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

    def redact(self, text: str) -> str:
        """Replace email addresses."""
        return _ADDRESS.sub("[email]", text)

    async def close(self) -> None:
        """Nothing is kept open between messages."""

    def _client(self) -> aiosmtplib.SMTP:
        settings = self._settings
        return aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            use_tls=settings.security == "tls",
            start_tls=settings.security == "starttls",
            cert_bundle=str(settings.ca_file) if settings.ca_file else None,
            timeout=_SECONDS,
        )

    def _compose(self, message: OutgoingMessage) -> EmailMessage:
        mail = EmailMessage(policy=_POLICY)
        local, _, domain = self._settings.from_address.partition("@")
        mail["From"] = Address(message.sender, local, domain)
        mail["To"] = message.to
        mail["Subject"] = message.subject
        mail["Date"] = message.claimed_at
        mail["Message-ID"] = f"<{message.key}@{domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail["List-Unsubscribe"] = f"<{message.stop_url}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        mail.set_content(message.text + "\n")
        mail["Content-Language"] = message.language  # setting the content drops such headers
        return mail


def _before_the_message(error: Exception) -> SendError:
    match error:
        case aiosmtplib.SMTPAuthenticationError(code=code) if code not in _TEMPORARY:
            return Misconfigured(f"smtp {code} login")
        case aiosmtplib.SMTPResponseException(code=code):
            return Transient(f"smtp {code}")
        case _ if _is_about_tls(error):
            return Misconfigured("smtp tls")
        case FileNotFoundError() | PermissionError():
            return Misconfigured("smtp ca_file")
        case _ if type(error) is aiosmtplib.SMTPException:
            # the settings ask for TLS or a login, and the server offers none
            return Misconfigured("smtp not offered")
        case _:
            return Transient(type(error).__name__)


def _is_about_tls(error: Exception) -> bool:
    """Tell whether the two sides can't agree on TLS, as with a certificate nobody knows."""
    reason = error if isinstance(error, ssl.SSLError) else error.__cause__
    return isinstance(reason, ssl.SSLError) and not isinstance(reason, _BROKEN_OFF)


def _with_the_message(error: Exception) -> SendError:
    match error:
        case aiosmtplib.SMTPRecipientsRefused(recipients=[refused, *_]):
            return _refused(refused.code, policy=_OF_POLICY in _subjects(refused.message))
        case aiosmtplib.SMTPSenderRefused(code=code) | aiosmtplib.SMTPHeloError(code=code):
            if code in _TEMPORARY:
                return Transient(f"smtp {code} sender")
            return Misconfigured(f"smtp {code} sender")
        case aiosmtplib.SMTPDataError(code=code, message=said):
            # the address was taken before: only what says so is about the address after all
            about = _subjects(said)
            return _refused(code, policy=not about <= {_OF_ADDRESS, _OF_MAILBOX})
        case aiosmtplib.SMTPNotSupported():  # the address is not ASCII, and the server's mail is
            return Permanent("smtp no smtputf8")
        case _:  # the connection broke, or the answer never came: it may have been taken
            return Uncertain(type(error).__name__)


def _refused(code: int, *, policy: bool) -> SendError:
    if code in _TEMPORARY:
        return Transient(f"smtp {code}")
    return Misconfigured(f"smtp {code} policy") if policy else Permanent(f"smtp {code}")


def _subjects(said: str) -> set[str]:
    return set(_ENHANCED.findall(said))


async def _say_goodbye(client: aiosmtplib.SMTP) -> None:
    try:
        async with asyncio.timeout(_SECONDS_TO_PART):
            await client.quit()
    except (aiosmtplib.SMTPException, OSError):
        client.close()  # the message was taken; how the server hangs up changes nothing
