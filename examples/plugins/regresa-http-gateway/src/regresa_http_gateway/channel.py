"""The channel: text messages by an HTTP gateway that takes our own id with each of them."""

import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple
from urllib.parse import quote, urlsplit

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
)
from pydantic_settings import BaseSettings

from channels.errors import Misconfigured, Transient, Uncertain
from channels.protocol import Fetched, OutgoingMessage, ProviderEvent, Receipt, WebhookRequest
from clinic.register.contact import Contact
from regresa_http_gateway import codes, webhooks
from regresa_http_gateway.settings import GatewaySettings

_TIMEOUT = ClientTimeout(total=10, connect=5)
"""To ask about a message, and again to send it: together shorter than an activity's time-out of
30 seconds, so that a try ends before the next begins."""

_PHONE = re.compile(r"\+?\d[\d\s().-]{6,}\d")
_NOT_TAKEN = (ClientConnectorError, ConnectionTimeoutError, ConnectionRefusedError)
_TAKEN = range(200, 300)
_BROKEN = (ClientError, OSError, TimeoutError)
_UNREADABLE = "gateway unreadable answer"
_UNKNOWN_MESSAGE = "unknown_message"


class _Answer(NamedTuple):
    """What the gateway answered.

    Attributes:
        status: The HTTP status.
        said: Its JSON object; empty where it was none.
        retry_after: The header of that name.
    """

    status: int
    said: Mapping[str, Any]
    retry_after: str | None

    @property
    def code(self) -> str:
        """The gateway's code; empty where it gave none that could be one."""
        error = self.said.get("error")
        code = error.get("code") if isinstance(error, dict) else None
        # what is logged must not be a text that holds a number
        return code if isinstance(code, str) and re.fullmatch(r"[a-z_]{1,40}", code) else ""

    @property
    def receipt(self) -> Receipt | None:
        """The message's id at the gateway."""
        found = self.said.get("id")
        return Receipt(provider_id=found) if isinstance(found, str) and found else None


class GatewayChannel:
    """Sends text messages, asks what became of them, and reads signed webhooks."""

    name: ClassVar[str] = "gateway"
    settings_model: ClassVar[type[BaseSettings]] = GatewaySettings
    settles: ClassVar[bool] = True
    fetches: ClassVar[bool] = False

    def __init__(self, settings: BaseSettings) -> None:
        """Take settings that `settings_model` has checked."""
        self._settings = GatewaySettings.model_validate(settings)
        self._session: ClientSession | None = None

    @property
    def host(self) -> str:
        """The API's host."""
        return urlsplit(self._settings.base_url).hostname or ""

    @property
    def per_second(self) -> float | None:
        """What the contract with the gateway allows."""
        return self._settings.per_second

    @staticmethod
    def address_of(contact: Contact) -> tuple[str | None, bool]:
        """Return the patient's phone number; one that takes no text messages is a bad one."""
        return contact.phone, contact.phone_bad or contact.sms_bad

    async def send(self, message: OutgoingMessage) -> Receipt:
        """Post a message, once.

        Raises:
            SendError: One of the closed set.
        """
        fields: dict[str, Any] = {
            "id": webhooks.own_id(message),
            "to": message.to.removeprefix("+"),
            "from": self._settings.sender,
            "text": message.text,
            "report_to": message.status_url,
        }
        if message.valid_for is not None:
            fields["ttl"] = int(message.valid_for.total_seconds())
        body = {"json": fields} if self._settings.body_format == "json" else {"data": fields}
        try:
            answer = await self._ask("POST", self._settings.send_path, **body)
        except _NOT_TAKEN as error:
            raise Transient(type(error).__name__) from None
        except _BROKEN as error:
            raise Uncertain(type(error).__name__) from None
        if answer.status in _TAKEN:
            if answer.receipt is None:
                raise Uncertain(_UNREADABLE)
            return answer.receipt
        raise codes.refused(answer.status, answer.code, codes.pause(answer.retry_after))

    async def reconcile(self, message: OutgoingMessage) -> Receipt | None:
        """Ask for the message by our own id.

        Raises:
            SendError: The gateway could not be asked.
        """
        path = self._settings.status_path.replace("{id}", quote(webhooks.own_id(message), safe=""))
        try:
            answer = await self._ask("GET", path)
        except _BROKEN as error:
            raise Transient(type(error).__name__) from None
        said = f"gateway {answer.code or answer.status}"
        if answer.status in _TAKEN:
            if answer.receipt is None:
                raise Transient(_UNREADABLE)
            return answer.receipt
        # a bare 404 may be that of a wrong path, and what it hides would be sent twice
        if answer.code == _UNKNOWN_MESSAGE:
            return None
        if answer.status == codes.TOO_MANY or answer.status in codes.SERVER_ERRORS:
            raise Transient(said, codes.pause(answer.retry_after))
        raise Misconfigured(said)

    def verify(self, request: WebhookRequest) -> bool:
        """Whether the gateway signed the request with our secret."""
        given = request.headers.get(self._settings.signature_header.lower(), "")
        secret = self._settings.webhook_secret.get_secret_value()
        return webhooks.is_signed(secret, request.body, given)

    def parse(self, request: WebhookRequest) -> list[ProviderEvent]:
        """Read a patient's message or a report.

        Raises:
            ValueError: Neither of them.
        """
        return [webhooks.read(request.body)]

    async def fetch(self) -> Sequence[Fetched]:
        """Nothing is fetched: the gateway calls the webhook."""
        return []

    async def acknowledge(self, fetched: Sequence[Fetched]) -> None:
        """Nothing was fetched."""
        del fetched

    def redact(self, text: str) -> str:
        """Replace phone numbers."""
        return _PHONE.sub("[phone]", text)

    async def close(self) -> None:
        """Close the HTTP session."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _ask(self, method: str, path: str, **body: Any) -> _Answer:
        # a redirect would be followed by a second request
        url = self._settings.base_url + path
        async with self._http().request(method, url, allow_redirects=False, **body) as response:
            try:
                said = json.loads(await response.read())
            except (ValueError, RecursionError):
                said = None
            return _Answer(
                status=response.status,
                said=said if isinstance(said, dict) else {},
                retry_after=response.headers.get("Retry-After"),
            )

    def _http(self) -> ClientSession:
        # built on first use: it belongs to the running event loop. aiohttp repeats no POST
        if self._session is None:
            key = self._settings.api_key.get_secret_value()
            login = self._settings.login
            basic = b64encode(f"{login}:{key}".encode()).decode()
            authorization = f"Basic {basic}" if login else f"Bearer {key}"
            self._session = ClientSession(
                timeout=_TIMEOUT, headers={"Authorization": authorization}
            )
        return self._session
