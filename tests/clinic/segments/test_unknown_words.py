"""A word of a rule that nobody on the register has is named, with those that there are."""

from datetime import date
from typing import TYPE_CHECKING, Any

from clinic.segments.rule import Rule
from clinic.segments.unknown_words import unknown_words

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows


async def warnings(rows: "Rows", rule: dict[str, Any]) -> list[str]:
    async with rows.clinic.database.reading() as session:
        return await unknown_words(session, Rule.model_validate(rule))


async def test_a_slip_of_the_pen_is_named_once_with_the_words_there_are(rows: "Rows") -> None:
    patient = await rows.patient(district="Surfside")
    for treatment in ("orthodontics", "Чистка"):
        await rows.visit(patient, date(2026, 1, 1), treatment)
    slip = {"treatment": ["orthodontix", "ЧИСТКА"], "not": {"treatment": "orthodontix"}}
    assert await warnings(rows, slip) == [
        "treatment `orthodontix`: nobody on the register; there are: orthodontics, Чистка"
    ]


async def test_a_word_of_another_kind_is_not_known(rows: "Rows") -> None:
    await rows.patient(district="Surfside")
    assert await warnings(rows, {"occupation": "Surfside"}) == [
        "occupation `Surfside`: nobody on the register; there are: none"
    ]
    assert await warnings(rows, {"district": "surf-side"}) != []
    assert await warnings(rows, {"district": "SURFSIDE"}) == []


async def test_of_many_words_the_nearest_are_named(rows: "Rows") -> None:
    for number in range(21):
        await rows.patient(district=f"{chr(97 + number) * 5} town")
    await rows.patient(district="Surfside")
    (warning,) = await warnings(rows, {"district": "Surfsied"})
    assert warning == (
        "district `Surfsied`: nobody on the register; there are 22 others, such as: Surfside"
    )
