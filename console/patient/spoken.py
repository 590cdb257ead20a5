"""What was pressed on a patient's own page, and its times, as each language says them."""

from datetime import date
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_date

from clinic.pressed import Pressed, Wish
from console.patient.call_times import CallTime, time_of
from console.patient.texts import DAY, DAY_PARTS, REASONS, TEXTS


@lru_cache(maxsize=1000)  # a list of calls says the same again and again
def spoken_wish(pressed: Pressed, language: str, zone: ZoneInfo) -> str:
    """Say to staff what a patient pressed, such as `Asks for a call: ...`.

    Args:
        pressed: What it was.
        language: Of whoever reads it: `es`, `ru` or `en`.
        zone: The clinic's, by whose clock a time is said.
    """
    texts = TEXTS[language]
    if pressed.at is not None:
        local = pressed.at.astimezone(zone)
        time = time_of(pressed.at, zone)
        # another zone than the one in which it was offered may make a night of it
        said = (
            spoken_time(time, language) if time else f"{spoken_day(local, language)}, {local:%H:%M}"
        )
        return texts["asks_call_at"].format(time=said)
    if pressed.reason is not None:
        return texts["asks_why"].format(reason=REASONS[language][pressed.reason])
    return texts["asks_why_words" if pressed.wish is Wish.WHY else f"asks_{pressed.wish}"]


def spoken_time(time: CallTime, language: str) -> str:
    """Return a part of a day as a language says it: `martes, 2 de marzo, por la mañana ...`."""
    return f"{spoken_day(time.day, language)}, {DAY_PARTS[language][time.part]}"


def spoken_day(day: date, language: str) -> str:
    """Return a day as a language says it: `martes, 2 de marzo`."""
    return format_date(day, format=DAY[language], locale=language)
