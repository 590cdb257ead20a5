"""A row is changed by hand with what follows from it, or not at all."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.event import EventKind
from clinic.plain_text import name_key
from clinic.register.patient_edit import Edited, NotSaved, Trouble, save
from clinic.register.typed_fields import (
    EDITABLE,
    Desk,
    FieldProblem,
    Untakeable,
    read_typed,
    shown,
)
from clinic.register_import import possible_duplicates
from clinic.register_import.patient_fields import FIELDS
from clinic.register_import.possible_duplicates import Person
from clinic.register_import.register_entry import read_entries
from clinic.tables import Duplicate, Patient

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows

BAD = {"email_bad_at", "phone_bad_at", "sms_bad_at"}


def desk(country: str = "US") -> Desk:
    return Desk(country, ZoneInfo("America/New_York"), date(2027, 3, 2))


async def edit(
    rows: "Rows", patient: Patient, was: Mapping[str, str] | None = None, **typed: str
) -> Edited:
    first = shown(patient) if was is None else was
    async with rows.clinic.database.writing() as session:
        return await save(
            session,
            patient.id,
            dict(first) | typed,
            first,
            desk=desk(),
            now=rows.now,
            key=rows.clinic.key,
        )


async def refused(
    rows: "Rows", patient: Patient, was: Mapping[str, str] | None = None, **typed: str
) -> Mapping[str, Trouble]:
    with pytest.raises(NotSaved) as error:
        await edit(rows, patient, was, **typed)
    return error.value.troubles


def test_what_is_edited_is_what_a_list_fills_but_for_what_identifies_or_counts() -> None:
    assert set(FIELDS) - set(EDITABLE) == {"national_id", "sex", "reported_visits"}


async def test_what_was_typed_is_read_as_an_import_reads_it(rows: "Rows") -> None:
    patient = await rows.patient()
    await rows.patient(external_id="A-0007")
    edited = await edit(
        rows,
        patient,
        first_name="  Ana ",
        last_name="Peña",
        birth_date="1984-05-17",
        email="Ana@EXAMPLE.com",
        phone="(305) 555-0142",
        guardian_number="A-0007",
        loss_reason="price",
    )
    row = await rows.get(Patient, patient.id)
    assert (row.first_name, row.last_name, row.name_key) == ("Ana", "Peña", "ana pena")
    assert row.birth_date == date(1984, 5, 17)
    assert (row.email, row.phone) == ("Ana@example.com", "+13055550142")
    assert row.phone_kind == "unknown"  # nobody tells mobiles from landlines there
    assert (row.guardian_number, row.loss_reason) == ("A-0007", "price")
    assert edited.fields == (
        "first_name",
        "last_name",
        "birth_date",
        "email",
        "phone",
        "guardian_number",
        "loss_reason",
    )


async def test_a_field_is_emptied(rows: "Rows") -> None:
    patient = await rows.patient(phone="+13055550142", phone_kind="mobile", loss_reason="price")
    await edit(rows, patient, last_name="", phone="", loss_reason="-")
    row = await rows.get(Patient, patient.id)
    assert (row.last_name, row.phone, row.phone_kind, row.loss_reason) == ("", None, None, None)


@pytest.mark.parametrize(
    ("field", "typed", "problem"),
    [
        ("first_name", " ", FieldProblem.MISSING),
        ("first_name", "123", FieldProblem.NO_NAME),
        ("occupation", "x" * 201, FieldProblem.TOO_LONG),
        ("email", "ana@", FieldProblem.NO_EMAIL),
        ("email", "ana@example.com, bruno@example.com", FieldProblem.NO_EMAIL),
        ("phone", "555", FieldProblem.NO_PHONE),
        ("guardian_phone", "305 555 0142 ext. 7", FieldProblem.EXTENSION),
        ("birth_date", "2027-03-03", FieldProblem.NO_BIRTH_DATE),
        ("birth_date", "31/31/1980", FieldProblem.NO_BIRTH_DATE),
        ("birth_date", "1900-01-01", FieldProblem.NO_BIRTH_DATE),
        ("birth_date", "03/04/1980", FieldProblem.UNCLEAR_DATE),
        ("status", "", FieldProblem.MISSING),
        ("status", "gone", FieldProblem.NOT_LISTED),
        ("language", "fr", FieldProblem.NOT_LISTED),
    ],
)
def test_what_a_field_can_not_hold_is_refused(
    field: str, typed: str, problem: FieldProblem
) -> None:
    with pytest.raises(Untakeable) as error:
        read_typed(field, typed, desk())
    assert error.value.problem is problem


def test_a_date_is_read_in_the_clinics_own_order() -> None:
    assert read_typed("birth_date", "03/04/1980", desk("CO")).value == date(1980, 4, 3)


async def test_nothing_is_saved_unless_all_is_right_and_every_field_says_what_is_wrong(
    rows: "Rows",
) -> None:
    patient = await rows.patient(phone="+13055550142", external_id="A-0042")
    troubles = await refused(
        rows,
        patient,
        first_name="Ana",
        email="nix",
        other_phone="305 555 0142",
        guardian_number="A-9999",
    )
    assert {name: trouble.problem for name, trouble in troubles.items()} == {
        "email": FieldProblem.NO_EMAIL,
        "other_phone": FieldProblem.TWICE,
        "guardian_number": FieldProblem.NOBODY,
    }
    own = await refused(rows, patient, guardian_number="A-0042")
    assert own["guardian_number"].problem is FieldProblem.OWN_NUMBER
    assert (await rows.get(Patient, patient.id)).first_name == patient.first_name


@pytest.mark.parametrize(
    ("field", "typed", "cleared"),
    [
        ("email", "new@example.com", {"email_bad_at"}),
        ("phone", "+13055550199", {"phone_bad_at", "sms_bad_at"}),
        ("guardian_email", "new@example.com", {"email_bad_at"}),
        ("guardian_phone", "+13055550199", {"phone_bad_at", "sms_bad_at"}),
        ("other_phone", "+13055550199", set()),
    ],
)
async def test_a_new_address_has_not_failed_yet(
    rows: "Rows", field: str, typed: str, cleared: set[str]
) -> None:
    bad: dict[str, Any] = dict.fromkeys(BAD, rows.now)
    patient = await rows.patient(**bad)
    await edit(rows, patient, None, **{field: typed})
    row = await rows.get(Patient, patient.id)
    assert {mark for mark in BAD if getattr(row, mark) is None} == cleared


async def test_a_word_is_spelled_as_the_register_spells_it(rows: "Rows") -> None:
    await rows.patient(district="Peñalolén")
    patient = await rows.patient()
    await edit(rows, patient, district="PENALOLEN")
    assert (await rows.get(Patient, patient.id)).district == "Peñalolén"


@pytest.mark.parametrize("status", ["deceased", "moved", "inactive"])
async def test_who_is_no_patient_any_more_has_their_attempt_ended(
    rows: "Rows", status: str
) -> None:
    patient = await rows.patient()
    attempt = await rows.attempt(patient)
    await edit(rows, patient, district="Centro")
    assert await rows.events(EventKind.EXCLUDED) == []
    await edit(rows, await rows.get(Patient, patient.id), status=status)
    [event] = await rows.events(EventKind.EXCLUDED)
    assert (event.attempt_id, event.source) == (attempt.id, "staff")


async def test_who_is_a_patient_again_has_nothing_ended(rows: "Rows") -> None:
    patient = await rows.patient(status="moved")
    await rows.attempt(patient)
    await edit(rows, patient, status="active")
    assert await rows.events(EventKind.EXCLUDED) == []


async def test_who_now_looks_like_another_patient_waits_until_that_is_settled(
    rows: "Rows",
) -> None:
    born = date(1984, 5, 17)
    there = await rows.patient(
        first_name="Ana", last_name="Rojas", name_key=name_key("Ana", "Rojas"), birth_date=born
    )
    patient = await rows.patient(
        first_name="Anna", last_name="Rojas", name_key=name_key("Anna", "Rojas"), birth_date=born
    )
    assert (await edit(rows, patient, first_name="Ana")).alike == 1
    [pair] = await rows.all(Duplicate)
    assert (pair.patient_id, pair.other_id) == (patient.id, there.id)


async def test_of_two_at_one_field_the_second_is_told_what_stands_there_now(rows: "Rows") -> None:
    patient = await rows.patient(phone="+13055550142")
    first = shown(patient)
    await edit(rows, patient, phone="+13055550188")
    troubles = await refused(rows, patient, first, phone="+13055550199", district="Centro")
    assert troubles == {"phone": Trouble(FieldProblem.MEANWHILE, meanwhile="+13055550188")}
    row = await rows.get(Patient, patient.id)
    assert (row.phone, row.district) == ("+13055550188", None)


async def test_of_two_at_the_same_moment_exactly_one_is_saved(rows: "Rows") -> None:
    patient = await rows.patient()
    first = shown(patient)
    numbers = ("+13055550188", "+13055550199")
    saved = await asyncio.gather(
        *(edit(rows, patient, first, phone=number) for number in numbers), return_exceptions=True
    )
    assert {type(each) for each in saved} == {Edited, NotSaved}
    won = next(
        number for number, each in zip(numbers, saved, strict=True) if isinstance(each, Edited)
    )
    assert (await rows.get(Patient, patient.id)).phone == won


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_two_who_edit_patients_that_look_alike_do_not_wait_for_each_other(
    rows: "Rows", monkeypatch: pytest.MonkeyPatch
) -> None:
    named = {"name_key": name_key("Ana", "Rojas"), "birth_date": date(1984, 5, 17)}
    one, two = await rows.patient(**named), await rows.patient(**named)
    both, find = asyncio.Barrier(2), possible_duplicates.find

    async def find_at_the_same_moment(session: AsyncSession, people: Sequence[Person]) -> list[Any]:
        found = await find(session, people)
        await both.wait()
        return list(found)

    monkeypatch.setattr(possible_duplicates, "find", find_at_the_same_moment)
    await asyncio.gather(
        edit(rows, one, phone="+13055550188"), edit(rows, two, phone="+13055550199")
    )
    pairs = {(pair.patient_id, pair.other_id) for pair in await rows.all(Duplicate)}
    assert pairs == {(one.id, two.id), (two.id, one.id)}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_an_edit_and_an_import_of_patients_that_look_alike_do_not_wait_for_each_other(
    rows: "Rows", monkeypatch: pytest.MonkeyPatch
) -> None:
    named = {"name_key": name_key("Ana", "Rojas"), "birth_date": date(1984, 5, 17)}
    first, second = [await rows.patient(id=f"pt-{number}", **named) for number in (1, 2)]
    numbers = [first.external_id, second.external_id]
    find = possible_duplicates.find
    begun = list[asyncio.Task[None]]()

    async def import_both() -> None:
        async with rows.clinic.database.writing() as session:
            await read_entries(session, numbers)

    async def find_while_an_import_has_one_of_them(
        session: AsyncSession, people: Sequence[Person]
    ) -> list[Any]:
        begun.append(asyncio.create_task(import_both()))
        await asyncio.wait(begun, timeout=0.3)
        return list(await find(session, people))

    monkeypatch.setattr(possible_duplicates, "find", find_while_an_import_has_one_of_them)
    assert (await edit(rows, second, phone="+13055550188")).alike == 1
    await asyncio.gather(*begun)


async def test_of_two_at_different_fields_both_are_right(rows: "Rows") -> None:
    patient = await rows.patient()
    first = shown(patient)
    await edit(rows, patient, phone="+13055550188")
    assert (await edit(rows, patient, first, district="Centro")).fields == ("district",)
    # and who wrote the same has nothing to be told
    assert (await edit(rows, patient, first, phone="305 555 0188")).fields == ()
    row = await rows.get(Patient, patient.id)
    assert (row.phone, row.district) == ("+13055550188", "Centro")


async def test_a_row_that_does_not_count_any_more_is_not_changed(rows: "Rows") -> None:
    kept = await rows.patient()
    twin = await rows.patient(duplicate_of=kept.id)
    erased = await rows.patient(erased_at=rows.now - timedelta(days=1))
    for patient in (twin, erased):
        assert await refused(rows, patient, district="Centro") == {}
