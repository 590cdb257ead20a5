"""Whether a program wrote a mail: what it says is no answer."""

from email.message import Message
from email.utils import getaddresses

from channels.mail_charsets import header_of
from channels.mail_phrases import phrases

_SAYS_SO = (
    "X-Autoreply",
    "X-Autorespond",
    "X-Autoresponder",
    "X-MS-Exchange-Inbox-Rules-Loop",
    "X-MS-Exchange-Generated-Message-Source",
    "List-Id",  # RFC 2919: a mailing list's
)
_BULK = frozenset({"auto_reply", "bulk", "junk"})
_PROGRAMS = frozenset({"mailer-daemon", "postmaster", "mail-daemon", "mdaemon"})


def is_automatic(mail: Message) -> bool:
    """Whether a mail's headers, or how its subject begins, say that nobody wrote it.

    `X-Auto-Response-Suppress` is not asked: Exchange adds it to what people write, too.
    """
    return (
        is_by_a_program(mail)
        or any(_value(mail, name) not in ("", "no") for name in _SAYS_SO)
        or _value(mail, "Precedence") in _BULK
        or _begins_automatically(header_of(mail, "Subject"))
    )


def is_by_a_program(mail: Message) -> bool:
    """Whether a mail server or the like wrote it, by RFC 3834, RFC 5321 or its sender's name."""
    # RFC 3834, section 5: anything but `no`; parameters may follow
    submitted = _value(mail, "Auto-Submitted").partition(";")[0].strip()
    locals_ = {address.partition("@")[0] for _, address in getaddresses([_value(mail, "From")])}
    return (
        submitted not in ("", "no")
        # RFC 5321, section 4.5.5: what must not be answered has no sender
        or "".join(_value(mail, "Return-Path").split()) == "<>"
        or not locals_.isdisjoint(_PROGRAMS)
    )


def _begins_automatically(subject: str) -> bool:
    begins = phrases("automatic_subjects").match(subject)
    return begins is not None and not subject[begins.end() : begins.end() + 1].isalnum()


def _value(mail: Message, name: str) -> str:
    return str(mail.get(name, "")).strip().lower()
