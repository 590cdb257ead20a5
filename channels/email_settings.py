"""What the email channel is told by its environment."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from channels.loopback import is_loopback
from channels.mail_signature import read_key

Security = Literal["starttls", "tls", "none"]

_LONGEST_LOCAL_PART = 64
"""RFC 5321, section 4.5.3.1.1."""

_LONGEST_PLUS = len("+at-0123456789abcdef.9999")


class EmailSettings(BaseSettings):
    """Settings of the email channel; each is the variable REGRESA_EMAIL_<NAME>.

    Attributes:
        host: The SMTP server.
        port: Its port; 587 is the standard one for submission.
        security: `starttls` (port 587), `tls` (port 465), or `none` (loopback only).
        username: Empty: no login.
        from_address: The sender's address, ASCII; the sender's name is the clinic's.
        ca_file: Certificates to trust besides the system's, for servers with their own.
        per_second: How many messages all workers together may hand over in a second; empty: as
            many as the server takes.
        reply_plus: Replies are asked to `local+message@domain` instead of the sender's address,
            so that they are matched where a mail program loses the thread; only for a server
            that brings such addresses into the same mailbox (RFC 5233).
        dkim_key_file: The private key (PEM) that signs mail, RSA or Ed25519; empty: the server
            signs, or nobody does.
        dkim_selector: Under which name the public key stands in the DNS.
        dkim_domain: Whose DNS; empty: the domain of `from_address`.
        imap_host: The IMAP server that replies and bounces arrive at; empty: none are fetched.
        imap_port: Its port; empty: 993 for `tls`, else 143.
        imap_security: `tls`, `starttls`, or `none` (loopback only).
        imap_username: The mailbox's user.
        imap_folder: The folder that is read.
        imap_done_folder: Where mails are moved once they are stored; empty: they stay, and are
            marked.
    """

    model_config = SettingsConfigDict(env_prefix="REGRESA_EMAIL_", env_file=".env", extra="ignore")

    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    security: Security = "starttls"
    username: str = ""
    password: SecretStr = SecretStr("")
    from_address: Annotated[
        str,
        Field(
            pattern=r"^[!-?A-~]+@[!-?A-~]+$",
            description="an address alone, in ASCII, such as hello@your-clinic.example",
        ),
    ]
    ca_file: Path | None = None
    per_second: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    reply_plus: bool = False
    dkim_key_file: Path | None = None
    dkim_selector: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9._-]*$", description="a name in the DNS, such as spring")
    ] = ""
    dkim_domain: Annotated[
        str,
        Field(pattern=r"^[A-Za-z0-9.-]*$", description="a domain such as your-clinic.example"),
    ] = ""
    imap_host: str = ""
    imap_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    imap_security: Security = "tls"
    imap_username: str = ""
    imap_password: SecretStr = SecretStr("")
    imap_folder: Annotated[str, Field(min_length=1)] = "INBOX"
    imap_done_folder: str = ""

    @field_validator("per_second", "imap_port", "dkim_key_file", "ca_file", mode="before")
    @classmethod
    def _empty_is_none(cls, given: object) -> object:
        return None if given == "" else given

    @field_validator("security")
    @classmethod
    def _is_secured(cls, security: str, info: ValidationInfo) -> str:
        return _secured(security, info.data.get("host"))

    @field_validator("imap_security")
    @classmethod
    def _imap_is_secured(cls, security: str, info: ValidationInfo) -> str:
        return _secured(security, info.data.get("imap_host") or None)

    @field_validator("reply_plus")
    @classmethod
    def _plus_fits(cls, wanted: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 - pydantic's
        local = str(info.data.get("from_address", "")).partition("@")[0]
        if wanted and len(local) + _LONGEST_PLUS > _LONGEST_LOCAL_PART:
            raise ValueError("the sender's address is too long to have a part added to it")
        return wanted

    @field_validator("dkim_key_file")
    @classmethod
    def _key_is_readable(cls, file: Path | None) -> Path | None:
        if file is not None:
            read_key(file)
        return file

    @field_validator("dkim_selector")
    @classmethod
    def _key_and_selector(cls, selector: str, info: ValidationInfo) -> str:
        if info.data.get("dkim_key_file") is not None and not selector:
            raise ValueError("name the selector under which the public key stands in the DNS")
        return selector

    @field_validator("imap_username")
    @classmethod
    def _imap_needs_a_user(cls, user: str, info: ValidationInfo) -> str:
        if info.data.get("imap_host") and not user:
            raise ValueError("name the mailbox's user: REGRESA_EMAIL_IMAP_HOST is set")
        return user

    @field_validator("imap_password")
    @classmethod
    def _imap_needs_a_password(cls, password: SecretStr, info: ValidationInfo) -> SecretStr:
        if info.data.get("imap_host") and not password.get_secret_value():
            raise ValueError("is missing: REGRESA_EMAIL_IMAP_HOST is set")
        return password

    @property
    def domain(self) -> str:
        """The domain of the sender's address."""
        return self.from_address.partition("@")[2]


def _secured(security: str, host: str | None) -> str:
    if security == "none" and host is not None and not is_loopback(host):
        raise ValueError(f"`none` is for a server on this machine, and {host} is not")
    return security
