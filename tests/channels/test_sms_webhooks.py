"""Twilio's webhooks: genuine only with its signature, and read into the product's words."""

import pytest
from twilio.request_validator import RequestValidator

from channels.protocol import ProviderEvent, WebhookRequest
from channels.sms import SmsChannel
from clinic.event import EventKind
from sandbox.stand_ins import Sandbox

URL = "https://come-back.aurora.example/webhooks/sms"
REPLY = {"MessageSid": "SM1", "From": "+13055550123", "Body": "¿Mañana? СТОП", "NumMedia": "0"}


def request_of(
    form: dict[str, str], *, token: str = "", url: str = URL, signed_url: str = URL
) -> WebhookRequest:
    signature = RequestValidator(token).compute_signature(signed_url, form)
    return WebhookRequest(url=url, headers={"x-twilio-signature": signature}, form=form, body=b"")


def token_of(sandbox: Sandbox) -> str:
    return sandbox.settings.twilio_auth_token.get_secret_value()


def test_a_request_signed_with_our_token_is_genuine(sms: SmsChannel, sandbox: Sandbox) -> None:
    assert sms.verify(request_of(REPLY, token=token_of(sandbox))) is True


def test_a_request_signed_with_another_token_is_not(sms: SmsChannel) -> None:
    assert sms.verify(request_of(REPLY, token="another token")) is False


def test_a_signature_covers_the_form(sms: SmsChannel, sandbox: Sandbox) -> None:
    genuine = request_of(REPLY, token=token_of(sandbox))
    changed = genuine.model_copy(update={"form": REPLY | {"Body": "BAJA"}})
    assert sms.verify(changed) is False


def test_a_signature_covers_the_address(sms: SmsChannel, sandbox: Sandbox) -> None:
    elsewhere = request_of(REPLY, token=token_of(sandbox), signed_url=URL + "?copy")
    assert sms.verify(elsewhere) is False


def test_a_request_without_a_signature_is_not_genuine(sms: SmsChannel) -> None:
    assert sms.verify(WebhookRequest(url=URL, headers={}, form=REPLY, body=b"")) is False


def test_a_message_is_a_reply_with_the_patients_words(sms: SmsChannel) -> None:
    (event,) = sms.parse(request_of(REPLY))
    assert event == ProviderEvent(
        key="SM1", kind=EventKind.REPLY, from_address="+13055550123", body="¿Mañana? СТОП"
    )


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        pytest.param("queued", None, EventKind.NOTICE, id="queued"),
        pytest.param("sent", None, EventKind.NOTICE, id="sent"),
        pytest.param("delivered", None, EventKind.NOTICE, id="delivered"),
        pytest.param("undelivered", "30006", EventKind.BOUNCED, id="a landline"),
        pytest.param("failed", "30005", EventKind.BOUNCED, id="no such handset"),
        pytest.param("undelivered", "30003", EventKind.BOUNCED, id="switched off"),
        pytest.param("failed", "30036", EventKind.BOUNCED, id="too late"),
        pytest.param("undelivered", "30007", EventKind.UNKNOWN, id="filtered: not the patient's"),
        pytest.param("failed", "21610", EventKind.OPTED_OUT, id="the patient had said stop"),
        pytest.param("undelivered", None, EventKind.BOUNCED, id="undelivered, nobody knows why"),
        pytest.param("undelivered", "99999", EventKind.BOUNCED, id="a code we do not know"),
        pytest.param("canceled", None, EventKind.BOUNCED, id="canceled at Twilio"),
        pytest.param("delivered", "30006", EventKind.NOTICE, id="delivered all the same"),
        pytest.param("a new status", None, EventKind.UNKNOWN, id="a status we do not know"),
    ],
)
def test_a_status_is_about_one_message(
    sms: SmsChannel, status: str, code: str | None, kind: EventKind
) -> None:
    form = {"MessageSid": "SM1", "MessageStatus": status, "To": "+13055550123"}
    (event,) = sms.parse(request_of(form if code is None else form | {"ErrorCode": code}))
    assert event == ProviderEvent(
        key=f"SM1.{status}",
        kind=kind,
        provider_id="SM1",
        status=status,
        failure=code,
        bad_address=kind is EventKind.BOUNCED and code in {"30005", "30006"},
        misconfigured=code == "30007",
    )


