"""What goes wrong with a mail server, as one of the closed set of failures."""

import ssl
from typing import Literal

import aiosmtplib

from channels.errors import Misconfigured, Permanent, SendError, Transient, Uncertain
from channels.smtp_codes import ToUs, refusal_of, status_in

_TEMPORARY, _FOR_GOOD = range(400, 500), range(500, 600)
_BROKEN_OFF = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
"""TLS that ended without a reason: the connection's fault, not the settings'."""


def before_the_message(error: Exception, *, still_there: bool) -> SendError:
    """Translate what went wrong while nothing was sent yet.

    Args:
        error: What the library raised.
        still_there: Whether the connection stood when it was raised.
    """
    match error:
        case aiosmtplib.SMTPAuthenticationError(code=code) if code not in _TEMPORARY:
            return Misconfigured(f"smtp {code} login")
        # 554 for a greeting, or a 5xx to HELO: the server does not serve us (RFC 5321, 3.1)
        case aiosmtplib.SMTPResponseException(code=code) if code in _FOR_GOOD:
            return Misconfigured(f"smtp {code} refuses us")
        case aiosmtplib.SMTPResponseException(code=code):
            return Transient(f"smtp {code}")
        case _ if is_about_tls(error):
            return Misconfigured("smtp tls")
        case FileNotFoundError() | PermissionError():
            return Misconfigured("smtp ca_file")
        case _ if type(error) is aiosmtplib.SMTPException and still_there:
            # the settings ask for TLS or a login, and the server offers none
            return Misconfigured("smtp not offered")
        case _ if type(error) is aiosmtplib.SMTPException:
            # the library forgets what was offered when the connection is lost: a server that
            # restarts is no reason to hold everybody
            return Transient(aiosmtplib.SMTPServerDisconnected.__name__)
        case _:
            return Transient(type(error).__name__)


def with_the_message(error: Exception, *, on_its_way: bool) -> SendError:
    """Translate what went wrong with a message.

    Args:
        error: What the library raised.
        on_its_way: Whether the message itself was begun, or only who it is from and for.
    """
    match error:
        case aiosmtplib.SMTPRecipientsRefused(recipients=[refused, *_]):
            return _refused("rcpt", refused.code, refused.message)
        case aiosmtplib.SMTPSenderRefused(code=code) | aiosmtplib.SMTPHeloError(code=code):
            if code in _TEMPORARY:
                return Transient(f"smtp {code} sender")
            return Misconfigured(f"smtp {code} sender")
        case aiosmtplib.SMTPDataError(code=code, message=said):
            is_refusal = code in _TEMPORARY or code in _FOR_GOOD
            return _refused("data", code, said) if is_refusal else Uncertain(f"smtp {code}")
        case aiosmtplib.SMTPNotSupported():  # the address is not ASCII, and the server's mail is
            return Permanent("smtp no smtputf8")
        case ValueError():  # the library looks at the address before it sends anything
            return Permanent("smtp address")
        case _ if not on_its_way:  # the connection broke, or the answer never came
            return Transient(type(error).__name__)
        case _:  # likewise, and it may have been taken
            return Uncertain(type(error).__name__)


def is_about_tls(error: BaseException) -> bool:
    """Tell whether the two sides can't agree on TLS, as with a certificate nobody knows."""
    reason = error if isinstance(error, ssl.SSLError) else error.__cause__
    return isinstance(reason, ssl.SSLError) and not isinstance(reason, _BROKEN_OFF)


def _refused(command: Literal["rcpt", "data"], code: int, said: str) -> SendError:
    if code in _TEMPORARY:
        return Transient(f"smtp {code}")
    status = status_in(said)
    if refusal_of(basic=str(code), status=status).to_us_at(command) is ToUs.PERMANENT:
        return Permanent(f"smtp {code}")
    return Misconfigured(f"smtp {code} {status or command}")
