"""How the call list and a call write lateness, times and reasons, as filters of their templates."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_date

from clinic.delivery_check import LeftOut
from clinic.pressed import Pressed
from console.calls.words import FAILED, LEFT_OUT_ONE, REFUSED_WITH
from console.patient.spoken import spoken_wish
from console.staff_words import N_
from console.translations import translations

_MINUTE = timedelta(minutes=1)
_MINUTES = N_("by %(count)s min")
_LENGTHS = ((24 * 60, N_("by %(count)s d")), (60, N_("by %(count)s h")))
"""In minutes, with how a length of so many is written in short."""
_DAY_AND_MONTH = {"es": "EEE d MMM", "ru": "EEE d MMM", "en": "EEE, MMM d"}
_NOT_BEFORE = N_("not before %(at)s")


def call_formats(language: str) -> Mapping[str, Callable[..., str]]:
    """Return the filters by name, for one language."""
    gettext = translations(language).gettext

    @lru_cache(maxsize=1000)  # a list of calls says the same lengths again and again
    def lateness(minutes: int) -> str:
        for length, words in _LENGTHS:
            if minutes >= length:
                return gettext(words) % {"count": minutes // length}
        return gettext(_MINUTES) % {"count": minutes}

    @lru_cache(maxsize=1000)
    def written(at: datetime, zone: ZoneInfo, now: datetime) -> str:
        local = at.astimezone(zone)
        if local.date() == now.astimezone(zone).date():
            return f"{local:%H:%M}"
        day = format_date(local.date(), _DAY_AND_MONTH[language], locale=language)
        return f"{day}, {local:%H:%M}"

    def failure(code: str) -> str:
        """Say why a message failed; a code that a provider gave is for whoever looks it up."""
        return gettext(FAILED[code]) if code in FAILED else gettext(REFUSED_WITH) % {"code": code}

    def pressed_words(pressed: Pressed, zone: ZoneInfo) -> str:
        """Say what a patient pressed on their own page, a time by the clinic's clock."""
        return spoken_wish(pressed, language, zone)

    return {
        "said": gettext,
        "late_by": lambda due, now: lateness(max(1, (now - due) // _MINUTE)),
        "soon": lambda at, zone, now: written(at, zone, _minute(now)),
        "not_before": lambda at, zone, now: (
            gettext(_NOT_BEFORE) % {"at": written(at, zone, _minute(now))}
        ),
        "failure_words": failure,
        "pressed_words": pressed_words,
        "left_out_words": lambda reason: gettext(LEFT_OUT_ONE[LeftOut(reason)]),
    }


def _minute(now: datetime) -> datetime:
    return now.replace(second=0, microsecond=0)
