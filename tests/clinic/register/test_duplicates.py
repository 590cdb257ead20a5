"""Somebody looks at two rows of the register, and says whether they are one person."""

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from clinic.event import EventKind
from clinic.refusal import Refusal
from clinic.register import duplicates
from clinic.register.duplicates import OpenDuplicate, Verdict
from clinic.tables import Appointment, Consent, Duplicate, Patient, Visit

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows

DAY, OTHER_DAY = date(2026, 1, 10), date(2026, 2, 10)
AT = datetime(2027, 4, 1, 14, 0, tzinfo=UTC)
KEY = SecretStr("k" * 32)


@pytest.fixture
async def pair(rows: "Rows") -> tuple[Patient, Patient]:
    """The row that came later, and the one that was there before."""
    kept = await rows.patient(external_id="A-1")
    later = await rows.patient(external_id="A-2")
    await rows.add(
        Duplicate(patient_id=later.id, other_id=kept.id, reason="name and phone", found_at=rows.now)
    )
    return later, kept


async def settle(rows: "Rows", one: Patient, other: Patient, verdict: Verdict) -> None:
    async with rows.clinic.database.writing() as session:
        await duplicates.settle(
            session,
            await session.get_one(Patient, one.id),
            await session.get_one(Patient, other.id),
            verdict,
            who="vera",
            now=rows.now,
            key=KEY,
        )


async def open_pairs(rows: "Rows") -> list[OpenDuplicate]:
    async with rows.clinic.database.reading() as session:
        shown = await duplicates.open_duplicates(session, 10)
        assert await duplicates.count_open(session) == len(shown)
        return shown


async def test_a_pair_is_shown_until_it_is_settled(
    rows: "Rows", pair: tuple[Patient, Patient]
) -> None:
    [shown] = await open_pairs(rows)
    assert (shown.patient.external_id, shown.other.external_id) == ("A-2", "A-1")
    await settle(rows, *pair, Verdict.DIFFERENT)
    assert await open_pairs(rows) == []
    [noted] = await rows.all(Duplicate)
    assert (noted.verdict, noted.settled_by, noted.settled_at) == ("different", "vera", rows.now)
    assert (await rows.get(Patient, pair[0].id)).duplicate_of is None


@pytest.mark.parametrize("swapped", [False, True])
async def test_one_persons_history_goes_to_the_row_that_was_there_before(
    rows: "Rows", pair: tuple[Patient, Patient], *, swapped: bool
) -> None:
    later, kept = pair
    said = {"channel": "sms", "content": "reminder", "source": "form", "at": rows.now}
    await rows.add(
        Visit(patient_id=kept.id, day=DAY, treatment="filling"),
        Visit(patient_id=later.id, day=DAY, treatment="filling"),
        Visit(patient_id=later.id, day=OTHER_DAY, treatment="control"),
        Appointment(patient_id=later.id, at=AT, source="import"),
        Consent(patient_id=later.id, given=False, **said),
    )
    one, other = (kept, later) if swapped else (later, kept)
    await settle(rows, one, other, Verdict.SAME)
    visits = [(row.patient_id, row.day) for row in await rows.all(Visit)]
    assert visits == [(kept.id, DAY), (kept.id, OTHER_DAY)]
    assert [row.patient_id for row in await rows.all(Appointment)] == [kept.id]
    assert [row.patient_id for row in await rows.all(Consent)] == [kept.id]
    assert (await rows.get(Patient, later.id)).duplicate_of == kept.id
    assert (await rows.get(Patient, kept.id)).duplicate_of is None


async def test_of_a_yes_and_a_no_of_one_moment_the_no_stays(
    rows: "Rows", pair: tuple[Patient, Patient]
) -> None:
    later, kept = pair
    said = {"content": "reminder", "source": "import list.csv", "at": rows.now}
    await rows.add(
        Consent(patient_id=kept.id, channel="sms", given=True, **said),
        Consent(patient_id=later.id, channel="sms", given=False, **said),
        Consent(patient_id=kept.id, channel="email", given=False, **said),
        Consent(patient_id=later.id, channel="email", given=True, **said),
    )
    await settle(rows, later, kept, Verdict.SAME)
    stand = {(row.patient_id, row.channel): row.given for row in await rows.all(Consent)}
    assert stand == {(kept.id, "sms"): False, (kept.id, "email"): False}


async def test_who_opted_out_under_one_number_has_under_both(
    rows: "Rows", pair: tuple[Patient, Patient]
) -> None:
    later, kept = pair
    await rows.store(EventKind.OPTED_OUT, patient_id=later.id)
    await settle(rows, *pair, Verdict.SAME)
    assert (await rows.get(Patient, kept.id)).opted_out_at == rows.now


async def test_the_attempt_of_the_row_that_came_later_ends(
    rows: "Rows", pair: tuple[Patient, Patient]
) -> None:
    later, kept = pair
    attempt = await rows.attempt(patient=later)
    await rows.attempt(patient=kept)
    await settle(rows, *pair, Verdict.SAME)
    assert [event.attempt_id for event in await rows.events(EventKind.EXCLUDED)] == [attempt.id]


async def test_a_row_that_stood_for_others_hands_them_on(
    rows: "Rows", pair: tuple[Patient, Patient]
) -> None:
    later, kept = pair
    third = await rows.patient(external_id="A-3", duplicate_of=later.id)
    await settle(rows, *pair, Verdict.SAME)
    assert (await rows.get(Patient, third.id)).duplicate_of == kept.id


async def test_rows_for_which_another_stands_are_shown_and_settled_as_its_person(
    rows: "Rows", pair: tuple[Patient, Patient]
) -> None:
    later, kept = pair
    third = await rows.patient(external_id="A-3")
    await rows.add(
        Duplicate(patient_id=later.id, other_id=third.id, reason="name", found_at=rows.now)
    )
    await settle(rows, later, kept, Verdict.SAME)
    [shown] = await open_pairs(rows)
    assert (shown.patient.external_id, shown.other.external_id) == ("A-2", "A-3")
    await settle(rows, later, third, Verdict.SAME)
    stands = [(await rows.get(Patient, row.id)).duplicate_of for row in (later, kept, third)]
    assert stands == [third.id, third.id, None]


async def test_two_rows_for_which_one_stands_already_are_one_person_as_before(
    rows: "Rows", pair: tuple[Patient, Patient]
) -> None:
    _, kept = pair
    third = await rows.patient(external_id="A-3", duplicate_of=kept.id)
    await rows.add(
        Duplicate(patient_id=kept.id, other_id=third.id, reason="name", found_at=rows.now)
    )
    await settle(rows, kept, third, Verdict.SAME)
    assert (await rows.get(Patient, kept.id)).duplicate_of is None
    assert (await rows.get(Patient, third.id)).duplicate_of == kept.id


async def test_a_pair_is_settled_once(rows: "Rows", pair: tuple[Patient, Patient]) -> None:
    await settle(rows, *pair, Verdict.DIFFERENT)
    with pytest.raises(Refusal, match="A-2 and A-1 were settled as different by vera on 2027"):
        await settle(rows, *pair, Verdict.SAME)


async def test_two_rows_that_nobody_found_alike_are_not_settled(rows: "Rows") -> None:
    one, other = await rows.patient(external_id="A-1"), await rows.patient(external_id="A-2")
    with pytest.raises(Refusal, match="A-1 and A-2 were not found to be alike"):
        await settle(rows, one, other, Verdict.SAME)
