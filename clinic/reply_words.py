"""The words by which replies are read, as `reply_words.yaml` lists them in all languages."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path

import yaml

from clinic.plain_text import plain

Phrases = frozenset[tuple[str, ...]]

_ANY_SLIP_FROM = 10
"""Letters; a shorter word is another word too easily: `stop`, `step`, `shop`."""


@dataclass(frozen=True)
class Lexicon:
    """Phrases by what they do; each a tuple of words as they are compared.

    Attributes:
        beside: Kind words, greetings.
        stop: Mean stop as a whole sentence.
        stop_sentences: Those of them that are no single word.
        stop_alone: These, and what means stop as a whole text.
        stop_unless_asked: These, and what means stop unless a question was asked.
        stop_clauses: Mean stop at the end of a longer sentence as well.
        refusals: Mean no in a whole sentence.
        fillers: Single words that may stand anywhere in a sentence.
        spellings: Words as they are often written, with what they stand for.
        objects: May follow them.
        turns: Make a stop unclear that stands beside them.
        turned_round: Turn round a stop that follows them.
        breaks: Begin another sentence.
        introduces: Stand before a name.
        assent: Mean yes, and change nothing beside a stop.
        yes: Mean yes.
        no: Mean no.
        seen_through: Words in which a typing slip is seen through.
        longest: How many words the longest phrase has.
    """

    beside: Phrases
    stop: Phrases
    stop_sentences: Phrases
    stop_alone: Phrases
    stop_unless_asked: Phrases
    stop_clauses: Phrases
    objects: Phrases
    turns: Phrases
    turned_round: Phrases
    breaks: Phrases
    introduces: Phrases
    assent: Phrases
    yes: Phrases
    no: Phrases
    refusals: Phrases
    fillers: Phrases
    spellings: dict[tuple[str, ...], tuple[str, ...]]
    seen_through: frozenset[str]
    longest: int


@dataclass(frozen=True)
class Slip:
    """A word that may be a listed one with a typing slip."""

    word: str

    def of_any(self, listed: Collection[str]) -> bool:
        """Whether it is one of the words but for a single slip."""
        return any(self._of(word) for word in listed)

    def _of(self, listed: str) -> bool:
        one, two = self.word, listed
        if abs(len(one) - len(two)) > 1:
            return False
        at = next((at for at in range(min(len(one), len(two))) if one[at] != two[at]), None)
        if at is None:
            at = min(len(one), len(two))
        swapped = two[:at] + two[at : at + 2][::-1] + two[at + 2 :]
        doubled = len(one) == len(two) + 1 and at > 0 and one[at] == one[at - 1]
        if one == swapped or (doubled and one[:at] + one[at + 1 :] == two):
            return True
        if len(two) < _ANY_SLIP_FROM:
            return False
        return (
            one[at + 1 :] == two[at + 1 :] or one[at:] == two[at + 1 :] or one[at + 1 :] == two[at:]
        )


@cache
def lexicon() -> Lexicon:
    """Return the words of all languages: nobody says in which one they answer."""
    listed = yaml.safe_load(
        Path(__file__).with_name("reply_words.yaml").read_text(encoding="utf-8")
    )

    def phrases(*sections: str) -> Phrases:
        return frozenset(
            phrase
            for section in sections
            for lines in listed[section].values()
            for line in lines
            for phrase in _expanded(line)
        )

    no_phrases = ("seen_through", "spellings")
    everything = phrases(*(section for section in listed if section not in no_phrases))
    clauses = phrases("stop_clauses")
    # tens of thousands of phrases: too many to be put together for each reply
    stop = phrases("stop_words", "stop_sentences") | clauses
    stop_alone = stop | phrases("stop_words_alone")
    return Lexicon(
        beside=phrases("polite"),
        stop=stop,
        stop_sentences=phrases("stop_sentences") | clauses,
        introduces=phrases("introduces"),
        stop_alone=stop_alone,
        stop_unless_asked=stop_alone | phrases("stop_words_unless_asked"),
        stop_clauses=clauses,
        objects=phrases("stop_objects"),
        turns=phrases("turns"),
        turned_round=phrases("turned_round"),
        breaks=phrases("breaks"),
        assent=phrases("assent"),
        yes=phrases("assent", "yes_words"),
        no=phrases("no_words", "refusals"),
        refusals=phrases("refusals"),
        fillers=phrases("fillers"),
        spellings={
            tuple(plain(written).split()): tuple(plain(meant).split())
            for words in listed["spellings"].values()
            for meant, spelt in words.items()
            for written in spelt.split("|")
        },
        seen_through=frozenset(plain(word) for word in listed["seen_through"]),
        longest=max(map(len, everything)),
    )


def _expanded(line: str) -> Iterator[tuple[str, ...]]:
    """Return every phrase that a line stands for."""
    places = []
    for place in line.split():
        words = [plain(word) for word in place.removesuffix("?").split("|")]
        places.append([*words, ""] if place.endswith("?") else words)
    for chosen in product(*places):
        yield tuple(word for word in chosen if word)
