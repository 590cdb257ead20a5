"""One field finds a patient by a name, a number, an address or a national id."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from clinic.plain_text import name_key
from clinic.register import erasure, hits
from clinic.register.hits import FoundBy, Hits, look_up
from clinic.tables import Patient

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows


async def named(rows: "Rows", first: str, last: str, **given: Any) -> Patient:
    key = name_key(first, last)
    return await rows.patient(first_name=first, last_name=last, name_key=key, **given)


async def found(rows: "Rows", written: str) -> Hits:
    async with rows.clinic.database.reading() as session:
        return await look_up(session, written, key=rows.clinic.key, country="US")


def numbers(of: Hits) -> Sequence[str]:
    return [hit.external_id for hit in of.found]


@pytest.mark.parametrize(
    "written", ["Sofía Muñoz", "munoz sofia", "MUÑ", "sof mun", "  muñoz,  sofía ", "gil"]
)
async def test_words_of_a_name_are_found_in_any_order_cut_short_without_case_and_accents(
    rows: "Rows", written: str
) -> None:
    await named(rows, "Sofía", "Muñoz Gil", external_id="A-1")
    await named(rows, "Bruno", "Soto", external_id="A-2")
    told = await found(rows, written)
    assert (numbers(told), told.by, told.more) == (["A-1"], FoundBy.NAME, False)


@pytest.mark.parametrize("written", ["ofía", "sofía soto", "%", "_ofía", ""])
async def test_neither_the_middle_of_a_word_nor_a_sign_finds_anybody(
    rows: "Rows", written: str
) -> None:
    await named(rows, "Sofía", "Muñoz")
    told = await found(rows, written)
    assert (told.found, told.by) == ((), None)


@pytest.mark.parametrize(
    "written",
    [
        "A-0042",
        "a-0042",
        "305-555-0142",
        "+1 305 555 0143",
        "Ana@Example.com",
        "mama@example.com",
        "12.345.678",
    ],
)
async def test_a_number_an_address_and_a_national_id_mean_one_patient(
    rows: "Rows", written: str
) -> None:
    await named(
        rows,
        "Ana",
        "Rojas",
        external_id="A-0042",
        phone="+13055550142",
        other_phone="+13055550143",
        email="ana@example.com",
        guardian_email="Mama@example.com",
        national_id="12345678",
    )
    await named(rows, "Bruno", "Soto", external_id="A-0043")
    told = await found(rows, written)
    assert (numbers(told), told.by) == (["A-0042"], FoundBy.EXACT)


@pytest.mark.parametrize("written", ["0142", "142", "555 0142"])
async def test_the_end_of_a_number_or_phone_is_enough_where_nothing_is_so_in_full(
    rows: "Rows", written: str
) -> None:
    await named(rows, "Ana", "Rojas", external_id="A-7142", phone="+13055550142")
    await named(rows, "Bruno", "Soto", external_id="A-0007", phone="+13055550188")
    told = await found(rows, written)
    assert (numbers(told), told.by) == (["A-7142"], FoundBy.ENDING)


async def test_an_address_that_is_nobodys_finds_nobody_who_is_like_it(rows: "Rows") -> None:
    await named(rows, "Ana", "Rojas", phone="+13055550142", email="ana@example.com")
    assert (await found(rows, "na@example.com")).found == ()
    assert (await found(rows, "212-555-0142")).found == ()


async def test_of_many_the_first_are_given_and_it_is_said_that_there_are_more(
    rows: "Rows", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hits, "MOST", 2)
    for number in range(3):
        await named(rows, "Ana", f"Rojas {number}")
    in_full = await named(rows, "Ro", "Ana", external_id="A-1")
    told = await found(rows, "ana ro")
    assert (len(told.found), told.more) == (2, True)
    # cut short, the same words mean four
    assert in_full.id in {hit.patient_id for hit in told.found}
    assert not (await found(rows, "ana 2")).more


async def test_a_hit_tells_one_person_from_another(rows: "Rows") -> None:
    born = date(1984, 5, 17)
    await named(
        rows, "Ana", "Rojas", birth_date=born, language="ru", status="moved", opted_out_at=rows.now
    )
    [hit] = (await found(rows, "ana")).found
    assert (hit.name, hit.birth_date, hit.language) == ("Ana Rojas", born, "ru")
    assert (hit.status, hit.opted_out) == ("moved", True)


async def test_both_numbers_of_one_person_find_the_row_that_was_kept(rows: "Rows") -> None:
    kept = await named(rows, "Ana", "Rojas", external_id="A-1", phone="+13055550142")
    await named(rows, "Ana", "Roxas", external_id="A-2", phone="+13055550142", duplicate_of=kept.id)
    for written in ("A-2", "roxas", "ana", "+13055550142"):
        assert numbers(await found(rows, written)) == ["A-1"]


@pytest.mark.parametrize("written", ["A-0042", "12345678", "1234-5678"])
async def test_of_somebody_who_was_forgotten_it_is_said_when_and_nothing_else(
    rows: "Rows", written: str
) -> None:
    patient = await named(rows, "Ana", "Rojas", external_id="A-0042", national_id="12345678")
    async with rows.clinic.database.writing() as session:
        await erasure.forget(session, patient.id, now=rows.now, key=rows.clinic.key)
    told = await found(rows, written)
    assert (told.found, told.forgotten_at) == ((), rows.now)
    assert (await found(rows, "ana")) == Hits()
