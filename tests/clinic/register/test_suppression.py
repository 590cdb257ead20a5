"""An address that said stop is silent, whosever it is, and until its owner says otherwise."""

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from clinic.event import EventKind
from clinic.register import suppression
from clinic.register.address import address_hash
from clinic.tables import Message, Patient, Suppression

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows

DAY = timedelta(days=1)
MOTHERS = {"guardian_email": "marta@example.com", "guardian_phone": "+13055550199"}


async def silent(rows: "Rows") -> set[str]:
    return {row.address_hash for row in await rows.all(Suppression)}


def hashes(rows: "Rows", *addresses: str | None) -> set[str]:
    return {address_hash(rows.clinic.key, str(address)) for address in addresses}


async def test_an_address_is_kept_as_a_hash_that_nobody_can_read_back(
    rows: "Rows", now: datetime
) -> None:
    key = rows.clinic.key
    async with rows.clinic.database.writing() as session:
        for written, at, is_new in (
            ("ana@example.com", now, True),
            ("Ana@Example.com", now + DAY, False),
        ):
            added = await suppression.suppress(session, written, source="staff", now=at, key=key)
            assert added is is_new
    [row] = await rows.all(Suppression)
    assert (row.since, row.source) == (now, "staff")
    assert "ana" not in row.address_hash


async def test_an_opt_out_silences_every_address_of_the_patient(rows: "Rows") -> None:
    patient = await rows.patient(other_phone="+13055550188")
    await rows.store(EventKind.OPTED_OUT, patient_id=patient.id)
    assert await silent(rows) == hashes(rows, patient.email, patient.phone, "+13055550188")


@pytest.mark.parametrize(
    ("born", "speaks"),
    [
        pytest.param(date(2009, 3, 3), True, id="a minor, the day before the 18th birthday"),
        pytest.param(date(2009, 3, 2), False, id="of age today"),
        pytest.param(None, False, id="of unknown age: the guardian is not written to either"),
    ],
)
async def test_the_guardian_speaks_for_a_minor_and_for_nobody_else(
    rows: "Rows", born: date | None, *, speaks: bool
) -> None:
    patient = await rows.patient(birth_date=born, **MOTHERS)
    await rows.store(EventKind.OPTED_OUT, patient_id=patient.id)
    own = hashes(rows, patient.email, patient.phone)
    assert await silent(rows) == own | (hashes(rows, *MOTHERS.values()) if speaks else set())


async def test_stop_about_a_child_silences_the_row_of_the_guardian_who_is_a_patient(
    rows: "Rows",
) -> None:
    mother = await rows.patient(other_phone="+13055550188")
    child = await rows.patient(
        birth_date=date(2019, 1, 1), email=None, phone=None, guardian_number=mother.external_id
    )
    await rows.store(EventKind.OPTED_OUT, patient_id=child.id)
    assert await silent(rows) == hashes(rows, mother.email, mother.phone, "+13055550188")
    assert (await rows.get(Patient, mother.id)).opted_out_at is None


@pytest.mark.parametrize("said_it_herself", [False, True])
async def test_taking_it_back_for_a_child_frees_the_guardian_who_did_not_say_it_too(
    rows: "Rows", now: datetime, *, said_it_herself: bool
) -> None:
    mother = await rows.patient()
    child = await rows.patient(
        birth_date=date(2019, 1, 1), email=None, phone=None, guardian_number=mother.external_id
    )
    if said_it_herself:
        await rows.store(EventKind.OPTED_OUT, patient_id=mother.id)
    await rows.store(EventKind.OPTED_OUT, patient_id=child.id)
    async with rows.clinic.database.writing() as session:
        await suppression.opt_in(session, child.id, now=now, key=rows.clinic.key)
    hers = hashes(rows, mother.email, mother.phone)
    assert await silent(rows) == (hers if said_it_herself else set())


async def test_a_person_says_stop_for_all_their_rows_and_takes_it_back_for_all(
    rows: "Rows", now: datetime
) -> None:
    kept = await rows.patient()
    same = await rows.patient(duplicate_of=kept.id)
    await rows.store(EventKind.OPTED_OUT, patient_id=same.id)
    assert await silent(rows) == hashes(rows, kept.email, kept.phone, same.email, same.phone)
    ids = (kept.id, same.id)
    assert [(await rows.get(Patient, one)).opted_out_at for one in ids] == [now, now]
    async with rows.clinic.database.writing() as session:
        await suppression.opt_in(session, kept.id, now=now, key=rows.clinic.key)
    assert await silent(rows) == set()
    assert [(await rows.get(Patient, one)).opted_out_at for one in ids] == [None, None]


async def test_the_address_that_said_stop_is_silent_also_where_the_register_knows_another(
    rows: "Rows", now: datetime
) -> None:
    attempt = await rows.attempt()
    sent_to = address_hash(rows.clinic.key, "old@example.com")
    await rows.add(
        Message(
            attempt_id=attempt.id, step=0, channel="email", address_hash=sent_to, claimed_at=now
        )
    )
    await rows.store(EventKind.OPTED_OUT, attempt_id=attempt.id, details={"step": 0})
    patient = await rows.get(Patient, attempt.patient_id)
    assert await silent(rows) == hashes(rows, "old@example.com", patient.email, patient.phone)


async def test_an_opt_out_that_is_taken_back_frees_the_patient_and_the_addresses(
    rows: "Rows", now: datetime
) -> None:
    patient, stranger = await rows.patient(), await rows.patient()
    for one in (patient, stranger):
        await rows.store(EventKind.OPTED_OUT, patient_id=one.id)
    async with rows.clinic.database.writing() as session:
        freed = await suppression.opt_in(session, patient.id, now=now, key=rows.clinic.key)
    assert set(freed) == {patient.email, patient.phone}
    assert (await rows.get(Patient, patient.id)).opted_out_at is None
    assert await silent(rows) == hashes(rows, stranger.email, stranger.phone)


async def test_lifting_says_whether_there_was_anything_to_lift(rows: "Rows", now: datetime) -> None:
    key = rows.clinic.key
    async with rows.clinic.database.writing() as session:
        await suppression.suppress(session, "ana@example.com", source="sms", now=now, key=key)
        assert await suppression.lift(session, "ANA@example.com", key=key)
        assert not await suppression.lift(session, "ana@example.com", key=key)
    assert await rows.all(Suppression) == []


async def test_which_addresses_are_suppressed_is_told_with_date_and_source(
    rows: "Rows", now: datetime
) -> None:
    key = rows.clinic.key
    async with rows.clinic.database.writing() as session:
        await suppression.suppress(session, "ana@example.com", source="sms", now=now, key=key)
        found = await suppression.suppressed(session, ["ana@example.com", "eva@example.com"], key)
    assert {address: (row.since, row.source) for address, row in found.items()} == {
        "ana@example.com": (now, "sms")
    }
