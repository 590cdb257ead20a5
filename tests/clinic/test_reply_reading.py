"""A reply is read as a person would mean it; in doubt a person reads it."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from clinic.plain_text import plain
from clinic.reply_reading import Meaning, Reading, read
from clinic.reply_words import lexicon
from tests.clinic.reply_examples import NEITHER, NO, OPT_OUTS, OTHERS, SAY_MORE, YES

EVERY_OPT_OUT = [text for texts in OPT_OUTS.values() for text in texts]
EVERY_OTHER = [text for texts in OTHERS.values() for text in texts]
STOPPED = Reading(meaning=Meaning.OPT_OUT)
LISTED = frozenset(
    word
    for phrases in (lexicon().stop, lexicon().stop_alone, lexicon().stop_unless_asked)
    for phrase in phrases
    for word in phrase
)


@pytest.mark.parametrize("text", EVERY_OPT_OUT)
def test_an_opt_out_is_heard_however_it_is_said(text: str) -> None:
    assert read(text).meaning is Meaning.OPT_OUT


@pytest.mark.parametrize("text", SAY_MORE)
def test_what_an_opt_out_says_besides_is_for_a_person(text: str) -> None:
    assert read(text) == Reading(meaning=Meaning.OPT_OUT, says_more=True)


@pytest.mark.parametrize("text", EVERY_OTHER, ids=lambda text: text or "empty")
def test_other_words_stop_nothing(text: str) -> None:
    for asks in (None, "yes_or_no"):
        assert read(text, asks).meaning is not Meaning.OPT_OUT


@pytest.mark.parametrize("text", YES)
def test_a_clear_yes(text: str) -> None:
    assert read(text, "yes_or_no") == Reading(meaning=Meaning.YES)


@pytest.mark.parametrize("text", NO)
def test_a_clear_no_is_no_opt_out(text: str) -> None:
    assert read(text, "yes_or_no") == Reading(meaning=Meaning.NO)


@pytest.mark.parametrize("text", NEITHER)
def test_what_is_not_clear_is_for_a_person(text: str) -> None:
    assert read(text, "yes_or_no").meaning is Meaning.UNCLEAR


@pytest.mark.parametrize(
    "text", ["cancel", "отказ", "No quiero más", "больше не надо", "ya no quiero nada"]
)
def test_what_may_answer_a_question_stops_only_where_none_was_asked(text: str) -> None:
    assert read(text) == STOPPED
    assert read(text, "yes_or_no").meaning is not Meaning.OPT_OUT


@pytest.mark.parametrize(
    "text", ["Clínica Sonrisa: BAJA", "Hola Sofía, baja", "soy Sofía Muñoz, no me escriban más"]
)
def test_the_names_of_clinic_and_patient_are_part_of_a_greeting(text: str) -> None:
    assert read(text, names=["Clínica Sonrisa", "Sofía", "Muñoz"]) == STOPPED


def test_in_a_long_mail_a_clear_sentence_is_found() -> None:
    mail = "Les cuento lo que me pasó. " * 700 + "No me escriban más."
    assert read(mail) == Reading(meaning=Meaning.OPT_OUT, says_more=True)


CASES = (str.upper, str.lower, str.title, str.swapcase, str)
AROUND = st.text(alphabet=" !.…*~_-#🙏🛑😡👍\n\t\u200b\ufe0f", max_size=6)


@given(
    text=st.sampled_from([text for text in EVERY_OPT_OUT if read(text) == STOPPED]),
    case=st.sampled_from(CASES),
    before=AROUND,
    after=AROUND,
    between=st.sampled_from([" ", "  ", " 🙏 ", "\n", " - ", ", ", "\u00a0"]),
)
def test_an_opt_out_survives_case_space_punctuation_and_emoji(
    text: str, case: type[str], before: str, after: str, between: str
) -> None:
    words = between.join(re.split(r"\s+", case(text)))
    assert read(before + words + after).meaning is Meaning.OPT_OUT


@given(text=st.text(alphabet=st.characters(categories=("L", "N", "P", "Zs")), max_size=60))
def test_a_text_without_any_listed_word_is_no_opt_out(text: str) -> None:
    spoken = plain("".join(text.split("'")))
    assume(not LISTED & set(spoken.split()))
    assume(len(spoken.replace(" ", "")) not in range(3, 13))  # a slip of one of the words
    assert read(text).meaning is not Meaning.OPT_OUT


@given(text=st.text())
def test_any_text_is_read(text: str) -> None:
    assert read(text).meaning in Meaning


def test_the_words_are_written_as_they_are_compared() -> None:
    words = lexicon()
    for phrases in (words.stop, words.stop_alone, words.beside, words.yes, words.no, words.turns):
        assert all(word == plain(word) and " " not in word for one in phrases for word in one)
        assert () not in phrases
