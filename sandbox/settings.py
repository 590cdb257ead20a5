"""What the sandbox is told from outside: its ports, the secrets it checks, who answers."""

import ipaddress
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, FilePath, SecretStr, StringConstraints, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from sandbox.personas import PERSONA_WEIGHTS, Persona
from sandbox.random_faults import RandomFault, check_shares

ENV_PREFIX = "REGRESA_SANDBOX_"

Secret = Annotated[SecretStr, Field(min_length=1)]


class SandboxSettings(BaseSettings):
    """The settings of the sandbox, read from ``REGRESA_SANDBOX_*`` or given by name.

    Secrets have no default: a stand-in with a password known to everyone would be copied into
    places where it matters.
    """

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, extra="forbid")

    host: str = "127.0.0.1"
    """The loopback address to listen on."""
    smtp_port: int = Field(default=8025, ge=0, le=65_535)
    """The port of the SMTP server; 0 chooses a free one."""
    http_port: int = Field(default=8026, ge=0, le=65_535)
    """The port of the Twilio look-alike and the observer; 0 chooses a free one."""

    imap_port: int | None = Field(default=None, ge=0, le=65_535)
    """The port of the clinic's own mailbox; 0 chooses a free one, None: there is no mailbox."""

    smtp_user: str = "aurora"
    """Who logs in, by SMTP and by IMAP."""
    smtp_password: Secret
    ca_file: Path
    """Where the sandbox writes the certificate (PEM) of its authority, for clients to trust."""

    twilio_account_sid: Annotated[str, StringConstraints(pattern=r"^AC[0-9a-f]{32}$")]
    twilio_auth_token: Secret
    twilio_numbers: tuple[str, ...] = ()
    """Numbers (E.164) the account owns; another ``From`` is refused. Empty: any number."""

    webhook_url: str | None = None
    """The product's public URL for inbound SMS, exactly as the product checks signatures."""
    whatsapp_webhook_url: str | None = None
    """The product's public URL for inbound WhatsApp messages; None: the same as for SMS."""
    twilio_contents: Mapping[str, str] = {}
    """Approved WhatsApp texts by ContentSid, with places like ``{{1}}``. Empty: any id will do."""
    webhook_pauses: tuple[float, ...] = (0.25, 0.5, 1.0, 2.0, 4.0)
    """Seconds before each repeat of a webhook that was not taken; then it is given up."""

    faults: Mapping[RandomFault, float] = {}
    """The share of all submissions that meets each fault, besides the faults by address."""

    patients: bool = False
    """Whether simulated patients answer the messages."""
    register_file: FilePath | None = None
    """The clinic's register (CSV, UTF-8), to know which patient a message reached."""
    bookings_url: str | None = None
    """Where the clinic's own software reports bookings."""
    bookings_token: SecretStr | None = None
    seed: int = 1
    """Decides who is who among the patients, and which submissions meet a fault."""
    answer_after: tuple[float, float] = (1.0, 5.0)
    """Patients answer so many seconds after a message, at least and at most."""
    persona_weights: Mapping[Persona, float] = PERSONA_WEIGHTS
    patients_sign: bool = False
    """Whether patients end what they write with their number at the clinic: no two say the same."""
    page_pauses: tuple[float, ...] = ()
    """Seconds until a patient tries again a page that did not open; by default they give up."""

    @field_validator("host")
    @classmethod
    def _is_loopback(cls, host: str) -> str:
        if not ipaddress.IPv4Address(host).is_loopback:
            raise ValueError("the sandbox listens on loopback only, such as 127.0.0.1")
        return host

    @field_validator("faults")
    @classmethod
    def _are_shares(cls, faults: Mapping[RandomFault, float]) -> Mapping[RandomFault, float]:
        check_shares(faults)
        return faults

    @field_validator("answer_after")
    @classmethod
    def _is_a_span(cls, span: tuple[float, float]) -> tuple[float, float]:
        if not 0 <= span[0] <= span[1]:
            raise ValueError("two numbers of seconds, the smaller first")
        return span

    @field_validator("persona_weights")
    @classmethod
    def _sums_to_one(cls, weights: Mapping[Persona, float]) -> Mapping[Persona, float]:
        if min(weights.values(), default=0) < 0 or not math.isclose(sum(weights.values()), 1):
            raise ValueError("the weights are shares that sum to 1")
        return weights

    @model_validator(mode="after")
    def _patients_have_what_they_need(self) -> Self:
        if not self.patients:
            return self
        needed = ("register_file", "webhook_url", "bookings_url", "bookings_token")
        missing = [ENV_PREFIX + name.upper() for name in needed if getattr(self, name) is None]
        if missing:
            raise ValueError("simulated patients need " + ", ".join(missing))
        return self
