"""Twilio's Message resource."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Final, Literal
from uuid import uuid4

from sandbox.sms_segments import segments_of

API_VERSION: Final = "2010-04-01"


def new_sid() -> str:
    """Return a new message's id, in the form Twilio gives it."""
    return f"SM{uuid4().hex}"


@dataclass(slots=True)
class TwilioMessage:
    """A message that the account has sent or received."""

    account_sid: str
    to: str
    sender: str | None
    """The ``From``; None until a messaging service has chosen it."""
    body: str
    direction: Literal["inbound", "outbound-api"]
    status: str
    """One of Twilio's message statuses, such as ``queued``, ``sent`` or ``delivered``."""
    messaging_service_sid: str | None = None
    content_sid: str | None = None
    status_callback: str | None = None
    validity_s: int | None = None
    """How many seconds it may wait in the queue; None for a message received."""
    error_code: int | None = None
    sid: str = field(default_factory=new_sid)
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    """When the account took the message, in UTC."""
    began_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    """When the request to send it came in, in UTC."""
    sent_at: datetime | None = None
    """When the message left for the network, in UTC; None before."""
    updated_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def become(self, status: str, *, error_code: int | None = None) -> None:
        """Move on to a status, now."""
        self.status = status
        self.error_code = error_code
        self.updated_at = datetime.now(UTC)
        if status == "sent":
            self.sent_at = self.updated_at

    def resource(self) -> dict[str, Any]:
        """Return the Message resource as Twilio's API gives it.

        Dates are RFC 2822 in GMT, to the second. The segments of a message without a sender are
        not known yet: 0.
        """
        uri = f"/{API_VERSION}/Accounts/{self.account_sid}/Messages/{self.sid}"
        return {
            "account_sid": self.account_sid,
            "api_version": API_VERSION,
            "body": self.body,
            "date_created": format_datetime(self.created_at),
            "date_sent": format_datetime(self.sent_at) if self.sent_at else None,
            "date_updated": format_datetime(self.updated_at),
            "direction": self.direction,
            "error_code": self.error_code,
            "error_message": None,
            "from": self.sender,
            "messaging_service_sid": self.messaging_service_sid,
            "num_media": "0",
            "num_segments": str(segments_of(self.body)) if self.sender else "0",
            "price": None,
            "price_unit": "USD",
            "sid": self.sid,
            "status": self.status,
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "to": self.to,
            "uri": f"{uri}.json",
        }
