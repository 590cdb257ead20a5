"""Why a campaign can't be started or changed so: also for those who read no English."""

from datetime import date
from enum import StrEnum

from clinic.refusal import Refusal


class CampaignProblem(StrEnum):
    """What stands against it."""

    UNKNOWN = "unknown"
    """There is no such campaign."""
    STOPPED = "stopped"
    """It was stopped: that is for good."""
    NAME = "name"
    """It is no name."""
    NAME_IN_USE = "name_in_use"
    GOAL = "goal"
    """It is no share."""
    PACE = "pace"
    """It is no pace."""
    LAST_DAY = "last_day"
    """It is no day."""
    DAY_OVER = "day_over"
    """The last day has passed."""
    OPEN_CALLS = "open_calls"
    """It is no number of calls."""
    NOBODY = "nobody"
    """The segment has no patients."""


class CampaignRefusal(Refusal):
    """A refusal whose reason can be said in any language.

    Args:
        why: What stands against it.
        problem: The same in English, for the command line.
        remedy: As in `Refusal`.
        day: The day that has passed.
    """

    def __init__(
        self, why: CampaignProblem, problem: str, remedy: str = "", *, day: date | None = None
    ) -> None:
        super().__init__(problem, remedy)
        self.why = why
        self.day = day