def test_each_status_of_a_message_has_its_own_key(sms: SmsChannel) -> None:
    keys = {
        sms.parse(request_of({"MessageSid": sid, "MessageStatus": status}))[0].key
        for sid in ("SM1", "SM2")
        for status in ("sent", "delivered")
    }
    assert len(keys) == 4


@pytest.mark.parametrize(
    "form",
    [
        pytest.param({}, id="empty"),
        pytest.param({"From": "+13055550123", "Body": "hola"}, id="no MessageSid"),
        pytest.param({"MessageSid": "SM1"}, id="neither a message nor a status"),
        pytest.param({"MessageSid": "SM1", "Body": "hola"}, id="a message from nobody"),
        pytest.param({"MessageSid": "SM1", "From": "+13055550123"}, id="a message of nothing"),
    ],
)
def test_a_form_that_twilio_does_not_document_is_refused(
    sms: SmsChannel, form: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match=r"MessageSid is missing|neither a message nor a status"):
        sms.parse(request_of(form))


def test_a_character_that_no_database_takes_costs_no_reply(
    sms: SmsChannel, sandbox: Sandbox
) -> None:
    request = request_of(REPLY | {"Body": "a\0b"}, token=token_of(sandbox))
    assert sms.verify(request) is True
    (event,) = sms.parse(request)
    assert (event.kind, event.body) == (EventKind.REPLY, "ab")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("🙂 да " * 400, id="longer than Twilio sends, and of every plane"),
        pytest.param("  ¿Mañana?\n", id="white space"),
        pytest.param("", id="nothing"),
    ],
)
def test_words_arrive_as_they_were_sent(sms: SmsChannel, sandbox: Sandbox, body: str) -> None:
    request = request_of(REPLY | {"Body": body}, token=token_of(sandbox))
    assert sms.verify(request) is True
    (event,) = sms.parse(request)
    assert (event.kind, event.body) == (EventKind.REPLY, body)


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        pytest.param(
            {"Body": "", "NumMedia": "1", "MediaContentType0": "image/jpeg"},
            "[image/jpeg]",
            id="a picture",
        ),
        pytest.param(
            {
                "Body": " ",
                "NumMedia": "2",
                "MediaContentType0": "image/png",
                "MediaContentType1": "text/vcard",
            },
            "[image/png] [text/vcard]",
            id="a picture and a contact",
        ),
        pytest.param(
            {"Body": "BAJA", "NumMedia": "1", "MediaContentType0": "image/webp"},
            "BAJA\n[image/webp]",
            id="a word and a picture: staff see that there is one",
        ),
        pytest.param({"Body": "", "NumMedia": "1"}, "", id="a picture of an unknown kind"),
    ],
)
def test_a_picture_is_an_answer_too(sms: SmsChannel, sent: dict[str, str], words: str) -> None:
    (event,) = sms.parse(request_of(REPLY | sent))
    assert (event.kind, event.body) == (EventKind.REPLY, words)


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        pytest.param("STOP", "STOP", EventKind.OPTED_OUT, id="stop"),
        pytest.param("STOP", "ADIOS", EventKind.OPTED_OUT, id="stop, by a word set at Twilio"),
        pytest.param("STOP", "", EventKind.OPTED_OUT, id="stop, without a word"),
        pytest.param("HELP", "HELP", EventKind.REPLY, id="help: a person answers"),
        pytest.param("START", "START", EventKind.REPLY, id="start: clears nothing by itself"),
    ],
)
def test_what_twilio_takes_for_an_opt_out_is_one(
    sms: SmsChannel, kind: str, body: str, expected: EventKind
) -> None:
    (event,) = sms.parse(request_of(REPLY | {"Body": body, "OptOutType": kind}))
    assert (event.kind, event.from_address, event.body) == (expected, "+13055550123", body)
