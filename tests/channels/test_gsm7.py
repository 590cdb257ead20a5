"""An SMS holds 153 characters a segment in GSM-7, and 67 as soon as one is outside it."""

import unicodedata

import pytest

from channels.gsm7 import fold_accents, segments_of
from sandbox import sms_segments


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        pytest.param("Sofía Gutiérrez", "Sofia Gutiérrez", id="í goes, é is in the alphabet"),
        pytest.param("áíóú ÁÍÓÚ", "aiou AIOU", id="what Spanish has and GSM-7 has not"),
        pytest.param("éñÑüÜ¿¡", "éñÑüÜ¿¡", id="what Spanish has and GSM-7 has too"),
        pytest.param("àèìòù äöÄÖ ß", "àèìòù äöÄÖ ß", id="what other languages need stays"),
        pytest.param("[5 €] {a|b} ~^\\", "[5 €] {a|b} ~^\\", id="the alphabet's second table"),
        pytest.param("Gracias\r\n", "Gracias\r\n", id="line ends"),
        pytest.param("", "", id="nothing"),
        pytest.param("Здравствуйте, Sofía", "Здравствуйте, Sofía", id="Cyrillic: all is left"),
        pytest.param("Hola, Sofía 🙂", "Hola, Sofía 🙂", id="an emoji: all is left"),
        pytest.param("Sofía «Aurora»", "Sofía «Aurora»", id="no letter to fold to: all is left"),
        pytest.param(unicodedata.normalize("NFD", "Sofía é"), "Sofia é", id="accents apart"),
    ],
)
def test_folding(written: str, folded: str) -> None:
    assert fold_accents(written) == folded


def test_a_folded_text_is_a_third_of_the_price() -> None:
    text = "Hola, Sofía: le esperamos. " + "a" * 120
    assert (segments_of(text), segments_of(fold_accents(text))) == (3, 1)


def test_folding_twice_changes_nothing_more() -> None:
    once = fold_accents("Sofía Muñoz, ¿mañana?")
    assert fold_accents(once) == once


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("a" * 160, id="all of one segment"),
        pytest.param("a" * 161, id="one more"),
        pytest.param("a" * 306, id="all of two"),
        pytest.param("a" * 307, id="one more again"),
        pytest.param("€" * 80, id="the alphabet's second table takes two"),
        pytest.param("€" * 81, id="one more of it"),
        pytest.param("я" * 70, id="all of one in UCS-2"),
        pytest.param("я" * 71, id="one more in UCS-2"),
        pytest.param("🙂" * 35, id="an emoji takes two"),
        pytest.param("🙂" * 36, id="one more emoji"),
    ],
)
def test_segments_are_counted_as_the_provider_counts_them(text: str) -> None:
    assert segments_of(text) == sms_segments.segments_of(text)
