"""Which of our messages a mail is about.

The id of an attempt is 64 random bits that stand in nothing but that patient's own messages, so
whoever names one has the message: neither a Message-ID nor a plus-address needs a signature.
"""

import re
from collections.abc import Iterable

_KEY = r"at-[0-9a-f]{16}\.[0-9]{1,4}"
"""`OutgoingMessage.key`: an attempt's id and a step."""

_MESSAGE_ID = re.compile(rf"<({_KEY})@[^\s<>@]+>", re.IGNORECASE)
_PLUS = re.compile(rf"\+({_KEY})@", re.IGNORECASE)


def message_id_of(key: str, domain: str) -> str:
    """Return the Message-ID of a message, the same on every try."""
    return f"<{key}@{domain}>"


def plus_address(address: str, key: str) -> str:
    """Return the address that replies to one message go to (RFC 5233)."""
    local, _, domain = address.rpartition("@")
    return f"{local}+{key}@{domain}"


def key_in_ids(written: Iterable[str]) -> str | None:
    """Return the message whose Message-ID stands in any of these texts, the last one named.

    `References` lists a thread from its beginning, so the last is the one that was answered.
    """
    found = [key for text in written for key in _MESSAGE_ID.findall(text)]
    return found[-1].lower() if found else None


def key_in_addresses(written: Iterable[str]) -> str | None:
    """Return the message that a plus-address in any of these texts names."""
    found = [key for text in written for key in _PLUS.findall(text)]
    return found[0].lower() if found else None
