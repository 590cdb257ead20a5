"""The links in a message, as its reader and a mail scanner find them."""

import re
from email.message import EmailMessage
from html import unescape
from typing import Final

_LINK: Final = re.compile(r"https?://[^\s<>\"']+")
_HEADER_URI: Final = re.compile(r"<\s*([^<>\s]+)\s*>")
# A link at the end of a sentence does not own the full stop.
_TRAILING: Final = ".,;:!?)»”"

_ONE_CLICK: Final = "List-Unsubscribe=One-Click"


def links_in(text: str) -> list[str]:
    """Return the links in a text or in HTML, in their order and without repeats."""
    found = (match.group().rstrip(_TRAILING) for match in _LINK.finditer(unescape(text)))
    return list(dict.fromkeys(found))


def unsubscribe_links(message: EmailMessage) -> list[str]:
    """Return the web addresses in List-Unsubscribe (RFC 2369)."""
    uris = _HEADER_URI.findall(str(message["List-Unsubscribe"] or ""))
    return [uri for uri in uris if uri.lower().startswith(("https://", "http://"))]


def one_click_link(message: EmailMessage) -> str | None:
    """Return where to unsubscribe with one click (RFC 8058), if the message offers it.

    The first web address counts, and only with List-Unsubscribe-Post saying so. RFC 8058 asks for
    HTTPS; on loopback there is HTTP, too.
    """
    if str(message["List-Unsubscribe-Post"] or "").strip() != _ONE_CLICK:
        return None
    return next(iter(unsubscribe_links(message)), None)
