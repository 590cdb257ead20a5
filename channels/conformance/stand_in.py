"""What a channel's author gives: something in the provider's place, which the suite asks."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import timedelta

from pydantic import BaseModel, ConfigDict

from channels.errors import Misconfigured, OptedOut, Permanent, SendError, Transient, Uncertain
from channels.protocol import OutgoingMessage, Receipt, WebhookRequest

CLOSED_SET: frozenset[type[SendError]] = frozenset(
    {Permanent, OptedOut, Misconfigured, Transient, Uncertain}
)
"""All failures that there are."""


class Taken(BaseModel):
    """A message as the stand-in took it.

    Attributes:
        text: What the patient would read; of a mail that says it twice, the plain text.
        valid_for: How long the provider was told to go on trying; None: it was told nothing.
    """

    model_config = ConfigDict(frozen=True)

    text: str
    valid_for: timedelta | None = None


class StandIn(ABC):
    """Something in the provider's place, on the loopback: it answers, and it can be asked.

    `environment`, `address` and `taken` are needed by all; the others by what a channel offers.
    """

    @property
    @abstractmethod
    def environment(self) -> Mapping[str, str]:
        """The variables with which the channel reaches this stand-in, and no others."""

    @abstractmethod
    def address(self, failure: type[SendError] | None) -> str:
        """Return an address that no message of any test went to, in the register's form.

        Args:
            failure: How the next message to this address fails: the provider refuses it in a way
                that means this. For `Uncertain`, it takes the message and the answer is lost.
                None: the message is taken.
        """

    @abstractmethod
    async def taken(self, message: OutgoingMessage) -> Sequence[Taken]:
        """Return what the provider took for a message's address, however often."""

    async def prepare(self, message: OutgoingMessage) -> OutgoingMessage:
        """Return a message as the provider expects it, where it has to know of it before."""
        return message

    def reply(self, words: str, sender: str) -> WebhookRequest:
        """Return the request, signed, by which the provider hands over what a patient wrote.

        Args:
            words: What the patient wrote; each call is another message.
            sender: The patient's address, in the register's form.
        """
        raise NotImplementedError

    def report(self, receipt: Receipt, *, arrived: bool) -> WebhookRequest:
        """Return the request, signed, by which the provider tells what became of a message.

        Args:
            receipt: The message.
            arrived: Whether it did; otherwise the address will never take one.
        """
        raise NotImplementedError

    async def arrive(self, words: str, sender: str) -> None:
        """Put what a patient wrote where the channel fetches it."""
        raise NotImplementedError
