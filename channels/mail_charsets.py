"""Bytes as text, also where a mail says nothing, or something wrong, about its encoding."""

import re
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from itertools import pairwise

from channels.mail_phrases import frequent_pairs
from clinic.storable_text import storable

LONGEST_HEADER = 10_000
"""Characters of a header that are looked at."""

_IN_RUNS = re.compile(rb"[\x80-\xff]{2,}")
_WESTERN = "cp1252"
_CYRILLIC = ("cp1251", "koi8-r")
_SAY_NOTHING = frozenset({"", "ascii", "us-ascii", "unknown-8bit", "default", "x-unknown"})
_LATIN = frozenset({"iso-8859-1", "latin1", "latin-1", "iso-8859-15", "windows-1252", "cp1252"})


def decode(content: bytes, declared: str = "") -> str:
    """Return bytes as text. It always gives one, and one that can be stored.

    Args:
        content: The bytes.
        declared: The encoding that the mail declares, if any.
    """
    declared = declared.strip().lower()
    text = None
    if not _is_doubtful(content, declared):
        text = _strictly(content, declared)
    if text is None:
        text = _strictly(content, "utf-8")
    if text is None:
        text = _guessed(content)
    return storable(text)


def header_of(mail: Message, name: str) -> str:
    """Return a header as text; empty where there is none."""
    # as it stands in the mail: asked by its name, bare bytes would come as question marks
    written = (value for known, value in mail.raw_items() if known.lower() == name.lower())
    return decode_words(str(next(written, ""))[:LONGEST_HEADER])


def decode_words(raw: str) -> str:
    """Return a header as text: encoded words (RFC 2047), UTF-8 (RFC 6532), or bare bytes."""
    if not raw.isascii():
        raw = decode(raw.encode("utf-8", "surrogateescape"))
    try:
        parts = decode_header(raw)
    except (MessageError, ValueError):
        parts = [(raw, None)]
    words = [
        part if isinstance(part, str) else decode(part, charset or "") for part, charset in parts
    ]
    return storable(" ".join("".join(words).split()))


def _is_doubtful(content: bytes, declared: str) -> bool:
    """Tell whether a declaration is worth nothing: every byte is valid in Western encodings."""
    return declared in _SAY_NOTHING or (declared in _LATIN and _looks_cyrillic(content))


def _strictly(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except (LookupError, ValueError):
        return None


def _guessed(content: bytes) -> str:
    if not _looks_cyrillic(content):
        return content.decode(_WESTERN, "replace")
    read = [content.decode(encoding, "replace") for encoding in _CYRILLIC]
    return max(read, key=_likelihood)  # of equals the first


def _looks_cyrillic(content: bytes) -> bool:
    """In Cyrillic, letters beyond ASCII stand together; in Spanish, each stands by itself."""
    beyond = sum(byte >= 0x80 for byte in content)  # noqa: PLR2004 - where ASCII ends
    return sum(map(len, _IN_RUNS.findall(content))) * 2 > beyond


def _likelihood(text: str) -> tuple[int, int]:
    pairs = frequent_pairs()
    known = sum(one + other in pairs for one, other in pairwise(text.lower()))
    return known, sum(letter.islower() for letter in text)
