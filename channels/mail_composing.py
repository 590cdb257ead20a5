"""A message as the mail that stands on the wire: headers, plain text, HTML."""

import re
from email.header import Header
from email.headerregistry import (
    Address,
    BaseHeader,
    HeaderRegistry,
    UniqueSingleAddressHeader,
    UnstructuredHeader,
)
from email.message import EmailMessage
from email.policy import SMTP, Policy
from typing import NamedTuple

from channels.email_settings import EmailSettings
from channels.mail_page import page_of
from channels.mail_threads import message_id_of, plus_address
from channels.protocol import OutgoingMessage

_PLAIN_WORDS = re.compile(r"[A-Za-z0-9!'_-]{1,60}( [A-Za-z0-9!'_-]{1,60})*")
"""They stand in any header as they are."""

_WIDTH = 76


class ComposedMail(NamedTuple):
    """A mail, and how its server will know it."""

    message_id: str
    content: bytes


class _UrlHeader(UnstructuredHeader, BaseHeader):
    """Stands on the wire as it is: the library would turn a long URL into encoded words."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


class _SubjectHeader(UnstructuredHeader, BaseHeader):
    """Folded at whole letters: the library's own folding loses some in long words."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {_folded(str(self), self.name)}{policy.linesep}"


class _MailboxHeader(UniqueSingleAddressHeader, BaseHeader):  # type: ignore[misc]  # its own
    """One mailbox, its name folded as a subject is: the library puts spaces into long names."""

    def fold(self, *, policy: Policy) -> str:
        name, mailbox = self.address.display_name, f"<{self.address.addr_spec}>"
        if not name:
            return f"{self.name}: {mailbox}{policy.linesep}"
        return f"{self.name}: {_folded(name, self.name)}{policy.linesep} {mailbox}{policy.linesep}"


_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("list-unsubscribe", _UrlHeader)
_HEADERS.map_to_type("subject", _SubjectHeader)
_HEADERS.map_to_type("from", _MailboxHeader)
_HEADERS.map_to_type("reply-to", _MailboxHeader)
# nothing but ASCII on the wire, so that no server has to encode it anew: that would break the
# signature (RFC 6376, section 5.3)
_POLICY = SMTP.clone(header_factory=_HEADERS, cte_type="7bit")
_INTERNATIONAL = _POLICY.clone(utf8=True)
"""For an address that is not ASCII (RFC 6532)."""


def compose(message: OutgoingMessage, settings: EmailSettings) -> ComposedMail:
    """Compose a mail, the same byte for byte on every try.

    Raises:
        ValueError: A header would hold a line break, or a text what no encoding has.
        email.errors.MessageError: Likewise.
    """
    policy = _POLICY if message.to.isascii() else _INTERNATIONAL
    mail = EmailMessage(policy=policy)
    local, _, domain = settings.from_address.partition("@")
    mail["From"] = Address(message.sender, local, domain)
    mail["To"] = message.to
    if settings.reply_plus:
        mail["Reply-To"] = Address(
            message.sender, *plus_address(settings.from_address, message.key).rsplit("@", 1)
        )
    mail["Subject"] = message.subject
    mail["Date"] = message.claimed_at
    message_id = message_id_of(message.key, domain)
    mail["Message-ID"] = message_id
    mail["Auto-Submitted"] = "auto-generated"
    mail["List-Unsubscribe"] = f"<{message.stop_url}>"
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    page = page_of(message)
    mail.set_content(message.text + "\n", cte=_encoding_of(message.text))
    mail.add_alternative(page, subtype="html", cte=_encoding_of(page))
    # no encoded part holds `=_`
    mail.set_boundary(f"=_{message.key}")
    for part in mail.iter_parts():
        del part["MIME-Version"]  # the mail's own says it for all
    mail["Content-Language"] = message.language
    return ComposedMail(message_id, mail.as_bytes())


def _encoding_of(text: str) -> str | None:
    """Return how a part is encoded; None: in the shorter way. It always is, also plain ASCII."""
    return "quoted-printable" if text.isascii() else None


def _folded(words: str, name: str) -> str:
    """Return words as they stand in a header: encoded (RFC 2047) unless they are plain."""
    encoding = "us-ascii" if _PLAIN_WORDS.fullmatch(words) else "utf-8"
    return Header(words, encoding, maxlinelen=_WIDTH, header_name=name).encode(linesep="\r\n")
