"""What a patient's words mean, as far as that needs no person to read them.

A sentence counts as an opt-out where it is one from its first word to its last, kind words aside:
no single word stands for the whole. So `BAJA, gracias` stops everything, and `can you stop by?`
goes to a person, as does whatever says two things at once.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from enum import StrEnum
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from clinic.plain_text import plain
from clinic.reply_words import Lexicon, Slip, lexicon

Question = Literal["yes_or_no"]

_SENTENCE = re.compile(r"[^.!?…;:\n\r\v\f\x85\u2028\u2029]+[.!?…]*")
_CLAUSE = re.compile(r"[,()\[\]{}«»“”\"/|]|\s[\u2010-\u2015-]+\s")
_APOSTROPHES = re.compile(r"[\u2018\u2019\u02bc\u00b4`']")
_WRAPPED = re.compile(r"(?<![\n\r.!?…])\r?\n(?=[a-zß-ÿа-яё])")
"""Where a mail program has broken a line within a sentence."""
_DRAWN_OUT = re.compile(r"(\w)\1{2,}")
_LONGEST = 20_000
_LONGEST_CLAUSE = 60
"""Words; a longer one is no opt-out from end to end, and its end is looked at."""


class Meaning(StrEnum):
    """What a patient's words mean."""

    OPT_OUT = "opt_out"
    YES = "yes"
    NO = "no"
    UNCLEAR = "unclear"


class Reading(BaseModel):
    """How a patient's words are read.

    Attributes:
        meaning: What they mean; in doubt it is unclear.
        says_more: There are words besides, which a person should read.
    """

    model_config = ConfigDict(frozen=True)

    meaning: Meaning
    says_more: bool = False


class _Clause(NamedTuple):
    """Words without a pause, as they are compared.

    Attributes:
        asks: Its sentence ends in a question mark.
    """

    words: tuple[str, ...]
    asks: bool


def read(text: str, asks: Question | None = None, *, names: Collection[str] = ()) -> Reading:
    """Read what a patient wrote.

    Args:
        text: The patient's words alone, without what they quote; of a very long one the first
            20,000 characters are read.
        asks: What the message asked that they answer; None: nothing in particular.
        names: The clinic's name, and the patient's: they are part of a greeting.
    """
    words = lexicon()
    greeted = frozenset(word for name in names for word in plain(name).split())
    text = text[:_LONGEST]
    clauses = list(_clauses(text, words))
    if not clauses:
        return Reading(meaning=Meaning.UNCLEAR)
    stop = _read_stop(clauses, words, greeted, asks)
    if stop is None and (unwrapped := _WRAPPED.sub(" ", text)) != text:
        stop = _read_stop(list(_clauses(unwrapped, words)), words, greeted, asks)
    return stop or Reading(meaning=_read_answer(clauses, words, greeted))


def _read_stop(
    clauses: Sequence[_Clause], words: Lexicon, greeted: frozenset[str], asks: Question | None
) -> Reading | None:
    """Return how a text is read that says stop; None where it does not."""
    alone = words.stop_alone if asks else words.stop_unless_asked
    everything = _spelt([word for clause in clauses for word in clause.words], words)
    beside = words.beside | words.assent
    if _covered(everything, alone, beside | words.objects, greeted):
        return Reading(meaning=Meaning.OPT_OUT)
    if _covered(everything, words.stop, beside | words.objects | words.refusals, greeted):
        return Reading(meaning=Meaning.OPT_OUT)
    if _is_spelt_or_slipped(everything, words, greeted):
        return Reading(meaning=Meaning.OPT_OUT)
    left: list[Sequence[str]] = []
    says_stop = False
    for clause in clauses:
        # in a question, a single word may well be a wait-a-moment
        needed = words.stop_sentences if clause.asks else words.stop
        if _covered(clause.words, needed, beside | words.objects, greeted):
            says_stop = True
        elif (before := _before_stop(clause, words, greeted)) is not None:
            says_stop = True
            left.append(before)
        elif not _is_all(clause.words, beside | words.no, greeted):
            left.append(clause.words)
    if not says_stop:
        return None
    if any(_names_one(of_clause, words.turns) for of_clause in left):
        return Reading(meaning=Meaning.UNCLEAR)
    return Reading(meaning=Meaning.OPT_OUT, says_more=bool(left))


