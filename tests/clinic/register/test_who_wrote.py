"""Words from a number are heard as its owner's: at once, late, and from a guardian."""

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from clinic.register.address import address_hash
from clinic.register.who_wrote import reached_at, who_wrote
from clinic.tables import Attempt, Message, Patient

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows

PHONE = "+13055550123"
DAY = timedelta(days=1)
CHILD: dict[str, Any] = {"birth_date": date(2018, 10, 18), "phone": None, "email": None}
OVER: dict[str, Any] = {"state": "ended", "outcome": "exhausted"}


async def written(rows: "Rows", patient: Patient, ago: timedelta = DAY, **given: Any) -> Attempt:
    """Have an attempt write an SMS to the number."""
    at: datetime = rows.now - ago
    attempt = await rows.attempt(patient, started_at=at, **given)
    await rows.add(
        Message(
            attempt_id=attempt.id,
            step=1,
            channel="sms",
            address_hash=address_hash(rows.clinic.key, PHONE),
            claimed_at=at,
            sent_at=at,
        )
    )
    return attempt


async def heard(rows: "Rows", *, stop: bool = False) -> list[tuple[str, str | None]]:
    async with rows.clinic.database.reading() as session:
        return await who_wrote(
            session,
            channel="sms",
            address=PHONE,
            says_stop=stop,
            now=rows.now,
            key=rows.clinic.key,
        )


@pytest.mark.parametrize("stop", [False, True])
async def test_open_attempts_that_wrote_there_come_first(rows: "Rows", *, stop: bool) -> None:
    ana, eva = await rows.patient(phone=PHONE), await rows.patient(phone=PHONE)
    attempt = await written(rows, ana)
    await written(rows, eva, **OVER)
    assert await heard(rows, stop=stop) == [(ana.id, attempt.id)]


async def test_an_answer_after_the_end_is_theirs_whom_it_was_about(rows: "Rows") -> None:
    guardian = await rows.patient(phone=PHONE)
    child = await rows.patient(**CHILD, guardian_number=guardian.external_id)
    await written(rows, child, **OVER)
    await rows.patient(**CHILD, guardian_phone=PHONE)
    assert await heard(rows) == [(child.id, None)]


async def test_stop_after_the_end_is_said_for_everybody_reached_there(rows: "Rows") -> None:
    guardian = await rows.patient(external_id="A-1", phone=PHONE)
    children = [
        await rows.patient(**CHILD, external_id="A-2", guardian_number="A-1"),
        await rows.patient(**CHILD, external_id="A-3", guardian_phone=PHONE),
    ]
    await written(rows, children[0], **OVER)
    everybody = {(row.id, None) for row in (guardian, *children)}
    assert set(await heard(rows, stop=True)) == everybody


async def test_the_latest_written_to_comes_first_and_each_once(rows: "Rows") -> None:
    ana, eva = await rows.patient(phone=PHONE), await rows.patient(phone=PHONE)
    for patient, ago in ((ana, 9 * DAY), (eva, 5 * DAY), (ana, 2 * DAY)):
        await written(rows, patient, ago, **OVER)
    assert await heard(rows) == [(ana.id, None), (eva.id, None)]


async def test_a_number_that_changed_hands_is_the_old_owners_and_the_new_ones(
    rows: "Rows",
) -> None:
    gone = await rows.patient(phone="+13055550188")
    await written(rows, gone, **OVER)
    owner = await rows.patient(phone=PHONE)
    assert await heard(rows) == [(gone.id, None), (owner.id, None)]


async def test_rows_of_one_person_are_one(rows: "Rows") -> None:
    kept = await rows.patient()
    await rows.patient(phone=PHONE, duplicate_of=kept.id)
    assert await heard(rows) == [(kept.id, None)]


async def test_who_is_reached_there(rows: "Rows") -> None:
    mother = await rows.patient(external_id="A-1", phone=PHONE)
    second = await rows.patient(external_id="A-2", other_phone=PHONE)
    given = await rows.patient(**CHILD, external_id="A-3", guardian_phone=PHONE)
    ward = await rows.patient(**CHILD, external_id="A-4", guardian_number=second.external_id)
    of_age = CHILD | {"birth_date": date(1990, 1, 1)}
    await rows.patient(**of_age, guardian_phone=PHONE, guardian_number=mother.external_id)
    await rows.patient()
    async with rows.clinic.database.reading() as session:
        found = await reached_at(session, PHONE, rows.now)
    assert {row.id for row in found} == {mother.id, second.id, given.id, ward.id}


async def test_a_number_of_nobodys(rows: "Rows") -> None:
    await rows.patient()
    assert await heard(rows) == []
