"""What the channel is told by the environment or a `.env` file."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from channels.loopback import is_loopback

_Path = Annotated[str, Field(pattern=r"^/\S*$", description="a path such as /messages")]


class GatewaySettings(BaseSettings):
    """Settings of the gateway channel; each is the variable REGRESA_GATEWAY_<NAME>.

    Attributes:
        base_url: The API's address, without a final slash.
        api_key: The account's key or password.
        login: Where it is given, login and key are sent by HTTP Basic; else the key as a bearer.
        sender: The name or number that patients see; the gateway has to know it.
        body_format: How the gateway takes a message: `json`, or `form` fields.
        send_path: Where messages are posted.
        status_path: Where a message is asked for; `{id}` stands for our own id of it.
        per_second: How many messages all workers together may hand over in a second.
        webhook_secret: Signs the gateway's webhooks; at least 16 characters.
        signature_header: The header that holds the signature.
    """

    model_config = SettingsConfigDict(
        env_prefix="REGRESA_GATEWAY_", env_file=".env", extra="ignore"
    )

    # a description is what a refusal says of a pattern
    base_url: Annotated[
        str,
        Field(
            pattern=r"^https?://[^/\s]+(/\S*[^/\s])?$",
            description="an address such as https://your-gateway.example/api, no slash at its end",
        ),
    ]
    api_key: Annotated[SecretStr, Field(min_length=1)]
    login: str = ""
    sender: Annotated[str, Field(min_length=1, max_length=20)]
    body_format: Literal["json", "form"] = "json"
    send_path: _Path = "/messages"
    status_path: Annotated[
        _Path, Field(pattern=r"\{id\}", description="a path with {id} in it, as /messages/{id}")
    ] = "/messages/{id}"
    per_second: Annotated[float, Field(gt=0)] | None = 10
    # a short one could be guessed, and then anybody could write as a patient
    webhook_secret: Annotated[SecretStr, Field(min_length=16)]
    signature_header: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9-]+$", description="a header's name, such as X-Signature")
    ] = "X-Signature"

    @field_validator("base_url")
    @classmethod
    def _is_encrypted(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            raise ValueError("write https://: key and messages must not travel in the clear")
        return url
