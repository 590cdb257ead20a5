"""What a client asks Twilio to send, read and checked as Twilio's reference describes it.

Source: https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource.
"""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from sandbox.twilio_errors import Refusal, TwilioRefusalError
from sandbox.twilio_faults import refusal_of_recipient, refusal_of_sender

WHATSAPP: Final = "whatsapp:"
MAX_BODY_LENGTH: Final = 1600

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
    """The text; for a template, the values of its variables in their order."""
    content_sid: str | None
    status_callback: str | None


def read_submission(form: Mapping[str, str], *, owned_numbers: Collection[str]) -> Submission:
    """Read the form fields of a request to send.

    Args:
        form: The fields, as posted.
        owned_numbers: The account's own numbers (E.164); when empty, any number is taken for one.

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
    return Submission(
        to=to,
        sender=sender or None,
        messaging_service_sid=service or None,
        body=_body_of(form),
        content_sid=form.get("ContentSid") or None,
        status_callback=callback or None,
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


def _body_of(form: Mapping[str, str]) -> str:
    body = form.get("Body", "")
    if len(body) > MAX_BODY_LENGTH:
        raise TwilioRefusalError(Refusal.BODY_TOO_LONG)
    if body:
        return body
    if form.get("ContentSid"):
        return _content_of(form.get("ContentVariables") or "{}")
    raise TwilioRefusalError(Refusal.BODY_MISSING)


def _content_of(variables: str) -> str:
    # The templates are in the account at Twilio; what varies is all that is known here, and it is
    # what a client looks for when it asks what became of a message.
    try:
        values = json.loads(variables)
    except json.JSONDecodeError as error:
        raise TwilioRefusalError(Refusal.CONTENT_VARIABLES_INVALID) from error
    if not isinstance(values, dict):
        raise TwilioRefusalError(Refusal.CONTENT_VARIABLES_INVALID)
    return " ".join(map(str, values.values()))
