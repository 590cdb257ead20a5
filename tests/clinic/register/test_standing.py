"""Where a patient stands, read fresh from the database."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from clinic.attempt import AttemptState
from clinic.event import EventKind
from clinic.register.address import address_hash
from clinic.register.consent import record
from clinic.register.contact import Contact
from clinic.register.same_person import BOOKED_FOR
from clinic.register.standing import PatientStatus, Standing, standings
from clinic.tables import Consent, Duplicate, Patient, Suppression

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows

DAY = timedelta(days=1)


async def standing(rows: "Rows", patient: Patient) -> Standing:
    async with rows.clinic.database.reading() as session:
        found = await standings(
            session, [patient.id], rows.now, rows.clinic.key, zone=rows.clinic.profile.zone
        )
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
        contacts=(),
        consents={},
        possible_duplicate=False,
        erased=False,
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


async def test_the_newest_word_on_each_channel_and_content_is_known(
    rows: "Rows", now: datetime
) -> None:
    patient, silent = await rows.patient(), await rows.patient()
    for days, channel, given in ((3, "sms", True), (1, "sms", False), (2, "email", True)):
        await rows.add(
            Consent(
                patient_id=patient.id,
                channel=channel,
                content="reminder",
                given=given,
                source="paper form",
                at=now - days * DAY,
            )
        )
    expected = {("sms", "reminder"): False, ("email", "reminder"): True}
    assert expected == (await standing(rows, patient)).consents
    assert (await standing(rows, silent)).consents == {}


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        pytest.param(None, (False, True), id="nobody has settled it: the later row waits"),
        pytest.param("different", (False, False), id="two people"),
    ],
)
async def test_a_row_that_may_be_another_persons_is_known(
    rows: "Rows", now: datetime, verdict: str | None, expected: tuple[bool, bool]
) -> None:
    first, later = await rows.patient(), await rows.patient()
    await rows.add(
        Duplicate(
            patient_id=later.id,
            other_id=first.id,
            reason="name and phone",
            found_at=now,
            verdict=verdict,
        )
    )
    known = [(await standing(rows, patient)).possible_duplicate for patient in (first, later)]
    assert expected == tuple(known)


async def test_a_row_that_was_said_to_be_the_same_person_does_not_count(rows: "Rows") -> None:
    first = await rows.patient()
    same = await rows.patient(duplicate_of=first.id)
    assert (await standing(rows, same)).possible_duplicate


async def test_whoever_was_forgotten_is_known(rows: "Rows", now: datetime) -> None:
    patient = await rows.patient(first_name="", last_name="", email=None, phone=None, erased_at=now)
    assert (await standing(rows, patient)).erased


async def test_a_child_is_reached_at_the_addresses_of_the_patient_named_as_guardian(
    rows: "Rows",
) -> None:
    mother = await rows.patient(first_name="Ana", last_name="Gil", phone_kind="landline")
    child = await rows.patient(
        birth_date=date(2019, 1, 1), email=None, phone=None, guardian_number=mother.external_id
    )
    expected = Contact(
        email=mother.email,
        phone=mother.phone,
        phone_kind="landline",
        sms_bad=True,
        for_guardian="Ana Gil",
    )
    assert expected == (await standing(rows, child)).contact


@pytest.mark.parametrize(
    "gone", [{"status": "deceased"}, {"erased_at": datetime(2027, 1, 1, tzinfo=UTC)}]
)
async def test_nobody_writes_to_a_guardian_who_is_gone(
    rows: "Rows", gone: dict[str, object]
) -> None:
    guardian = await rows.patient(**gone)
    child = await rows.patient(
        birth_date=date(2019, 1, 1), email=None, guardian_number=guardian.external_id
    )
    found = (await standing(rows, child)).contact
    assert (None, child.phone, None) == (found.email, found.phone, found.for_guardian)


async def test_a_guardian_who_said_stop_is_not_written_to_at_a_new_number_either(
    rows: "Rows",
) -> None:
    guardian = await rows.patient(email=None)
    await rows.store(EventKind.OPTED_OUT, patient_id=guardian.id)
    async with rows.clinic.database.writing() as session:
        (await session.get_one(Patient, guardian.id)).phone = "+13055550122"  # the next list
    child = await rows.patient(
        birth_date=date(2019, 1, 1), email=None, phone=None, guardian_number=guardian.external_id
    )
    assert (await standing(rows, child)).contact.phone is None


async def test_a_guardian_who_died_is_not_written_to_where_the_childs_row_has_the_phone(
    rows: "Rows",
) -> None:
    guardian = await rows.patient(status="deceased")
    child = await rows.patient(
        birth_date=date(2019, 1, 1),
        email=None,
        phone=None,
        guardian_number=guardian.external_id,
        guardian_phone=guardian.phone,
    )
    assert (await standing(rows, child)).contact.phone is None


@pytest.mark.parametrize(
    "given", [{"status": "deceased"}, {"opted_out_at": datetime(2027, 1, 1, tzinfo=UTC)}]
)
async def test_what_was_said_under_another_number_of_the_guardians_counts(
    rows: "Rows", given: dict[str, object]
) -> None:
    guardian = await rows.patient()
    await rows.patient(duplicate_of=guardian.id, **given)
    child = await rows.patient(
        birth_date=date(2019, 1, 1), email=None, phone=None, guardian_number=guardian.external_id
    )
    found = (await standing(rows, child)).contact
    assert (found.email, found.phone) == (None, None)


async def test_the_clinics_day_decides_who_is_of_age(rows: "Rows") -> None:
    # 23:30 on 2 March in New York, and already the 3rd by UTC
    late = replace(rows, now=datetime(2027, 3, 3, 4, 30, tzinfo=UTC))
    young = await rows.patient(birth_date=date(2009, 3, 3), guardian_email="mother@example.com")
    assert (await standing(late, young)).contact.email == "mother@example.com"


async def test_an_address_of_the_guardian_may_be_suppressed(rows: "Rows", now: datetime) -> None:
    child = await rows.patient(birth_date=date(2019, 1, 1), guardian_email="mother@example.com")
    hashed = address_hash(rows.clinic.key, "mother@example.com")
    await rows.add(Suppression(address_hash=hashed, since=now, source="sms"))
    assert frozenset({hashed}) == (await standing(rows, child)).suppressed


async def test_many_are_read_at_once_and_who_is_unknown_is_left_out(rows: "Rows") -> None:
    patients = [Patient(external_id=str(number), first_name="Ana") for number in range(501)]
    async with rows.clinic.database.writing() as session:
        session.add_all(patients)
    ids = [patient.id for patient in patients]
    async with rows.clinic.database.reading() as session:
        found = await standings(
            session,
            [*ids, "pt-unknown"],
            rows.now,
            rows.clinic.key,
            zone=rows.clinic.profile.zone,
        )
    assert set(ids) == set(found)


async def test_what_a_guardian_refused_is_refused_for_the_child(rows: "Rows") -> None:
    guardian = await rows.patient()
    child = await rows.patient(
        birth_date=date(2019, 1, 1), email=None, phone=None, guardian_number=guardian.external_id
    )
    grown_up = await rows.patient(birth_date=date(1999, 1, 1), guardian_number=guardian.external_id)
    async with rows.clinic.database.writing() as session:
        for patient, given in ((guardian, False), (child, True)):
            await record(
                session,
                patient.id,
                channel="sms",
                content="reminder",
                given=given,
                source="paper",
                at=rows.now,
            )
    assert (await standing(rows, child)).consents == {("sms", "reminder"): False}
    assert (await standing(rows, grown_up)).consents == {}
