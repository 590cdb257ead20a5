"""What happens outside is stored first, has its effect on the register, and is relayed in order."""

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from clinic import inbox
from clinic.attempt import AttemptState
from clinic.event import AttemptEvent, CallOutcome, EventKind
from clinic.outcome import LossReason
from clinic.register.address import address_hash
from clinic.tables import Appointment, Attempt, Event, Message, Patient, Suppression

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows

DAY = timedelta(days=1)


async def sent(rows: "Rows", attempt: Attempt, channel: str, step: int = 0) -> None:
    """Have a message of an attempt sent to the patient's address of now."""
    patient = await rows.get(Patient, attempt.patient_id)
    address = patient.email if channel == "email" else patient.phone
    await rows.add(
        Message(
            attempt_id=attempt.id,
            step=step,
            channel=channel,
            address_hash=address_hash(rows.clinic.key, str(address)),
            claimed_at=rows.now,
            sent_at=rows.now,
        )
    )


async def test_a_reply_is_kept_with_its_words(rows: "Rows", now: datetime) -> None:
    attempt = await rows.attempt()
    assert await rows.store(EventKind.REPLY, attempt_id=attempt.id, body="Llámeme 🙂")
    [event] = await rows.all(Event)
    assert (attempt.id, attempt.patient_id, "Llámeme 🙂", now, None) == (
        event.attempt_id,
        event.patient_id,
        event.body,
        event.received_at,
        event.relayed_at,
    )


async def test_a_repeat_changes_nothing(rows: "Rows", now: datetime) -> None:
    patient = await rows.patient()
    assert await rows.book(patient, now + DAY, source_key="1")
    assert not await rows.book(patient, now + 2 * DAY, source_key="1")
    assert len(await rows.all(Event)) == 1
    assert [now + DAY] == [row.at for row in await rows.all(Appointment)]


async def test_the_same_key_of_another_source_is_another_event(rows: "Rows") -> None:
    assert await rows.store(EventKind.REPLY, source="sms", source_key="1")
    assert await rows.store(EventKind.REPLY, source="email", source_key="1")


async def test_an_opt_out_suppresses_every_address_at_once(rows: "Rows", now: datetime) -> None:
    patient = await rows.patient()
    await rows.store(EventKind.OPTED_OUT, patient_id=patient.id, source="sms")
    assert now == (await rows.get(Patient, patient.id)).opted_out_at
    hashes = {
        address_hash(rows.clinic.key, str(address)) for address in (patient.email, patient.phone)
    }
    suppressions = await rows.all(Suppression)
    assert hashes == {row.address_hash for row in suppressions}
    assert {(now, "sms")} == {(row.since, row.source) for row in suppressions}


async def test_a_second_opt_out_keeps_the_first_ones_date(rows: "Rows", now: datetime) -> None:
    patient = await rows.patient(email=None)
    await rows.store(EventKind.OPTED_OUT, patient_id=patient.id)
    await rows.store(EventKind.OPTED_OUT, patient_id=patient.id, at=now + DAY)
    assert now == (await rows.get(Patient, patient.id)).opted_out_at
    assert [now] == [row.since for row in await rows.all(Suppression)]


async def test_a_family_that_shares_an_email_opts_out_of_it_together(rows: "Rows") -> None:
    mother = await rows.patient(email="family@example.com", phone=None)
    child = await rows.patient(email="family@example.com", phone=None)
    await rows.store(EventKind.OPTED_OUT, patient_id=mother.id)
    await rows.store(EventKind.OPTED_OUT, patient_id=child.id)
    assert len(await rows.all(Suppression)) == 1


async def test_a_booking_stands_in_the_book_at_once(rows: "Rows", now: datetime) -> None:
    patient = await rows.patient()
    for key in ("1", "2"):  # the same appointment, told by two
        await rows.book(patient, now + DAY, source_key=key)
    assert [(patient.id, now + DAY, "bookings")] == [
        (row.patient_id, row.at, row.source) for row in await rows.all(Appointment)
    ]


async def test_a_booking_without_a_time_is_kept_and_stands_in_no_book(rows: "Rows") -> None:
    attempt = await rows.attempt()
    assert await rows.store(EventKind.BOOKED, attempt_id=attempt.id)
    assert await rows.all(Appointment) == []


