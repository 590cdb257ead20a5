"""GSM-7, the alphabet in which an SMS segment holds 153 characters instead of 67 (GSM 03.38)."""

import unicodedata

_ALPHABET = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà^{}\\[~]|€"
)


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
