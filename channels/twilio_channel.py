"""What SMS and WhatsApp have in common: one account's messages, and its signed webhooks."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

from twilio.request_validator import RequestValidator

from channels.protocol import Fetched, OutgoingMessage, ProviderEvent, Receipt, WebhookRequest
from channels.twilio_client import TwilioMessages
from channels.twilio_settings import TwilioSettings
from channels.twilio_webhooks import read_form

_PHONE = re.compile(r"\+?\d[\d\s().-]{6,}\d")
_SHORTEST_S, _LONGEST_S = 1, 36_000
"""What Twilio takes as a ValidityPeriod: https://www.twilio.com/docs/api/errors/90007"""


class TwilioChannel:
    """A channel by Twilio; it lacks a name, settings, whose address to use, and what to send.

    Args:
        settings: The account and the sender.
        address_prefix: Stands before numbers, for a channel that is not SMS.
    """

    fetches: ClassVar[bool] = False
    settles: ClassVar[bool] = True

    def __init__(self, settings: TwilioSettings, address_prefix: str = "") -> None:
        self._settings = settings
        self._prefix = address_prefix
        self._messages = TwilioMessages(settings)
        self._validator = RequestValidator(settings.auth_token.get_secret_value())

    @property
    def host(self) -> str:
        """The API's host."""
        return self._messages.host

    @property
    def per_second(self) -> float | None:
        """As the settings say."""
        return self._settings.per_second

    async def reconcile(self, message: OutgoingMessage) -> Receipt | None:
        """Look for the message among the latest that Twilio took for this number, by its link."""
        found = await self._messages.find(self._prefix + message.to, message.link)
        return None if found is None else Receipt(provider_id=found)

    def verify(self, request: WebhookRequest) -> bool:
        """Whether Twilio signed the request with our token."""
        signature = request.headers.get("x-twilio-signature", "")
        return bool(self._validator.validate(request.url, dict(request.form), signature))

    def parse(self, request: WebhookRequest) -> list[ProviderEvent]:
        """Read an inbound message or a status callback.

        Raises:
            ValueError: Neither of them.
        """
        return read_form(request.form)

    async def fetch(self) -> Sequence[Fetched]:
        """Nothing: Twilio calls."""
        return []

    async def acknowledge(self, fetched: Sequence[Fetched]) -> None:
        """Nothing was fetched."""
        del fetched

    def redact(self, text: str) -> str:
        """Replace phone numbers."""
        return _PHONE.sub("[phone]", text)

    async def close(self) -> None:
        """Close the HTTP session."""
        await self._messages.close()

    async def _hand_over(self, message: OutgoingMessage, **content: str) -> Receipt:
        service = self._settings.messaging_service_sid
        sender = self._prefix + self._settings.from_number
        by = {"messaging_service_sid": service} if service else {"from_": sender}
        created = await self._messages.create(
            to=self._prefix + message.to,
            status_callback=message.status_url,
            validity_period=_seconds(message.valid_for),
            **content,
            **by,
        )
        return Receipt(provider_id=created)


def _seconds(valid_for: timedelta | None) -> int | None:
    """Return for how long Twilio may keep a message in its queue; None: for as long as it does."""
    if valid_for is None:
        return None
    return min(max(int(valid_for.total_seconds()), _SHORTEST_S), _LONGEST_S)