@pytest.mark.parametrize(
    ("channel", "marked"),
    [("email", "email_bad_at"), ("sms", "sms_bad_at")],
)
async def test_a_bounce_marks_the_address_bad(
    rows: "Rows", now: datetime, channel: str, marked: str
) -> None:
    attempt = await rows.attempt()
    await sent(rows, attempt, channel)
    details = {"step": 0, "failure": "30005"}
    await rows.store(EventKind.BOUNCED, attempt_id=attempt.id, details=details)
    patient = await rows.get(Patient, attempt.patient_id)
    assert {marked: now} == {
        name: bad_at
        for name in ("email_bad_at", "phone_bad_at", "sms_bad_at")
        if (bad_at := getattr(patient, name)) is not None
    }
    message = await rows.get(Message, (attempt.id, 0, 1))
    assert (now, "30005") == (message.failed_at, message.failure)


async def test_a_bounce_of_an_old_address_leaves_the_new_one_good(rows: "Rows") -> None:
    attempt = await rows.attempt()
    await sent(rows, attempt, "email")
    async with rows.clinic.database.writing() as session:
        (await session.get_one(Patient, attempt.patient_id)).email = "new@example.com"
    await rows.store(EventKind.BOUNCED, attempt_id=attempt.id, details={"step": 0})
    assert (await rows.get(Patient, attempt.patient_id)).email_bad_at is None


async def test_a_bounce_at_a_guardians_address_is_marked_on_the_childs_row(
    rows: "Rows", now: datetime
) -> None:
    guardian = await rows.patient(external_id="A-1", email="guardian@example.com")
    child = await rows.patient(birth_date=date(2018, 10, 18), guardian_number="A-1")
    attempt = await rows.attempt(child)
    hashed = address_hash(rows.clinic.key, "guardian@example.com")
    row = {"step": 0, "channel": "email", "address_hash": hashed, "claimed_at": now}
    await rows.add(Message(attempt_id=attempt.id, **row))
    await rows.store(EventKind.BOUNCED, attempt_id=attempt.id, details={"step": 0})
    assert (await rows.get(Patient, child.id)).email_bad_at == now
    assert (await rows.get(Patient, guardian.id)).email_bad_at is None


@pytest.mark.parametrize("step", [None, 1], ids=["no step", "a step that was not sent"])
async def test_a_bounce_of_no_message_is_kept_and_marks_nothing(
    rows: "Rows", step: int | None
) -> None:
    attempt = await rows.attempt()
    await sent(rows, attempt, "email")
    await rows.store(EventKind.BOUNCED, attempt_id=attempt.id, details={"step": step})
    assert (await rows.get(Patient, attempt.patient_id)).email_bad_at is None
    assert len(await rows.all(Event)) == 1


async def test_a_bounce_of_a_patient_who_had_no_attempt_is_kept(rows: "Rows") -> None:
    patient = await rows.patient()
    assert await rows.store(EventKind.BOUNCED, patient_id=patient.id, details={"step": 0})
    assert (await rows.get(Patient, patient.id)).email_bad_at is None


async def test_an_event_of_a_patient_finds_the_open_attempt(rows: "Rows", now: datetime) -> None:
    patient = await rows.patient()
    opened = await rows.attempt(patient, started_at=now - DAY)
    await rows.attempt(patient, state=AttemptState.ENDED.value, started_at=now)
    await rows.store(EventKind.REPLY, patient_id=patient.id)
    assert [opened.id] == [event.attempt_id for event in await rows.all(Event)]


async def test_an_event_of_a_patient_without_an_open_attempt_finds_the_latest(
    rows: "Rows", now: datetime
) -> None:
    patient = await rows.patient()
    ended = AttemptState.ENDED.value
    await rows.attempt(patient, state=ended, started_at=now - 2 * DAY)
    latest = await rows.attempt(patient, state=ended, started_at=now - DAY)
    await rows.attempt(patient, state=AttemptState.LEFT_OUT.value, started_at=None)
    await rows.store(EventKind.REPLY, patient_id=patient.id)
    assert [latest.id] == [event.attempt_id for event in await rows.all(Event)]


