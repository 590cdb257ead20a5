"""What a mail server's refusals mean, by the table in `smtp_codes.yaml`."""

import re
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

_ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?!\.?\d)")
"""An enhanced status (RFC 3463); a longer dotted number is an IP address."""

_BASIC = re.compile(r"(?<![\d.#])([245]\d\d)(?![\d.])")


class ToUs(StrEnum):
    """What our own server's refusal for good means."""

    PERMANENT = "permanent"
    MISCONFIGURED = "misconfigured"


class Bounced(StrEnum):
    """What it means that a mail came back for good."""

    BAD_ADDRESS = "bad_address"
    LOST = "lost"
    OURS = "ours"


class _ByCommand(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    rcpt: ToUs
    data: ToUs


class RefusalMeaning(BaseModel):
    """An entry of the table.

    Attributes:
        to_us: What it means when our own server answers so.
        bounced: What it means when the mail comes back.
        reason: In words, for whoever reads the table.
        source: Where that is laid down.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    to_us: ToUs | _ByCommand
    bounced: Bounced
    reason: str
    source: str

    def to_us_at(self, command: Literal["rcpt", "data"]) -> ToUs:
        """Return what it means as the answer to a command."""
        return getattr(self.to_us, command) if isinstance(self.to_us, _ByCommand) else self.to_us


_UNSAID = RefusalMeaning(
    to_us=ToUs.PERMANENT, bounced=Bounced.LOST, reason="refused", source="RFC 5321 4.2.1"
)


def status_in(text: str) -> str | None:
    """Return the first enhanced status in what a server said, such as `5.1.1`."""
    found = _ENHANCED.search(text)
    return found[0] if found else None


def basic_code_in(text: str) -> str | None:
    """Return the first basic code in what a server said, such as `550`."""
    found = _BASIC.search(text)
    return found[0] if found else None


def refusal_of(*, basic: str | None, status: str | None) -> RefusalMeaning:
    """Return what the table says of a refusal for good.

    Args:
        basic: The basic code, such as `550`.
        status: The enhanced status, such as `5.1.1`; it decides, unless it says nothing.
    """
    table = _table()
    _, _, subject = (status or "").partition(".")
    while subject and subject not in ("0", "0.0"):
        if subject in table["enhanced"]:
            return table["enhanced"][subject]
        subject = subject.rpartition(".")[0]
    if basic in table["basic"]:
        return table["basic"][basic]
    return table["enhanced"]["0"] if status else _UNSAID


@cache
def _table() -> dict[str, dict[str, RefusalMeaning]]:
    read = yaml.safe_load(Path(__file__).with_name("smtp_codes.yaml").read_text(encoding="utf-8"))
    return {
        kind: {code: RefusalMeaning.model_validate(entry) for code, entry in entries.items()}
        for kind, entries in read.items()
    }
