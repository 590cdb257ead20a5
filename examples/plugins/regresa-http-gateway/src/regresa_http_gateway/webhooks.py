"""The gateway's webhooks: signed JSON, a message from a patient or a report about one of ours."""

import hmac
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from channels.protocol import OutgoingMessage, ProviderEvent
from clinic.event import EventKind
from regresa_http_gateway.codes import meaning_of

_Id = Annotated[str, Field(min_length=1, max_length=128)]
_ON_THE_WAY = frozenset({"accepted", "sent", "delivered", "read"})
_UNDELIVERED = frozenset({"undelivered", "rejected", "expired"})


class _Message(BaseModel):
    """A patient wrote."""

    model_config = ConfigDict(strict=True)

    event: Literal["message"]
    id: _Id
    sender: Annotated[str, Field(alias="from", pattern=r"^\+?[0-9]{7,15}$")]
    text: str

    def read(self) -> ProviderEvent:
        return ProviderEvent(
            key=f"message.{self.id}",
            kind=EventKind.REPLY,
            from_address=f"+{self.sender.removeprefix('+')}",
            body=self.text,
        )


class _Report(BaseModel):
    """A message of ours is somewhere on its way, or at its end."""

    model_config = ConfigDict(strict=True)

    event: Literal["report"]
    id: _Id
    client_id: Annotated[str, Field(max_length=128)] = ""
    status: Annotated[str, Field(min_length=1, max_length=32)]
    code: Annotated[str, Field(max_length=64)] | None = None

    def read(self) -> ProviderEvent:
        failed = self.status in _UNDELIVERED
        meaning = meaning_of(self.code or "") if failed else None
        return ProviderEvent(
            key=f"report.{self.id}.{self.status}",
            kind=_kind(self.status, meaning),
            provider_id=self.id,
            message=self.client_id.rpartition(".")[0] or None,  # the signature covers it
            status=self.status,
            failure=(self.code or self.status) if failed else None,
            bad_address=meaning == "permanent",
            misconfigured=meaning == "misconfigured",
        )


_EVENT: TypeAdapter[_Message | _Report] = TypeAdapter(
    Annotated[_Message | _Report, Field(discriminator="event")]
)


def own_id(message: OutgoingMessage) -> str:
    """Return our id of a message: the same on every try, and on no other message.

    The key alone is not enough: what came back for our own fault is delivered anew under the same
    key, and a gateway that has seen an id before sends nothing.
    """
    return f"{message.key}.{int(message.claimed_at.timestamp() * 1000)}"


def signature(secret: str, body: bytes) -> str:
    """Return the signature of a body: HMAC-SHA256, in hexadecimal."""
    return hmac.digest(secret.encode(), body, "sha256").hex()


def is_signed(secret: str, body: bytes, given: str) -> bool:
    """Whether a body bears its signature."""
    # bytes, as the comparison takes no other letters than ASCII's as text
    return hmac.compare_digest(signature(secret, body).encode(), given.encode())


def read(body: bytes) -> ProviderEvent:
    """Read a webhook's body.

    Raises:
        ValueError: It is not of a form that the gateway documents.
    """
    try:
        return _EVENT.validate_json(body).read()
    except ValidationError:  # its text would repeat the patient's words
        raise ValueError("neither a message nor a report") from None


def _kind(status: str, meaning: str | None) -> EventKind:
    if status in _ON_THE_WAY:
        return EventKind.NOTICE
    if status not in _UNDELIVERED:
        return EventKind.UNKNOWN
    match meaning:
        case "opted_out":
            return EventKind.OPTED_OUT
        case "misconfigured":
            return EventKind.RETURNED
        case _:
            return EventKind.BOUNCED
