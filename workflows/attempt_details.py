"""What an operator reads about an attempt in Temporal's UI."""

from clinic.ladder import Phase, Stand
from clinic.plan import Plan


def details_of(plan: Plan, stand: Stand) -> str:
    """Say in Markdown where an attempt stands; no personal data."""
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


def name_of_wait(plan: Plan, stand: Stand) -> str:
    """Name a wait for the timeline: what is waited for, without times."""
    step = plan.steps[stand.step]
    if stand.phase is Phase.DEFERRED:
        return f"put off: {stand.rule}"[:200]
    return f"answer to step {stand.step + 1}: {step.channel}"
