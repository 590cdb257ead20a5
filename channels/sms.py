"""SMS by Twilio's Messages API."""

from typing import ClassVar

from pydantic_settings import BaseSettings, SettingsConfigDict

from channels.gsm7 import fold_accents
from channels.protocol import OutgoingMessage, Receipt
from channels.twilio_channel import TwilioChannel
from channels.twilio_settings import TwilioSettings
from clinic.register.contact import Contact


class SmsSettings(TwilioSettings):
    """Settings of the SMS channel; each is the variable REGRESA_SMS_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="REGRESA_SMS_", env_file=".env", extra="ignore")


class SmsChannel(TwilioChannel):
    """Sends text messages, and reads Twilio's signed webhooks."""

    name: ClassVar[str] = "sms"
    settings_model: ClassVar[type[BaseSettings]] = SmsSettings

    def __init__(self, settings: BaseSettings) -> None:
        """Take settings that `settings_model` has checked."""
        super().__init__(SmsSettings.model_validate(settings))

    @staticmethod
    def address_of(contact: Contact) -> tuple[str | None, bool]:
        """Return the patient's phone number."""
        return contact.phone, contact.phone_bad or contact.sms_bad

    async def send(self, message: OutgoingMessage) -> Receipt:
        """Create a message at Twilio, once.

        Raises:
            SendError: One of the closed set.
        """
        return await self._hand_over(message, body=fold_accents(message.text))
