"""GSM-7, the alphabet in which an SMS segment holds 153 characters instead of 67 (GSM 03.38)."""

import math
import unicodedata

_ALPHABET = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà^{}\\[~]|€"
)

_TWICE = frozenset("^{}\\[~]|€")
"""An escape comes before each of these (3GPP TS 23.038, the extension table)."""
_ALONE, _JOINED = 160, 153
_ALONE_BEYOND, _JOINED_BEYOND = 70, 67
"""In UTF-16 code units: an emoji takes two."""


def segments_of(text: str) -> int:
    """Return into how many segments a text message is cut, which is what it costs.

    A longer message's segments each give up room for the header that joins them
    (3GPP TS 23.040); an empty text takes one segment.
    """
    if _ALPHABET.issuperset(text):
        units = len(text) + sum(character in _TWICE for character in text)
        alone, joined = _ALONE, _JOINED
    else:
        units = len(text.encode("utf-16-be")) // 2
        alone, joined = _ALONE_BEYOND, _JOINED_BEYOND
    return 1 if units <= alone else math.ceil(units / joined)


def fold_accents(text: str) -> str:
    """Drop the accents that keep a text out of GSM-7, where dropping them is enough.

    `Sofía` becomes `Sofia` (ñ, é, ü and à are in the alphabet and stay), which saves two of
    three segments. A text that needs other characters anyway, such as Cyrillic, is left alone.
    """
    folded = "".join(_fold(character) for character in unicodedata.normalize("NFC", text))
    return folded if _ALPHABET.issuperset(folded) else text


def _fold(character: str) -> str:
    if character in _ALPHABET:
        return character
    return unicodedata.normalize("NFD", character)[0]
