"""Twilio's webhooks, read into the product's words: what became of a message, what somebody wrote.

https://www.twilio.com/docs/messaging/guides/webhook-request
https://www.twilio.com/docs/messaging/guides/track-outbound-message-status
"""

from collections.abc import Mapping

from channels.protocol import ProviderEvent
from channels.twilio_failures import NEVER_ARRIVES, Meaning, meaning_of
from clinic.event import EventKind

WHATSAPP = "whatsapp:"
"""Stands before the numbers of that channel, in either direction."""

_ON_THE_WAY = frozenset(
    {"accepted", "scheduled", "queued", "sending", "sent", "delivery_unknown", "delivered"}
    | {"partially_delivered", "read"}
)

_MOST_MEDIA = 10
"""As many as Twilio takes in one message."""
_SAYS_SOMETHING = frozenset({"Body", "NumMedia", "ButtonText", "ButtonPayload", "Latitude"})


def read_form(form: Mapping[str, str]) -> list[ProviderEvent]:
    """Read an inbound message or a status callback.

    Raises:
        ValueError: Neither of them.
    """
    sid = form.get("MessageSid", "")
    if not sid:
        raise ValueError("MessageSid is missing")
    status = form.get("MessageStatus")
    if status is not None:
        return [_status(sid, status, form.get("ErrorCode"))]
    if "From" not in form or _SAYS_SOMETHING.isdisjoint(form):
        raise ValueError("neither a message nor a status")
    return [_message(sid, form)]


def _status(sid: str, status: str, code: str | None) -> ProviderEvent:
    meaning = meaning_of(code) if status in NEVER_ARRIVES else None
    return ProviderEvent(
        key=f"{sid}.{status}",
        kind=_kind_of(status, meaning),
        provider_id=sid,
        status=status,
        failure=code,
        bad_address=meaning is Meaning.PERMANENT,
        misconfigured=meaning is Meaning.MISCONFIGURED,
    )


def _kind_of(status: str, meaning: Meaning | None) -> EventKind:
    if status in _ON_THE_WAY:
        return EventKind.NOTICE
    if status not in NEVER_ARRIVES or meaning is Meaning.MISCONFIGURED:
        return EventKind.UNKNOWN
    # also where nobody knows why: a final status is final, and nothing is said against the number
    return EventKind.OPTED_OUT if meaning is Meaning.OPTED_OUT else EventKind.BOUNCED


def _message(sid: str, form: Mapping[str, str]) -> ProviderEvent:
    # Twilio's Advanced Opt-Out took it for STOP, by whichever word the clinic has set there, and
    # sends nothing more to the number. Its START clears nothing: a patient tells the clinic that.
    stopped = form.get("OptOutType", "").upper() == "STOP"
    return ProviderEvent(
        key=sid,
        kind=EventKind.OPTED_OUT if stopped else EventKind.REPLY,
        from_address=form["From"].removeprefix(WHATSAPP),
        body=_words(form),
    )


def _words(form: Mapping[str, str]) -> str:
    """Return what was written, as it was; where it is no text, what it is, in any language."""
    media = [form.get(f"MediaContentType{number}", "") for number in range(_MOST_MEDIA)]
    pictures = " ".join(f"[{kind}]" for kind in media if kind)
    for name in ("Body", "ButtonText", "ButtonPayload"):
        if (said := form.get(name, "")).strip():
            return f"{said}\n{pictures}" if pictures else said
    if {"Latitude", "Longitude"} <= form.keys():
        place = f"geo:{form['Latitude']},{form['Longitude']}"  # RFC 5870
        named = (form.get(name, "").strip() for name in ("Label", "Address"))
        return f"[{' '.join([place, *filter(None, named)])}]"
    return pictures or form.get("Body", "")
