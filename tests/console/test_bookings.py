"""The clinic's own software reports a booking; the same key twice is one booking."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from channels.protocol import Channel
from clinic.clinic import Clinic
from clinic.event import EventKind
from clinic.tables import Appointment, Event
from console.app import build_app

if TYPE_CHECKING:
    from tests.console.conftest import Desk

ONE_KIND = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what the database has no part in."""

AUTHORIZED = {"Authorization": "Bearer bookings-token"}
NEEDED = "a bearer token is needed: `Authorization: Bearer ...`"
WRONG = "this bearer token is not the right one"
AT = "2027-03-10T10:00:00-05:00"


def booking(**given: object) -> dict[str, object]:
    return {"key": "B-1", "patient": "A-7", "appointment_at": AT} | given


async def book(web: httpx.AsyncClient, **given: object) -> httpx.Response:
    return await web.post("/bookings", json=booking(**given), headers=AUTHORIZED)


async def test_a_booking_ends_the_attempt_and_stands_in_the_book(
    desk: "Desk", web: httpx.AsyncClient
) -> None:
    written = await desk.written_to(external_id="A-7")
    answer = await book(web)
    assert (answer.status_code, answer.json()) == (200, {"new": True})
    (event,) = await desk.all(Event)
    assert (event.kind, event.source, event.source_key) == ("booked", "bookings", "B-1")
    assert (event.attempt_id, event.patient_id) == (written.attempt.id, written.patient.id)
    (appointment,) = await desk.all(Appointment)
    assert appointment.patient_id == written.patient.id
    assert appointment.at == datetime(2027, 3, 10, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize("at", [AT, "2027-03-10T15:00:00Z"], ids=["alike", "in another zone"])
async def test_the_same_key_again_is_the_same_booking(
    desk: "Desk", web: httpx.AsyncClient, at: str
) -> None:
    await desk.patient(external_id="A-7")
    await book(web)
    again = await book(web, appointment_at=at)
    assert (again.status_code, again.json()) == (200, {"new": False})
    assert len(await desk.all(Event)) == len(await desk.all(Appointment)) == 1


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"appointment_at": "2027-04-01T09:00:00Z"}, id="another time"),
        pytest.param({"patient": "A-8"}, id="another patient"),
    ],
)
async def test_the_same_key_for_another_booking_is_told(
    desk: "Desk", web: httpx.AsyncClient, given: dict[str, object]
) -> None:
    for number in ("A-7", "A-8"):
        await desk.patient(external_id=number)
    await book(web)
    answer = await book(web, **given)
    problem = "was given before, for another patient or another time"
    assert answer.status_code == 409
    assert answer.json() == {"detail": [{"field": "key", "problem": problem}]}
    assert len(await desk.all(Event)) == len(await desk.all(Appointment)) == 1


async def test_a_number_that_was_found_to_be_another_rows_person_may_repeat_its_booking(
    desk: "Desk", web: httpx.AsyncClient
) -> None:
    one = await desk.patient(external_id="A-1")
    await desk.patient(external_id="A-7", duplicate_of=one.id)
    assert [(await book(web)).json() for _ in range(2)] == [{"new": True}, {"new": False}]
    assert [event.patient_id for event in await desk.all(Event)] == [one.id]


async def test_another_key_is_another_booking(desk: "Desk", web: httpx.AsyncClient) -> None:
    await desk.patient(external_id="A-7")
    for key, at in (("B-1", AT), ("B-2", "2027-04-01T09:00:00Z")):
        assert (await book(web, key=key, appointment_at=at)).json() == {"new": True}
    assert len(await desk.all(Appointment)) == 2


async def test_a_patient_without_any_attempt_can_book_too(
    desk: "Desk", web: httpx.AsyncClient
) -> None:
    patient = await desk.patient(external_id="A-7")
    await book(web)
    (event,) = await desk.all(Event)
    assert (event.kind, event.attempt_id) == (EventKind.BOOKED.value, None)
    assert event.patient_id == patient.id


async def test_a_patient_who_is_not_on_the_register_is_not_found(
    desk: "Desk", web: httpx.AsyncClient
) -> None:
    await desk.patient(external_id="A-8")
    answer = await book(web)
    assert answer.status_code == 404
    problem = "no such patient on the register"
    assert answer.json() == {"detail": [{"field": "patient", "problem": problem}]}
    assert await desk.all(Event) == []


