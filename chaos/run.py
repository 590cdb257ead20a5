"""One run: everything is started, the campaign goes on while all around is killed, then judged."""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict

from chaos.figures import Kills
from chaos.programs import ROOT, Programs
from chaos.saboteur import Saboteur, quota_for, schedule
from chaos.setting import CAMPAIGN, PLAN, SEGMENT, Setting
from chaos.sights import Lookout
from chaos.staff import Staff
from chaos.verdict import Finding, Verdict, judge
from clinic.refusal import Refusal

_SETTLED_ENOUGH = 0.9
"""When so many attempts are settled, and the quota is met, the rest is left in peace."""

_SHORT_RUN = 200
"""Fewer attempts than these meet one burst, and are left in peace as soon as the quota is met."""

_LOOK_AGAIN = 1.0
_QUIET_LOOKS = 3
"""So many looks in a row must find nothing under way."""

_SETTLED = ("ended", "left_out")


class Progress(BaseModel):
    """Where a run stands."""

    model_config = ConfigDict(frozen=True)

    settled: int
    attempts: int
    kills: Kills


class Result(BaseModel):
    """What came of a run.

    Attributes:
        seconds: From the campaign's start to the last answer.
        gave_up: How often a program ended by itself and was started again.
        faults: Faults that came by chance, by kind.
        in_time: Everything was through before the deadline.
        calls: What staff reported, by outcome.
    """

    model_config = ConfigDict(frozen=True)

    seed: int
    seconds: float
    state: str
    quota: Kills
    kills: Kills
    gave_up: dict[str, int]
    faults: dict[str, int]
    calls: dict[str, int]
    in_time: bool
    verdict: Verdict

    @property
    def quota_is_met(self) -> bool:
        """Whether enough was killed for the verdict to mean something."""
        return self.kills.reach(self.quota)

    @property
    def holds(self) -> bool:
        """Whether nothing was lost and nothing came twice."""
        return self.in_time and self.verdict.holds


async def run(
    setting: Setting, *, workers: int, within: float, show: Callable[[Progress], None]
) -> Result:
    """Run a campaign to its end, and judge it.

    Args:
        setting: What it is made of.
        workers: How many workers run; the saboteur kills one of them at a time.
        within: Seconds after which what is not finished counts as lost.
        show: Called about every second.

    Raises:
        Refusal: A program does not come up, or a command fails.
    """
    quota = quota_for(len(setting.patients))
    lookout = Lookout(setting)
    with Programs(setting.local, setting.environment, workers=workers) as programs:
        await _regresa(setting, "import", str(setting.register_file))
        for name in ("temporal", "sandbox", "console", *programs.workers):
            await programs.start(name)
        began = time.monotonic()
        await _regresa(setting, "start", SEGMENT, "--plan", PLAN, "--name", CAMPAIGN)
        saboteur = Saboteur(programs, setting.fail_points, quota, seed=setting.seed)
        staff = Staff(setting.environment, setting.seed)
        in_time = await _until_through(setting, lookout, saboteur, staff, within, show)
        seconds = time.monotonic() - began
        report = await _report(setting)
        sights = await lookout.everything()
        faults = await lookout.faults()
    verdict = judge(sights)
    return Result(
        seed=setting.seed,
        seconds=round(seconds, 1),
        state=str(setting.state),
        quota=quota,
        kills=saboteur.kills,
        gave_up=dict(saboteur.gave_up),
        faults=faults,
        calls=dict(staff.outcomes.most_common()),
        in_time=in_time,
        verdict=_with_report(verdict, report),
    )


async def _until_through(
    setting: Setting,
    lookout: Lookout,
    saboteur: Saboteur,
    staff: Staff,
    within: float,
    show: Callable[[Progress], None],
) -> bool:
    """Let staff and saboteur work until nothing is under way; tell whether that was in time."""
    stop_striking, stop_calling = asyncio.Event(), asyncio.Event()
    short = len(setting.patients) < _SHORT_RUN
    moments = schedule(quota_for(len(setting.patients)), setting.seed, calm=not short)
    striking = asyncio.create_task(saboteur.work(moments, stop_striking))
    calling = asyncio.create_task(staff.work(stop_calling))
    deadline = time.monotonic() + within
    quiet = 0
    try:
        while quiet < _QUIET_LOOKS and time.monotonic() < deadline:
            await asyncio.sleep(_LOOK_AGAIN)
            for task in (striking, calling):
                if task.done():
                    task.result()
            standing = await lookout.standing()
            total = sum(standing.values())
            settled = sum(standing.get(name, 0) for name in _SETTLED)
            show(Progress(settled=settled, attempts=len(setting.patients), kills=saboteur.kills))
            through = total > 0 and settled == total
            enough = short or settled >= total * _SETTLED_ENOUGH
            if through or (total and enough and saboteur.quota_is_met):
                stop_striking.set()
            if stop_striking.is_set() and striking.done():
                await saboteur.keep_up()
            is_quiet = (
                through
                and striking.done()
                and await lookout.unanswered() == 0
                and await lookout.unrelayed() == 0
            )
            quiet = quiet + 1 if is_quiet else 0
    finally:
        stop_striking.set()
        stop_calling.set()
        await asyncio.gather(striking, calling)
    return quiet >= _QUIET_LOOKS


async def _report(setting: Setting) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(await _regresa(setting, "report", CAMPAIGN, "--json"))
    return found


def _with_report(verdict: Verdict, report: dict[str, Any]) -> Verdict:
    """Add to the losses where the product's own report says something else than its rows."""
    outcomes = {name: count for name, count in report["outcomes"].items() if count}
    if outcomes == verdict.outcomes and report["with_person"] == verdict.with_person:
        return verdict
    what = f"the report says {outcomes} and {report['with_person']} with a person"
    return verdict.model_copy(update={"losses": (*verdict.losses, Finding(patient="", what=what))})


async def _regresa(setting: Setting, *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "starter.py"),
        *arguments,
        cwd=ROOT,
        env=setting.environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    if process.returncode != 0:
        raise Refusal(
            f"`regresa {arguments[0]}` ended with exit code {process.returncode}",
            errors.decode(errors="replace"),
        )
    return output.decode()
