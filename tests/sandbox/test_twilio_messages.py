"""The look-alike answers Twilio's own client as Twilio does."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
import httpx
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

from sandbox import Sandbox, SandboxSettings

if TYPE_CHECKING:
    from tests.sandbox.conftest import Product

FROM = "+15005550006"
PATIENT = "+13055550142"
TOKEN = "a token of the tests"


async def client_of(sandbox: Sandbox, token: str = TOKEN) -> AsyncIterator[Any]:
    async with AsyncTwilioHttpClient() as http:
        client = Client(sandbox.twilio.sid, token, http_client=http)
        client.api.base_url = sandbox.http_url
        yield client


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[Any]:
    async for made in client_of(sandbox):
        yield made


async def test_a_message_taken_is_answered_with_its_whole_resource(
    client: Any, sandbox: Sandbox
) -> None:
    before = datetime.now(UTC).replace(microsecond=0)

    message = await client.messages.create_async(to=PATIENT, from_=FROM, body="Hola, Ramón")

    assert message.sid.startswith("SM")
    assert len(message.sid) == 34
    assert message.status == "queued"
    assert message.direction == "outbound-api"
    assert message.body == "Hola, Ramón"
    assert (message.to, message.from_) == (PATIENT, FROM)
    assert message.account_sid == sandbox.twilio.sid
    assert before <= message.date_created <= datetime.now(UTC)
    assert message.date_sent is None
    assert message.error_code is None
    assert message.price is None
    assert message.num_segments == "1"
    assert message.uri == f"/2010-04-01/Accounts/{sandbox.twilio.sid}/Messages/{message.sid}.json"
    assert message.subresource_uris["media"].endswith(f"{message.sid}/Media.json")


async def test_creating_answers_201(sandbox: Sandbox) -> None:
    async with httpx.AsyncClient(auth=(sandbox.twilio.sid, TOKEN), trust_env=False) as http:
        answer = await http.post(
            f"{sandbox.http_url}/2010-04-01/Accounts/{sandbox.twilio.sid}/Messages.json",
            data={"To": PATIENT, "From": FROM, "Body": "Hola"},
        )

    assert answer.status_code == 201


async def test_a_messaging_service_chooses_the_sender_later(client: Any, sandbox: Sandbox) -> None:
    service = "MG" + "0" * 32

    message = await client.messages.create_async(
        to=PATIENT, messaging_service_sid=service, body="Hola"
    )
    assert (message.status, message.from_, message.num_segments) == ("accepted", None, "0")
    await sandbox.settled()
    sent = await client.messages(message.sid).fetch_async()

    assert (sent.status, sent.from_, sent.num_segments) == ("delivered", FROM, "1")
    assert sent.messaging_service_sid == service


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        pytest.param({"to": ""}, 400, 21604, id="no To"),
        pytest.param({"to": "3055550142"}, 400, 21211, id="To is not E.164"),
        pytest.param({"body": ""}, 400, 21602, id="no Body"),
        pytest.param({"body": "x" * 1601}, 400, 21617, id="Body too long"),
        pytest.param({"from_": ""}, 400, 21603, id="no From"),
        pytest.param({"from_": "Aurora!"}, 400, 21212, id="From is no number"),
        pytest.param(
            {"from_": "", "messaging_service_sid": "MG1"}, 404, 21701, id="no such service"
        ),
        pytest.param({"status_callback": "nowhere"}, 400, 21609, id="callback is no URL"),
        pytest.param(
            {"body": "", "content_sid": "HX1", "content_variables": "{"}, 400, 21656, id="variables"
        ),
        pytest.param(
            {"body": "", "content_sid": "HX1", "content_variables": '{"1": null}'},
            400,
            21656,
            id="a variable that is null",
        ),
        pytest.param({"body": "", "content_sid": "HX1"}, 400, 21655, id="no ContentSid"),
        pytest.param({"validity_period": "0"}, 400, 21624, id="valid for no time"),
        pytest.param({"validity_period": "36001"}, 400, 21624, id="valid for over ten hours"),
        pytest.param({"validity_period": "1.5"}, 400, 21624, id="valid for half a second"),
        pytest.param({"to": "+15005550001"}, 400, 21211, id="magic: To invalid"),
        pytest.param({"to": "+15005550002"}, 400, 21612, id="magic: no route"),
        pytest.param({"to": "+15005550003"}, 400, 21408, id="magic: no permission"),
        pytest.param({"to": "+15005550004"}, 400, 21610, id="magic: unsubscribed"),
        pytest.param({"to": "+15005550009"}, 400, 21614, id="magic: no SMS"),
        pytest.param({"from_": "+15005550001"}, 400, 21212, id="magic: From invalid"),
        pytest.param({"from_": "+15005550007"}, 400, 21606, id="magic: From not ours"),
        pytest.param({"from_": "+15005550008"}, 400, 21611, id="magic: queue full"),
    ],
)
async def test_a_refusal_carries_twilios_code(
    client: Any, sandbox: Sandbox, changes: dict[str, str], status: int, code: int
) -> None:
    request = {"to": PATIENT, "from_": FROM, "body": "Hola", **changes}

    with pytest.raises(TwilioRestException) as refused:
        await client.messages.create_async(**request)

    assert (refused.value.status, refused.value.code) == (status, code)
    assert sandbox.twilio.messages == []


async def test_a_refusal_has_the_form_of_twilios(sandbox: Sandbox) -> None:
    async with httpx.AsyncClient(auth=(sandbox.twilio.sid, TOKEN), trust_env=False) as http:
        answer = await http.post(
            f"{sandbox.http_url}/2010-04-01/Accounts/{sandbox.twilio.sid}/Messages.json", data={}
        )

    assert answer.json() == {
        "code": 21604,
        "message": "A 'To' phone number is required.",
        "more_info": "https://www.twilio.com/docs/errors/21604",
        "status": 400,
    }


async def test_the_longest_body_is_taken(client: Any) -> None:
    message = await client.messages.create_async(to=PATIENT, from_=FROM, body="x" * 1600)

    assert message.num_segments == "11"


async def test_a_sender_that_the_account_does_not_own_is_refused(
    settings: Callable[..., SandboxSettings],
) -> None:
    async with Sandbox(settings(twilio_numbers=("+13055550100",))) as sandbox:
        async for client in client_of(sandbox):
            await client.messages.create_async(to=PATIENT, from_="+13055550100", body="Hola")
            with pytest.raises(TwilioRestException) as refused:
                await client.messages.create_async(to=PATIENT, from_=FROM, body="Hola")

    assert refused.value.code == 21606


async def test_a_wrong_token_is_refused_with_20003(sandbox: Sandbox) -> None:
    async for client in client_of(sandbox, "wrong"):
        with pytest.raises(TwilioRestException) as refused:
            await client.messages.create_async(to=PATIENT, from_=FROM, body="Hola")

    assert (refused.value.status, refused.value.code) == (401, 20003)


async def test_another_account_is_not_found(client: Any) -> None:
    with pytest.raises(TwilioRestException) as refused:
        await client.api.accounts("AC" + "f" * 32).messages.create_async(
            to=PATIENT, from_=FROM, body="Hola"
        )

    assert (refused.value.status, refused.value.code) == (404, 20404)


async def test_an_unknown_message_is_not_found(client: Any) -> None:
    with pytest.raises(TwilioRestException) as refused:
        await client.messages("SM" + "0" * 32).fetch_async()

    assert (refused.value.status, refused.value.code) == (404, 20404)


@pytest.mark.parametrize(
    ("number", "status", "code"),
    [
        pytest.param("+15005552000", 429, 20429, id="too many requests"),
        pytest.param("+15005552142", 503, 20503, id="an outage"),
    ],
)
async def test_a_passing_fault_stores_nothing_and_passes(
    client: Any, sandbox: Sandbox, number: str, status: int, code: int
) -> None:
    with pytest.raises(TwilioRestException) as refused:
        await client.messages.create_async(to=number, from_=FROM, body="Hola")
    assert (refused.value.status, refused.value.code) == (status, code)
    assert sandbox.twilio.messages == []

    await client.messages.create_async(to=number, from_=FROM, body="Hola")

    assert len(sandbox.twilio.to(number)) == 1


async def test_too_many_requests_says_when_to_come_back(sandbox: Sandbox) -> None:
    async with httpx.AsyncClient(auth=(sandbox.twilio.sid, TOKEN), trust_env=False) as http:
        answer = await http.post(
            f"{sandbox.http_url}/2010-04-01/Accounts/{sandbox.twilio.sid}/Messages.json",
            data={"To": "+15005552001", "From": FROM, "Body": "Hola"},
        )

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")


async def test_an_answer_that_never_comes_leaves_the_message_to_be_found(
    client: Any, sandbox: Sandbox
) -> None:
    since = datetime.now(UTC)
    with pytest.raises(TimeoutError):
        # twilio 9.13 heeds no timeout of its own in the asynchronous client.
        async with asyncio.timeout(0.3):
            await client.messages.create_async(to="+15005552200", from_=FROM, body="link abc")

    found = await client.messages.list_async(to="+15005552200", date_sent_after=since)

    assert [message.body for message in found] == ["link abc"]
    await client.messages.create_async(to="+15005552200", from_=FROM, body="link def")
    assert len(sandbox.twilio.to("+15005552200")) == 2


async def test_an_answer_that_breaks_off_leaves_the_message_to_be_found(client: Any) -> None:
    with pytest.raises(aiohttp.ClientPayloadError):
        await client.messages.create_async(to="+15005552300", from_=FROM, body="link abc")

    found = await client.messages.list_async(to="+15005552300")

    assert [message.body for message in found] == ["link abc"]


async def test_a_request_never_answered_does_not_hold_up_the_end(
    settings: Callable[..., SandboxSettings],
) -> None:
    async with asyncio.timeout(5):
        async with Sandbox(settings()) as sandbox:
            async for client in client_of(sandbox):
                waiting = asyncio.create_task(
                    client.messages.create_async(to="+15005552200", from_=FROM, body="Hola")
                )
                await sandbox.twilio.message_to("+15005552200")
                break
        with pytest.raises((aiohttp.ClientError, TwilioRestException)):
            await waiting


async def test_the_list_is_newest_first_and_filtered(client: Any, sandbox: Sandbox) -> None:
    start = datetime.now(UTC)
    for body in ("one", "two"):
        await client.messages.create_async(to=PATIENT, from_=FROM, body=body)
    await client.messages.create_async(to="+13055550199", from_="+13055550100", body="three")
    await sandbox.settled()

    async def bodies(**filters: Any) -> list[str]:
        return [message.body for message in await client.messages.list_async(**filters)]

    assert await bodies() == ["three", "two", "one"]
    assert await bodies(to=PATIENT) == ["two", "one"]
    assert await bodies(from_="+13055550100") == ["three"]
    assert await bodies(to=PATIENT, date_sent_after=start) == ["two", "one"]
    assert await bodies(date_sent_after=start + timedelta(minutes=1)) == []
    assert await bodies(date_sent_before=start - timedelta(minutes=1)) == []
    assert await bodies(date_sent_before=start + timedelta(minutes=1)) == ["three", "two", "one"]
    assert await bodies(date_sent=start.strftime("%Y-%m-%d")) == ["three", "two", "one"]
    assert await bodies(limit=1) == ["three"]


async def test_the_client_reads_all_pages(client: Any) -> None:
    for number in range(7):
        await client.messages.create_async(to=PATIENT, from_=FROM, body=str(number))

    found = await client.messages.list_async(to=PATIENT, page_size=3)

    assert [message.body for message in found] == ["6", "5", "4", "3", "2", "1", "0"]


async def test_a_message_that_comes_while_a_client_reads_does_not_move_the_rest(
    client: Any,
) -> None:
    for number in range(4):
        await client.messages.create_async(to=PATIENT, from_=FROM, body=str(number))

    first = await client.messages.page_async(page_size=2)
    await client.messages.create_async(to=PATIENT, from_=FROM, body="late")
    second = await first.next_page_async()

    assert [message.body for message in first] == ["3", "2"]
    assert [message.body for message in second] == ["1", "0"]
    assert await second.next_page_async() is None


@pytest.mark.parametrize("query", [{"DateSent>": "yesterday"}, {"PageToken": "PASM0"}])
async def test_a_parameter_that_makes_no_sense_is_refused(
    sandbox: Sandbox, query: dict[str, str]
) -> None:
    async with httpx.AsyncClient(auth=(sandbox.twilio.sid, TOKEN), trust_env=False) as http:
        answer = await http.get(
            f"{sandbox.http_url}/2010-04-01/Accounts/{sandbox.twilio.sid}/Messages.json",
            params=query,
        )

    assert (answer.status_code, answer.json()["code"]) == (400, 20001)


CONTENT = "HX" + "0" * 32


async def test_an_approved_text_is_taken_without_a_body(client: Any) -> None:
    message = await client.messages.create_async(
        to=f"whatsapp:{PATIENT}",
        from_=f"whatsapp:{FROM}",
        content_sid=CONTENT,
        content_variables='{"1": "Ramón", "2": "http://127.0.0.1/p/abc"}',
    )

    assert message.body == "Ramón http://127.0.0.1/p/abc"


async def test_an_approved_text_that_the_account_knows_is_filled(
    settings: Callable[..., SandboxSettings],
) -> None:
    texts = {CONTENT: "Hola, {{1}}: {{2}} ({{3}})"}
    async with Sandbox(settings(twilio_contents=texts)) as sandbox:
        async for client in client_of(sandbox):
            sent = {"to": f"whatsapp:{PATIENT}", "from_": f"whatsapp:{FROM}"}
            message = await client.messages.create_async(
                **sent, content_sid=CONTENT, content_variables='{"1": "{{2}}", "2": "aquí"}'
            )
            with pytest.raises(TwilioRestException) as refused:
                await client.messages.create_async(**sent, content_sid="HX" + "1" * 32)

    assert message.body == "Hola, {{2}}: aquí ({{3}})"
    assert refused.value.code == 21655


@pytest.mark.parametrize(
    ("value", "code"),
    [
        pytest.param("", 63013, id="empty"),
        pytest.param("two\nlines", 63013, id="a new line"),
        pytest.param("five     spaces", 63013, id="a run of spaces"),
        pytest.param("x" * 1025, 63021, id="too long"),
        pytest.param("four    spaces", None, id="fit"),
    ],
)
async def test_whatsapp_does_not_deliver_an_approved_text_with_an_unfit_value(
    client: Any, sandbox: Sandbox, value: str, code: int | None
) -> None:
    taken = await client.messages.create_async(
        to=f"whatsapp:{PATIENT}",
        from_=f"whatsapp:{FROM}",
        content_sid=CONTENT,
        content_variables=json.dumps({"1": value}),
    )
    await sandbox.settled()

    message = await client.messages(taken.sid).fetch_async()
    assert message.error_code == code
    assert message.status == ("delivered" if code is None else "undelivered")


async def test_a_message_that_outstays_its_validity_fails(
    client: Any, sandbox: Sandbox, product: "Product"
) -> None:
    taken = await client.messages.create_async(
        to="+15005552602",
        from_=FROM,
        body="Hola",
        validity_period=1,
        status_callback=f"{product.url}/webhooks/sms",
    )
    assert sandbox.twilio.messages[-1].validity_s == 1
    await sandbox.settled()

    message = await client.messages(taken.sid).fetch_async()
    assert (message.status, message.error_code, message.date_sent) == ("failed", 30036, None)
    (report,) = product.posts("/webhooks/sms")
    assert (report.form["MessageStatus"], report.form["ErrorCode"]) == ("failed", "30036")


async def test_a_message_within_its_validity_is_delivered_late(
    client: Any, sandbox: Sandbox
) -> None:
    taken = await client.messages.create_async(
        to="+15005552601", from_=FROM, body="Hola", validity_period=2
    )
    await sandbox.settled()

    assert (await client.messages(taken.sid).fetch_async()).status == "delivered"


async def test_whatsapp_may_have_a_webhook_of_its_own(
    settings: Callable[..., SandboxSettings], product: "Product"
) -> None:
    own = f"{product.url}/webhooks/whatsapp"
    async with Sandbox(settings(whatsapp_webhook_url=own)) as sandbox:
        await sandbox.twilio.receive_sms(PATIENT, FROM, "por SMS")
        await sandbox.twilio.receive_sms(f"whatsapp:{PATIENT}", f"whatsapp:{FROM}", "por WhatsApp")

    assert [one.form["Body"] for one in product.posts("/webhooks/sms")] == ["por SMS"]
    assert [one.form["Body"] for one in product.posts("/webhooks/whatsapp")] == ["por WhatsApp"]


async def test_a_passing_fault_concerns_whatsapp_too(client: Any) -> None:
    sent = {"to": "whatsapp:+15005552077", "from_": f"whatsapp:{FROM}", "body": "Hola"}
    with pytest.raises(TwilioRestException) as refused:
        await client.messages.create_async(**sent)
    assert refused.value.code == 20429
