"""What a channel is: the one protocol behind which every way to reach a patient stands."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict
from pydantic_settings import BaseSettings

from clinic.event import EventKind
from clinic.register.contact import Contact


class OutgoingMessage(BaseModel):
    """One message, ready to be sent.

    Attributes:
        key: The same on every try of the same message, and on no other: `attempt.step`.
        attempt_id: The attempt it belongs to.
        step: The step's index.
        to: The patient's address on this channel.
        language: `es`, `ru` or `en`.
        sender: The clinic's name, as patients know it.
        subject: For channels that have one.
        text: What the patient reads, or the script for the person who calls.
        link: The patient's own page; unique to this message.
        stop_url: Takes the one-click unsubscribe POST of RFC 8058.
        status_url: Where the provider reports what becomes of the message.
        claimed_at: Aware UTC; no earlier message of the provider can be this one.
        due_at: Aware UTC; for a person: call by then.
        tries: For a person: how many calls may go unanswered.
    """

    model_config = ConfigDict(frozen=True)

    key: str
    attempt_id: str
    step: int
    to: str
    language: str
    sender: str
    subject: str
    text: str
    link: str
    stop_url: str
    status_url: str
    claimed_at: datetime
    due_at: datetime
    tries: int


class Receipt(BaseModel):
    """The provider took the message, and knows it by this id."""

    model_config = ConfigDict(frozen=True)

    provider_id: str


class WebhookRequest(BaseModel):
    """A provider's request, as the console got it.

    Attributes:
        url: The public URL it was sent to; signatures cover it.
        headers: Names in lower case.
        form: Decoded form fields.
        body: The raw body.
    """

    model_config = ConfigDict(frozen=True)

    url: str
    headers: Mapping[str, str]
    form: Mapping[str, str]
    body: bytes


class ProviderEvent(BaseModel):
    """What a provider reports, in the product's words; the console finds out whom it concerns.

    Attributes:
        key: The provider's own key: the same key again is a repeat.
        kind: What happened; `unknown` is kept, never dropped.
        from_phone: E.164 of whoever wrote.
        provider_id: The message that it is about.
        status: The message's status in the provider's words.
        failure: The provider's code where the message failed.
        misconfigured: It failed for our account's or settings' sake: an operator is told.
        body: What the patient wrote.
    """

    model_config = ConfigDict(frozen=True)

    key: str
    kind: EventKind
    from_phone: str | None = None
    provider_id: str | None = None
    status: str | None = None
    failure: str | None = None
    misconfigured: bool = False
    body: str = ""


@runtime_checkable
class Channel(Protocol):
    """A way to reach a patient. One object serves one process; it is used concurrently.

    A plug-in is a class with these members under the entry point group `regresa.channels`.
    """

    name: ClassVar[str]
    """As plans name it."""
    settings_model: ClassVar[type[BaseSettings]]
    """Checked at start; an error names the variable."""
    settles: ClassVar[bool]
    """Whether `reconcile` can tell what became of a message. Where it can't, a message that is
    uncertain for the second time goes to a person."""

    def __init__(self, settings: BaseSettings) -> None: ...

    @property
    def host(self) -> str:
        """Where messages go first.

        Unless it is loopback, a demonstration policy and a loopback public URL are refused.
        """
        ...

    @staticmethod
    def address_of(contact: Contact) -> tuple[str | None, bool]:
        """Return the patient's address here (None: there is none), and whether it is known bad."""
        ...

    async def send(self, message: OutgoingMessage) -> Receipt:
        """Hand a message to the provider, once.

        Raises:
            SendError: One of the closed set in `channels.errors`.
        """
        ...

    async def reconcile(self, message: OutgoingMessage) -> Receipt | None:
        """Settle whether an earlier `send` of this message arrived.

        Returns:
            The receipt; None where it certainly never arrived, and may be sent again.

        Raises:
            Uncertain: Nobody can tell; a person has to look.
            SendError: The provider could not be asked.
        """
        ...

    def verify(self, request: WebhookRequest) -> bool:
        """Whether a request comes from the provider."""
        ...

    def parse(self, request: WebhookRequest) -> list[ProviderEvent]:
        """Read what a verified request reports.

        Raises:
            ValueError: It is not of a form that the provider documents.
        """
        ...

    def redact(self, text: str) -> str:
        """Return a text without the addresses this channel deals in, for logs."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
