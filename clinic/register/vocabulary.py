"""The register's words: a treatment or district is stored as it was first spelled."""

from collections.abc import Collection
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.conflict_free_insert import insert_if_new
from clinic.plain_text import plain
from clinic.tables import Vocabulary

_PAGE = 500
"""Words in one statement; a database takes some 32,000 parameters at the most."""


class WordKind(StrEnum):
    """What a rule of a segment may ask for by a word."""

    TREATMENT = "treatment"
    OCCUPATION = "occupation"
    DISTRICT = "district"
    INSURANCE = "insurance"
    PROVIDER = "provider"


async def spell(session: AsyncSession, kind: str, words: Collection[str]) -> dict[str, str]:
    """Return how words are written on this register; a new one is written as it stands.

    Two words are one if they differ in case, accents and punctuation alone. Of new ones, the
    first in the given order decides.

    Args:
        session: A writing transaction.
        kind: One of `WordKind`.
        words: As they were written in the export.

    Returns:
        Each word, and how it is stored. A word of punctuation alone stays as it is.
    """
    keys = {word: plain(word) for word in words}
    first = {key: word for word, key in reversed(keys.items()) if key}
    written: dict[str, str] = {}
    # in one order: two who bring the same new words can't wait for each other
    for page in _pages(sorted(first)):
        written |= await _known(session, kind, page)
        lacking = [key for key in page if key not in written]
        if not lacking:
            continue
        new = [{"kind": kind, "key": key, "written": first[key]} for key in lacking]
        await insert_if_new(session, Vocabulary, *new)
        # another import may have been first with one of them
        written |= await _known(session, kind, lacking)
    return {word: written.get(key, word) for word, key in keys.items()}


async def _known(session: AsyncSession, kind: str, keys: list[str]) -> dict[str, str]:
    query = select(Vocabulary.key, Vocabulary.written).where(
        Vocabulary.kind == kind, Vocabulary.key.in_(keys)
    )
    return {row.key: row.written for row in await session.execute(query)}


def _pages(keys: list[str]) -> list[list[str]]:
    return [keys[at : at + _PAGE] for at in range(0, len(keys), _PAGE)]


class Spelling:
    """Spells an import's words; those met before cost no query.

    It may outlive a transaction, never one that was rolled back: the words it learned in it
    would be on no register.
    """

    _MOST_CHARACTERS = 4_000_000
    """Kept in memory: a column of free text may have as many words as rows."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, str]] = {}
        self._characters = 0

    async def of(self, session: AsyncSession, kind: str, words: Collection[str]) -> dict[str, str]:
        """Return how words are written on this register; see `spell`."""
        known = self._known.setdefault(kind, {})
        lacking = [word for word in words if word not in known]
        if not lacking:
            return known
        self._characters += sum(map(len, lacking))
        if self._characters > self._MOST_CHARACTERS:
            self._known, self._characters = {}, 0
            return await spell(session, kind, words)
        known |= await spell(session, kind, lacking)
        return known
