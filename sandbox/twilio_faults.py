"""The faults of the Twilio look-alike, chosen by number.

Twilio's own magic numbers, as its page on test credentials gives them
(https://www.twilio.com/docs/iam/test-credentials):

| ``To`` | answer | | ``From`` | answer |
| --- | --- | --- | --- | --- |
| +15005550001 | 21211 invalid | | +15005550001 | 21212 invalid |
| +15005550002 | 21612 no route | | +15005550007 | 21606 not the account's |
| +15005550003 | 21408 no permission for the region | | +15005550008 | 21611 queue full |
| +15005550004 | 21610 unsubscribed | | | |
| +15005550009 | 21614 cannot receive SMS | | | |

The sandbox's own, for what Twilio offers no number to try. ``NN`` is any two digits, and each
number has its own first time:

| ``To`` | what happens | like |
| --- | --- | --- |
| +150055520NN | first time 429, 20429, ``Retry-After: 1``, nothing stored | too many requests |
| +150055521NN | first time 503, 20503, nothing stored | an outage |
| +150055522NN | first time stored and sent, the request never answered | a lost answer |
| +150055523NN | first time stored and sent, the answer breaks off after its head | a lost answer |
| +150055524NN | accepted, then undelivered with 30006 | a landline |
| +150055525NN | accepted, then undelivered with 30003 | a telephone switched off |
| +150055527NN | accepted, then undelivered with 30034 | an unregistered sender |
| +150055526NN | NN seconds in the queue; failed with 30036 if its validity ends | a slow queue |
"""

from enum import Enum
from typing import Final

from sandbox.twilio_errors import Refusal

_REFUSED_TO: Final = {
    "+15005550001": Refusal.TO_INVALID,
    "+15005550002": Refusal.NO_ROUTE,
    "+15005550003": Refusal.REGION_NOT_ALLOWED,
    "+15005550004": Refusal.UNSUBSCRIBED,
    "+15005550009": Refusal.NOT_MOBILE,
}
_REFUSED_FROM: Final = {
    "+15005550001": Refusal.FROM_INVALID,
    "+15005550007": Refusal.FROM_NOT_OURS,
    "+15005550008": Refusal.QUEUE_FULL,
}


class FirstTime(Enum):
    """What happens to the first message to a number, by the number's beginning."""

    TOO_MANY_REQUESTS = "+150055520"
    UNAVAILABLE = "+150055521"
    NEVER_ANSWERED = "+150055522"
    ANSWER_BROKEN_OFF = "+150055523"


_SLOW: Final = "+150055526"
_UNDELIVERED: Final = {"+150055524": 30006, "+150055525": 30003, "+150055527": 30034}

# "+150055520" and the two digits that tell the numbers of a family apart.
_FAMILY_LENGTH: Final = len("+150055520NN")


class FirstTimes:
    """Remembers which numbers have had the fault of their first time."""

    def __init__(self) -> None:
        self._had: set[str] = set()

    def take(self, number: str) -> FirstTime | None:
        """Return the fault due for a message to this number, once, if there is one."""
        family = _family_of(number)
        due = next((fault for fault in FirstTime if fault.value == family), None)
        if due is None or number in self._had:
            return None
        self._had.add(number)
        return due


def refusal_of_recipient(number: str) -> Refusal | None:
    """Return the refusal that Twilio publishes for this ``To``, if any."""
    return _REFUSED_TO.get(number)


def refusal_of_sender(number: str) -> Refusal | None:
    """Return the refusal that Twilio publishes for this ``From``, if any."""
    return _REFUSED_FROM.get(number)


def undelivered_code_of(number: str) -> int | None:
    """Return the ErrorCode with which messages to this number stay undelivered, if any."""
    return _UNDELIVERED.get(_family_of(number))


def seconds_in_queue_of(number: str) -> int:
    """Return how long a message to this number waits before it is sent."""
    return int(number[-2:]) if _family_of(number) == _SLOW else 0


def _family_of(number: str) -> str:
    plain = number.rpartition(":")[2]  # WhatsApp's bear its name
    return plain[:-2] if len(plain) == _FAMILY_LENGTH else ""
