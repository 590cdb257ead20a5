"""A segment's rule is said in every language, none of its conditions is passed over."""

import re
from typing import Any

import pytest

from clinic.multilingual import LANGUAGES
from clinic.segments.in_words import conditions, in_words
from clinic.segments.phrases import ENGLISH, Phrase
from clinic.segments.rule import Rule
from console.campaigns.rule_words import PHRASES, RuleSpeech

PLACES = re.compile(r"%\(\w+\)s")


@pytest.mark.parametrize("phrase", Phrase)
def test_every_phrase_has_its_words_with_the_same_places(phrase: Phrase) -> None:
    assert sorted(PLACES.findall(PHRASES[phrase])) == sorted(PLACES.findall(ENGLISH[phrase]))


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["last visit more than 180 days ago", "speaks: Russian"]),
        ("es", ["última visita hace más de 180 días", "habla: ruso"]),
        ("ru", ["последний визит более чем 180 дней назад", "язык: русский"]),
    ],
)
def test_a_rule_is_said_in_a_language(language: str, said: list[str]) -> None:
    rule = Rule.model_validate({"language": "ru", "last_visit": {"older_than": "180 days"}})
    assert list(conditions(rule, RuleSpeech(language))) == said


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "written",
    [
        {"preferred_channel": ["sms", "whatsapp"]},
        {"status": ["active", "inactive", "deceased", "moved"]},
        {"loss_reason": ["price", "other"]},
        {"sex": "female", "has_email": True, "has_phone": False},
        {"last_visit": {"between": ["2026-01-01", "2026-02-01"]}, "visits": {"at_least": 2}},
        {"any": [{"sex": "male"}, {"all": [{"not": {"age": {"to": 17}}}]}]},
    ],
)
def test_no_place_stays_empty_in_any_language(language: str, written: dict[str, Any]) -> None:
    said = in_words(Rule.model_validate(written), RuleSpeech(language))
    assert said
    assert "%(" not in said
    assert "_" not in said