def _read_answer(clauses: Sequence[_Clause], words: Lexicon, greeted: frozenset[str]) -> Meaning:
    if any(clause.asks for clause in clauses):
        return Meaning.UNCLEAR
    everything = _spelt([word for clause in clauses for word in clause.words], words)
    if _covered(everything, words.no, words.beside, greeted):
        return Meaning.NO
    if _covered(everything, words.yes, words.beside, greeted):
        return Meaning.YES
    return Meaning.UNCLEAR


def _before_stop(clause: _Clause, words: Lexicon, greeted: frozenset[str]) -> Sequence[str] | None:
    """Return what stands before a clear sentence without a pause; None where there is none."""
    if clause.asks:
        return None
    found = clause.words
    for at in range(max(1, len(found) - _LONGEST_CLAUSE), len(found)):
        rest = found[at:]
        if _covered(rest, words.stop_clauses, words.beside | words.objects, greeted):
            before = found[:at]
            if _covered(before, words.refusals, words.beside, greeted):
                return before
            return None if _names_one(before, words.turned_round) else before
    return None


def _covered(
    words: Sequence[str],
    needed: frozenset[tuple[str, ...]],
    allowed: frozenset[tuple[str, ...]],
    greeted: frozenset[str],
) -> bool:
    """Whether words consist of what is allowed and, at least once, what is needed."""
    fillers = lexicon().fillers
    words = [*words[:1], *(word for word in words[1:] if (word,) not in fillers)]
    if not 0 < len(words) <= _LONGEST_CLAUSE:
        return False
    # for each place that is reached: without, or with, what is needed
    reached = {(0, False)}
    for at in range(len(words)):
        for met in [met for place, met in reached if place == at]:
            if words[at] in greeted:
                reached.add((at + 1, met))
            if (words[at],) in lexicon().introduces and greeted.intersection(
                words[at + 1 : at + 2]
            ):
                reached.add((at + 2, met))
            for size in range(1, _longest(words, at) + 1):
                piece = tuple(words[at : at + size])
                if piece in needed:
                    reached.add((at + size, True))
                if piece in allowed:
                    reached.add((at + size, met))
    return (len(words), True) in reached


def _names_one(words: Sequence[str], phrases: frozenset[tuple[str, ...]]) -> bool:
    """Whether one of some short phrases stands among words."""
    sizes = {len(phrase) for phrase in phrases}
    return any(
        tuple(words[at : at + size]) in phrases for size in sizes for at in range(len(words))
    )


def _longest(words: Sequence[str], at: int) -> int:
    return min(lexicon().longest, len(words) - at)


def _is_all(
    words: Sequence[str], allowed: frozenset[tuple[str, ...]], greeted: frozenset[str]
) -> bool:
    return _covered(words, allowed, allowed, greeted) or all(word in greeted for word in words)


def _is_spelt_or_slipped(
    everything: tuple[str, ...], words: Lexicon, greeted: frozenset[str]
) -> bool:
    """Whether it is one of the words with a slip, or letter by letter, and nothing more."""
    if len(everything) > 1 and all(len(word) == 1 for word in everything):
        return ("".join(everything),) in words.stop
    kind = words.beside
    # `bajaaa`, `STOOOP`
    shortened = [_DRAWN_OUT.sub(r"\1", word) for word in everything]
    meant = [word for word in shortened if (word,) not in kind and word not in greeted]
    return len(meant) == 1 and Slip(meant[0]).of_any(words.seen_through)


def _clauses(text: str, words: Lexicon) -> Iterator[_Clause]:
    visible = "".join(each for each in text if unicodedata.category(each) != "Cf")
    joined = _APOSTROPHES.sub("", visible)
    for sentence in _SENTENCE.findall(joined):
        asks = "?" in sentence
        for part in _CLAUSE.split(sentence):
            for broken in _broken(_spelt(plain(part).split(), words), words):
                yield _Clause(words=broken, asks=asks)


def _spelt(found: Sequence[str], words: Lexicon) -> tuple[str, ...]:
    """Return words as the lists have them: `do not` as `dont`, `q` as `que`."""
    spelt: list[str] = []
    at = 0
    while at < len(found):
        size = 2 if tuple(found[at : at + 2]) in words.spellings else 1
        spelt += words.spellings.get(tuple(found[at : at + size]), found[at : at + size])
        at += size
    return tuple(spelt)


def _broken(found: tuple[str, ...], words: Lexicon) -> Iterator[tuple[str, ...]]:
    """Part words where another sentence begins without a pause."""
    start = 0
    for at in range(1, len(found)):
        if any(found[at : at + size] in words.breaks for size in (1, 2)):
            yield found[start:at]
            start = at
    if found[start:]:
        yield found[start:]
