"""What staff read for the values of the closed lists; the catalogs say it in their language.

`N_` marks a text for the catalogs where it stands; it is translated where it is shown.
"""

from clinic.call_refusal import CallProblem
from clinic.call_task import TaskKind
from clinic.delivery import SkipReason
from clinic.event import CallOutcome, EventKind
from clinic.outcome import LossReason, Outcome
from console.engine_watch import Delay


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for it, which pybabel looks for
    """Mark a text for the catalogs."""
    return message


PRIORITIES = {0: N_("first of all"), 1: N_("high"), 2: N_("medium"), 3: N_("normal")}
"""See `clinic.call_task.urgency`."""

WHY_NOW = {
    TaskKind.REPLY: N_("Wrote to us: read it and answer"),
    TaskKind.CALL: N_("Nobody answered our messages: call"),
    TaskKind.CHECK: N_("We do not know whether a message arrived: ask"),
}
SAID_YES = N_("Said yes: find a time together")

OUTCOMES = {
    CallOutcome.BOOKED: N_("Booked"),
    CallOutcome.CALL_BACK: N_("Call back"),
    CallOutcome.THINKING: N_("Is thinking it over"),
    CallOutcome.NO_ANSWER: N_("No answer"),
    CallOutcome.VOICEMAIL: N_("Voicemail"),
    CallOutcome.DECLINED: N_("Does not want to come"),
    CallOutcome.WRONG_NUMBER: N_("Wrong number"),
    CallOutcome.DO_NOT_CONTACT: N_("Do not contact again"),
    CallOutcome.MOVED: N_("Has moved away"),
    CallOutcome.DECEASED: N_("Has died"),
}
KEYS = {
    CallOutcome.BOOKED: "b",
    CallOutcome.CALL_BACK: "c",
    CallOutcome.THINKING: "t",
    CallOutcome.NO_ANSWER: "a",
    CallOutcome.VOICEMAIL: "v",
    CallOutcome.DECLINED: "d",
    CallOutcome.WRONG_NUMBER: "w",
    CallOutcome.DO_NOT_CONTACT: "x",
    CallOutcome.MOVED: "m",
    CallOutcome.DECEASED: "z",
}
"""The same in every language: hands learn them."""

FINAL = (
    CallOutcome.WRONG_NUMBER,
    CallOutcome.DO_NOT_CONTACT,
    CallOutcome.MOVED,
    CallOutcome.DECEASED,
)
"""Hard to take back: their key brings to the button, and does not press it."""

ENDS = {
    Outcome.BOOKED: N_("Booked"),
    Outcome.DECLINED: N_("Does not want to come"),
    Outcome.OPTED_OUT: N_("Wants no more messages"),
    Outcome.UNREACHABLE: N_("Could not be reached"),
    Outcome.EXHAUSTED: N_("Nobody answered"),
    Outcome.EXCLUDED: N_("Left out"),
    Outcome.CANCELLED: N_("Stopped before the end"),
}

REASONS = {
    LossReason.PRICE: N_("The price"),
    LossReason.WAITING_TIME: N_("Waiting times"),
    LossReason.PAIN_OR_FEAR: N_("Pain or fear"),
    LossReason.UNHAPPY_WITH_RESULT: N_("Unhappy with the result"),
    LossReason.UNHAPPY_WITH_STAFF: N_("Unhappy with us"),
    LossReason.HOURS: N_("Opening hours"),
    LossReason.DISTANCE: N_("Too far"),
    LossReason.MOVED_AWAY: N_("Moved away"),
    LossReason.HEALTH: N_("Health"),
    LossReason.OTHER_CLINIC: N_("Goes to another clinic"),
    LossReason.NO_TIME: N_("No time"),
    LossReason.FINISHED_TREATMENT: N_("Has had all they needed"),
    LossReason.OTHER: N_("Another reason"),
}

