"""What a channel is: the one protocol behind which every way to reach a patient stands."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict, field_validator
from pydantic_settings import BaseSettings

from clinic.event import EventKind
from clinic.register.contact import Contact
from clinic.storable_text import storable, storable_key


class OutgoingMessage(BaseModel):
    """One message, ready to be sent.

    Attributes:
        key: `attempt.step`: the same on every try of the same message. No other patient's and no
            other step's message has it; one that came back for our own fault and is delivered
            anew has, under another `claimed_at`.
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
        valid_for: How long the provider may go on trying, before the hours close in which the
            patient may be written to; None: as long as it likes.
        heard_at: Aware UTC; when the patient last wrote on this channel, as some providers allow
            free text only for a while after that. None: never.
        approved_text: The provider's id of a text that it has approved beforehand, where the
            template names one; empty: there is none.
        values: What that text's placeholders stand for.
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
    valid_for: timedelta | None = None
    heard_at: datetime | None = None
    approved_text: str = ""
    values: Mapping[str, str] = {}


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

    Whatever stands in its texts, a database takes them: what it could not keep is left out.

    Attributes:
        key: The provider's own key: the same key again is a repeat.
        kind: What happened; `unknown` is kept, never dropped. Whatever a patient wrote is a
            `reply`: what it means is read by the product, not by the channel.
        from_address: Whoever wrote: a number in E.164, or an email address.
        provider_id: The message that it is about, as the provider knows it.
        message: The message that it is about, by `OutgoingMessage.key`, where the provider gives
            that back in a form that nobody else could have made up.
        status: The message's status in the provider's words.
        failure: The provider's code where the message failed.
        bad_address: For a bounce: the address will never work, and is marked bad.
        misconfigured: It failed for our account's or settings' sake: an operator is told.
        body: What the patient wrote.
    """

    model_config = ConfigDict(frozen=True)

    key: str
    kind: EventKind
    from_address: str | None = None
    provider_id: str | None = None
    message: str | None = None
    status: str | None = None
    failure: str | None = None
    bad_address: bool = True
    misconfigured: bool = False
    body: str = ""

    @field_validator("*", mode="before")
    @classmethod
    def _can_be_stored(cls, written: object) -> object:
        return storable(written) if isinstance(written, str) else written

    @field_validator("key")
    @classmethod
    def _has_room_in_an_index(cls, key: str) -> str:
        if not (kept := storable_key(key)):  # all such would be taken for one and the same
            raise ValueError("an event without a key")
        return kept


class Fetched(BaseModel):
    """Something that a channel fetched, to be acknowledged once its events are stored.

    Attributes:
        receipt: How the channel knows it when it is acknowledged.
        events: What it reports; none where it concerns nobody.
    """

    model_config = ConfigDict(frozen=True)

    receipt: str
    events: tuple[ProviderEvent, ...]


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
    fetches: ClassVar[bool]
    """Whether `fetch` brings anything, because the provider calls no webhook."""

    def __init__(self, settings: BaseSettings) -> None: ...

    @property
    def host(self) -> str:
        """Where messages go first.

        Unless it is loopback, a demonstration policy and a loopback public URL are refused.
        """
        ...

    @property
    def per_second(self) -> float | None:
        """How many messages all workers together may hand over in a second; None: any number."""
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

    async def fetch(self) -> Sequence[Fetched]:
        """Return what came in and was not acknowledged yet, oldest first; some of it at a time.

        Raises:
            SendError: `Transient` or `Misconfigured`: the provider could not be asked.
        """
        ...

    async def acknowledge(self, fetched: Sequence[Fetched]) -> None:
        """Do not fetch these again: their events are stored.

        Raises:
            SendError: The provider could not be told; they are fetched once more, and known.
        """
        ...

    def redact(self, text: str) -> str:
        """Return a text without the addresses this channel deals in, for logs."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
