"""Why a call task can't be had, or a report on it not be taken: also for who reads no English."""

from datetime import datetime
from enum import StrEnum

from clinic.delivery import SkipReason
from clinic.refusal import Refusal


class CallProblem(StrEnum):
    """What stands against it."""

    UNKNOWN = "unknown"
    """There is no such task."""
    CLOSED = "closed"
    """Somebody has completed it."""
    OVER = "over"
    """Nobody has, and nobody has to call any more: its attempt has ended."""
    CLAIMED = "claimed"
    """Somebody else calls just now."""
    CALLED_MEANWHILE = "called_meanwhile"
    """Somebody else has called since, and the task is open for another call."""
    NOT_TO_CALL = "not_to_call"
    """The register has learned meanwhile that nobody may call."""
    NEEDS_REASON = "needs_reason"
    REASON_MISPLACED = "reason_misplaced"
    NEEDS_TIME = "needs_time"
    TIME_MISPLACED = "time_misplaced"
    TIME_PASSED = "time_passed"
    TIME_TOO_FAR = "time_too_far"
    OUTSIDE_HOURS = "outside_hours"
    """The clinic may not call at the time that was asked for."""


class CallRefusal(Refusal):
    """A refusal whose reason can be said in any language.

    Args:
        why: What stands against it.
        problem: The same in English, for the command line.
        remedy: As in `Refusal`.
        who: Who has the task, or has closed it.
        at: Aware UTC; until when they have it, when they closed it, or the next time within the
            hours.
        outcome: As what it was closed, or may be closed: of a call, or of the attempt.
        skip: Why nobody may call.
    """

    def __init__(
        self,
        why: CallProblem,
        problem: str,
        remedy: str = "",
        *,
        who: str | None = None,
        at: datetime | None = None,
        outcome: str | None = None,
        skip: SkipReason | None = None,
    ) -> None:
        super().__init__(problem, remedy)
        self.why = why
        self.who = who
        self.at = at
        self.outcome = outcome
        self.skip = skip
