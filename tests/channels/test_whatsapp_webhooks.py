"""What patients write on WhatsApp, and what becomes of a message there."""

import pytest
from twilio.request_validator import RequestValidator

from channels.protocol import ProviderEvent, WebhookRequest
from channels.whatsapp import WhatsAppChannel
from clinic.event import EventKind
from sandbox.stand_ins import Sandbox

URL = "https://come-back.aurora.example/webhooks/whatsapp"
REPLY = {
    "MessageSid": "SM1",
    "From": "whatsapp:+13055550123",
    "To": "whatsapp:+13055550101",
    "WaId": "13055550123",
    "ProfileName": "Sofía",
    "Body": "¿Mañana?",
    "NumMedia": "0",
}


def request_of(form: dict[str, str], token: str = "") -> WebhookRequest:
    signature = RequestValidator(token).compute_signature(URL, form)
    return WebhookRequest(url=URL, headers={"x-twilio-signature": signature}, form=form, body=b"")


def test_a_request_signed_with_our_token_is_genuine(
    whatsapp: WhatsAppChannel, sandbox: Sandbox
) -> None:
    token = sandbox.settings.twilio_auth_token.get_secret_value()
    assert whatsapp.verify(request_of(REPLY, token)) is True
    assert whatsapp.verify(request_of(REPLY, "another token")) is False


def test_a_message_comes_from_the_patients_plain_number(whatsapp: WhatsAppChannel) -> None:
    (event,) = whatsapp.parse(request_of(REPLY))
    assert event == ProviderEvent(
        key="SM1", kind=EventKind.REPLY, from_address="+13055550123", body="¿Mañana?"
    )


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        pytest.param({"Body": "Sí", "ButtonText": "Sí", "ButtonPayload": "yes"}, "Sí", id="button"),
        pytest.param({"Body": "", "ButtonText": "Sí"}, "Sí", id="a button without a body"),
        pytest.param({"Body": "", "ButtonPayload": "yes"}, "yes", id="a button without a text"),
        pytest.param(
            {"Body": "", "Latitude": "25.76", "Longitude": "-80.19"}, "[geo:25.76,-80.19]", id="map"
        ),
        pytest.param(
            {
                "Body": "",
                "Latitude": "25.76",
                "Longitude": "-80.19",
                "Label": "Parque",
                "Address": "Calle 8",
            },
            "[geo:25.76,-80.19 Parque Calle 8]",
            id="a place with a name",
        ),
        pytest.param(
            {"Body": "", "NumMedia": "1", "MediaContentType0": "audio/ogg"},
            "[audio/ogg]",
            id="a voice message",
        ),
        pytest.param({"Body": ""}, "", id="something that Twilio can't show"),
    ],
)
def test_whatever_a_patient_sends_is_an_answer(
    whatsapp: WhatsAppChannel, sent: dict[str, str], words: str
) -> None:
    (event,) = whatsapp.parse(request_of(REPLY | sent))
    assert (event.kind, event.body) == (EventKind.REPLY, words)


def test_a_place_needs_no_body(whatsapp: WhatsAppChannel) -> None:
    form = {"MessageSid": "SM1", "From": REPLY["From"], "Latitude": "1", "Longitude": "2"}
    (event,) = whatsapp.parse(request_of(form))
    assert (event.kind, event.body) == (EventKind.REPLY, "[geo:1,2]")


@pytest.mark.parametrize(
    ("status", "code", "kind", "bad"),
    [
        pytest.param("read", None, EventKind.NOTICE, False, id="read"),
        pytest.param("undelivered", "63003", EventKind.BOUNCED, True, id="no such number"),
        pytest.param("failed", "63024", EventKind.BOUNCED, True, id="not on WhatsApp"),
        pytest.param("undelivered", "63049", EventKind.BOUNCED, False, id="WhatsApp's own limit"),
        pytest.param("undelivered", "63014", EventKind.OPTED_OUT, False, id="blocked us"),
        pytest.param("undelivered", "63016", EventKind.UNKNOWN, False, id="outside the window"),
        pytest.param("failed", "63041", EventKind.UNKNOWN, False, id="approved text paused"),
    ],
)
def test_a_status_says_what_it_means_for_the_patient(
    whatsapp: WhatsAppChannel,
    status: str,
    code: str | None,
    kind: EventKind,
    bad: bool,  # noqa: FBT001 - a column of the table
) -> None:
    form = {"MessageSid": "SM1", "MessageStatus": status, "To": REPLY["From"]}
    (event,) = whatsapp.parse(request_of(form if code is None else form | {"ErrorCode": code}))
    assert (event.kind, event.bad_address, event.provider_id) == (kind, bad, "SM1")
    assert event.misconfigured is (kind is EventKind.UNKNOWN)
