"""The staff's texts in their languages: the code says them in English, the catalogs in the rest.

`make messages` brings the catalogs up to date with the code and the pages.
"""

from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

SOURCE_LANGUAGE = "en"
CATALOGS = Path(__file__).with_name("locales")
DOMAIN = "console"


def catalog_file(language: str) -> Path:
    """Return where a language's catalog is."""
    return CATALOGS / language / "LC_MESSAGES" / f"{DOMAIN}.po"


@cache
def translations(language: str) -> NullTranslations:
    """Return a language's texts; those of the code itself for English.

    Args:
        language: `es`, `ru` or `en`.
    """
    if language == SOURCE_LANGUAGE:
        return NullTranslations()
    compiled = BytesIO()
    with catalog_file(language).open("rb") as file:
        write_mo(compiled, read_po(file, locale=language, domain=DOMAIN, abort_invalid=True))
    compiled.seek(0)
    return Translations(compiled, domain=DOMAIN)
