"""The mailbox that replies and bounces arrive in, by IMAP.

imap-tools does the talking, in a thread: it is kept up, its licence lets anybody use it
(aioimaplib's, the GPL, does not), and a mailbox is asked every few seconds at most.
"""

import asyncio
import imaplib
import re
import ssl
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import structlog
from imap_tools import BaseMailBox, MailBox, MailBoxUnencrypted
from imap_tools.errors import (
    ImapToolsError,
    MailboxFolderCreateError,
    MailboxFolderSelectError,
    MailboxLoginError,
)

from channels.email_settings import EmailSettings
from channels.errors import Misconfigured, SendError, Transient
from channels.smtp_failures import is_about_tls

_SECONDS = 20
_AT_ONCE = 25
_LARGEST = 1024 * 1024
"""Bytes of a mail that are read: what a person wrote stands at its beginning, and the rest is
attachments."""

_STORED = "$RegresaStored"
"""The keyword of a mail that is stored. Whether it is unread is for people to say: one that
somebody opens before it is fetched must not be lost."""

_LOOKS_BACK = timedelta(days=14)
"""Of what people have read already, so much is looked through: a mailbox may hold years."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""As IMAP writes them, whatever this machine's language is."""

_PORTS = {"tls": 993, "starttls": 143, "none": 143}
_LITERAL_ITEM = 2
_NOT_NOW = re.compile(r"\[(UNAVAILABLE|INUSE|LIMIT|SERVERBUG)\]")
"""RFC 5530: reasons to try again, where a login or a folder was refused."""

_LOOK_AT = {
    "imap login": "REGRESA_EMAIL_IMAP_USERNAME, REGRESA_EMAIL_IMAP_PASSWORD",
    "imap folder": "REGRESA_EMAIL_IMAP_FOLDER, REGRESA_EMAIL_IMAP_DONE_FOLDER",
    "imap tls": "REGRESA_EMAIL_IMAP_SECURITY, REGRESA_EMAIL_IMAP_PORT, REGRESA_EMAIL_CA_FILE",
    "imap ca_file": "REGRESA_EMAIL_CA_FILE",
    "imap unreachable": "REGRESA_EMAIL_IMAP_HOST, REGRESA_EMAIL_IMAP_PORT",
}

_log = structlog.get_logger()


class ArrivedMail(NamedTuple):
    """A mail as it arrived, or the first megabyte of it.

    Attributes:
        receipt: The mailbox's UIDVALIDITY and the mail's UID: together they never name another.
        content: Its bytes.
    """

    receipt: str
    content: bytes


class Mailbox:
    """One folder of one mailbox.

    Args:
        settings: Those of the channel; they name an IMAP server.
    """

    def __init__(self, settings: EmailSettings) -> None:
        self._settings = settings
        self._handed_out: Counter[str] = Counter()

    async def unread(self) -> list[ArrivedMail]:
        """Return mails that were not put away yet, and leave them as they are.

        Those that were handed out before, and are still there, come last: a mail that can't be
        stored keeps none waiting behind it.

        Raises:
            SendError: `Transient` or `Misconfigured`: the server could not be asked.
        """
        arrived = await asyncio.to_thread(self._unread)
        self._handed_out.update(mail.receipt for mail in arrived)
        return arrived

    async def put_away(self, receipts: Sequence[str]) -> None:
        """Mark mails as stored, and move them where the settings say so.

        Where the server keeps no mark of ours they are marked as seen.

        Raises:
            SendError: The server could not be told.
        """
        await asyncio.to_thread(self._put_away, receipts)

    def _unread(self) -> list[ArrivedMail]:
        with self._opened() as (mailbox, validity, mark):
            wanted = self._wanted(mark)
            receipts = [f"{validity}.{uid}" for uid in mailbox.uids(wanted, charset=None)]
            still_there = set(receipts)
            self._handed_out = Counter(
                {one: times for one, times in self._handed_out.items() if one in still_there}
            )
            receipts.sort(key=lambda one: (self._handed_out[one], int(one.partition(".")[2])))
            contents = [(one, self._read(mailbox, one)) for one in receipts[:_AT_ONCE]]
            return [ArrivedMail(one, content) for one, content in contents if content is not None]

    def _wanted(self, mark: str) -> str:
        """Return the search for what was not put away: also where a person has looked at it."""
        if self._settings.imap_done_folder:
            return "ALL"
        if mark != _STORED:
            return "UNSEEN"
        lately = datetime.now(UTC).date() - _LOOKS_BACK
        since = f"{lately.day}-{_MONTHS[lately.month - 1]}-{lately.year}"
        return f"UNKEYWORD {_STORED} OR UNSEEN SINCE {since}"

    def _read(self, mailbox: BaseMailBox, receipt: str) -> bytes | None:
        """Return a mail's bytes; None where there are none to be had."""
        uid = receipt.partition(".")[2]
        try:
            # PEEK: a process that ends before the mail is stored leaves it unseen
            parts = _told(mailbox.client.uid("FETCH", uid, f"(BODY.PEEK[]<0.{_LARGEST}>)"))
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error:
            # the server can't read it: it is asked again, after those behind it
            _log.warning("a mail can't be fetched", receipt=receipt)
            self._handed_out[receipt] += 1
            return None
        for part in parts:
            if isinstance(part, tuple) and len(part) == _LITERAL_ITEM:
                return bytes(part[1])
        return None  # somebody took it away in the meantime

    def _put_away(self, receipts: Sequence[str]) -> None:
        with self._opened() as (mailbox, validity, mark):
            # of a folder that was made anew in the meantime, the numbers mean other mails
            parts = (receipt.partition(".") for receipt in receipts)
            uids = [uid for made, _, uid in parts if made == validity]
            if not uids:
                return
            _told(mailbox.client.uid("STORE", ",".join(uids), "+FLAGS.SILENT", f"({mark})"))
            done = self._settings.imap_done_folder
            if done:
                if not mailbox.folder.exists(done):
                    mailbox.folder.create(done)
                mailbox.move(uids, done)

    @contextmanager
    def _opened(self) -> Iterator[tuple[BaseMailBox, str, str]]:
        """Log in, open the folder, and log out; what goes wrong is one of the closed set."""
        settings = self._settings
        try:
            mailbox = _connected(settings)
            try:
                _begin_tls(mailbox, settings)
                _log_in(mailbox, settings)
                mailbox.folder.set(settings.imap_folder)
                _, (validity,) = mailbox.client.response("UIDVALIDITY")
                made = validity.decode("ascii") if validity else "0"
                yield mailbox, made, _mark_in(mailbox)
            except BaseException:
                with suppress(OSError):
                    mailbox.client.shutdown()
                raise
            with suppress(ImapToolsError, imaplib.IMAP4.error, OSError):
                mailbox.logout()  # what was asked for is done, however the server hangs up
        except (ImapToolsError, imaplib.IMAP4.error, OSError) as error:
            raise _failure(error) from None


