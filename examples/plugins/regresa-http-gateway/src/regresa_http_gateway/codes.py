"""What the gateway's codes and answers mean."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from importlib.resources import files

import yaml

from channels.errors import Misconfigured, OptedOut, Permanent, SendError, Transient, Uncertain

TOO_MANY, SERVER_ERRORS = 429, range(500, 600)


def refused(status: int, code: str, retry_after: timedelta | None) -> SendError:
    """Return the meaning of a refusal to take a message.

    Args:
        status: The HTTP status.
        code: The gateway's code; empty where it gave none.
        retry_after: The pause that it asks for.
    """
    said = f"gateway {code or status}"
    match meaning_of(code):
        case "permanent":
            return Permanent(said)
        case "opted_out":
            return OptedOut(said)
        case "misconfigured":
            return Misconfigured(said)
        case "transient":
            return Transient(said, retry_after)
    if status == TOO_MANY:
        return Transient(said, retry_after)
    if status in SERVER_ERRORS:  # it may have taken the message before it fell
        return Uncertain(said)
    # a refusal of a kind that the table does not know: better held than burnt
    return Misconfigured(said)


def meaning_of(code: str) -> str | None:
    """Return a code's meaning by the table; None: it is not there."""
    return _meanings().get(code)


def pause(header: str | None) -> timedelta | None:
    """Read a Retry-After header: seconds, or a date (RFC 9110, 10.2.3)."""
    if header is None:
        return None
    if header.isascii() and header.isdigit():
        return timedelta(seconds=min(int(header[:9]), 86_400))
    try:
        until = parsedate_to_datetime(header)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(until - datetime.now(UTC), timedelta(0))


@cache
def _meanings() -> dict[str, str]:
    text = (files(__package__) / "codes.yaml").read_text(encoding="utf-8")
    table: dict[str, list[str]] = yaml.safe_load(text)
    return {code: meaning for meaning, codes in table.items() for code in codes}
