"""How campaigns' pages write numbers, shares, waits and reasons, as filters of their templates."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from math import ceil

from babel.numbers import format_decimal, format_percent

from clinic.campaigns import CampaignState
from clinic.delivery import SkipReason
from clinic.delivery_check import LeftOut
from clinic.outcome import Outcome
from console.campaigns.words import CAMPAIGN_STATES, LEFT_OUT, SKIPPED
from console.staff_words import ENDS
from console.translations import translations

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
"""Seconds."""


def campaign_formats(language: str) -> Mapping[str, Callable[..., str]]:
    """Return the filters by name, for one language."""
    gettext = translations(language).gettext

    def percent(share: float) -> str:
        """Write a share of 1 with one place after the comma at most."""
        rounded = round(share, 3)
        return str(format_percent(rounded, locale=language, decimal_quantization=False))

    return {
        "number": lambda value: str(format_decimal(value, locale=language)),
        "percent": percent,
        "duration": lambda length: duration(length, language),
        "all_steps_in": lambda length: all_steps_in(length, language),
        "left_out_name": lambda reason: gettext(LEFT_OUT[LeftOut(reason)]),
        "left_out_reason": lambda reason: _within(gettext(LEFT_OUT[LeftOut(reason)])),
        "skip_name": lambda reason: gettext(SKIPPED[SkipReason(reason)]),
        "state_name": lambda state: gettext(CAMPAIGN_STATES[CampaignState(state)]),
        "end_name": lambda outcome: gettext(ENDS[Outcome(outcome)]),
    }


def duration(length: timedelta, language: str) -> str:
    """Write a length of time with its largest whole unit: `3 days`, `90 minutes`, `8 seconds`."""
    ngettext = translations(language).ngettext
    seconds = int(length.total_seconds())
    if seconds and seconds % _DAY == 0:
        count = seconds // _DAY
        words = ngettext("%(count)s day", "%(count)s days", count)
    elif seconds and seconds % _HOUR == 0:
        count = seconds // _HOUR
        words = ngettext("%(count)s hour", "%(count)s hours", count)
    elif seconds and seconds % _MINUTE == 0:
        count = seconds // _MINUTE
        words = ngettext("%(count)s minute", "%(count)s minutes", count)
    else:
        count = seconds
        words = ngettext("%(count)s second", "%(count)s seconds", count)
    return words % {"count": format_decimal(count, locale=language)}


def all_steps_in(length: timedelta, language: str) -> str:
    """Say about how long a plan takes: in the unit that people would tell it in, rounded up."""
    ngettext = translations(language).ngettext
    seconds = int(length.total_seconds())
    if seconds >= 2 * _DAY:
        count = ceil(seconds / _DAY)
        words = ngettext(
            "All steps within about %(count)s day, if nobody answers",
            "All steps within about %(count)s days, if nobody answers",
            count,
        )
    elif seconds >= 2 * _HOUR:
        count = ceil(seconds / _HOUR)
        words = ngettext(
            "All steps within about %(count)s hour, if nobody answers",
            "All steps within about %(count)s hours, if nobody answers",
            count,
        )
    else:
        count = ceil(seconds / _MINUTE)
        words = ngettext(
            "All steps within about %(count)s minute, if nobody answers",
            "All steps within about %(count)s minutes, if nobody answers",
            count,
        )
    return words % {"count": format_decimal(count, locale=language)}


def _within(words: str) -> str:
    """Return words as they stand within a sentence."""
    return words[:1].lower() + words[1:]
