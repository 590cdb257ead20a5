"""What one of a household answers counts for each whom the message named."""

from typing import TYPE_CHECKING

import httpx
import pytest

from clinic import ledger
from clinic.clinic import Clinic
from clinic.event import EventKind
from clinic.tables import Event, Message
from tests.console.conftest import SMS, Written

if TYPE_CHECKING:
    from tests.console.conftest import Desk, Post

PHONE = "+13055550123"


@pytest.fixture
async def household(desk: "Desk", clinic: Clinic) -> tuple[Written, Written]:
    """Two at one number, and the one SMS that named them both: the first one's."""
    ana = await desk.write_to(await desk.patient(phone=PHONE), recorded=False)
    eva = await desk.patient(phone=PHONE)
    attempt = await desk.attempt(eva)
    async with clinic.database.writing() as session:
        row = await session.get_one(Message, (ana.attempt.id, SMS, 1))
        await ledger.carry(session, row, [attempt.id])
        await ledger.record_sent(
            session, attempt_id=ana.attempt.id, step=SMS, provider_id=ana.sid, now=desk.now
        )
    return ana, Written(eva, attempt, ana.sid)


async def _heard(desk: "Desk", kind: EventKind) -> set[tuple[str | None, str | None]]:
    events: list[Event] = await desk.all(Event)
    assert {event.kind for event in events} == {kind.value}
    return {(event.attempt_id, event.patient_id) for event in events}


def _all_of(*written: Written) -> set[tuple[str, str]]:
    return {(one.attempt.id, one.patient.id) for one in written}


async def test_stop_on_the_page_is_said_for_each(
    desk: "Desk", web: httpx.AsyncClient, household: tuple[Written, Written]
) -> None:
    for _ in range(2):  # pressed twice
        assert (await web.post(f"/p/{desk.token(household[0])}/stop")).status_code == 200
    assert await _heard(desk, EventKind.OPTED_OUT) == _all_of(*household)
    assert len(await desk.all(Event)) == 2
    for one in household:
        assert (await desk.again(one.patient)).opted_out_at is not None


async def test_a_wish_for_a_call_is_each_ones(
    desk: "Desk", web: httpx.AsyncClient, household: tuple[Written, Written]
) -> None:
    form = {"words": "mañana", "nonce": "a1"}
    for _ in range(2):
        await web.post(f"/p/{desk.token(household[0])}/call", data=form)
    assert await _heard(desk, EventKind.REPLY) == _all_of(*household)
    events: list[Event] = await desk.all(Event)
    assert len(events) == 2
    assert all("mañana" in event.body for event in events)


async def test_an_sms_that_answers_is_each_ones(
    desk: "Desk", patient_writes: "Post", household: tuple[Written, Written]
) -> None:
    await patient_writes(PHONE, "¿Me pueden llamar?")
    assert await _heard(desk, EventKind.REPLY) == _all_of(*household)


async def test_a_message_that_does_not_arrive_fails_for_each(
    desk: "Desk", twilio_posts: "Post", household: tuple[Written, Written]
) -> None:
    sid = household[0].sid
    for _ in range(2):  # Twilio repeats itself
        await twilio_posts(MessageSid=sid, MessageStatus="undelivered", ErrorCode="30006")
    assert await _heard(desk, EventKind.BOUNCED) == _all_of(*household)
    for one in household:
        message = await desk.message(one)
        assert (message.failed_at is None, message.failure) == (False, "30006")
        assert (await desk.again(one.patient)).sms_bad_at is not None


async def test_a_report_before_the_record_finds_the_household_all_the_same(
    desk: "Desk", twilio_posts: "Post", household: tuple[Written, Written]
) -> None:
    ana, _ = household
    async with desk.clinic.database.writing() as session:
        for one in household:
            row = await session.get_one(Message, (one.attempt.id, SMS, 1))
            row.sent_at = row.provider_id = None
    await twilio_posts(
        f"?message={ana.attempt.id}.{SMS}",
        MessageSid=ana.sid,
        MessageStatus="undelivered",
        ErrorCode="30006",
    )
    assert await _heard(desk, EventKind.BOUNCED) == _all_of(*household)


async def test_a_booking_is_ones_own(
    desk: "Desk", web: httpx.AsyncClient, household: tuple[Written, Written]
) -> None:
    ana, eva = household
    booking = {
        "key": "B-1",
        "patient": ana.patient.external_id,
        "appointment_at": "2027-03-10T10:00:00-05:00",
    }
    headers = {"Authorization": "Bearer bookings-token"}
    assert (await web.post("/bookings", json=booking, headers=headers)).status_code == 200
    assert await _heard(desk, EventKind.BOOKED) == _all_of(ana)
    assert (await desk.again(eva.attempt)).state == "open"


async def test_that_a_message_arrived_is_kept_once(
    desk: "Desk", twilio_posts: "Post", household: tuple[Written, Written]
) -> None:
    await twilio_posts(MessageSid=household[0].sid, MessageStatus="delivered")
    assert await _heard(desk, EventKind.NOTICE) == _all_of(household[0])
