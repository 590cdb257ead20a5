"""Text as it is compared, and as it may be shown."""

import pytest

from clinic.plain_text import legible, name_key, plain


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("# Teléfono:", "telefono"),
        ("E-Mail", "e mail"),
        ("  ЁЛКА ", "елка"),
        ("№ 5", "no 5"),
        ("--", ""),
    ],
)
def test_case_accents_and_punctuation_do_not_count(written: str, expected: str) -> None:
    assert plain(written) == expected


def test_a_name_is_the_same_in_either_order() -> None:
    assert name_key("Ana", "Gil Soto") == name_key("gil soto", "ANÁ")
    assert name_key("Ana", "Gil") != name_key("Ana", "Gill")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param(" Ana ", "Ana", id="space around"),
        pytest.param("Ana  \t María", "Ana María", id="space within"),
        pytest.param("Ana\r\nMaría\u2028Paz\xa0Gil", "Ana María Paz Gil", id="line breaks"),
        pytest.param("\x1b[31mAna\x1b[0m\x07", "[31mAna[0m", id="what steers a terminal"),
        pytest.param("\u202eanA\u202c", "anA", id="what turns text around"),
        pytest.param("A\u200bn\ufeffa\xad", "Ana", id="what is not seen"),
        pytest.param("\ud800Ana", "Ana", id="half a character"),
        pytest.param("\x07\x1b", "", id="nothing else"),
        pytest.param("Ñuñoa Ёлкин 👩‍⚕️", "Ñuñoa Ёлкин 👩‍⚕️", id="letters and joined signs stay"),
    ],
)
def test_what_may_be_shown_is_one_legible_line(written: str, expected: str) -> None:
    assert legible(written) == expected
    assert legible(expected) == expected
