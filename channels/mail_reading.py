"""A mail as it arrived, as the events that it reports: from its bytes alone, and never failing."""

import hashlib
from email import message_from_bytes
from email.message import Message
from email.utils import getaddresses

import structlog

from channels.mail_automatic import is_automatic
from channels.mail_bounces import Report, ReportKind, reports_in
from channels.mail_charsets import LONGEST_HEADER, decode, decode_words
from channels.mail_threads import key_in_addresses, key_in_ids
from channels.mail_words import text_of, words_of
from channels.protocol import ProviderEvent
from channels.smtp_codes import Bounced, refusal_of
from clinic.event import EventKind

_LONGEST_UNREADABLE = 5_000
_ADDRESSED = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To")
_SOFT = "4"

_log = structlog.get_logger()


class MailReader:
    """Reads mails that arrive for one sender's address.

    Args:
        from_address: The sender's address: a mail from it is our own.
    """

    def __init__(self, from_address: str) -> None:
        self._own = _without_plus(_bare(from_address))

    def read(self, raw: bytes) -> list[ProviderEvent]:
        """Return what a mail reports: at least one event, whatever the bytes.

        What can't be taken for anything else is a reply: a person looks at it.
        """
        key = _key(raw)
        try:
            return self._events(message_from_bytes(raw), key)
        except Exception:  # noqa: BLE001 - no mail is dropped, and none stops those behind it
            body = decode(raw)
            if len(body) > 2 * _LONGEST_UNREADABLE:  # words may stand at either end
                body = f"{body[:_LONGEST_UNREADABLE]}\n[...]\n{body[-_LONGEST_UNREADABLE:]}"
            return [ProviderEvent(key=key, kind=EventKind.REPLY, body=body)]

    def _events(self, mail: Message, key: str) -> list[ProviderEvent]:
        reports = reports_in(mail)
        if reports:
            return [
                self._reported(report, mail, key if number == 0 else f"{key}.{number}")
                for number, report in enumerate(reports)
            ]
        wrote = _author(mail)
        event = ProviderEvent(
            key=key,
            kind=EventKind.REPLY,
            from_address=wrote,
            message=_answered(mail),
            body=words_of(mail),
        )
        if wrote is not None and _without_plus(wrote) == self._own:
            return [event.model_copy(update=_notice("our own message"))]
        if is_automatic(mail):
            return [event.model_copy(update=_notice("automatic answer"))]
        return [event]

    def _reported(self, report: Report, mail: Message, key: str) -> ProviderEvent:
        about = _returned(mail)
        event = ProviderEvent(
            key=key,
            kind=EventKind.NOTICE,
            message=about,
            status=report.says,
            # of whom nobody can tell, a person has to find out from the words
            body="" if about else words_of(mail),
        )
        if report.kind is ReportKind.COMPLAINT:
            kind = EventKind.OPTED_OUT if about else EventKind.UNKNOWN
            return event.model_copy(update={"kind": kind})
        if report.kind is ReportKind.FAILED:
            return event.model_copy(update=_failed(report, known=about is not None))
        return event


def _notice(status: str) -> dict[str, object]:
    return {"kind": EventKind.NOTICE, "status": status}


def _failed(report: Report, *, known: bool) -> dict[str, object]:
    """Return what a mail that came back means.

    Where it is for us to mend, an operator is told, and the ladder climbs; the channel is not
    held. Nobody signs such a report, so anybody could hold it by writing one, and a mail that a
    patient has passed on to another address fails the same checks through no fault of ours.
    """
    code = report.status or report.basic or "bounced"
    # a report of failure is final, whatever its class: the server has given up trying
    is_soft = code.startswith(_SOFT)
    meaning = refusal_of(basic=report.basic, status=report.status)
    if known and not is_soft and meaning.bounced is Bounced.OURS:
        _log.error("a mail came back for us to mend", code=code, reason=meaning.reason)
    return {
        "kind": EventKind.BOUNCED if known else EventKind.UNKNOWN,
        "failure": code,
        "bad_address": not is_soft and meaning.bounced is Bounced.BAD_ADDRESS,
    }


def _answered(mail: Message) -> str | None:
    """Return the message that a mail answers."""
    return (
        key_in_ids(_raw(mail, "In-Reply-To"))
        or key_in_ids(_raw(mail, "References"))
        or key_in_addresses(text for name in _ADDRESSED for text in _raw(mail, name))
    )


def _returned(mail: Message) -> str | None:
    """Return the message that a report is about, from the original that comes with it."""
    parts = list(mail.walk())
    return (
        key_in_ids(text for part in parts[1:] for text in _raw(part, "Message-ID"))
        or _answered(mail)
        or key_in_ids(text_of(part) for part in parts if not part.is_multipart())
    )


def _author(mail: Message) -> str | None:
    for name in ("From", "Sender", "Return-Path"):
        for _, address in getaddresses(_raw(mail, name)):
            if "@" in address.strip("@"):
                return _bare(decode_words(address))
    return None


def _bare(address: str) -> str:
    local, _, domain = address.strip().rpartition("@")
    return f"{local}@{domain.lower()}"


def _without_plus(address: str) -> str:
    local, _, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def _raw(mail: Message, name: str) -> list[str]:
    return [str(value)[:LONGEST_HEADER] for value in mail.get_all(name, [])]


def _key(raw: bytes) -> str:
    """Return a key that the same mail has again, and no other mail.

    The Message-ID alone would not do: some programs give an answer that of another mail. The
    bytes alone would not do: a mail that comes by two ways has other headers. Hashed, it holds
    nobody's address.
    """
    head, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    try:
        message_id = str(message_from_bytes(head + b"\n\n").get("Message-ID", "")).strip()
    except Exception:  # noqa: BLE001 - as in `read`
        message_id = ""
    named = f"{message_id}\n".encode("utf-8", "replace") + body if message_id else raw
    return "mail-" + hashlib.sha256(named).hexdigest()[:32]
