"""What this gateway alone does."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from importlib.resources import files
from typing import Any

import pytest
import pytest_asyncio
import yaml
from aiohttp import ClientSession, web
from regresa_http_gateway import codes, webhooks
from regresa_http_gateway.channel import GatewayChannel
from regresa_http_gateway.settings import GatewaySettings
from regresa_http_gateway.stand_in import Gateway, serving

from channels.errors import Misconfigured, OptedOut, Permanent, SendError, Transient, Uncertain
from channels.protocol import OutgoingMessage
from clinic.event import EventKind

TABLE: dict[str, list[str]] = yaml.safe_load(
    (files("regresa_http_gateway") / "codes.yaml").read_text()
)
NOW = datetime(2027, 3, 2, 17, 0, tzinfo=UTC)
MESSAGE = OutgoingMessage(
    key="at_1.0",
    attempt_id="at_1",
    step=0,
    to="+79990000001",
    language="ru",
    sender="Аврора",
    subject="",
    text="Ждём вас: https://aurora.example/p/at_1.0",
    link="https://aurora.example/p/at_1.0",
    stop_url="https://aurora.example/p/at_1.0/stop",
    status_url="https://aurora.example/webhooks/gateway?message=at_1.0",
    claimed_at=NOW,
    due_at=NOW + timedelta(days=2),
    tries=1,
    valid_for=timedelta(hours=3),
)


class Told:
    """A gateway that gives one answer to everything, and remembers what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.answer = web.Response(text='{"id": "gw-1"}', status=201)
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []

    async def give(self, request: web.Request) -> web.Response:
        headers = dict(request.headers)
        self.asked.append((request.method, request.path_qs, headers, await request.read()))
        return self.answer


@pytest_asyncio.fixture
async def told() -> AsyncIterator[Told]:
    made = Told()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.give)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = "http://{}:{}".format(*runner.addresses[0][:2])
    yield made
    await runner.cleanup()


async def ask(told: Told, what: str, **changed: Any) -> Any:
    fields: dict[str, Any] = {
        "base_url": told.url,
        "api_key": "a-key-of-the-tests",
        "sender": "Aurora",
        "webhook_secret": "a-secret-of-the-tests",
    }
    channel = GatewayChannel(GatewaySettings.model_validate(fields | changed))
    try:
        return await getattr(channel, what)(MESSAGE)
    finally:
        await channel.close()


@pytest.mark.asyncio
async def test_a_message_is_posted_as_json_under_our_own_id(told: Told) -> None:
    receipt = await ask(told, "send")
    ((method, path, headers, body),) = told.asked
    assert (receipt.provider_id, method, path) == ("gw-1", "POST", "/messages")
    assert headers["Authorization"] == "Bearer a-key-of-the-tests"
    assert json.loads(body) == {
        "id": "at_1.0.1804006800000",
        "to": "79990000001",
        "from": "Aurora",
        "text": MESSAGE.text,
        "report_to": MESSAGE.status_url,
        "ttl": 10_800,
    }


@pytest.mark.asyncio
async def test_a_gateway_may_take_fields_and_a_login_at_paths_of_its_own(told: Told) -> None:
    await ask(told, "send", body_format="form", login="aurora", send_path="/v2/sms/send")
    ((_, path, headers, body),) = told.asked
    assert path == "/v2/sms/send"
    assert headers["Authorization"] == "Basic YXVyb3JhOmEta2V5LW9mLXRoZS10ZXN0cw=="
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert (
        b"id=at_1.0.1804006800000&to=79990000001&from=Aurora&text=%D0%96%D0%B4%D1%91%D0%BC" in body
    )


@pytest.mark.asyncio
async def test_a_message_is_asked_for_by_our_own_id(told: Told) -> None:
    told.answer = web.Response(text='{"id": "gw-7", "status": "sent"}')
    receipt = await ask(told, "reconcile", status_path="/v2/status?own={id}")
    ((method, path, _, _),) = told.asked
    assert (receipt.provider_id, method, path) == (
        "gw-7",
        "GET",
        "/v2/status?own=at_1.0.1804006800000",
    )


MEANINGS: dict[str, type[SendError]] = {
    "permanent": Permanent,
    "opted_out": OptedOut,
    "misconfigured": Misconfigured,
    "transient": Transient,
}


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        pytest.param(code, MEANINGS[kind], id=code)
        for kind, listed in TABLE.items()
        for code in listed
        if kind in MEANINGS
    ],
)
def test_every_code_of_the_table_means_what_it_says(code: str, meaning: type[SendError]) -> None:
    assert type(codes.refused(400, code, None)) is meaning


