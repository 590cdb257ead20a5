"""What a preview tells of a segment's forecasts: all of them counted, the first few shown."""

import re
from collections import Counter
from dataclasses import dataclass, field

from clinic.delivery import Skipped
from clinic.delivery_check import LeftOut
from clinic.forecast import Forecast, ForecastStep

_FEW = 20
_DAY_OF_PATIENT = re.compile(r"( on \w{3}| after) \d{4}-\d{2}-\d{2}")
"""When this very patient was contacted, or the last attempt ended: the rule is the same."""
_NOT_NAMED = re.compile(r"and \d+ more")


@dataclass
class LeftOutRow:
    """Patients whom the same rule leaves out: how many, and the clinic's numbers of a few."""

    patients: int = 0
    few: list[str] = field(default_factory=list)


@dataclass
class Preview:
    """Forecasts, counted one by one as they come; memory does not grow with them.

    Attributes:
        at_most: How many of those who would get an attempt to show.
        shown: The first of them.
        chosen: How many would get an attempt.
        sends: Channel to number of steps that would be delivered.
        put_off: Rule to number of steps that it puts off.
        skipped: Rule, or channel and reason, to number of steps that it skips.
        left_out: Reason and rule to those whom they leave out.
    """

    at_most: int
    shown: list[Forecast] = field(default_factory=list)
    chosen: int = 0
    sends: Counter[str] = field(default_factory=Counter)
    put_off: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    left_out: dict[tuple[LeftOut, str], LeftOutRow] = field(default_factory=dict)

    @property
    def patients(self) -> int:
        """How many the segment has."""
        return self.chosen + sum(row.patients for row in self.left_out.values())

    def take(self, one: Forecast) -> None:
        """Count one patient's forecast."""
        if one.left_out is not None:
            rule = _of_any_day(one.left_out_rule)
            row = self.left_out.setdefault((one.left_out, rule), LeftOutRow())
            row.patients += 1
            if len(row.few) < _FEW:
                row.few.append(one.external_id)
            return
        self.chosen += 1
        if len(self.shown) < self.at_most:
            self.shown.append(one)
        for step in one.steps:
            self._take_step(step)

    def _take_step(self, step: ForecastStep) -> None:
        if step.skipped is not None:
            why = Skipped(reason=step.skipped, rule=step.rule)
            self.skipped[why.in_words(step.channel)] += 1
            return
        self.sends[step.channel] += 1
        for rule in step.rule.split("; "):
            if rule and not _NOT_NAMED.fullmatch(rule):
                self.put_off[_of_any_day(rule)] += 1


def _of_any_day(rule: str) -> str:
    return _DAY_OF_PATIENT.sub("", rule)
