"""Public holidays, by country and part of it; the days come from the holidays library."""

from datetime import date
from functools import lru_cache

from holidays import country_holidays, list_supported_countries

_LANGUAGE = "en_US"


def check_place(country: str, subdivision: str | None) -> None:
    """Refuse a place whose holidays nobody knows.

    Raises:
        ValueError: It names the place.
    """
    known = list_supported_countries()
    if country not in known:
        raise ValueError(f"no holidays are known for country `{country}`: write its ISO 3166 code")
    if subdivision is not None and subdivision not in known[country]:
        places = ", ".join(known[country]) or "none"
        raise ValueError(f"`{country}` has no subdivision `{subdivision}` (there are: {places})")


def holiday_on(country: str, subdivision: str | None, day: date) -> str | None:
    """Return the English name of a day's public holiday; None where it is none."""
    return _of_year(country, subdivision, day.year).get(day)


@lru_cache(maxsize=200)
def _of_year(country: str, subdivision: str | None, year: int) -> dict[date, str]:
    found = country_holidays(
        country, subdiv=subdivision, years=year, expand=False, language=_LANGUAGE
    )
    return dict(found.items())
