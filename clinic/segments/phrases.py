"""What a rule's conditions are called, one by one, so that any language can say them."""

from collections.abc import Sequence
from datetime import date, timedelta
from enum import StrEnum, auto
from typing import Protocol

from clinic.duration import spoken


class Phrase(StrEnum):
    """A condition; the places of its text stand in `ENGLISH`."""

    TREATMENT = auto()
    NOT_CONTINUED = auto()
    NOT_FINISHED = auto()
    NEVER_RETURNED = auto()
    CONTROL_DUE = auto()
    ANY_VISIT = auto()
    SEEN_BEFORE = auto()
    SEEN_BETWEEN = auto()
    VISITS_AT_LEAST = auto()
    VISITS_AT_MOST = auto()
    VISITS_BETWEEN = auto()
    APPOINTMENT = auto()
    NO_APPOINTMENT = auto()
    CONTACTED_WITHIN = auto()
    CONTACTED_BEFORE = auto()
    NEVER_CONTACTED = auto()
    AGE_FROM = auto()
    AGE_TO = auto()
    AGE_BETWEEN = auto()
    FEMALE = auto()
    MALE = auto()
    OCCUPATION = auto()
    DISTRICT = auto()
    INSURANCE = auto()
    PROVIDER = auto()
    LANGUAGE = auto()
    PREFERRED_CHANNEL = auto()
    STATUS = auto()
    LOSS_REASON = auto()
    HAS_EMAIL = auto()
    HAS_NO_EMAIL = auto()
    HAS_PHONE = auto()
    HAS_NO_PHONE = auto()
    EITHER = auto()
    NOT = auto()


ENGLISH = {
    Phrase.TREATMENT: "had a visit for %(words)s",
    Phrase.NOT_CONTINUED: "last visit for %(words)s over %(time)s ago",
    Phrase.NOT_FINISHED: (
        "last visit for %(words)s over %(time)s ago and none for %(others)s on that day or since"
    ),
    Phrase.NEVER_RETURNED: "came on one day, over %(time)s ago, and not again",
    Phrase.CONTROL_DUE: (
        "had %(words)s; last visit for that or a control (%(others)s) over %(time)s ago"
    ),
    Phrase.ANY_VISIT: "visit of any kind",
    Phrase.SEEN_BEFORE: "last visit over %(time)s ago",
    Phrase.SEEN_BETWEEN: "last visit from %(first)s to %(last)s",
    Phrase.VISITS_AT_LEAST: "at least %(first)s visits",
    Phrase.VISITS_AT_MOST: "at most %(last)s visits",
    Phrase.VISITS_BETWEEN: "at least %(first)s and at most %(last)s visits",
    Phrase.APPOINTMENT: "has an appointment ahead",
    Phrase.NO_APPOINTMENT: "no appointment ahead",
    Phrase.CONTACTED_WITHIN: "written to or called within the last %(time)s",
    Phrase.CONTACTED_BEFORE: "last written to or called over %(time)s ago",
    Phrase.NEVER_CONTACTED: "never written to nor called",
    Phrase.AGE_FROM: "%(first)s years or older",
    Phrase.AGE_TO: "up to %(last)s years",
    Phrase.AGE_BETWEEN: "%(first)s to %(last)s years",
    Phrase.FEMALE: "female",
    Phrase.MALE: "male",
    Phrase.OCCUPATION: "occupation %(words)s",
    Phrase.DISTRICT: "district %(words)s",
    Phrase.INSURANCE: "insurance %(words)s",
    Phrase.PROVIDER: "provider %(words)s",
    Phrase.LANGUAGE: "language %(words)s",
    Phrase.PREFERRED_CHANNEL: "preferred channel %(words)s",
    Phrase.STATUS: "status %(words)s",
    Phrase.LOSS_REASON: "loss reason %(words)s",
    Phrase.HAS_EMAIL: "has an email",
    Phrase.HAS_NO_EMAIL: "has not an email",
    Phrase.HAS_PHONE: "has a phone",
    Phrase.HAS_NO_PHONE: "has not a phone",
    Phrase.EITHER: "either %(words)s",
    Phrase.NOT: "not %(words)s",
}
"""As the command line says them."""


class Speech(Protocol):
    """How a language says a rule; `English` is one."""

    def say(self, phrase: Phrase, **places: str) -> str:
        """Return a phrase with its places filled."""

    def time(self, length: timedelta) -> str:
        """Return a length of time."""

    def day(self, day: date) -> str:
        """Return a day."""

    def value(self, phrase: Phrase, value: str) -> str:
        """Return a value of the closed list that a phrase names."""

    def listed(self, words: Sequence[str]) -> str:
        """Return words of which any will do."""

    def all_of(self, conditions: Sequence[str]) -> str:
        """Return conditions that hold together."""

    def any_of(self, conditions: Sequence[str]) -> str:
        """Return conditions of which one is enough."""


class English:
    """As the command line says a rule."""

    def say(self, phrase: Phrase, **places: str) -> str:
        """Return a phrase with its places filled."""
        return ENGLISH[phrase] % places

    def time(self, length: timedelta) -> str:
        """Return a length of time, such as `180 days`."""
        return spoken(length)

    def day(self, day: date) -> str:
        """Return a day as ISO 8601 writes it."""
        return day.isoformat()

    def value(self, phrase: Phrase, value: str) -> str:
        """Return a value of the closed list that a phrase names."""
        del phrase
        return value.replace("_", " ")

    def listed(self, words: Sequence[str]) -> str:
        """Return words of which any will do: `a, b or c`."""
        *others, last = words
        return f"{', '.join(others)} or {last}" if others else last

    def all_of(self, conditions: Sequence[str]) -> str:
        """Return conditions that hold together."""
        return ", and ".join(conditions)

    def any_of(self, conditions: Sequence[str]) -> str:
        """Return conditions of which one is enough."""
        return ", or ".join(conditions)
