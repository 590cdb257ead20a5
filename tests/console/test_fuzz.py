"""Whatever comes in at a door: no door breaks, and nothing changes without a right to it.

A short run belongs to the suite. REGRESA_FUZZ_EXAMPLES sets how many requests each test makes, and
more than the usual number are made up anew each time.
"""

import json
import os
import re
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from requests import Request
from schemathesis import GenerationMode
from schemathesis.core.result import Ok
from sqlalchemy import func, select
from twilio.request_validator import RequestValidator

from clinic.accounts import Role
from clinic.audit import Action
from clinic.clinic import Clinic
from clinic.event import EventKind
from clinic.tables import Account, AuditEntry, Event, Table
from console.doors import csrf
from console.doors.session_cookie import COOKIE, SessionClaim, SessionCookies
from console.patient.answer import readable
from sandbox.stand_ins import Sandbox
from tests.console.odd_requests import (
    form_bodies,
    json_bodies,
    multipart_bodies,
    nasty_text,
    requests,
    urlencoded,
)
from tests.console.raw_request import RawAnswer, RawRequest

if TYPE_CHECKING:
    from tests.console.conftest import Desk

USUAL = 25
EXAMPLES = int(os.environ.get("REGRESA_FUZZ_EXAMPLES", USUAL))
FUZZ = settings(
    max_examples=EXAMPLES,
    derandomize=EXAMPLES == USUAL,
    database=None,
    deadline=None,
    # the doors keep what they were told: the tests count what is new
    suppress_health_check=list(HealthCheck),
)
pytestmark = pytest.mark.timeout(120 + EXAMPLES)

FORM = ((b"content-type", b"application/x-www-form-urlencoded"),)
JSON = ((b"content-type", b"application/json"),)
ACTION = list(AuditEntry.__table__.columns.keys()).index("action")
AUTHORIZED = (*JSON, (b"authorization", b"Bearer bookings-token"))
STAFF_FIELDS = (
    *("name", "password", "next", "lang", "csrf", "outcome", "reason", "at", "appointment", "note"),
    *("campaign", "goal", "pace", "until", "open_calls", "do", "chosen", "written", "address"),
    *("wish", "who", "how", "channel", "content", "word", "source", "day", "verdict", "number"),
    *("first_name", "was_first_name", "birth_date", "status", "mapping", "encoding", "list"),
)
PAGE_FIELDS = ("at", "words", "reason", "nonce", "lang", "List-Unsubscribe")
BOOKING_FIELDS = ("key", "patient", "appointment_at")
TWILIO_FIELDS = (
    *("MessageSid", "SmsSid", "MessageStatus", "SmsStatus", "ErrorCode", "From", "To", "Body"),
    *("NumMedia", "ProfileName", "WaId", "OptOutType", "ButtonPayload", "ChannelPrefix"),
)
LONG = "".join(sha256(bytes([number])).hexdigest() for number in range(90))
"""Too long for an index, and nothing that can be packed smaller."""


STAFF_DOORS = (
    *("/login", "/login?next=", "/logout", "/calls", "/calls/rows", "/calls/next"),
    *(f"/calls/ct-1{door}" for door in ("", "/claim", "/release", "/complete", "/keep")),
    *("/campaigns", "/campaigns/new", "/campaigns/new/over-60", "/campaigns/new/over-60/patients"),
    *(f"/campaigns/new/over-60/plans/standard{door}" for door in ("", "/count", "/messages")),
    *(f"/campaigns/ca-1{door}" for door in ("", "/pause", "/resume", "/stop", "/limits")),
    *("/results", "/results/figures.csv", "/results?from=", "/results?campaign="),
    *("/register", "/register/search", "/register/addresses", "/register/import"),
    *(f"/register/import/up-{'0' * 16}{door}" for door in ("", "/look", "/import", "/discard")),
    *(f"/register/pt-1{door}" for door in ("", "/edit", "/consents", "/stop", "/lift", "/booked")),
    *(f"/register/pt-1{door}" for door in ("/export", "/forget", "/same/pt-2")),
)


