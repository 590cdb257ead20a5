"""Words of a rule that stand for nobody on the register: mostly a slip of the pen."""

from difflib import get_close_matches

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.plain_text import plain
from clinic.segments.rule import Rule
from clinic.tables import Vocabulary

_FEW = 20


async def unknown_words(session: AsyncSession, rule: Rule) -> list[str]:
    """Return a warning for each word that no patient has: which word, and which there are.

    Args:
        session: Any transaction.
        rule: Its own words, and those of the rules inside it.
    """
    warnings: list[str] = []
    for kind, word in dict.fromkeys(rule.words()):
        query = select(Vocabulary.key, Vocabulary.written).where(Vocabulary.kind == kind.value)
        is_known = await session.scalar(query.where(Vocabulary.key == plain(word)).limit(1))
        if is_known is None:
            known = {row.key: row.written for row in await session.execute(query)}
            warnings.append(f"{kind} `{word}`: nobody on the register; {_there_are(known, word)}")
    return warnings


def _there_are(known: dict[str, str], word: str) -> str:
    if len(known) <= _FEW:
        return "there are: " + (", ".join(sorted(known.values())) or "none")
    near = [known[key] for key in get_close_matches(plain(word), known, n=5)]
    return f"there are {len(known)} others" + (f", such as: {', '.join(near)}" if near else "")
