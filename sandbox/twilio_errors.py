"""What Twilio's API answers when it refuses, in the form and with the codes it publishes.

Source: https://www.twilio.com/docs/api/errors. As with Twilio, a message may name the number: it
is not fit for a log.
"""

from enum import Enum
from typing import Final

from fastapi import Request
from fastapi.responses import JSONResponse

_MORE_INFO: Final = "https://www.twilio.com/docs/errors/{code}"


class Refusal(Enum):
    """A published error: its code, its HTTP status, and its message with a place for a subject."""

    PARAMETER_INVALID = (20001, 400, "Invalid parameter: {subject}")
    NOT_AUTHENTICATED = (20003, 401, "Authenticate")
    NOT_FOUND = (20404, 404, "The requested resource {subject} was not found")
    TOO_MANY_REQUESTS = (20429, 429, "Too Many Requests")
    SERVER_ERROR = (20500, 500, "An internal server error has occurred")
    UNAVAILABLE = (20503, 503, "Service is unavailable, please try again")
    REGION_NOT_ALLOWED = (
        21408,
        400,
        "Permission to send has not been enabled for the region of the 'To' number: {subject}",
    )
    TO_INVALID = (21211, 400, "Invalid 'To' Phone Number: {subject}")
    FROM_INVALID = (21212, 400, "Invalid From Number (caller ID): {subject}")
    BODY_MISSING = (21602, 400, "Message body is required.")
    FROM_MISSING = (21603, 400, "A 'From' phone number is required.")
    TO_MISSING = (21604, 400, "A 'To' phone number is required.")
    FROM_NOT_OURS = (
        21606,
        400,
        "The 'From' phone number {subject} is not a valid message-capable Twilio phone number",
    )
    CALLBACK_INVALID = (21609, 400, "Invalid 'StatusCallback' URL: {subject}")
    UNSUBSCRIBED = (21610, 400, "Attempt to send to unsubscribed recipient")
    QUEUE_FULL = (21611, 400, "The 'From' number's message queue is full: {subject}")
    NO_ROUTE = (
        21612,
        400,
        "Message cannot be sent with the current combination of 'To' ({subject}) and 'From'",
    )
    NOT_MOBILE = (21614, 400, "'To' number: {subject}, is not a valid mobile number")
    BODY_TOO_LONG = (21617, 400, "The concatenated message body exceeds the 1600 character limit")
    VALIDITY_PERIOD_INVALID = (21624, 400, "Invalid validity period value: {subject}")
    CONTENT_INVALID = (21655, 400, "The ContentSid is invalid.")
    CONTENT_VARIABLES_INVALID = (21656, 400, "The ContentVariables parameter is invalid.")
    SERVICE_NOT_FOUND = (21701, 404, "The Messaging Service does not exist: {subject}")

    def __init__(self, code: int, status: int, message: str) -> None:
        self.code = code
        self.status = status
        self.message = message


class TwilioRefusalError(Exception):
    """The request is refused, and the answer says why."""

    def __init__(
        self, refusal: Refusal, subject: str = "", *, retry_after: int | None = None
    ) -> None:
        """Refuse.

        Args:
            refusal: The published error.
            subject: What the error is about, such as a number.
            retry_after: Seconds, for the ``Retry-After`` header.
        """
        super().__init__(refusal.name)
        self.refusal = refusal
        self.subject = subject
        self.retry_after = retry_after


async def answer_refusal(_request: Request, error: Exception) -> JSONResponse:
    """Turn a `TwilioRefusalError` into Twilio's error answer.

    Raises:
        Exception: `error` itself, when it is of another kind.
    """
    if not isinstance(error, TwilioRefusalError):
        raise error
    refusal = error.refusal
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    if refusal is Refusal.NOT_AUTHENTICATED:
        headers["WWW-Authenticate"] = 'Basic realm="Twilio API"'
    return JSONResponse(
        {
            "code": refusal.code,
            "message": refusal.message.format(subject=error.subject),
            "more_info": _MORE_INFO.format(code=refusal.code),
            "status": refusal.status,
        },
        status_code=refusal.status,
        headers=headers,
    )
