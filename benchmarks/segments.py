"""How long a segment's count takes over a large register, against SQL written by hand.

Both sides ask the same database through the same library, one after the other, taking turns in
going first; they have to find equally many. The register's indexes are those of the product.
"""

import time
from collections.abc import Awaitable, Callable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from benchmarks import databases
from benchmarks.figures import Count, CountRound
from benchmarks.ground import ROOT
from benchmarks.large_register import NOW, LargeRegister
from benchmarks.segment_queries import SEGMENTS, query_of
from clinic.database import Database
from clinic.folder import ClinicFolder
from clinic.segments import size as segment_size
from clinic.segments.rule import Segment

_AIM = 1.3


async def measure(*, rounds: int, patients: int) -> list[Count]:
    """Count the example's segments, on SQLite and on PostgreSQL.

    Args:
        rounds: Pairs of counts for each segment.
        patients: On the register; each has about three visits.
    """
    folder = ClinicFolder(ROOT / "examples" / "clinic")
    counts: list[Count] = []
    for opened in (databases.sqlite, databases.postgresql):
        async with opened() as database:
            await LargeRegister(patients).write(database)
            for name in SEGMENTS:
                async with database.reading() as session:
                    pairs, found = await _pairs(
                        session, folder, folder.segment(name), database, rounds
                    )
                counts.append(
                    Count(
                        measured=name,
                        database=database.url.get_backend_name(),
                        n=patients,
                        found=found,
                        aim=_AIM,
                        rounds=pairs,
                    )
                )
    return counts


async def _pairs(
    session: AsyncSession, folder: ClinicFolder, segment: Segment, database: Database, rounds: int
) -> tuple[list[CountRound], int]:
    statement = text(query_of(segment.name, embedded=database.embedded).replace(":", r"\:"))

    async def engine() -> int:
        calendar = folder.profile.calendar
        return await segment_size.count(session, segment, now=NOW, calendar=calendar)

    async def by_hand() -> int:
        return int(await session.scalar(statement) or 0)

    found = await engine()  # and both sides find their pages in memory
    assert found == await by_hand(), f"{segment.name}: the two sides count different patients"
    pairs: list[CountRound] = []
    for number in range(rounds):
        if number % 2:
            hand_took, engine_took = await _timed(by_hand), await _timed(engine)
        else:
            engine_took, hand_took = await _timed(engine), await _timed(by_hand)
        pairs.append(CountRound(engine=engine_took, by_hand=hand_took))
    return pairs, found


async def _timed(count: Callable[[], Awaitable[int]]) -> float:
    began = time.perf_counter()
    await count()
    return time.perf_counter() - began
