"""A name for a new campaign that nobody has to think of."""

from itertools import chain, count

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.campaign_terms import LONGEST_NAME
from clinic.tables import Campaign


async def free_name(session: AsyncSession, title: str, day: str) -> str:
    """Return a title and a day as a name that no campaign has: `Came once, Nov 22, 2026 (2)`.

    Args:
        session: Any transaction; another one may take the name before it is used.
        title: What the campaign is about; one that is too long is cut.
        day: As its reader writes it.
    """
    # some languages write a day with spaces that do not break: a terminal can't type them
    ends = f", {' '.join(day.split())}"
    of_that_day = Campaign.name.contains(ends, autoescape=True)
    taken = set(await session.scalars(select(Campaign.name).where(of_that_day)))
    numbered = (_fitting(title, f"{ends} ({number})") for number in count(2))
    return next(name for name in chain([_fitting(title, ends)], numbered) if name not in taken)


def _fitting(title: str, ends: str) -> str:
    room = LONGEST_NAME - len(ends)
    printable = "".join(sign for sign in title if sign.isprintable())
    return (printable if len(printable) <= room else f"{printable[: room - 1]}…") + ends
