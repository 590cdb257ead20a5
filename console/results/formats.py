"""How the results write ranges, money and weeks, as filters of their templates."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Context, Decimal

from babel.dates import format_date
from babel.numbers import format_currency, format_percent

from clinic.results.share import Interval

_DAY_OF_MONTH = {"es": "d MMM", "ru": "d MMM", "en": "MMM d"}
_DASH = "\u2013"
_TENTH, _TWO_FIGURES = Decimal("0.1"), Context(prec=2)


def result_formats(language: str) -> Mapping[str, Callable[..., str]]:
    """Return the filters by name, for one language."""

    def span(interval: Interval) -> str:
        """Write the range of a share, such as `11.9%-12.7%` with a dash between."""
        return _DASH.join(_percent(end, language) for end in interval)

    def money(amount: Decimal, currency: str) -> str:
        """Write an amount; a very small one with two figures, for it is not nothing."""
        is_small = 0 < amount < _TENTH
        written = amount.normalize(_TWO_FIGURES) if is_small else amount
        return _in_currency(written, currency, exactly=is_small)

    def price(amount: Decimal, currency: str) -> str:
        """Write a price with all its places: a message costs a part of a cent."""
        exactly = amount != round(amount, 2)
        return _in_currency(amount, currency, exactly=exactly)

    def _in_currency(amount: Decimal, currency: str, *, exactly: bool) -> str:
        return str(
            format_currency(amount, currency, locale=language, decimal_quantization=not exactly)
        )

    return {
        "span": span,
        "money": money,
        "price": price,
        "week": lambda monday: format_date(monday, _DAY_OF_MONTH[language], locale=language),
        "week_of_year": lambda monday: _week(monday, language),
    }


def tells_day(name: str, day: date) -> bool:
    """Say whether a campaign's name has a day in it, in whatever language it was given.

    Args:
        name: Such as the one that a new campaign's form begins with (`clinic.campaign_name`).
        day: Which.
    """
    written = {format_date(day, "medium", locale=language) for language in _DAY_OF_MONTH}
    words = " ".join(name.split())
    return any(
        re.search(rf"(?<!\d){re.escape(' '.join(each.split()))}(?!\d)", words)
        for each in (*written, day.isoformat())
    )


def _percent(share: float, language: str) -> str:
    rounded = round(share, 3)
    return str(format_percent(rounded, locale=language, decimal_quantization=False))


def _week(monday: date, language: str) -> str:
    """Write a week by its first day, and its number as ISO 8601 counts."""
    year, number, _ = monday.isocalendar()
    return f"{format_date(monday, 'medium', locale=language)} ({year}-W{number:02})"
