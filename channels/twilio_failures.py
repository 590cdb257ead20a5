"""What a failure of Twilio means: its code, or else its HTTP status, as one of the closed set."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import cache
from pathlib import Path

import yaml
from aiohttp import ClientConnectorError

from channels import errors

UNREADABLE = "twilio unreadable answer"

NEVER_ARRIVES = frozenset({"undelivered", "failed", "canceled"})
"""Statuses after which a message that was taken will not reach anybody."""

_TOO_MANY = 429
_NOBODY_KNOWS = frozenset({408, *range(500, 600)})
"""After these statuses the message may have been taken all the same."""
_CODE = re.compile(r"\d{4,6}")
"""Nothing else of an answer is kept: it may hold the number."""
_LONGEST_PAUSE = timedelta(hours=1)
"""A provider that asks for a longer one is asked again after an hour."""
_DIGITS = 9
"""More seconds than these are past any bound; Python refuses to read numbers without end."""


class Meaning(StrEnum):
    """What one of Twilio's codes says about the message."""

    PERMANENT = "permanent"
    OPTED_OUT = "opted_out"
    MISCONFIGURED = "misconfigured"
    TRANSIENT = "transient"


class Refused(Exception):
    """Twilio answered with an error, whose headers its own client would drop."""

    def __init__(self, status: int, body: str, headers: Mapping[str, str] | None) -> None:
        super().__init__(status)
        self.status = status
        self.code = _code_in(body)
        self.retry_after = _pause_in(headers or {}, datetime.now(UTC))

    @property
    def said(self) -> str:
        """The code, or the status where there is none; no word of the answer, which may quote."""
        return f"twilio {self.code or self.status}"


def meaning_of(code: str | None) -> Meaning | None:
    """Return what the table says of a code; None where it does not know it."""
    return _meanings().get(code or "")


def not_sent(refused: Refused) -> errors.SendError:
    """Say what a refused message means."""
    if refused.status in _NOBODY_KNOWS:  # whichever code comes with it
        return errors.Uncertain(refused.said)
    match meaning_of(refused.code):
        case Meaning.PERMANENT:
            return errors.Permanent(refused.said)
        case Meaning.OPTED_OUT:
            return errors.OptedOut(refused.said)
        case Meaning.MISCONFIGURED:
            return errors.Misconfigured(refused.said)
        case Meaning.TRANSIENT:
            return errors.Transient(refused.said, refused.retry_after)
    if refused.status == _TOO_MANY:  # "never processed, always safe to retry"
        return errors.Transient(refused.said, refused.retry_after)
    # a refusal of ours that the table does not know: better held than burnt
    return errors.Misconfigured(refused.said)


def not_asked(refused: Refused) -> errors.SendError:
    """Say what a refused question means: it sent nothing, so it may be asked again."""
    if refused.status == _TOO_MANY or refused.status in _NOBODY_KNOWS:
        return errors.Transient(refused.said, refused.retry_after)
    return errors.Misconfigured(refused.said)


def broken(error: Exception) -> errors.SendError:
    """Say what a broken connection means for the message that was on its way."""
    never_connected = isinstance(error, ClientConnectorError | ConnectionRefusedError)
    kind = errors.Transient if never_connected else errors.Uncertain
    return kind(type(error).__name__)


def _code_in(body: str) -> str:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):  # a gateway's page, say
        return ""
    code = str(answer.get("code")) if isinstance(answer, dict) else ""
    return code if _CODE.fullmatch(code) else ""


def _pause_in(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """Read Retry-After, which is seconds or a date (RFC 9110, 10.2.3); None: it says nothing."""
    said = headers.get("Retry-After", "").strip()
    if said.isdecimal() and said.isascii():
        seconds = min(int(said[:_DIGITS]), _LONGEST_PAUSE.total_seconds())
        return timedelta(seconds=seconds) if seconds else None
    try:
        until = parsedate_to_datetime(said)
        pause = until - now
    except (ValueError, TypeError, OverflowError):
        # no date at all, or one without a zone
        return None
    return min(pause, _LONGEST_PAUSE) if pause > timedelta(0) else None


@cache
def _meanings() -> dict[str, Meaning]:
    table: dict[str, list[int]] = yaml.safe_load(
        Path(__file__).with_name("twilio_codes.yaml").read_text(encoding="utf-8")
    )
    return {str(code): Meaning(kind) for kind, codes in table.items() for code in codes}
