"""What became of one step: sent, skipped, deferred or failed, and why."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Discriminator

from clinic.outcome import Outcome


class SkipReason(StrEnum):
    """Why a step was not delivered though nothing failed."""

    # about this channel: the next step may still reach the patient
    NO_ADDRESS = "no_address"
    BAD_ADDRESS = "bad_address"
    SUPPRESSED = "suppressed"
    NO_CONSENT = "no_consent"
    TOO_LONG = "too_long"
    # about the patient or the campaign: no step may follow
    CAMPAIGN_OVER = "campaign_over"
    ALREADY_BOOKED = "already_booked"
    DECEASED = "deceased"
    MOVED = "moved"
    INACTIVE = "inactive"
    OPTED_OUT = "opted_out"
    POSSIBLE_DUPLICATE = "possible_duplicate"
    ERASED = "erased"
    ATTEMPT_OVER = "attempt_over"

    @property
    def ends_as(self) -> Outcome | None:
        """The outcome in which the attempt ends, or None where the ladder climbs on."""
        return _ENDS_AS.get(self)


_ENDS_AS = {
    SkipReason.CAMPAIGN_OVER: Outcome.CANCELLED,
    SkipReason.ALREADY_BOOKED: Outcome.BOOKED,
    SkipReason.DECEASED: Outcome.EXCLUDED,
    SkipReason.MOVED: Outcome.EXCLUDED,
    SkipReason.INACTIVE: Outcome.EXCLUDED,
    SkipReason.OPTED_OUT: Outcome.OPTED_OUT,
    # the other row, which was there first, goes on
    SkipReason.POSSIBLE_DUPLICATE: Outcome.EXCLUDED,
    SkipReason.ERASED: Outcome.CANCELLED,
    SkipReason.ATTEMPT_OVER: Outcome.CANCELLED,
}


class FailReason(StrEnum):
    """Why a step failed for good."""

    REFUSED = "refused"
    """The provider refused the address; it is marked bad and the ladder climbs."""
    OPTED_OUT = "opted_out"
    """The provider knows that the patient said stop."""
    UNCERTAIN = "uncertain"
    """Nobody can tell whether it was sent: a person looks before anything else is sent."""
    UNAVAILABLE = "unavailable"
    """The provider could not be reached for as long as retries last."""


class _Result(BaseModel):
    model_config = ConfigDict(frozen=True)


class Sent(_Result):
    """The provider took the message, or a call task stands on the call list."""

    kind: Literal["sent"] = "sent"


class Skipped(_Result):
    """The step was passed over.

    Attributes:
        rule: Which rule decided, in words for people, where the reason alone does not say it.
    """

    kind: Literal["skipped"] = "skipped"
    reason: SkipReason
    rule: str = ""

    def in_words(self, channel: str) -> str:
        """Say why a channel's step was skipped: the rule where one decided, else the reason."""
        return self.rule or f"{channel}: {self.reason.replace('_', ' ')}"


class Deferred(_Result):
    """Not now.

    Attributes:
        until: Aware UTC; ask again then. None: ask again when an event says so (a paused
            campaign that resumes, an answer that is on its way).
        rule: Which rule decided, in words for people.
    """

    kind: Literal["deferred"] = "deferred"
    until: datetime | None
    rule: str


class Failed(_Result):
    """The step failed for good."""

    kind: Literal["failed"] = "failed"
    reason: FailReason


Delivery = Annotated[Sent | Skipped | Deferred | Failed, Discriminator("kind")]
