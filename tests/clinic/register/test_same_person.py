"""What was said under one number counts under every number of the same person."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from clinic.delivery_check import not_contactable
from clinic.event import EventKind
from clinic.register import duplicates
from clinic.register.duplicates import Verdict
from clinic.register.standing import Standing, standings
from clinic.tables import Appointment, Consent, Duplicate, Patient

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows

DAY = timedelta(days=1)


@pytest.fixture(params=["settled as the same", "settled by nobody"])
async def pair(request: pytest.FixtureRequest, rows: "Rows") -> tuple[Patient, Patient]:
    """The row that came later, and the one that was there before."""
    kept, later = await rows.patient(external_id="A-1"), await rows.patient(external_id="A-2")
    await alike(rows, later, kept)
    if request.param == "settled as the same":
        await settle(rows, later, kept, Verdict.SAME)
    return later, kept


async def alike(rows: "Rows", later: Patient, other: Patient) -> None:
    await rows.add(
        Duplicate(patient_id=later.id, other_id=other.id, reason="name", found_at=rows.now)
    )


async def settle(rows: "Rows", later: Patient, other: Patient, verdict: Verdict) -> None:
    async with rows.clinic.database.writing() as session:
        await duplicates.settle(
            session,
            await session.get_one(Patient, later.id),
            await session.get_one(Patient, other.id),
            verdict,
            who="vera",
            now=rows.now,
            key=rows.clinic.key,
        )


async def standing(rows: "Rows", patient: Patient) -> Standing:
    async with rows.clinic.database.reading() as session:
        found = await standings(
            session, [patient.id], rows.now, rows.clinic.key, zone=rows.clinic.profile.zone
        )
    return found[patient.id]


async def becomes(rows: "Rows", patient: Patient, **given: Any) -> None:
    async with rows.clinic.database.writing() as session:
        row = await session.get_one(Patient, patient.id)
        for name, value in given.items():
            setattr(row, name, value)


async def test_nothing_said_of_either_leaves_the_first_row_open_to_contact(
    rows: "Rows", pair: tuple[Patient, Patient]
) -> None:
    later, kept = pair
    assert not_contactable(await standing(rows, kept)) is None
    assert not_contactable(await standing(rows, later)) is not None


@pytest.mark.parametrize("status", ["deceased", "moved"])
async def test_who_died_or_moved_under_one_number_did_under_both(
    rows: "Rows", pair: tuple[Patient, Patient], status: str
) -> None:
    later, kept = pair
    await becomes(rows, later, status=status)
    assert (await standing(rows, kept)).status == status


async def test_the_strictest_status_counts(rows: "Rows", pair: tuple[Patient, Patient]) -> None:
    later, kept = pair
    await becomes(rows, kept, status="inactive")
    await becomes(rows, later, status="moved")
    assert (await standing(rows, kept)).status == "moved"
    await becomes(rows, await rows.patient(duplicate_of=kept.id), status="deceased")
    assert (await standing(rows, kept)).status == "deceased"


async def test_a_second_card_that_was_closed_says_nothing_of_the_person(
    rows: "Rows", pair: tuple[Patient, Patient]
) -> None:
    later, kept = pair
    await becomes(rows, later, status="inactive")
    assert (await standing(rows, kept)).status == "active"


async def test_stop_under_one_number_is_stop_under_both(
    rows: "Rows", pair: tuple[Patient, Patient]
) -> None:
    later, kept = pair
    await rows.store(EventKind.OPTED_OUT, patient_id=later.id)
    assert (await standing(rows, kept)).opted_out


async def test_a_booking_under_one_number_is_one_under_both(
    rows: "Rows", pair: tuple[Patient, Patient]
) -> None:
    later, kept = pair
    await rows.book(later, rows.now + 4 * DAY)
    assert (await standing(rows, kept)).booked


async def test_a_booking_without_a_time_counts_for_both(
    rows: "Rows", pair: tuple[Patient, Patient]
) -> None:
    later, kept = pair
    await rows.store(EventKind.BOOKED, patient_id=later.id)
    assert (await standing(rows, kept)).booked


async def test_a_no_under_one_number_is_a_no_under_both_and_a_yes_is_not(
    rows: "Rows", pair: tuple[Patient, Patient]
) -> None:
    later, kept = pair
    said: dict[str, Any] = {"content": "reminder", "source": "form", "at": rows.now}
    await rows.add(
        Consent(patient_id=kept.id, channel="sms", given=True, **said),
        Consent(patient_id=later.id, channel="sms", given=False, **said),
        Consent(patient_id=later.id, channel="email", given=True, **said),
    )
    assert (await standing(rows, kept)).consents == {("sms", "reminder"): False}


async def test_two_people_speak_for_themselves(rows: "Rows") -> None:
    one, other = await rows.patient(), await rows.patient(status="deceased")
    await alike(rows, other, one)
    await settle(rows, other, one, Verdict.DIFFERENT)
    assert not_contactable(await standing(rows, one)) is None


async def test_what_was_said_of_the_first_row_counts_for_the_later_one(
    rows: "Rows", pair: tuple[Patient, Patient]
) -> None:
    later, kept = pair
    await becomes(rows, kept, status="deceased")
    assert (await standing(rows, later)).status == "deceased"


async def test_whoever_may_be_the_same_as_a_persons_other_row_counts(rows: "Rows") -> None:
    kept = await rows.patient()
    same, third = await rows.patient(duplicate_of=kept.id), await rows.patient()
    behind = await rows.patient(duplicate_of=third.id, status="deceased")
    await alike(rows, third, same)
    assert (await standing(rows, kept)).status == "deceased"
    assert (await standing(rows, behind)).status == "deceased"


async def test_likeness_is_not_handed_on_by_whom_nobody_has_settled(rows: "Rows") -> None:
    first, middle = await rows.patient(), await rows.patient()
    last = await rows.patient(status="deceased")
    await alike(rows, middle, first)
    await alike(rows, last, middle)
    assert (await standing(rows, first)).status == "active"
    assert (await standing(rows, middle)).status == "deceased"


async def test_a_booking_told_for_the_later_number_stands_in_the_kept_rows_book(
    rows: "Rows",
) -> None:
    kept = await rows.patient()
    later = await rows.patient(duplicate_of=kept.id)
    attempt = await rows.attempt(kept)
    await rows.book(later, rows.now + 4 * DAY)
    assert [row.patient_id for row in await rows.all(Appointment)] == [kept.id]
    [event] = await rows.events(EventKind.BOOKED)
    assert (event.patient_id, event.attempt_id) == (kept.id, attempt.id)
