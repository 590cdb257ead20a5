"""What goes wrong with a mail server, as one of the closed set of failures."""

import ssl
from typing import Literal

import aiosmtplib

from channels.errors import Misconfigured, Permanent, SendError, Transient, Uncertain
from channels.smtp_codes import ToUs, refusal_of, status_in

_TEMPORARY = range(400, 500)
_BROKEN_OFF = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
"""TLS that ended without a reason: the connection's fault, not the settings'."""


def before_the_message(error: Exception) -> SendError:
    """Translate what went wrong while nothing was sent yet."""
    match error:
        case aiosmtplib.SMTPAuthenticationError(code=code) if code not in _TEMPORARY:
            return Misconfigured(f"smtp {code} login")
        case aiosmtplib.SMTPResponseException(code=code):
            return Transient(f"smtp {code}")
        case _ if is_about_tls(error):
            return Misconfigured("smtp tls")
        case FileNotFoundError() | PermissionError():
            return Misconfigured("smtp ca_file")
        case _ if type(error) is aiosmtplib.SMTPException:
            # the settings ask for TLS or a login, and the server offers none
            return Misconfigured("smtp not offered")
        case _:
            return Transient(type(error).__name__)


def with_the_message(error: Exception) -> SendError:
    """Translate what went wrong with a message on its way."""
    match error:
        case aiosmtplib.SMTPRecipientsRefused(recipients=[refused, *_]):
            return _refused("rcpt", refused.code, refused.message)
        case aiosmtplib.SMTPSenderRefused(code=code) | aiosmtplib.SMTPHeloError(code=code):
            if code in _TEMPORARY:
                return Transient(f"smtp {code} sender")
            return Misconfigured(f"smtp {code} sender")
        case aiosmtplib.SMTPDataError(code=code, message=said):
            return _refused("data", code, said)
        case aiosmtplib.SMTPNotSupported():  # the address is not ASCII, and the server's mail is
            return Permanent("smtp no smtputf8")
        case ValueError():  # the library looks at the address before it sends anything
            return Permanent("smtp address")
        case _:  # the connection broke, or the answer never came: it may have been taken
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
