"""What a member of staff fills in about a call."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, field_validator

from clinic.call_refusal import CallProblem
from clinic.call_task import Reported
from clinic.event import CallOutcome
from clinic.outcome import LossReason
from clinic.storable_text import storable

LONGEST_NOTE = 2000
"""Characters."""

_LATER = (CallOutcome.CALL_BACK, CallOutcome.THINKING)
_OF_REASON = (CallProblem.NEEDS_REASON, CallProblem.REASON_MISPLACED)
_OF_TIME = (
    CallProblem.NEEDS_TIME,
    CallProblem.TIME_MISPLACED,
    CallProblem.TIME_PASSED,
    CallProblem.TIME_TOO_FAR,
    CallProblem.OUTSIDE_HOURS,
)


class CallForm(BaseModel):
    """What was filled in, as the browser sends it.

    Attributes:
        outcome: What came of the call.
        reason: Why the patient left; empty: none was chosen.
        appointment: When it is, where one was made: by the clinic's clock, as
            `<input type="datetime-local">` writes it; empty: none.
        later: When to call again, of the times that were offered, with its offset; empty: none.
        at: Another time to call again, written as an appointment is. It counts more than `later`.
        note: Free words.
        called: The keyed hash of the number that the form's page shows; None: it shows none.
        calls_made: How many calls the task had when the form was shown; None: it does not say.
    """

    outcome: CallOutcome
    reason: LossReason | None = None
    appointment: datetime | None = None
    later: datetime | None = None
    at: datetime | None = None
    note: str = Field(default="", max_length=LONGEST_NOTE)
    called: str | None = Field(default=None, max_length=100)
    calls_made: int | None = Field(default=None, ge=0, le=1000)

    @field_validator("reason", "appointment", "later", "at", mode="before")
    @classmethod
    def _nothing_chosen(cls, sent: object) -> object:
        return None if sent == "" else sent

    @field_validator("note", mode="before")
    @classmethod
    def _one_character_a_line_end(cls, sent: object) -> object:
        # a browser counts it as one, against the longest note, and sends two
        return storable(sent).replace("\r\n", "\n") if isinstance(sent, str) else sent

    def field_of(self, problem: CallProblem) -> str:
        """Return the name of the field that a refusal is about; empty: it is about none.

        Args:
            problem: Why what was filled in can't be taken.
        """
        if problem in _OF_REASON:
            return "reason"
        if problem not in _OF_TIME:
            return ""
        if self.outcome is CallOutcome.BOOKED or not (self.at or self.outcome in _LATER):
            return "appointment"
        return "at" if self.at else "later"

    def reported(self, zone: ZoneInfo) -> Reported:
        """Return what is reported, its time in UTC.

        Args:
            zone: The clinic's time zone.
        """
        match self.outcome:
            case CallOutcome.BOOKED:
                at = self.appointment
            case outcome if outcome in _LATER:
                at = self.at or self.later
            case _:  # a time that was filled in says something else than the button: it is refused
                at = self.appointment or self.at
        if at is not None:
            at = _in_utc(at if at.tzinfo else at.replace(tzinfo=zone))
        return Reported(
            outcome=self.outcome,
            reason=self.reason,
            at=at,
            note=self.note,
            called=self.called or None,
        )


def _in_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:  # at either end of the calendar: refused like all that is so far off
        return at.replace(tzinfo=UTC)
