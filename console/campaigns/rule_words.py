"""A segment's rule in the language of whoever reads it."""

from collections.abc import Sequence
from datetime import date, timedelta

from babel.dates import format_date
from babel.lists import format_list

from clinic.outcome import LossReason
from clinic.register.standing import PatientStatus
from clinic.segments.phrases import Phrase
from console.campaigns.formats import duration
from console.staff_words import CHANNELS, LANGUAGES, N_, REASONS
from console.translations import translations

PHRASES = {
    Phrase.TREATMENT: N_("had a visit for %(words)s"),
    Phrase.NOT_CONTINUED: N_("last visit for %(words)s more than %(time)s ago"),
    Phrase.NOT_FINISHED: N_(
        "last visit for %(words)s more than %(time)s ago, and none for %(others)s since"
    ),
    Phrase.NEVER_RETURNED: N_("came on one day only, more than %(time)s ago"),
    Phrase.CONTROL_DUE: N_(
        "had %(words)s; last visit for that or a control (%(others)s) more than %(time)s ago"
    ),
    Phrase.ANY_VISIT: N_("any visit"),
    Phrase.SEEN_BEFORE: N_("last visit more than %(time)s ago"),
    Phrase.SEEN_BETWEEN: N_("last visit from %(first)s to %(last)s"),
    Phrase.VISITS_AT_LEAST: N_("visits: %(first)s or more"),
    Phrase.VISITS_AT_MOST: N_("visits: %(last)s or fewer"),
    Phrase.VISITS_BETWEEN: N_("visits: from %(first)s to %(last)s"),
    Phrase.APPOINTMENT: N_("has an appointment ahead"),
    Phrase.NO_APPOINTMENT: N_("has no appointment ahead"),
    Phrase.CONTACTED_WITHIN: N_("written to or called within the last %(time)s"),
    Phrase.CONTACTED_BEFORE: N_("last written to or called more than %(time)s ago"),
    Phrase.NEVER_CONTACTED: N_("never written to nor called"),
    Phrase.AGE_FROM: N_("age: %(first)s or older"),
    Phrase.AGE_TO: N_("age: %(last)s or younger"),
    Phrase.AGE_BETWEEN: N_("age: from %(first)s to %(last)s"),
    Phrase.FEMALE: N_("women"),
    Phrase.MALE: N_("men"),
    Phrase.OCCUPATION: N_("occupation: %(words)s"),
    Phrase.DISTRICT: N_("district: %(words)s"),
    Phrase.INSURANCE: N_("insurance: %(words)s"),
    Phrase.PROVIDER: N_("treated by: %(words)s"),
    Phrase.LANGUAGE: N_("speaks: %(words)s"),
    Phrase.PREFERRED_CHANNEL: N_("likes best: %(words)s"),
    Phrase.STATUS: N_("status: %(words)s"),
    Phrase.LOSS_REASON: N_("left because of: %(words)s"),
    Phrase.HAS_EMAIL: N_("has an email address"),
    Phrase.HAS_NO_EMAIL: N_("has no email address"),
    Phrase.HAS_PHONE: N_("has a phone"),
    Phrase.HAS_NO_PHONE: N_("has no phone"),
    Phrase.EITHER: N_("one of these: %(words)s"),
    Phrase.NOT: N_("not so: %(words)s"),
}

STATUSES = {
    PatientStatus.ACTIVE: N_("active"),
    PatientStatus.INACTIVE: N_("inactive"),
    PatientStatus.DECEASED: N_("deceased"),
    PatientStatus.MOVED: N_("moved away"),
}


class RuleSpeech:
    """Says a rule in one language; see `clinic.segments.phrases.Speech`.

    Args:
        language: `es`, `ru` or `en`.
    """

    def __init__(self, language: str) -> None:
        self._language = language
        self._gettext = translations(language).gettext

    def say(self, phrase: Phrase, **places: str) -> str:
        """Return a phrase with its places filled."""
        return self._gettext(PHRASES[phrase]) % places

    def time(self, length: timedelta) -> str:
        """Return a length of time."""
        return duration(length, self._language)

    def day(self, day: date) -> str:
        """Return a day."""
        return format_date(day, "medium", locale=self._language)

    def value(self, phrase: Phrase, value: str) -> str:
        """Return a value of the closed list that a phrase names."""
        match phrase:
            case Phrase.LANGUAGE:
                words = LANGUAGES.get(value)
            case Phrase.PREFERRED_CHANNEL:
                words = CHANNELS.get(value)
            case Phrase.STATUS:
                words = STATUSES[PatientStatus(value)]
            case _:
                reason = self._gettext(REASONS[LossReason(value)])
                return reason[:1].lower() + reason[1:]
        return value if words is None else self._gettext(words)

    def listed(self, words: Sequence[str]) -> str:
        """Return words of which any will do, as the language writes lists."""
        return format_list(list(words), style="or", locale=self._language)

    def all_of(self, conditions: Sequence[str]) -> str:
        """Return conditions that hold together."""
        return format_list(list(conditions), locale=self._language)

    def any_of(self, conditions: Sequence[str]) -> str:
        """Return conditions of which one is enough."""
        return self.listed(conditions)