@ONE_KIND
@pytest.mark.parametrize(
    ("headers", "said"),
    [
        pytest.param({}, NEEDED, id="none"),
        pytest.param({"Authorization": "Bearer another-token"}, WRONG, id="another"),
        pytest.param({"Authorization": "Bearer bookings-tokens"}, WRONG, id="a longer one"),
        pytest.param({"Authorization": "Bearer "}, NEEDED, id="an empty one"),
        pytest.param({"Authorization": "bookings-token"}, NEEDED, id="without its scheme"),
        pytest.param({"Authorization": "Basic bookings-token"}, NEEDED, id="with another scheme"),
        pytest.param({"Authorization": "Bearer ñandú".encode()}, WRONG, id="not ASCII"),
    ],
)
async def test_without_the_token_nothing_is_booked_nor_told(
    desk: "Desk", web: httpx.AsyncClient, headers: Any, said: str
) -> None:
    await desk.patient(external_id="A-7")
    for patient in ("A-7", "A-8"):  # on the register or not: the answer is the same
        answer = await web.post("/bookings", json=booking(patient=patient), headers=headers)
        assert (answer.status_code, answer.json()) == (401, {"detail": said})
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert await desk.all(Event) == []


@ONE_KIND
@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer ", "Bearer bookings-token"])
async def test_without_a_token_in_the_settings_the_door_is_closed(
    desk: "Desk", clinic: Clinic, channels: Mapping[str, Channel], authorization: str
) -> None:
    clinic.settings = clinic.settings.model_copy(update={"bookings_token": SecretStr("")})
    await desk.patient(external_id="A-7")
    transport = httpx.ASGITransport(app=build_app(clinic, channels))
    async with httpx.AsyncClient(transport=transport, base_url="http://console") as web:
        answer = await web.post(
            "/bookings", json=booking(), headers={"Authorization": authorization}
        )
    assert answer.status_code == 401
    assert await desk.all(Event) == []


@ONE_KIND
@pytest.mark.parametrize(
    ("given", "field"),
    [
        pytest.param(
            {"appointment_at": "2027-03-10T10:00:00"},
            "appointment_at",
            id="a moment without its offset",
        ),
        pytest.param({"appointment_at": "tomorrow"}, "appointment_at", id="no moment"),
        pytest.param({"appointment_at": 1_800_000_000}, "appointment_at", id="a number"),
        pytest.param(
            {"appointment_at": "2027-03-02T16:59:59Z"}, "appointment_at", id="in the past"
        ),
        pytest.param(
            {"appointment_at": "2072-03-10T10:00:00Z"}, "appointment_at", id="a mistyped year"
        ),
        pytest.param(
            {"appointment_at": "9999-12-31T23:59:59-12:00"}, "appointment_at", id="the last year"
        ),
        pytest.param(
            {"appointment_at": "0001-01-01T00:00:00+12:00"}, "appointment_at", id="the first year"
        ),
        pytest.param({"key": ""}, "key", id="an empty key"),
        pytest.param({"key": "a" * 201}, "key", id="a key without end"),
        pytest.param({"key": "B\0"}, "key", id="a key that a database refuses"),
        pytest.param({"patient": ""}, "patient", id="an empty patient"),
        pytest.param({"patient": "A\0"}, "patient", id="a patient that a database refuses"),
        pytest.param({"patient": 7}, "patient", id="a patient's number that is no text"),
        pytest.param({"note": "root canal"}, "note", id="more than was asked for"),
    ],
)
async def test_what_is_not_a_booking_is_refused_by_its_field(
    desk: "Desk", web: httpx.AsyncClient, given: dict[str, object], field: str
) -> None:
    await desk.patient(external_id="A-7")
    answer = await book(web, **given)
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["detail"]] == [field]
    assert await desk.all(Event) == []


@ONE_KIND
@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"NaN", b"[" * 20_000, b'{"key": "\\ud800"}', b"\xff"],
    ids=["nothing", "half", "a list", "no number", "too deep", "half a character", "no text"],
)
async def test_what_is_no_json_is_refused(
    desk: "Desk", web: httpx.AsyncClient, body: bytes
) -> None:
    answer = await web.post("/bookings", content=body, headers=AUTHORIZED)
    assert answer.status_code == 422
    assert await desk.all(Event) == []


@ONE_KIND
async def test_who_has_no_token_is_refused_before_anything_is_read(app: FastAPI) -> None:
    read = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        read += 1
        yield b"x" * 70_000

    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://console") as web:
        refused = await web.post("/bookings", content=body())
        assert (refused.status_code, read) == (401, 0)
        too_large = await web.post("/bookings", content=body(), headers=AUTHORIZED)
    assert too_large.status_code == 413
