"""SMS by Twilio's Messages API."""

import asyncio
import re
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self
from urllib.parse import urlsplit

import yaml
from aiohttp import ClientConnectorError, ClientError
from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from twilio.base.exceptions import TwilioException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from channels import errors
from channels.gsm7 import fold_accents
from channels.protocol import OutgoingMessage, ProviderEvent, Receipt, WebhookRequest
from clinic.event import EventKind
from clinic.register.contact import Contact

_SECONDS = 10.0
"""To ask about a message, and again to send it: together shorter than an activity's time-out, so
a try ends before the next begins."""

_PHONE = re.compile(r"\+?\d[\d\s().-]{6,}\d")
_TOO_MANY, _SERVER_ERRORS = 429, range(500, 600)
_UNREADABLE = "twilio unreadable answer"
_FAILED_AS = {"permanent": EventKind.BOUNCED, "opted_out": EventKind.OPTED_OUT}
"""What a message that failed after it was taken means for the patient."""


class SmsSettings(BaseSettings):
    """Settings of the SMS channel; each is the variable REGRESA_SMS_<NAME>.

    Attributes:
        account_sid: Twilio's account.
        auth_token: Its token; it also signs Twilio's webhooks.
        from_number: The sender, E.164; or give a messaging service.
        messaging_service_sid: A pool of senders.
        base_url: The API's address.
    """

    model_config = SettingsConfigDict(env_prefix="REGRESA_SMS_", env_file=".env", extra="ignore")

    account_sid: Annotated[str, Field(pattern=r"^AC[0-9a-fA-F]{32}$")]
    # an empty one would let anybody sign webhooks
    auth_token: Annotated[SecretStr, Field(min_length=1)]
    from_number: Annotated[str, Field(pattern=r"^(\+\d{7,15})?$")] = ""
    messaging_service_sid: Annotated[str, Field(pattern=r"^(MG[0-9a-fA-F]{32})?$")] = ""
    base_url: Annotated[str, Field(pattern=r"^https?://[^/]+$")] = "https://api.twilio.com"

    @model_validator(mode="after")
    def _has_a_sender(self) -> Self:
        if not (self.from_number or self.messaging_service_sid):
            raise ValueError("set REGRESA_SMS_FROM_NUMBER or REGRESA_SMS_MESSAGING_SERVICE_SID")
        return self


class SmsChannel:
    """Sends text messages, and reads Twilio's signed webhooks."""

    name: ClassVar[str] = "sms"
    settings_model: ClassVar[type[BaseSettings]] = SmsSettings
    settles: ClassVar[bool] = True

    def __init__(self, settings: BaseSettings) -> None:
        """Take settings that `settings_model` has checked."""
        self._settings = SmsSettings.model_validate(settings)
        self._validator = RequestValidator(self._settings.auth_token.get_secret_value())
        self._twilio: Client | None = None

    @property
    def host(self) -> str:
        """The API's host."""
        return urlsplit(self._settings.base_url).hostname or ""

    @staticmethod
    def address_of(contact: Contact) -> tuple[str | None, bool]:
        """Return the patient's phone number."""
        return contact.phone, contact.phone_bad or contact.sms_bad

    async def send(self, message: OutgoingMessage) -> Receipt:
        """Create a message at Twilio; never repeated by the client itself.

        Raises:
            SendError: One of the closed set.
        """
        sender = self._settings.messaging_service_sid
        by = {"messaging_service_sid": sender} if sender else {"from_": self._settings.from_number}
        create: Any = self._client().messages.create_async
        try:
            async with asyncio.timeout(_SECONDS):  # the client takes one and never applies it
                created = await create(
                    to=message.to,
                    body=fold_accents(message.text),
                    status_callback=message.status_url,
                    **by,
                )
        except TwilioException as error:
            raise _meaning_of(error) from None
        except (ClientError, OSError) as error:
            raise _broken(error) from None
        except ValueError:
            raise errors.Uncertain(_UNREADABLE) from None
        if not created.sid:
            raise errors.Uncertain(_UNREADABLE)
        return Receipt(provider_id=created.sid)

    async def reconcile(self, message: OutgoingMessage) -> Receipt | None:
        """Look for the message among the latest that Twilio took for this number.

        Its text carries a link that no other message has. Dates decide nothing: a message that
        still waits in Twilio's queue was sent at none.
        """
        try:
            async with asyncio.timeout(_SECONDS):
                listed = await self._client().messages.list_async(to=message.to, limit=100)
        except TwilioException as error:
            raise _could_not_ask(error) from None
        except (ClientError, OSError, ValueError) as error:
            raise errors.Transient(type(error).__name__) from None
        for taken in listed:
            if message.link in (taken.body or ""):
                return Receipt(provider_id=str(taken.sid))
        return None

    def verify(self, request: WebhookRequest) -> bool:
        """Whether Twilio signed the request with our token."""
        signature = request.headers.get("x-twilio-signature", "")
        return bool(self._validator.validate(request.url, dict(request.form), signature))

    def parse(self, request: WebhookRequest) -> list[ProviderEvent]:
        """Read an inbound message or a status callback.

        Raises:
            ValueError: Neither of them.
        """
        form = request.form
        sid = form.get("MessageSid", "")
        status = form.get("MessageStatus")
        if not sid:
            raise ValueError("MessageSid is missing")
        if status is not None:
            return [_status(sid, status, form.get("ErrorCode"))]
        if "From" not in form or "Body" not in form:
            raise ValueError("neither a message nor a status")
        return [
            ProviderEvent(key=sid, kind=EventKind.REPLY, from_phone=form["From"], body=form["Body"])
        ]

    def redact(self, text: str) -> str:
        """Replace phone numbers."""
        return _PHONE.sub("[phone]", text)

    async def close(self) -> None:
        """Close the HTTP session."""
        if self._twilio is not None:
            await self._twilio.http_client.close()

    def _client(self) -> Client:
        # built on first use: its HTTP session belongs to the running event loop
        if self._twilio is None:
            self._twilio = Client(
                self._settings.account_sid,
                self._settings.auth_token.get_secret_value(),
                http_client=AsyncTwilioHttpClient(),
            )
            self._twilio.api.base_url = self._settings.base_url
        return self._twilio


