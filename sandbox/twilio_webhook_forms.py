"""What Twilio posts to its customer: where a message stands, and what came in.

https://www.twilio.com/docs/messaging/guides/webhook-request
"""

from sandbox.sms_segments import segments_of
from sandbox.twilio_message import API_VERSION, TwilioMessage


def status_form(message: TwilioMessage) -> dict[str, str]:
    """Return what a status callback posts about where a message stands now."""
    form = {
        "AccountSid": message.account_sid,
        "ApiVersion": API_VERSION,
        "From": message.sender or "",
        "MessageSid": message.sid,
        "MessageStatus": message.status,
        "SmsSid": message.sid,
        "SmsStatus": message.status,
        "To": message.to,
    }
    if message.messaging_service_sid is not None:
        form["MessagingServiceSid"] = message.messaging_service_sid
    if message.error_code is not None:
        form["ErrorCode"] = str(message.error_code)
    return form


def inbound_form(message: TwilioMessage) -> dict[str, str]:
    """Return what is posted when a message comes in."""
    return {
        "AccountSid": message.account_sid,
        "ApiVersion": API_VERSION,
        "Body": message.body,
        "From": message.sender or "",
        "MessageSid": message.sid,
        "NumMedia": "0",
        "NumSegments": str(segments_of(message.body)),
        "SmsMessageSid": message.sid,
        "SmsSid": message.sid,
        "SmsStatus": message.status,
        "To": message.to,
    }
