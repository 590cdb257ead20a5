"""What a member of staff fills in about a call."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, field_validator

from clinic.call_task import Reported
from clinic.event import CallOutcome
from clinic.outcome import LossReason

LONGEST_NOTE = 2000
"""Characters."""

_LATER = (CallOutcome.CALL_BACK, CallOutcome.THINKING)


class CallForm(BaseModel):
    """What was filled in, as the browser sends it.

    Attributes:
        outcome: What came of the call.
        reason: Why the patient left; empty: none was chosen.
        later: When to call again, of the times that were offered, with its offset; empty: none.
        at: The appointment, or another time to call again: by the clinic's clock, as
            `<input type="datetime-local">` writes it; empty: none. It counts more than `later`.
        note: Free words.
    """

    outcome: CallOutcome
    reason: LossReason | None = None
    later: datetime | None = None
    at: datetime | None = None
    note: str = Field(default="", max_length=LONGEST_NOTE)

    @field_validator("reason", "later", "at", mode="before")
    @classmethod
    def _nothing_chosen(cls, sent: object) -> object:
        return None if sent == "" else sent

    @field_validator("note", mode="before")
    @classmethod
    def _one_character_a_line_end(cls, sent: object) -> object:
        # a browser counts it as one, against the longest note, and sends two
        return sent.replace("\r\n", "\n") if isinstance(sent, str) else sent

    def reported(self, zone: ZoneInfo) -> Reported:
        """Return what is reported, its time in UTC.

        Args:
            zone: The clinic's time zone.
        """
        at = self.at
        if at is None and self.outcome in _LATER:
            at = self.later
        if at is not None:
            at = (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
        return Reported(outcome=self.outcome, reason=self.reason, at=at, note=self.note)
