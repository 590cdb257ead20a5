"""WhatsApp by Twilio's Messages API: approved texts, and free ones while the patient is talking."""

import json
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from pydantic_settings import BaseSettings, SettingsConfigDict

from channels.errors import Misconfigured
from channels.protocol import OutgoingMessage, Receipt
from channels.twilio_channel import TwilioChannel
from channels.twilio_settings import TwilioSettings
from channels.twilio_webhooks import WHATSAPP
from clinic.register.contact import Contact

_FREE_TEXT_FOR = timedelta(hours=23)
"""WhatsApp takes free text for 24 hours after the patient's last message
(https://www.twilio.com/docs/api/errors/63016). The last of them is left to Twilio's queue: an
approved text may go out at any time."""

_NOTHING = "-"
"""WhatsApp refuses an empty value (https://www.twilio.com/docs/api/errors/63013)."""


class WhatsAppSettings(TwilioSettings):
    """Settings of the WhatsApp channel; each is the variable REGRESA_WHATSAPP_<NAME>."""

    model_config = SettingsConfigDict(
        env_prefix="REGRESA_WHATSAPP_", env_file=".env", extra="ignore"
    )


class WhatsAppChannel(TwilioChannel):
    """Sends WhatsApp messages, and reads Twilio's signed webhooks."""

    name: ClassVar[str] = "whatsapp"
    settings_model: ClassVar[type[BaseSettings]] = WhatsAppSettings

    def __init__(self, settings: BaseSettings) -> None:
        """Take settings that `settings_model` has checked."""
        super().__init__(WhatsAppSettings.model_validate(settings), WHATSAPP)

    @staticmethod
    def address_of(contact: Contact) -> tuple[str | None, bool]:
        """Return the patient's phone number, also one that takes no SMS: a landline may do."""
        return contact.phone, contact.phone_bad

    async def send(self, message: OutgoingMessage) -> Receipt:
        """Create a message at Twilio, once: the free text within the window, else the approved one.

        Raises:
            SendError: One of the closed set; `Misconfigured` too where the window is closed and
                there is no approved text.
        """
        heard_at = message.heard_at
        if heard_at is not None and datetime.now(UTC) - heard_at < _FREE_TEXT_FOR:
            return await self._hand_over(message, body=message.text)
        if not message.approved_text:
            raise Misconfigured("whatsapp no approved text")
        values = {number: _one_line(value) for number, value in message.values.items()}
        return await self._hand_over(
            message,
            content_sid=message.approved_text,
            content_variables=json.dumps(values, ensure_ascii=False),
        )


def _one_line(value: str) -> str:
    """Return a value as WhatsApp takes it: not empty, no new line, no run of spaces."""
    return " ".join(value.split()) or _NOTHING
