"""Where a patient stands, read fresh from the database."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from clinic.address import address_hash
from clinic.attempt import AttemptState
from clinic.event import EventKind
from clinic.standing import BOOKED_FOR, Contact, PatientStatus, Standing, standings
from clinic.tables import Message, Patient, Suppression

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


async def standing(rows: "Rows", patient: Patient) -> Standing:
    async with rows.clinic.database.reading() as session:
        found = await standings(session, [patient.id], rows.now, rows.clinic.key)
    return found[patient.id]


async def test_a_new_patient_stands_open_to_contact(rows: "Rows") -> None:
    patient = await rows.patient(external_id="A-1", first_name="Ana", last_name="Gil")
    expected = Standing(
        patient_id=patient.id,
        external_id="A-1",
        first_name="Ana",
        last_name="Gil",
        language="es",
        status=PatientStatus.ACTIVE,
        opted_out=False,
        booked=False,
        contact=Contact(email=patient.email, phone=patient.phone),
        suppressed=frozenset(),
        open_attempt_id=None,
        last_ended_at=None,
        contacted_at=(),
    )
    assert expected == await standing(rows, patient)


@pytest.mark.parametrize("status", PatientStatus)
async def test_the_registers_status_is_read(rows: "Rows", status: PatientStatus) -> None:
    patient = await rows.patient(status=status.value)
    assert status is (await standing(rows, patient)).status


async def test_bad_addresses_are_told_apart(rows: "Rows", now: datetime) -> None:
    patient = await rows.patient(phone_bad_at=now)
    contact = (await standing(rows, patient)).contact
    assert (contact.email_bad, contact.phone_bad) == (False, True)


@pytest.mark.parametrize(
    ("away", "booked"),
    [pytest.param(DAY, True, id="tomorrow"), pytest.param(-DAY, False, id="yesterday")],
)
async def test_an_appointment_ahead_means_booked(
    rows: "Rows",
    now: datetime,
    away: timedelta,
    booked: bool,  # noqa: FBT001 - a column of the table
) -> None:
    patient = await rows.patient()
    await rows.appointment(patient, now + away)
    assert booked == (await standing(rows, patient)).booked


@pytest.mark.parametrize(
    ("ago", "booked"),
    [
        pytest.param(timedelta(0), True, id="just now"),
        pytest.param(BOOKED_FOR - timedelta(seconds=1), True, id="lately"),
        pytest.param(BOOKED_FOR, False, id="long ago"),
    ],
)
async def test_a_booking_without_a_time_counts_for_a_while(
    rows: "Rows",
    now: datetime,
    ago: timedelta,
    booked: bool,  # noqa: FBT001 - a column of the table
) -> None:
    patient, other = await rows.patient(), await rows.patient()
    await rows.store(EventKind.BOOKED, patient_id=patient.id, at=now - ago)
    await rows.store(EventKind.REPLY, patient_id=other.id)
    assert booked == (await standing(rows, patient)).booked
    assert not (await standing(rows, other)).booked


async def test_an_opt_out_is_known_with_the_addresses_it_suppressed(rows: "Rows") -> None:
    patient = await rows.patient()
    await rows.store(EventKind.OPTED_OUT, patient_id=patient.id)
    found = await standing(rows, patient)
    assert found.opted_out
    assert len(found.suppressed) == 2


async def test_a_shared_address_is_suppressed_for_all_who_share_it(
    rows: "Rows", now: datetime
) -> None:
    child = await rows.patient(email="Family@example.com")
    hashed = address_hash(rows.clinic.key, "family@example.com")
    await rows.add(Suppression(address_hash=hashed, since=now, source="sms"))
    found = await standing(rows, child)
    assert (False, frozenset({hashed})) == (found.opted_out, found.suppressed)


async def test_the_open_attempt_and_the_latest_end_are_known(rows: "Rows", now: datetime) -> None:
    patient = await rows.patient()
    ended = AttemptState.ENDED.value
    await rows.attempt(patient, state=ended, ended_at=now - 3 * DAY)
    await rows.attempt(patient, state=ended, ended_at=now - DAY)
    opened = await rows.attempt(patient)
    found = await standing(rows, patient)
    assert (opened.id, now - DAY) == (found.open_attempt_id, found.last_ended_at)


async def test_contacts_of_the_last_two_days_count_in_every_campaign(
    rows: "Rows", now: datetime
) -> None:
    patient = await rows.patient()
    for hours in (1, 47, 49):
        attempt = await rows.attempt(patient, state=AttemptState.ENDED.value)
        await rows.add(
            Message(
                attempt_id=attempt.id,
                step=0,
                channel="email",
                address_hash="hash",
                claimed_at=now,
                sent_at=now - hours * HOUR,
            )
        )
    found = await standing(rows, patient)
    assert [now - 47 * HOUR, now - HOUR] == sorted(found.contacted_at)


@pytest.mark.parametrize(
    ("channel", "sent"),
    [
        pytest.param("call", True, id="a call task is no message by the machine"),
        pytest.param("email", False, id="a claim is no contact yet"),
    ],
)
async def test_what_no_patient_read_is_no_contact(
    rows: "Rows",
    now: datetime,
    channel: str,
    sent: bool,  # noqa: FBT001 - a column of the table
) -> None:
    patient = await rows.patient()
    attempt = await rows.attempt(patient)
    await rows.add(
        Message(
            attempt_id=attempt.id,
            step=0,
            channel=channel,
            address_hash="hash",
            claimed_at=now,
            sent_at=now if sent else None,
        )
    )
    assert (await standing(rows, patient)).contacted_at == ()


async def test_many_are_read_at_once_and_who_is_unknown_is_left_out(rows: "Rows") -> None:
    patients = [Patient(external_id=str(number), first_name="Ana") for number in range(501)]
    async with rows.clinic.database.writing() as session:
        session.add_all(patients)
    ids = [patient.id for patient in patients]
    async with rows.clinic.database.reading() as session:
        found = await standings(session, [*ids, "pt-unknown"], rows.now, rows.clinic.key)
    assert set(ids) == set(found)
