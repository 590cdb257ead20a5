"""Who of an export's patients was forgotten: the next export still holds them."""

from collections.abc import Iterable

from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.register.search import national_id_hash, number_hash
from clinic.tables import Forgotten


async def forgotten_among(
    session: AsyncSession, people: Iterable[tuple[str, str | None]], key: SecretStr
) -> set[str]:
    """Return which numbers are of people who were forgotten at their own wish.

    Args:
        session: The transaction that would write them.
        people: Number and national id.
        key: The key of the hashes, all that is left of the forgotten.
    """
    if await session.scalar(select(Forgotten.number_hash).limit(1)) is None:
        return set()  # most clinics: nothing has to be hashed
    numbers: dict[str, str] = {}
    for number, national_id in people:
        numbers[number_hash(key, number)] = number
        if national_id is not None:
            numbers[national_id_hash(key, national_id)] = number
    query = select(Forgotten.number_hash).where(Forgotten.number_hash.in_(list(numbers)))
    return {numbers[hashed] for hashed in await session.scalars(query)}