def _status(sid: str, status: str, code: str | None) -> ProviderEvent:
    failed = status in ("undelivered", "failed")
    meaning = (_kind(code) or "") if failed else ""
    return ProviderEvent(
        key=f"{sid}.{status}",
        kind=_FAILED_AS.get(meaning, EventKind.UNKNOWN),
        provider_id=sid,
        status=status,
        failure=code,
        misconfigured=meaning == "misconfigured",
    )


def _meaning_of(error: TwilioException) -> errors.SendError:
    status, code = _status_and_code(error)
    said = f"twilio {code or status}"
    match _kind(code):
        case "permanent":
            return errors.Permanent(said)
        case "opted_out":
            return errors.OptedOut(said)
        case "misconfigured":
            return errors.Misconfigured(said)
        case "transient":
            return errors.Transient(said)
    if status == _TOO_MANY:  # "never processed, always safe to retry"
        return errors.Transient(said)
    if status in _SERVER_ERRORS:
        return errors.Uncertain(said)
    # a refusal of ours that the table does not know: better held than burnt
    return errors.Misconfigured(said)


def _could_not_ask(error: TwilioException) -> errors.SendError:
    """Nothing was sent by asking: what is not ours to mend may be asked again."""
    status, code = _status_and_code(error)
    said = f"twilio {code or status}"
    if status == _TOO_MANY or status in _SERVER_ERRORS:
        return errors.Transient(said)
    return errors.Misconfigured(said)


def _status_and_code(error: TwilioException) -> tuple[int, str]:
    """Read the HTTP status and Twilio's code; a refused list gives the bare response."""
    for given in error.args:
        if isinstance(given, Response):
            return given.status_code, ""
    return getattr(error, "status", 0), str(getattr(error, "code", None) or "")


def _broken(error: Exception) -> errors.SendError:
    never_connected = isinstance(error, ClientConnectorError | ConnectionRefusedError)
    kind = errors.Transient if never_connected else errors.Uncertain
    return kind(type(error).__name__)


def _kind(code: str | None) -> str | None:
    return _kinds().get(code or "")


@cache
def _kinds() -> dict[str, str]:
    table: dict[str, list[int]] = yaml.safe_load(
        Path(__file__).with_name("twilio_codes.yaml").read_text(encoding="utf-8")
    )
    return {str(code): kind for kind, codes in table.items() for code in codes}
