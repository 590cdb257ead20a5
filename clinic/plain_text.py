"""Text as it is compared, without case, accents and punctuation, and as it may be shown."""

import unicodedata
from functools import lru_cache

_CACHED = 32_768
"""Words kept: a million patients share some thousand names, treatments and districts."""
_LONGEST_CACHED = 60


def plain(text: str) -> str:
    """Fold case, accents and punctuation, so that `# Teléfono:` compares as `telefono`."""
    return _cached(text) if len(text) <= _LONGEST_CACHED else _fold(text)


@lru_cache(maxsize=_CACHED)
def _cached(text: str) -> str:
    return _fold(text)


def _fold(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return " ".join(decomposed.translate(_COMPARED).split())


def name_key(first_name: str, last_name: str) -> str:
    """Return a name as names are compared: also without the order of its words."""
    return " ".join(sorted(f"{plain(first_name)} {plain(last_name)}".split()))


def legible(text: str) -> str:
    """Return text as one line without what steers a terminal, or hides in or turns text around.

    White space becomes single spaces; control characters (Unicode Cc, such as ESC) and format
    characters (Cf, such as U+202E) are left out, but for the joiners that some scripts need.
    """
    if text.isprintable() and "  " not in text:  # nearly all: nothing else needs a second look
        return text.strip()
    return " ".join("".join(filter(_may_be_shown, " ".join(text.split()))).split())


_JOINERS = "\u200c\u200d"


def _may_be_shown(character: str) -> bool:
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs") or character in _JOINERS


class _Compared(dict[int, str | None]):
    """What a character is compared as, by its code point: found out once for each."""

    def __missing__(self, code: int) -> str | None:
        character = chr(code)
        kept = character if character.isalnum() else " "
        self[code] = None if unicodedata.combining(character) else kept
        return self[code]


_COMPARED = _Compared()
