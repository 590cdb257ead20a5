"""How pages write times, days and values of the closed lists, as filters of their templates."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_date

from clinic.event import CallOutcome, EventKind
from clinic.outcome import LossReason, Outcome
from clinic.register.consent import FROM_LIST, said_where
from clinic.register.sent_text import PERSONAL_LINK
from clinic.register_import.encoding import encoding_name
from console.calls.formats import call_formats
from console.campaigns.formats import campaign_formats
from console.results.formats import result_formats
from console.staff_words import (
    BECAME,
    CHANNELS,
    DELAYS,
    ENDS,
    LANGUAGES,
    N_,
    OUTCOMES,
    PRIORITIES,
    REASONS,
    SAID,
)
from console.translations import translations

_DAY = {"es": "EEE d MMM", "ru": "EEE d MMM", "en": "EEE, MMM d"}
_LIST = N_("an imported list")
_SAID_ON = N_("%(where)s (said on %(day)s)")
_PERSONAL_LINK = N_("(the patient's personal link)")


def formats(language: str) -> Mapping[str, Callable[..., str]]:
    """Return the filters by name, for one language."""
    gettext = translations(language).gettext

    def moment(at: datetime, zone: ZoneInfo) -> str:
        """Write a moment by the clinic's clock, such as `mar 2 mar, 10:30`."""
        local = at.astimezone(zone)
        return f"{day(local.date())}, {local:%H:%M}"

    def clock(local: datetime) -> str:
        """Write a time as staff read it on a phone, in every language."""
        return f"{local:%H:%M}"

    @lru_cache(maxsize=1000)  # a list of calls names the same days again and again
    def day(of: date) -> str:
        return format_date(of, _DAY[language], locale=language)

    def visit_day(of: date) -> str:
        return format_date(of, "medium", locale=language)

    def consent_source(source: str, *, with_file: bool) -> str:
        """Write where something was said; whoever imports no lists sees the name of none."""
        where, day = said_where(source)
        if where.startswith(FROM_LIST):
            file_name = where.removeprefix(FROM_LIST)
            where = f"{gettext(_LIST)}: {file_name}" if with_file else gettext(_LIST)
        return gettext(_SAID_ON) % {"where": where, "day": visit_day(day)} if day else where

    return {
        "moment": moment,
        "clock": clock,
        "visit_day": visit_day,
        "language_name": lambda code: gettext(LANGUAGES[code]) if code in LANGUAGES else code,
        "channel_name": lambda name: gettext(CHANNELS[name]) if name in CHANNELS else name,
        "became": lambda word: gettext(BECAME[word]),
        "event_name": lambda kind: gettext(SAID[EventKind(kind)]),
        "reason_name": lambda reason: gettext(REASONS[LossReason(reason)]),
        "end_name": lambda outcome: gettext(ENDS[Outcome(outcome)]),
        "priority_name": lambda priority: gettext(PRIORITIES[priority]),
        "delay_words": lambda delay: gettext(DELAYS[delay]),
        "without_link": lambda text: text.replace(PERSONAL_LINK, gettext(_PERSONAL_LINK)),
        "outcome_name": lambda outcome: gettext(OUTCOMES[CallOutcome(outcome)]),
        "encoding_name": encoding_name,
        "consent_source": consent_source,
        **call_formats(language),
        **campaign_formats(language),
        **result_formats(language),
    }