async def rows_of(clinic: Clinic) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table."""
    async with clinic.database.reading() as session:
        return {
            table.name: sorted(
                (tuple(row) for row in await session.execute(select(table))), key=str
            )
            for table in Table.metadata.sorted_tables
        }


async def latest(desk: "Desk") -> int:
    """Return the number of the latest event."""
    async with desk.clinic.database.reading() as session:
        return await session.scalar(select(func.max(Event.number))) or 0


async def since(desk: "Desk", number: int) -> list[Event]:
    """Return the events after one."""
    async with desk.clinic.database.reading() as session:
        return list(await session.scalars(select(Event).where(Event.number > number)))


@pytest.fixture
async def _nothing_changes(clinic: Clinic, token: str) -> AsyncIterator[None]:
    """However often a test knocks: the database says afterwards what it said before.

    The audit log alone says more: that somebody tried to sign in.
    """
    assert token
    before = await rows_of(clinic)
    yield
    after = await rows_of(clinic)
    noted = after.pop(AuditEntry.__tablename__)
    assert after | {AuditEntry.__tablename__: []} == before
    assert {Action.SIGN_IN_REFUSED.value}.issuperset(row[ACTION] for row in noted)


@pytest.fixture
async def token(desk: "Desk") -> str:
    """The link of a patient whom an SMS has reached."""
    return desk.token(await desk.written_to(external_id="A-7", phone="+13055550123"))


@pytest.fixture
async def session(desk: "Desk") -> tuple[tuple[bytes, bytes], ...]:
    """What the browser of somebody who is signed in sends with everything."""
    account = Account(
        id="ac-1",
        name="Vera",
        name_key="vera",
        role=Role.ADMIN.value,
        password_hash="nobody signs in by a password here",
        created_at=desk.now,
    )
    await desk.add(account)
    claim = SessionClaim.new(account.id, desk.now)
    cookie = f"{COOKIE}={SessionCookies(desk.clinic.key).write(claim)}"
    token = csrf.token_of(desk.clinic.key, claim.session_id)
    return ((b"cookie", cookie.encode()), (b"x-csrf-token", token.encode()))


def known_paths(token: str) -> list[str]:
    forged = token[:-1] + ("A" if token[-1] != "A" else "B")
    return [
        *("/healthz", "/readyz", "/bookings", "/assets/patient.css", "/assets/", "/p/", "/"),
        *STAFF_DOORS,
        *("/webhooks/sms", "/webhooks/email", "/webhooks/whatsapp", "/webhooks/call", "/webhooks/"),
        *(f"/p/{forged}{door}" for door in ("", "/call", "/why", "/stop")),
    ]


async def knock(app: FastAPI, request: RawRequest) -> RawAnswer:
    """Send a request; no door breaks, and each is answered with the headers of all."""
    answer = await request.sent_to(app)
    assert answer.status < 500, request
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    return answer


@pytest.mark.usefixtures("_nothing_changes")
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@FUZZ
@given(data=st.data())
async def test_requests_by_the_doors_own_description(
    app: FastAPI, mode: GenerationMode, data: st.DataObject
) -> None:
    schema = schemathesis.openapi.from_dict(app.openapi())
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    operation = data.draw(st.sampled_from(operations))
    try:
        case = data.draw(operation.as_strategy(generation_mode=mode))
    except schemathesis.errors.InvalidSchema:
        return  # a door without anything that could be wrong
    sent = case.as_transport_kwargs(base_url="http://console")
    known = {name: sent[name] for name in ("method", "url", "headers", "params") if name in sent}
    body = {name: sent[name] for name in ("data", "json", "files") if name in sent}
    ready = Request(**known, **body).prepare()
    content = ready.body or b""
    await knock(
        app,
        RawRequest(
            method=str(ready.method),
            target=ready.path_url.encode(),
            headers=tuple(
                (
                    str(name).encode("latin-1", "replace"),
                    value.encode("latin-1", "replace") if isinstance(value, str) else value,
                )
                for name, value in ready.headers.items()
            ),
            chunks=(content if isinstance(content, bytes) else str(content).encode(),),
        ),
    )


@pytest.mark.usefixtures("_nothing_changes")
@FUZZ
@given(data=st.data())
async def test_anything_at_any_door(app: FastAPI, token: str, data: st.DataObject) -> None:
    bodies = st.one_of(
        form_bodies(*PAGE_FIELDS, *TWILIO_FIELDS, *STAFF_FIELDS),
        multipart_bodies(*PAGE_FIELDS, *TWILIO_FIELDS, *STAFF_FIELDS),
        json_bodies(*BOOKING_FIELDS),
    )
    await knock(app, data.draw(requests(known=known_paths(token), bodies=bodies)))


@FUZZ
@given(data=st.data())
async def test_anything_that_staff_send(
    desk: "Desk", app: FastAPI, session: tuple[tuple[bytes, bytes], ...], data: st.DataObject
) -> None:
    bodies = form_bodies(*STAFF_FIELDS) | multipart_bodies(*STAFF_FIELDS)
    doors = [door for door in STAFF_DOORS if door != "/logout"]
    await knock(app, data.draw(requests(known=doors, bodies=bodies, headers=session)))
    assert await desk.all(Event) == []


@pytest.mark.usefixtures("_nothing_changes")
@FUZZ
@given(data=st.data())
async def test_a_patients_page_that_nobody_posts_to(
    app: FastAPI, token: str, data: st.DataObject
) -> None:
    doors = [f"/p/{token}{door}" for door in ("", "/call", "/why", "/stop")]
    methods = st.sampled_from(["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"])
    bodies = form_bodies(*PAGE_FIELDS)
    await knock(app, data.draw(requests(known=doors, bodies=bodies, methods=methods)))


@FUZZ
@given(data=st.data())
async def test_anything_posted_to_a_patients_page(
    app: FastAPI, token: str, data: st.DataObject
) -> None:
    door = data.draw(st.sampled_from(["/call", "/why", "/stop"]))
    bodies = form_bodies(*PAGE_FIELDS) | multipart_bodies(*PAGE_FIELDS)
    post = requests(known=[f"/p/{token}{door}"], bodies=bodies, methods=st.just("POST"))
    await knock(app, data.draw(post))


@FUZZ
@given(data=st.data())
async def test_no_words_of_a_patient_are_lost(
    desk: "Desk", app: FastAPI, token: str, data: st.DataObject
) -> None:
    door, extra = data.draw(st.sampled_from([("call", {}), ("why", {"reason": "price"})]))
    words = data.draw(nasty_text)
    before = await latest(desk)
    answer = await knock(
        app,
        RawRequest(
            "POST",
            f"/p/{token}/{door}".encode(),
            headers=FORM,
            chunks=(urlencoded({"words": words, **extra}),),
        ),
    )
    new = await since(desk, before)
    # what a browser can't send arrives with a sign in its place
    kept = readable(words.encode("utf-8", "surrogatepass").decode("utf-8", "replace"))
    if answer.status == 422:
        assert len(kept) > 500
        assert not new
        return
    assert answer.status == 200
    if kept or door == "call":
        [event] = new
        assert event.kind == EventKind.REPLY.value
        assert event.body.endswith(kept)


@FUZZ
@given(form=st.dictionaries(st.sampled_from(TWILIO_FIELDS) | nasty_text, nasty_text, max_size=8))
async def test_anything_that_twilio_signs(
    app: FastAPI, clinic: Clinic, sandbox: Sandbox, form: dict[str, str]
) -> None:
    form = {_sendable(name): _sendable(value) for name, value in form.items()}
    answer = await _twilio_posts(app, clinic, sandbox, form)
    assert answer.status in {204, 400}


@FUZZ
@given(
    words=nasty_text.filter(bool),
    sid=st.sampled_from(["SM1", "x\0y", "ñ", LONG]) | st.text(max_size=40),
    sender=st.sampled_from(["+13055550123", "whatsapp:+13055550123", "+1", "short", "\0"]),
)
async def test_no_reply_that_twilio_reports_is_lost(
    desk: "Desk",
    app: FastAPI,
    clinic: Clinic,
    sandbox: Sandbox,
    token: str,
    words: str,
    sid: str,
    sender: str,
) -> None:
    assert token
    # the same id with other words would be a repeat, as far as Twilio goes
    form = {"MessageSid": _sendable(sid) + uuid4().hex, "From": sender, "Body": _sendable(words)}
    before = await latest(desk)
    answer = await _twilio_posts(app, clinic, sandbox, form)
    assert answer.status == 204
    [event] = await since(desk, before)
    assert _readable_part(form["Body"]) in event.body


@FUZZ
@given(body=json_bodies(*BOOKING_FIELDS))
async def test_anything_that_the_clinics_software_reports(
    desk: "Desk", app: FastAPI, token: str, body: bytes
) -> None:
    assert token
    answer = await knock(app, RawRequest("POST", b"/bookings", headers=AUTHORIZED, chunks=(body,)))
    assert answer.status in {200, 404, 409, 422}
    told = json.loads(answer.body)
    if answer.status == 200:
        assert told["new"] in {True, False}
    else:
        assert {each["field"] for each in told["detail"]} <= {*BOOKING_FIELDS, ""} | {
            each["field"] for each in told["detail"] if "Extra" in each["problem"]
        }
        assert await desk.all(Event) == []


@FUZZ
@given(moment=st.datetimes(), offset=st.sampled_from(["Z", "-23:59", "+14:00", "", "+99:00", "z"]))
async def test_a_booking_at_any_moment(app: FastAPI, token: str, moment: Any, offset: str) -> None:
    assert token
    booking = {"key": "B-1", "patient": "A-7", "appointment_at": moment.isoformat() + offset}
    answer = await knock(
        app,
        RawRequest(
            "POST", b"/bookings", headers=AUTHORIZED, chunks=(json.dumps(booking).encode(),)
        ),
    )
    assert answer.status in {200, 409, 422}


async def _twilio_posts(
    app: FastAPI, clinic: Clinic, sandbox: Sandbox, form: dict[str, str]
) -> RawAnswer:
    url = f"{clinic.settings.public_url}/webhooks/sms"
    secret = sandbox.settings.twilio_auth_token.get_secret_value()
    signature = RequestValidator(secret).compute_signature(url, form)
    headers = (*FORM, (b"x-twilio-signature", signature.encode()))
    return await knock(
        app, RawRequest("POST", b"/webhooks/sms", headers=headers, chunks=(urlencoded(form),))
    )


def _sendable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _readable_part(text: str) -> str:
    """Return what surely is kept: the longest stretch without control characters."""
    return max(re.split(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\s]+", text), key=len)
