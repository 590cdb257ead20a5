"""What a channel has to know of a Twilio account."""

from typing import Annotated, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings


class TwilioSettings(BaseSettings):
    """An account and a sender; each channel reads them from variables of its own.

    Attributes:
        account_sid: Twilio's account.
        auth_token: Its token; it also signs Twilio's webhooks.
        from_number: The sender, E.164; or give a messaging service.
        messaging_service_sid: A pool of senders.
        base_url: The API's address.
        per_second: How many messages the sender may send in a second, all workers together;
            None: as many as there are, and Twilio queues what is too fast. A US long code sends 1,
            a short code 100: https://www.twilio.com/en-us/blog/take-more-control-of-outbound-messages-using-validity-period-html
            A WhatsApp sender's rate: https://www.twilio.com/docs/whatsapp/best-practices-and-faqs
    """

    account_sid: Annotated[
        str,
        Field(pattern=r"^AC[0-9a-fA-F]{32}$", description="`AC` and 32 hexadecimal digits"),
    ]
    # an empty one would let anybody sign webhooks
    auth_token: Annotated[SecretStr, Field(min_length=1)]
    from_number: Annotated[
        str,
        Field(
            pattern=r"^(\+\d{7,15})?$",
            description="an E.164 number such as +13055550100, without `whatsapp:`",
        ),
    ] = ""
    messaging_service_sid: Annotated[
        str,
        Field(pattern=r"^(MG[0-9a-fA-F]{32})?$", description="`MG` and 32 hexadecimal digits"),
    ] = ""
    base_url: Annotated[
        str,
        Field(
            pattern=r"^https?://[^/]+$",
            description="an address such as https://api.twilio.com, without a path",
        ),
    ] = "https://api.twilio.com"
    per_second: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None

    @field_validator("per_second", mode="before")
    @classmethod
    def _empty_is_none(cls, given: object) -> object:
        return None if given == "" else given

    @model_validator(mode="after")
    def _has_a_sender(self) -> Self:
        if not (self.from_number or self.messaging_service_sid):
            prefix = self.model_config.get("env_prefix", "")
            raise ValueError(f"set {prefix}FROM_NUMBER or {prefix}MESSAGING_SERVICE_SID")
        return self
