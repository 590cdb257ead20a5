"""Titles and descriptions: a text for everybody, or one for each language."""

from typing import TYPE_CHECKING

import pytest

from clinic.refusal import Refusal
from clinic.segments.rule import Segment

if TYPE_CHECKING:
    from tests.clinic.conftest import YamlFile

RULE = "where: {loss_reason: price}\n"


@pytest.mark.parametrize(
    ("written", "asked", "said"),
    [
        pytest.param("Otoño", ("ru", "es"), ("Otoño", ""), id="one for all"),
        pytest.param("{es: Otoño, ru: Осень}", ("ru", "es"), ("Осень", "ru"), id="the reader's"),
        pytest.param("{es: Otoño, ru: Осень}", ("en", "ru"), ("Осень", "ru"), id="the clinic's"),
        pytest.param("{en: Autumn}", ("es", "ru"), ("Autumn", "en"), id="any"),
        pytest.param('""', ("es", "ru"), ("", ""), id="nothing"),
    ],
)
def test_a_title_is_said_in_the_first_language_that_it_has(
    yaml_file: "YamlFile", written: str, asked: tuple[str, str], said: tuple[str, str]
) -> None:
    segment = yaml_file.holding(f"title: {written}\n{RULE}").as_model(Segment, name="autumn")
    assert segment.title.said(*asked) == said


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        pytest.param("title: 2027", ":1: title: expected a text, or one for", id="a number"),
        pytest.param("title:", ":1: title: has no value", id="no value"),
        pytest.param("title: {}", ":1: title: expected a text, or one for", id="no language"),
        pytest.param(
            "title:\n  es: Otoño\n  fr: Automne",
            ":3: title.fr: is no field that is known",
            id="a language without texts",
        ),
        pytest.param("title: {every: x}", ":1: title: for every language", id="no language at all"),
        pytest.param("title: {es: 5}", ":1: title.es: Input should be", id="a number in one"),
        pytest.param(f"title: {71 * 'x'}", ":1: title: a title is one line", id="too long"),
        pytest.param("description: [a]", ":1: description: expected a text", id="a list"),
    ],
)
def test_a_title_that_cannot_be_shown_is_refused_with_its_line(
    yaml_file: "YamlFile", written: str, problem: str
) -> None:
    with pytest.raises(Refusal) as refused:
        yaml_file.holding(f"{written}\n{RULE}").as_model(Segment, name="autumn")
    assert problem in str(refused.value)
