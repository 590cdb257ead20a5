"""What one message says: the template, filled with the minimum, for one patient or a household."""

from collections.abc import Sequence

from babel.lists import format_list

from clinic.folder import ClinicProfile
from clinic.multilingual import LANGUAGES
from clinic.plain_text import plain
from clinic.plan import Step
from clinic.template import Template, Words

_SMS = "sms"
_LONGEST_SMS, _LONGEST_SMS_BEYOND_LATIN = 160, 134
"""One part of an SMS; two parts once a character has no place in its alphabet (3GPP TS 23.038).
Spanish accents have none either, and are folded by whoever sends."""
_LATIN_ENDS = 0x250

_MOST_NAMES = 4
_FAMILY = {"es": "toda la familia", "ru": "дорогая семья", "en": "the whole family"}
"""Instead of names that are too many, or too long for an SMS."""


def language_for(written: str | None, profile: ClinicProfile) -> str:
    """Return the language to write in: the patient's, or the clinic's own."""
    return written if written in LANGUAGES else profile.language


def words_for(
    template: Template,
    step: Step,
    *,
    first_name: str,
    language: str,
    link: str,
    profile: ClinicProfile,
    together: Sequence[str] = (),
) -> Words:
    """Fill a step's template.

    Args:
        template: The step's content.
        step: Its channel decides which words are taken.
        first_name: Of the patient whose attempt it is.
        language: `es`, `ru` or `en`.
        link: The patient's own page.
        profile: Who writes.
        together: The first names of everybody whom the message concerns, where they are several
            or where it goes to a child's guardian; empty where it is for one patient.
    """
    by_sms = step.channel == _SMS
    values = {
        "first_name": first_name,
        "clinic": (profile.sms_name if by_sms else "") or profile.name,
        "clinic_phone": profile.phone,
        # without a place to book, a call is asked for on the patient's own page
        "booking_url": profile.booking_url or link,
        "link": link,
    }
    if not together:
        return template.render(language, step.channel, values)
    names = listed(together, language)
    words = template.render_together(language, step.channel, values, names)
    few = step.by_person or len(together) <= _MOST_NAMES  # whoever calls needs every name
    if few and not (by_sms and _is_too_long(words.text)):
        return words
    return template.render_together(language, step.channel, values, _FAMILY[language])


def listed(names: Sequence[str], language: str) -> str:
    """Return names as a language writes a list: `Ana, Luis e Inés`."""
    text = format_list(list(names), locale=language)
    if language == "es" and len(names) > 1 and _sounds_like_i(names[-1]):
        before, _, last = text.rpartition(" y ")
        return f"{before} e {last}"
    return text


def _sounds_like_i(name: str) -> bool:
    """Whether Spanish joins a name by `e`: before an i or hi that is no diphthong (RAE)."""
    bare = plain(name)
    return bare.startswith(("i", "hi")) and not bare.startswith(("ia", "ie", "io", "hia", "hie"))


def _is_too_long(text: str) -> bool:
    if all(ord(character) < _LATIN_ENDS for character in text):
        return len(text) > _LONGEST_SMS
    return len(text.encode("utf-16-le")) // 2 > _LONGEST_SMS_BEYOND_LATIN
