"""The months' names in the languages of the clinics' exports, from Unicode CLDR."""

from functools import cache

from babel import Locale

from clinic.plain_text import plain

_LANGUAGES = ("es", "ru", "en")


def month_of(name: str) -> int | None:
    """Return the number of the month that is called so, in full or shortened; None if none is."""
    return _numbers().get(plain(name))


@cache
def _numbers() -> dict[str, int]:
    return {
        plain(name): number
        for language in _LANGUAGES
        for context in ("format", "stand-alone")
        for width in ("wide", "abbreviated")
        for number, name in Locale(language).months[context][width].items()
    }
