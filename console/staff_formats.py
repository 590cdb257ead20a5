"""How pages write times, days and values of the closed lists, as filters of their templates."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_time

from clinic.event import CallOutcome, EventKind
from console.staff_words import BECAME, CHANNELS, LANGUAGES, OUTCOMES, SAID
from console.translations import translations

_DAY = {"es": "EEE d MMM", "ru": "EEE d MMM", "en": "EEE, MMM d"}
_CLOCK = "HH:mm"
"""As staff read a clock on the phone, in every language."""


def formats(language: str) -> Mapping[str, Callable[..., str]]:
    """Return the filters by name, for one language."""
    gettext = translations(language).gettext

    def moment(at: datetime, zone: ZoneInfo) -> str:
        """Write a moment by the clinic's clock, such as `mar 2 mar, 10:30`."""
        local = at.astimezone(zone)
        return f"{day(local.date())}, {format_time(local, _CLOCK, locale=language)}"

    def clock(local: datetime) -> str:
        return format_datetime(local, _CLOCK, tzinfo=local.tzinfo, locale=language)

    def day(of: date) -> str:
        return format_date(of, _DAY[language], locale=language)

    def visit_day(of: date) -> str:
        return format_date(of, "medium", locale=language)

    return {
        "moment": moment,
        "clock": clock,
        "visit_day": visit_day,
        "language_name": lambda code: gettext(LANGUAGES[code]) if code in LANGUAGES else code,
        "channel_name": lambda name: gettext(CHANNELS[name]) if name in CHANNELS else name,
        "became": lambda word: gettext(BECAME[word]),
        "event_name": lambda kind: gettext(SAID[EventKind(kind)]),
        "outcome_name": lambda outcome: gettext(OUTCOMES[CallOutcome(outcome)]),
    }
