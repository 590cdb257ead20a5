"""What a client asks Twilio to send, read and checked as Twilio's reference describes it.

Source: https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from sandbox.twilio_contents import render
from sandbox.twilio_errors import Refusal, TwilioRefusalError
from sandbox.twilio_faults import refusal_of_recipient, refusal_of_sender

WHATSAPP: Final = "whatsapp:"
MAX_BODY_LENGTH: Final = 1600
MAX_VALIDITY_S: Final = 36_000

_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_SHORT_CODE: Final = re.compile(r"[0-9]{3,6}")
_SERVICE_SID: Final = re.compile(r"MG[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Submission:
    """A message that Twilio would take, before it is known whether the recipient allows it."""

    to: str
    sender: str | None
    """The ``From``; None when a messaging service chooses it."""
    messaging_service_sid: str | None
    body: str
    """The text, as the recipient would read it."""
    content_sid: str | None
    status_callback: str | None
    validity_s: int
    """How many seconds the message may wait in the queue."""
    undelivered_with: int | None = None
    """The ErrorCode with which its content keeps it from being delivered."""


def read_submission(
    form: Mapping[str, str],
    *,
    owned_numbers: Collection[str],
    contents: Mapping[str, str],
) -> Submission:
    """Read the form fields of a request to send.

    Args:
        form: The fields, as posted.
        owned_numbers: The account's own numbers (E.164); when empty, any number is taken for one.
        contents: Its approved texts by their ids; when empty, any id is taken for one.

    Raises:
        TwilioRefusalError: Twilio refuses such a request, whoever the recipient is.
    """
    to = form.get("To", "")
    _check_recipient(to)
    service, sender = form.get("MessagingServiceSid"), form.get("From")
    if service:
        if not _SERVICE_SID.fullmatch(service):
            raise TwilioRefusalError(Refusal.SERVICE_NOT_FOUND, service)
    elif sender:
        _check_sender(sender, owned_numbers)
    else:
        raise TwilioRefusalError(Refusal.FROM_MISSING)
    callback = form.get("StatusCallback")
    if callback and urlsplit(callback).scheme not in {"http", "https"}:
        raise TwilioRefusalError(Refusal.CALLBACK_INVALID, callback)
    body, undelivered_with = _body_of(form, contents)
    return Submission(
        to=to,
        sender=sender or None,
        messaging_service_sid=service or None,
        body=body,
        content_sid=form.get("ContentSid") or None,
        status_callback=callback or None,
        validity_s=_validity_of(form.get("ValidityPeriod")),
        undelivered_with=undelivered_with,
    )


def _check_recipient(to: str) -> None:
    if not to:
        raise TwilioRefusalError(Refusal.TO_MISSING)
    number = to.removeprefix(WHATSAPP)
    if not _E164.fullmatch(number):
        raise TwilioRefusalError(Refusal.TO_INVALID, to)
    if refusal := refusal_of_recipient(number):
        raise TwilioRefusalError(refusal, to)


def _check_sender(sender: str, owned_numbers: Collection[str]) -> None:
    number = sender.removeprefix(WHATSAPP)
    if not (_E164.fullmatch(number) or _SHORT_CODE.fullmatch(number)):
        raise TwilioRefusalError(Refusal.FROM_INVALID, sender)
    if refusal := refusal_of_sender(number):
        raise TwilioRefusalError(refusal, sender)
    if owned_numbers and number not in owned_numbers:
        raise TwilioRefusalError(Refusal.FROM_NOT_OURS, sender)


def _body_of(form: Mapping[str, str], contents: Mapping[str, str]) -> tuple[str, int | None]:
    body = form.get("Body", "")
    if len(body) > MAX_BODY_LENGTH:
        raise TwilioRefusalError(Refusal.BODY_TOO_LONG)
    if body:
        return body, None
    if sid := form.get("ContentSid"):
        return render(sid, form.get("ContentVariables") or "{}", contents)
    raise TwilioRefusalError(Refusal.BODY_MISSING)


def _validity_of(seconds: str | None) -> int:
    if not seconds:
        return MAX_VALIDITY_S
    if not (seconds.isdecimal() and 1 <= int(seconds) <= MAX_VALIDITY_S):
        raise TwilioRefusalError(Refusal.VALIDITY_PERIOD_INVALID, seconds)
    return int(seconds)
