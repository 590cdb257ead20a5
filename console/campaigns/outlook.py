"""What a plan would do for a whole segment: who would get what when, and who is left out."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from clinic.delivery import SkipReason
from clinic.delivery_check import LeftOut
from clinic.forecast import Forecast, ForecastStep
from clinic.plan import Plan, Step

NAMED = 100
"""Patients that a page can step through; more is nobody's patience."""


@dataclass
class StepOutlook:
    """What one step would come to if nobody answered.

    Attributes:
        step: The step.
        gets: How many it would be delivered to.
        skipped: Reason to how many it would be passed over for.
        first: Aware UTC; when the first would get it. None: nobody would.
        last: The last one, in the same way.
    """

    step: Step
    gets: int = 0
    skipped: Counter[SkipReason] = field(default_factory=Counter)
    first: datetime | None = None
    last: datetime | None = None

    def take(self, one: ForecastStep) -> None:
        """Count one patient's step."""
        if one.skipped is not None:
            self.skipped[one.skipped] += 1
        elif one.at is not None:
            self.gets += 1
            self.first = one.at if self.first is None else min(self.first, one.at)
            self.last = one.at if self.last is None else max(self.last, one.at)


@dataclass
class Outlook:
    """Forecasts of a segment, counted one by one as they come; memory does not grow with them.

    Attributes:
        steps: One for each step of the plan.
        chosen: How many would get an attempt.
        left_out: Reason to how many would get none.
        named: The first of those who would get one, by their opaque ids: no name is kept here.
    """

    steps: list[StepOutlook]
    chosen: int = 0
    left_out: Counter[LeftOut] = field(default_factory=Counter)
    named: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, plan: Plan) -> "Outlook":
        """Begin to count for a plan."""
        return cls([StepOutlook(step) for step in plan.steps])

    @property
    def patients(self) -> int:
        """How many the segment has."""
        return self.chosen + self.left_out.total()

    @property
    def calls(self) -> StepOutlook | None:
        """The plan's first step by which somebody stands on the call list, if it has one."""
        return next((counted for counted in self.steps if counted.step.by_person), None)

    def take(self, one: Forecast) -> None:
        """Count one patient's forecast."""
        if one.left_out is not None:
            self.left_out[one.left_out] += 1
            return
        self.chosen += 1
        if len(self.named) < NAMED:
            self.named.append(one.patient_id)
        for counted, step in zip(self.steps, one.steps, strict=True):
            counted.take(step)