SAID = {
    EventKind.REPLY: N_("wrote"),
    EventKind.BOOKED: N_("booked"),
    EventKind.DECLINED: N_("said no"),
    EventKind.OPTED_OUT: N_("said stop"),
    EventKind.BOUNCED: N_("our message did not arrive"),
    EventKind.RETURNED: N_("our message came back"),
    EventKind.NOTICE: N_("automatic answer"),
    EventKind.CALL_OUTCOME: N_("call"),
    EventKind.STOPPED: N_("stopped by the clinic"),
    EventKind.RESUMED: N_("went on"),
    EventKind.EXCLUDED: N_("left out by the clinic"),
    EventKind.UNKNOWN: N_("something we could not read"),
}

BECAME = {
    "sent": N_("sent"),
    "on the call list": N_("on the call list"),
    "was on the call list": N_("was on the call list"),
    "being sent": N_("being sent"),
    "skipped": N_("skipped"),
    "deferred": N_("put off"),
    "failed": N_("failed"),
    "to come": N_("to come"),
    "not reached": N_("not needed any more"),
}
"""As `clinic.register.attempt_card.StepLine.became` says it; a call that is closed was there."""

CHANNELS = {
    "email": N_("Email"),
    "sms": N_("SMS"),
    "whatsapp": N_("WhatsApp"),
    "call": N_("Call"),
}
"""A plug-in's is shown by its own name."""

LANGUAGES = {"es": N_("Spanish"), "ru": N_("Russian"), "en": N_("English")}

DELAYS = {
    Delay.AWAY: N_(
        "The part that sends messages does not answer just now. You can go on working: every "
        "answer and every outcome is kept, and passed on as soon as it is back."
    ),
    Delay.WAITING: N_(
        "Answers and outcomes are passed on with a delay just now. You can go on working: all of "
        "them are kept."
    ),
}

NOT_TO_CALL = {
    SkipReason.DECEASED: N_("The register says that the patient has died."),
    SkipReason.MOVED: N_("The register says that the patient has moved away."),
    SkipReason.INACTIVE: N_("The register says that the patient is inactive."),
    SkipReason.ALREADY_BOOKED: N_("The patient has an appointment."),
    SkipReason.OPTED_OUT: N_("The patient asked not to be contacted."),
    SkipReason.ERASED: N_("The patient was forgotten, as they asked."),
    SkipReason.POSSIBLE_DUPLICATE: N_("The patient may be on the register twice: settle it first."),
    SkipReason.NO_CONSENT: N_("The patient refused calls."),
    SkipReason.SUPPRESSED: N_("Whoever answers at this number asked not to be contacted."),
}

PROBLEMS = {
    CallProblem.UNKNOWN: N_("There is no such task any more."),
    CallProblem.CLOSED: N_("%(who)s has completed this call (%(at)s): %(outcome)s."),
    CallProblem.OVER: N_("This call is not needed any more (since %(at)s): %(outcome)s."),
    CallProblem.CLAIMED: N_("%(who)s is on this call until %(at)s. Take another one, please."),
    CallProblem.CALLED_MEANWHILE: N_("%(who)s has called meanwhile (%(at)s): %(outcome)s."),
    CallProblem.NOT_TO_CALL: N_("Nobody is to be called."),
    CallProblem.NEEDS_REASON: N_("Why do they not want to come? Choose a reason, please."),
    CallProblem.REASON_MISPLACED: N_("A reason goes with “Does not want to come” only."),
    CallProblem.NEEDS_TIME: N_("When should we call back? Choose a time, please."),
    CallProblem.TIME_MISPLACED: N_("A time goes with a booking or a later call only."),
    CallProblem.TIME_PASSED: N_("That time has passed. Choose a later one, please."),
    CallProblem.TIME_TOO_FAR: N_("That is more than ten years ahead. Is the year right?"),
    CallProblem.OUTSIDE_HOURS: N_(
        "The clinic may not call at that time. The next time it may is %(at)s."
    ),
}