async def test_an_event_of_a_patient_who_had_no_attempt_is_kept(rows: "Rows") -> None:
    patient = await rows.patient()
    await rows.store(EventKind.REPLY, patient_id=patient.id, body="Hello?")
    assert [(patient.id, None)] == [
        (event.patient_id, event.attempt_id) for event in await rows.all(Event)
    ]


async def test_an_event_of_nobody_is_kept(rows: "Rows") -> None:
    assert await rows.store(EventKind.UNKNOWN, body="?")
    assert [event.patient_id for event in await rows.all(Event)] == [None]


async def due(rows: "Rows", now: datetime, at_most: int = 50) -> list[str]:
    async with rows.clinic.database.reading() as session:
        return [event.source_key for event in await inbox.to_relay(session, now, at_most)]


async def test_events_are_relayed_oldest_first_and_until_they_arrived(
    rows: "Rows", now: datetime
) -> None:
    for key in ("third", "first", "second"):
        await rows.store(EventKind.REPLY, source_key=key)
    assert await due(rows, now) == ["third", "first", "second"]
    assert await due(rows, now, at_most=2) == ["third", "first"]
    [arrived, *_] = await rows.events(EventKind.REPLY)
    async with rows.clinic.database.writing() as session:
        await inbox.mark_relayed(session, [(arrived.id, "signalled")], now=now)
    assert await due(rows, now) == ["first", "second"]
    assert (await rows.events(EventKind.REPLY))[0].relay_result == "signalled"


@pytest.mark.parametrize(
    ("tries", "pause"),
    [
        pytest.param(0, 0.25, id="the first failure"),
        pytest.param(1, 0.5, id="the second"),
        pytest.param(7, 32, id="the eighth"),
        pytest.param(8, 60, id="the ninth: never more than a minute"),
        pytest.param(5000, 60, id="after days without Temporal"),
    ],
)
async def test_an_event_that_does_not_arrive_is_put_off_ever_longer(
    rows: "Rows", now: datetime, tries: int, pause: float
) -> None:
    await rows.store(EventKind.REPLY, source_key="late")
    async with rows.clinic.database.writing() as session:
        [event] = await inbox.to_relay(session, now, 1)
        event.relay_tries = tries
        await session.flush()
        await inbox.put_off(session, event, reason="UNAVAILABLE", now=now)
    next_try = now + timedelta(seconds=pause)
    assert await due(rows, next_try - timedelta(milliseconds=1)) == []
    assert await due(rows, next_try) == ["late"]
    [event] = await rows.events(EventKind.REPLY)
    assert (tries + 1, "UNAVAILABLE") == (event.relay_tries, event.relay_result)


async def test_a_workflow_hears_no_personal_data(rows: "Rows") -> None:
    attempt = await rows.attempt()
    details = {"call_outcome": "declined", "loss_reason": "price", "step": 2, "other": "x"}
    await rows.store(
        EventKind.CALL_OUTCOME, attempt_id=attempt.id, body="my words", details=details
    )
    [event] = await rows.all(Event)
    expected = AttemptEvent(
        event_id=event.id,
        kind=EventKind.CALL_OUTCOME,
        step=2,
        call_outcome=CallOutcome.DECLINED,
        loss_reason=LossReason.PRICE,
    )
    assert expected == inbox.as_attempt_event(event)


@pytest.mark.parametrize(
    ("kind", "silenced"),
    [
        (EventKind.REPLY, True),
        (EventKind.BOOKED, True),
        (EventKind.OPTED_OUT, True),
        (EventKind.STOPPED, True),
        (EventKind.EXCLUDED, True),
        (EventKind.BOUNCED, False),
        (EventKind.RESUMED, False),
        (EventKind.UNKNOWN, False),
    ],
    ids=str,
)
async def test_an_answer_silences_the_machine_before_the_attempt_hears_it(
    rows: "Rows",
    kind: EventKind,
    silenced: bool,  # noqa: FBT001 - a column of the table
) -> None:
    attempt, other = await rows.attempt(), await rows.attempt()
    await rows.store(kind, attempt_id=attempt.id)
    assert [silenced, False] == [await rows.is_silenced(one) for one in (attempt, other)]
