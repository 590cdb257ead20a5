"""Words that rules ask for are stored as the register first spelled them."""

from typing import TYPE_CHECKING

import pytest

from clinic.register.vocabulary import Spelling, spell
from clinic.tables import Vocabulary

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows


async def spelled(rows: "Rows", *words: str, kind: str = "treatment") -> list[str]:
    async with rows.clinic.database.writing() as session:
        written = await spell(session, kind, words)
    return [written[word] for word in words]


@pytest.mark.parametrize("word", ["ORTODONCIA", "ortodóncia", "  Ortodoncia.", "ortodoncia"])
async def test_a_word_is_written_as_it_was_first(rows: "Rows", word: str) -> None:
    assert await spelled(rows, "Ortodoncia") == ["Ortodoncia"]
    assert await spelled(rows, word) == ["Ortodoncia"]
    assert len(await rows.all(Vocabulary)) == 1


async def test_of_two_spellings_that_come_together_the_first_counts(rows: "Rows") -> None:
    assert await spelled(rows, "Лечение", "ЛЕЧЕНИЕ") == ["Лечение", "Лечение"]


async def test_words_of_two_kinds_have_nothing_to_do_with_each_other(rows: "Rows") -> None:
    await spelled(rows, "CENTRO", kind="district")
    assert await spelled(rows, "Centro", kind="provider") == ["Centro"]


async def test_a_word_of_punctuation_stays_as_it_is_and_is_no_word(rows: "Rows") -> None:
    assert await spelled(rows, "***", "???") == ["***", "???"]
    assert await rows.all(Vocabulary) == []


async def test_as_many_words_as_there_are_rows_are_spelled(rows: "Rows") -> None:
    words = [f"Reason {number}" for number in range(1_200)]
    assert await spelled(rows, *words) == words
    assert await spelled(rows, *(word.upper() for word in words)) == words


async def test_an_import_of_free_text_keeps_its_memory_and_still_spells_right(
    rows: "Rows", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Spelling, "_MOST_CHARACTERS", 20)
    spelling = Spelling()
    async with rows.clinic.database.writing() as session:
        for word in ("Implant", "Filling", "Whitening", "IMPLANT", "filling"):
            written = await spelling.of(session, "treatment", [word])
            assert written[word].casefold() == word.casefold()
        assert written["filling"] == "Filling"
