"""What contacting patients costs the clinic, as `clinic.yaml` says it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated

from babel.numbers import list_currencies
from pydantic import BaseModel, ConfigDict, Field, field_validator

from clinic.plan import CALL

Price = Annotated[Decimal, Field(ge=0, le=1_000_000, allow_inf_nan=False)]


class Costs(BaseModel):
    """Prices, in one currency.

    Attributes:
        currency: ISO 4217 code, such as `USD`.
        messages: Of one message, by channel. The ledger keeps no text, so an SMS of several
            segments counts as one: give the price of a usual one.
        call: Of one call, mostly the time of whoever calls; it counts whether somebody answers or
            not. None: calls have no price yet.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    messages: Mapping[str, Price] = {}
    call: Price | None = None

    @field_validator("currency")
    @classmethod
    def _currency_exists(cls, code: str) -> str:
        if code not in list_currencies():
            raise ValueError(f"`{code}` is no currency: write for example USD, EUR, COP")
        return code

    @field_validator("messages")
    @classmethod
    def _calls_stand_apart(cls, messages: Mapping[str, Price]) -> Mapping[str, Price]:
        if CALL in messages:
            raise ValueError("`call` is no message: write its price beside `messages`")
        return messages

    def price_of(self, channel: str) -> Decimal | None:
        """Return what one contact costs on a channel; None: the clinic has not said it."""
        return self.call if channel == CALL else self.messages.get(channel)
