"""The faults of the SMTP inbox, chosen by the recipient's address.

| recipient's local part | what happens | like |
| --- | --- | --- |
| ``nobody...`` | 550 5.1.1 at RCPT, always | a mailbox that does not exist |
| ``full...`` | 452 4.2.2 at RCPT, always | a mailbox without space |
| ``greylisted...`` | 451 4.7.1 at the first RCPT for the address, then accepted | greylisting |
| ``cutoff...`` | the first message is stored and the connection drops unanswered | a lost answer |

``...`` is nothing or anything that does not go on with a letter: ``nobody@``, ``nobody+7@``,
``nobody.perez@``, but not ``nobodysson@``. After its first try ``greylisted...`` and ``cutoff...``
behave as any other address; each address has its own first try.
"""

import re
from enum import StrEnum
from typing import Final

_NAMED: Final = re.compile(r"(nobody|full|greylisted|cutoff)(?![a-z])", re.IGNORECASE)


class SmtpFault(StrEnum):
    """A way in which a mail server fails; the value is the local part that calls for it."""

    NO_SUCH_USER = "nobody"
    MAILBOX_FULL = "full"
    GREYLISTED = "greylisted"
    CUT_OFF = "cutoff"


def smtp_fault_for(address: str) -> SmtpFault | None:
    """Return the fault that the address calls for, if any."""
    named = _NAMED.match(address)
    return SmtpFault(named.group(1).lower()) if named else None