def test_no_code_stands_in_the_table_twice() -> None:
    listed = [code for each in TABLE.values() for code in each]
    assert sorted(set(listed)) == sorted(listed)
    assert TABLE.keys() == {*MEANINGS, "later"}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        pytest.param(400, '{"error": {"code": "brand_new"}}', Misconfigured, id="unknown code"),
        pytest.param(302, "", Misconfigured, id="a redirect is not followed"),
        pytest.param(404, "<html>", Misconfigured, id="wrong path"),
        pytest.param(500, "", Uncertain, id="500"),
        pytest.param(503, '{"error": "maintenance"}', Uncertain, id="503"),
        pytest.param(201, "", Uncertain, id="taken, unreadable"),
        pytest.param(200, '{"id": 7}', Uncertain, id="taken, no usable id"),
        pytest.param(200, "[" * 100_000, Uncertain, id="taken, absurd"),
    ],
)
async def test_an_answer_that_stands_in_no_table(
    told: Told, status: int, body: str, meaning: type[SendError]
) -> None:
    told.answer = web.Response(status=status, text=body, headers={"Location": f"{told.url}/x"})
    with pytest.raises(SendError) as raised:
        await ask(told, "send")
    assert type(raised.value) is meaning
    assert len(told.asked) == 1


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        # what a wrong path hides would be sent twice
        pytest.param(404, "", Misconfigured, id="a bare 404"),
        pytest.param(401, '{"error": {"code": "bad_key"}}', Misconfigured, id="wrong key"),
        pytest.param(429, "", Transient, id="too many"),
        pytest.param(500, "", Transient, id="500"),
        pytest.param(200, "<html>", Transient, id="unreadable"),
    ],
)
async def test_a_gateway_that_cannot_be_asked_settles_nothing(
    told: Told, status: int, body: str, meaning: type[SendError]
) -> None:
    told.answer = web.Response(status=status, text=body)
    with pytest.raises(SendError) as raised:
        await ask(told, "reconcile")
    assert type(raised.value) is meaning


@pytest.mark.asyncio
async def test_a_gateway_that_is_down_has_taken_nothing(told: Told, unused_tcp_port: int) -> None:
    nobody = f"http://127.0.0.1:{unused_tcp_port}"
    for what in ("send", "reconcile"):
        with pytest.raises(Transient):
            await ask(told, what, base_url=nobody)


@pytest.mark.asyncio
async def test_the_stand_in_knows_no_message_that_it_did_not_take() -> None:
    given = {"to": "+79990000009", "status": "undelivered"}
    gateway = Gateway(api_key="a-key-of-the-tests", secret="a-secret-of-the-tests")
    async with serving(gateway) as url, ClientSession() as session:
        answer = await session.post(f"{url}/stand-in/report", json=given)
        assert (answer.status, await answer.json()) == (404, {"error": {"code": "unknown_number"}})


@pytest.mark.parametrize(
    ("header", "pause"),
    [
        pytest.param(None, None, id="none"),
        pytest.param("7", timedelta(seconds=7), id="seconds"),
        pytest.param("99999999999", timedelta(days=1), id="absurdly long"),
        pytest.param("soon", None, id="not a time"),
        pytest.param(format_datetime(NOW.replace(year=2020)), timedelta(0), id="a day gone by"),
    ],
)
def test_the_pause_is_read(header: str | None, pause: timedelta | None) -> None:
    assert codes.pause(header) == pause


@pytest.mark.parametrize(
    ("status", "code", "kind", "bad_address", "misconfigured"),
    [
        pytest.param("delivered", None, EventKind.NOTICE, False, False, id="delivered"),
        pytest.param("pondering", None, EventKind.UNKNOWN, False, False, id="unknown status"),
        pytest.param("sent", "landline", EventKind.NOTICE, False, False, id="not failed yet"),
        pytest.param("undelivered", "landline", EventKind.BOUNCED, True, False, id="bad number"),
        pytest.param("expired", None, EventKind.BOUNCED, False, False, id="in vain"),
        pytest.param("undelivered", "switched_off", EventKind.BOUNCED, False, False, id="off"),
        pytest.param("undelivered", "brand_new", EventKind.BOUNCED, False, False, id="unknown"),
        pytest.param("rejected", "stop_list", EventKind.OPTED_OUT, False, False, id="stop"),
        pytest.param("rejected", "no_money", EventKind.RETURNED, False, True, id="our fault"),
    ],
)
def test_what_a_report_means(
    status: str, code: str | None, kind: EventKind, *, bad_address: bool, misconfigured: bool
) -> None:
    given = {
        "event": "report",
        "id": "gw-1",
        "client_id": "at_1.0.18",
        "status": status,
        "code": code,
    }
    event = webhooks.read(json.dumps(given).encode())
    assert (event.kind, event.bad_address, event.misconfigured) == (
        kind,
        bad_address,
        misconfigured,
    )
    assert (event.provider_id, event.message, event.status) == ("gw-1", "at_1.0", status)
