"""What each failure of Twilio means: what to do next, and never a word of the number."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from aiohttp import ClientConnectionError, ClientOSError, ClientProxyConnectionError
from aiohttp.client_reqrep import ConnectionKey

from channels import twilio_failures
from channels.errors import Misconfigured, OptedOut, Permanent, SendError, Transient, Uncertain
from channels.protocol import OutgoingMessage
from channels.sms import SmsChannel, SmsSettings
from sandbox.stand_ins import Sandbox

if TYPE_CHECKING:
    from tests.channels.conftest import Answers

Make = Callable[..., OutgoingMessage]
Settings = Callable[..., SmsSettings]

MEANINGS: dict[str, type[SendError]] = {
    "permanent": Permanent,
    "opted_out": OptedOut,
    "misconfigured": Misconfigured,
    "transient": Transient,
}
TABLE: dict[str, list[int]] = yaml.safe_load(
    (Path(twilio_failures.__file__).with_name("twilio_codes.yaml")).read_text(encoding="utf-8")
)


@pytest.fixture
async def told(sms_settings: Settings, answers: "Answers") -> AsyncIterator[SmsChannel]:
    """The SMS channel, pointed at a provider that answers as it is told."""
    channel = SmsChannel(sms_settings(base_url=answers.url))
    yield channel
    await channel.close()


async def failure_of(channel: SmsChannel, outgoing: OutgoingMessage) -> SendError:
    with pytest.raises(SendError) as raised:
        await channel.send(outgoing)
    assert outgoing.to not in str(raised.value)
    assert raised.value.__cause__ is None  # what Twilio said holds the number
    return raised.value


@pytest.mark.parametrize(
    ("to", "meaning", "code"),
    [
        pytest.param("+15005550001", Permanent, 21211, id="invalid"),
        pytest.param("+15005550002", Permanent, 21612, id="no route"),
        pytest.param("+15005550003", Misconfigured, 21408, id="region not enabled"),
        pytest.param("+15005550004", OptedOut, 21610, id="unsubscribed"),
        pytest.param("+15005550009", Permanent, 21614, id="cannot receive SMS"),
        pytest.param("+15005552001", Transient, 20429, id="too many requests"),
        pytest.param("+15005552101", Uncertain, 20503, id="an outage"),
    ],
)
async def test_a_recipient_that_fails(
    sms: SmsChannel, message: Make, to: str, meaning: type[SendError], code: int
) -> None:
    failed = await failure_of(sms, message(to))
    assert (type(failed), failed.code) == (meaning, f"twilio {code}")


@pytest.mark.parametrize(
    ("change", "meaning", "code"),
    [
        pytest.param({"from_number": "+15005550001"}, Misconfigured, 21212, id="invalid sender"),
        pytest.param({"from_number": "+15005550007"}, Misconfigured, 21606, id="sender not ours"),
        pytest.param({"from_number": "+15005550008"}, Transient, 21611, id="sender's queue full"),
        pytest.param({"auth_token": "wrong"}, Misconfigured, 20003, id="wrong token"),
        pytest.param({"account_sid": "AC" + "1" * 32}, Misconfigured, 20003, id="wrong account"),
    ],
)
async def test_settings_that_twilio_refuses(
    sms_settings: Settings,
    message: Make,
    number: str,
    change: dict[str, str],
    meaning: type[SendError],
    code: int,
) -> None:
    channel = SmsChannel(sms_settings(**change))
    failed = await failure_of(channel, message(number))
    assert (type(failed), failed.code) == (meaning, f"twilio {code}")
    await channel.close()


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        pytest.param(code, MEANINGS[kind], id=f"{code} {kind}")
        for kind, codes in TABLE.items()
        for code in codes
    ],
)
async def test_every_code_in_the_table_means_what_the_table_says(
    told: SmsChannel,
    answers: "Answers",
    message: Make,
    number: str,
    code: int,
    meaning: type[SendError],
) -> None:
    answers.status = 400
    answers.body = f'{{"code": {code}, "message": "about {number}", "status": 400}}'
    failed = await failure_of(told, message(number))
    assert (type(failed), failed.code) == (meaning, f"twilio {code}")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        *(pytest.param(code, "permanent") for code in (21211, 21614, 30005, 30006, 63003, 63024)),
        *(pytest.param(code, "opted_out") for code in (21610, 63014)),
        *(
            pytest.param(code, "misconfigured")
            for code in (20003, 21408, 30007, 30034, 63007, 63016)
        ),
        *(pytest.param(code, "transient") for code in (20429, 30003, 30008, 30036, 63018, 63032)),
    ],
)
def test_the_table_holds_what_twilio_documents(code: int, kind: str) -> None:
    assert [found for found, codes in TABLE.items() if code in codes] == [kind]


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        pytest.param(429, "slow down", Transient, id="429 without a code: certainly not taken"),
        pytest.param(500, "", Uncertain, id="500: may have been taken"),
        pytest.param(502, "<html>", Uncertain, id="502 of a gateway"),
        pytest.param(504, '{"code": 20504, "status": 504}', Uncertain, id="504"),
        pytest.param(503, '{"code": 20429}', Uncertain, id="503, whichever code comes with it"),
        pytest.param(307, "", Misconfigured, id="sent elsewhere: not the API's address"),
        pytest.param(400, '{"code": 29999}', Misconfigured, id="a code that we do not know"),
        pytest.param(400, '{"code": null}', Misconfigured, id="no code"),
        pytest.param(400, '["21211"]', Misconfigured, id="an error in no form we know"),
        pytest.param(408, "", Uncertain, id="408: nobody knows"),
        pytest.param(400, "[" * 100_000, Misconfigured, id="an error without end"),
        pytest.param(201, "[" * 100_000, Uncertain, id="taken, and an answer without end"),
        pytest.param(404, "", Misconfigured, id="404: not the API's address"),
        pytest.param(
            400,
            '{"type": "x", "title": "x", "status": 400, "code": 21211}',
            Permanent,
            id="an error in the form of RFC 9457",
        ),
        pytest.param(201, "<html>", Uncertain, id="taken, but the answer is unreadable"),
        pytest.param(201, "{}", Uncertain, id="taken, but the answer names no message"),
        pytest.param(201, "[]", Uncertain, id="taken, but the answer is no message"),
    ],
)
async def test_an_answer_that_stands_in_no_table(
    told: SmsChannel,
    answers: "Answers",
    message: Make,
    number: str,
    status: int,
    body: str,
    meaning: type[SendError],
) -> None:
    answers.status, answers.body = status, body
    assert type(await failure_of(told, message(number))) is meaning
    assert answers.requests == ["POST"]  # the client itself repeats nothing


async def test_a_code_that_is_none_is_not_repeated(
    told: SmsChannel, answers: "Answers", message: Make, number: str
) -> None:
    answers.status, answers.body = 400, f'{{"code": "{number}"}}'
    assert (await failure_of(told, message(number))).code == "twilio 400"


async def test_the_provider_says_when_to_try_again(sms: SmsChannel, message: Make) -> None:
    failed = await failure_of(sms, message("+15005552005"))
    assert isinstance(failed, Transient)
    assert failed.retry_after == timedelta(seconds=1)


@pytest.mark.parametrize(
    ("said", "pause"),
    [
        pytest.param("30", timedelta(seconds=30), id="seconds"),
        pytest.param(" 30 ", timedelta(seconds=30), id="seconds among spaces"),
        pytest.param("86400", timedelta(hours=1), id="a day: asked again after an hour"),
        pytest.param("9" * 5000, timedelta(hours=1), id="a number without end"),
        pytest.param("0", None, id="at once"),
        pytest.param("-5", None, id="before now"),
        pytest.param("1.5", None, id="not whole"),
        pytest.param("³", None, id="a digit that is no number"),
        pytest.param("soon", None, id="words"),
        pytest.param("", None, id="empty"),
        pytest.param("Sun, 06 Nov 1994 08:49:37 GMT", None, id="a date that is past"),
        pytest.param("Fri, 31 Dec 2199 23:59:59 GMT", timedelta(hours=1), id="a date far ahead"),
        pytest.param("Fri, 31 Dec 2199 23:59:59", None, id="a date without a zone"),
    ],
)
@pytest.mark.parametrize("method", ["send", "reconcile"])
async def test_when_to_try_again_is_read_within_bounds(
    told: SmsChannel,
    answers: "Answers",
    message: Make,
    number: str,
    method: str,
    said: str,
    pause: timedelta | None,
) -> None:
    answers.status, answers.headers = 429, {"Retry-After": said}
    with pytest.raises(Transient) as raised:
        await getattr(told, method)(message(number))
    assert raised.value.retry_after == pause


async def test_when_to_try_again_may_be_a_date(
    told: SmsChannel, answers: "Answers", message: Make, number: str
) -> None:
    answers.status = 429
    until = datetime.now(UTC) + timedelta(minutes=10)
    answers.headers = {"Retry-After": format_datetime(until, usegmt=True)}
    failed = await failure_of(told, message(number))
    assert isinstance(failed, Transient)
    assert failed.retry_after is not None
    assert timedelta(minutes=9) < failed.retry_after <= timedelta(minutes=10)


async def test_a_provider_that_is_down_has_certainly_not_taken_it(
    sms_settings: Settings, unused_port: int, message: Make, number: str
) -> None:
    channel = SmsChannel(sms_settings(base_url=f"http://127.0.0.1:{unused_port}"))
    assert type(await failure_of(channel, message(number))) is Transient
    await channel.close()


@pytest.mark.parametrize(
    "to",
    [
        pytest.param("+15005552201", id="never answered"),
        pytest.param("+15005552301", id="answer broken off"),
    ],
)
async def test_a_lost_answer_leaves_it_uncertain_until_the_message_is_found(
    sms: SmsChannel, sandbox: Sandbox, message: Make, to: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    outgoing = message(to)
    with monkeypatch.context() as impatient:  # for the sending alone: the question is answered
        impatient.setattr("channels.twilio_client._SECONDS", 0.3)
        assert type(await failure_of(sms, outgoing)) is Uncertain
    (taken,) = sandbox.twilio.to(to)
    found = await sms.reconcile(outgoing)
    assert found is not None
    assert found.provider_id == taken.sid


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        pytest.param(401, '{"code": 20003}', Misconfigured, id="wrong token"),
        pytest.param(429, '{"code": 20429}', Transient, id="too many requests"),
        pytest.param(200, "<html>", Transient, id="unreadable answer"),
        pytest.param(503, '{"code": 20503}', Transient, id="an outage"),
        pytest.param(408, "", Transient, id="too slow"),
        pytest.param(404, "", Misconfigured, id="not the API's address"),
        pytest.param(200, "[]", Transient, id="an answer that is no list of messages"),
    ],
)
async def test_a_provider_that_cannot_be_asked_settles_nothing(
    told: SmsChannel,
    answers: "Answers",
    message: Make,
    number: str,
    status: int,
    body: str,
    meaning: type[SendError],
) -> None:
    answers.status, answers.body = status, body
    with pytest.raises(SendError) as raised:
        await told.reconcile(message(number))
    assert type(raised.value) is meaning
    assert raised.value.__cause__ is None
    assert answers.requests == ["GET"]


async def test_a_provider_that_does_not_answer_cannot_be_asked_yet(
    sms_settings: Settings,
    silent_port: int,
    message: Make,
    number: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("channels.twilio_client._SECONDS", 0.1)
    channel = SmsChannel(sms_settings(base_url=f"http://127.0.0.1:{silent_port}"))
    with pytest.raises(Transient):
        await channel.reconcile(message(number))
    await channel.close()


async def test_a_provider_that_is_down_cannot_be_asked_yet(
    sms_settings: Settings, unused_port: int, message: Make, number: str
) -> None:
    channel = SmsChannel(sms_settings(base_url=f"http://127.0.0.1:{unused_port}"))
    with pytest.raises(Transient):
        await channel.reconcile(message(number))
    await channel.close()


_SOMEWHERE = ConnectionKey("127.0.0.1", 1, False, True, None, None, None)  # noqa: FBT003


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        pytest.param(
            ClientProxyConnectionError(_SOMEWHERE, OSError()), Transient, id="the proxy is down"
        ),
        pytest.param(ConnectionRefusedError(), Transient, id="refused"),
        pytest.param(ClientOSError(), Uncertain, id="broken on the way"),
        pytest.param(ClientConnectionError(), Uncertain, id="broken, nobody knows when"),
    ],
)
async def test_only_what_never_connected_was_certainly_not_taken(
    sms: SmsChannel,
    message: Make,
    number: str,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    meaning: type[SendError],
) -> None:
    async def request(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("twilio.http.async_http_client.AsyncTwilioHttpClient.request", request)
    assert type(await failure_of(sms, message(number))) is meaning