def _mark_in(mailbox: BaseMailBox) -> str:
    r"""Return what marks a mail as stored: our keyword, where the folder takes any (`\*`)."""
    _, told = mailbox.client.response("PERMANENTFLAGS")
    return _STORED if any(rb"\*" in flags for flags in told if flags) else r"\Seen"


def _connected(settings: EmailSettings) -> BaseMailBox:
    host, port = settings.imap_host, settings.imap_port or _PORTS[settings.imap_security]
    if settings.imap_security == "tls":
        return MailBox(host, port, timeout=_SECONDS, ssl_context=_trusted(settings))
    return MailBoxUnencrypted(host, port, timeout=_SECONDS)


def _begin_tls(mailbox: BaseMailBox, settings: EmailSettings) -> None:
    # the library's own class for this leaves the connection open where the two can't agree
    if settings.imap_security == "starttls":
        mailbox.client.starttls(_trusted(settings))


def _log_in(mailbox: BaseMailBox, settings: EmailSettings) -> None:
    name, password = settings.imap_username, settings.imap_password.get_secret_value()
    log_in = mailbox.login if (name + password).isascii() else mailbox.login_utf8
    try:
        log_in(name, password, initial_folder=None)
    except imaplib.IMAP4.abort:  # the connection broke
        raise
    except (MailboxLoginError, imaplib.IMAP4.error) as error:
        raise _refused("login", error) from None


def _trusted(settings: EmailSettings) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if settings.ca_file is not None:
        context.load_verify_locations(settings.ca_file)
    return context


def _told(answer: tuple[str, list[object]]) -> list[object]:
    status, data = answer
    if status != "OK":
        raise imaplib.IMAP4.error(status)
    return data


def _failure(error: Exception) -> SendError:
    """Translate what went wrong; what the server said may hold a name, and is not told."""
    match error:
        case MailboxFolderSelectError() | MailboxFolderCreateError():
            return _refused("folder", error)
        case FileNotFoundError() | PermissionError():
            return _failed(Misconfigured, "imap ca_file")
        case _ if is_about_tls(error):
            return _failed(Misconfigured, "imap tls")
        case OSError():
            return _failed(Transient, "imap unreachable")
        case imaplib.IMAP4.abort():
            return _failed(Transient, "imap broken off")
        case _:
            return _failed(Transient, "imap refused")


def _refused(what: str, error: Exception) -> SendError:
    later = _NOT_NOW.search(str(error)) is not None
    return _failed(Transient if later else Misconfigured, f"imap {what}")


def _failed(kind: type[Transient | Misconfigured], code: str) -> SendError:
    return kind(code, look_at=_LOOK_AT.get(code, ""))
