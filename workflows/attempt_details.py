"""What an operator reads about an attempt in Temporal's UI."""

from collections.abc import Sequence

from clinic.delivery import Failed, Skipped
from clinic.ladder import Happening, Phase, Stand
from clinic.outcome import Outcome
from clinic.plan import Plan

_SHOWN = 200
"""Bytes that Temporal's UI shows of a summary."""


def details_of(plan: Plan, stand: Stand, passed_over: Sequence[str]) -> str:
    """Say in Markdown where an attempt stands; no personal data.

    Args:
        plan: The attempt's plan.
        stand: Where it stands.
        passed_over: The steps that were not delivered so far, as `passed_over_by` says them.
    """
    return _with_steps(_place_of(plan, stand), passed_over)


def details_at_end(outcome: Outcome, passed_over: Sequence[str]) -> str:
    """Say in Markdown how an attempt ended, and which steps never were delivered, and why."""
    return _with_steps(f"Ended: **{outcome}**", passed_over)


def passed_over_by(plan: Plan, stand: Stand, happening: Happening) -> str | None:
    """Say of a step that was not delivered why, and by which rule; None of anything else."""
    if stand.phase is not Phase.DELIVERING:
        return None
    step = f"step {stand.step + 1}, {plan.steps[stand.step].channel}"
    match happening:
        case Skipped(reason=reason, rule=rule):
            return f"{step}: skipped, {rule or reason.replace('_', ' ')}"
        case Failed(reason=failure):
            return f"{step}: failed, {failure.replace('_', ' ')}"
        case _:
            return None


def name_of_wait(plan: Plan, stand: Stand) -> str:
    """Name a wait for the timeline: what is waited for, without times."""
    step = plan.steps[stand.step]
    if stand.phase is Phase.DEFERRED:
        return f"put off: {stand.rule}".encode()[:_SHOWN].decode(errors="ignore")
    return f"answer to step {stand.step + 1}: {step.channel}"


def _place_of(plan: Plan, stand: Stand) -> str:
    step = plan.steps[stand.step]
    place = f"Step {stand.step + 1} of {len(plan.steps)}, **{step.channel}**"
    until = f" until {stand.until:%Y-%m-%d %H:%M:%S} UTC" if stand.until else ""
    match stand.phase:
        case Phase.DELIVERING:
            return f"{place}: delivering."
        case Phase.DEFERRED:
            return f"{place}: put off{until}: {stand.rule}."
        case Phase.WAITING:
            return f"{place}: sent, waiting for an answer{until}."
        case Phase.CALLING:
            return f"{place}: on the call list; a person has the next word."
        case Phase.WITH_PERSON:
            return f"{place}: a person reads and answers; the machine writes nothing more."
        case Phase.ENDED:
            return "Ended."


def _with_steps(said: str, passed_over: Sequence[str]) -> str:
    return "\n".join([said, "", *(f"- {each}" for each in passed_over)]) if passed_over else said
