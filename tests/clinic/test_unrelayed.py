"""Since when something waits to be passed on, though it need not."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import update

from clinic.event import EventKind
from clinic.tables import Attempt, Event
from clinic.unrelayed import ABOUT_TO_START, waiting_since

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows

MINUTE = timedelta(minutes=1)


async def since(rows: "Rows") -> datetime | None:
    async with rows.clinic.database.reading() as session:
        return await waiting_since(session)


async def replies(rows: "Rows", attempt: Attempt, at: datetime) -> None:
    await rows.store(EventKind.REPLY, attempt_id=attempt.id, body="Hola", at=at)


async def mark(rows: "Rows", **values: object) -> None:
    async with rows.clinic.database.writing() as session:
        await session.execute(update(Event).values(**values))


async def test_it_is_when_the_oldest_came_that_was_not_passed_on(
    rows: "Rows", now: datetime
) -> None:
    assert await since(rows) is None
    await replies(rows, await rows.attempt(), now - MINUTE)
    await mark(rows, relayed_at=now, relay_result="signalled")
    assert await since(rows) is None
    await replies(rows, await rows.attempt(), now)
    await replies(rows, await rows.attempt(), now + MINUTE)
    assert await since(rows) == now


async def test_what_temporal_did_not_take_waits(rows: "Rows", now: datetime) -> None:
    await replies(rows, await rows.attempt(), now)
    await mark(rows, relay_result="UNAVAILABLE", relay_tries=4)
    assert await since(rows) == now


async def test_what_waits_for_its_attempts_start_is_not_late_nor_is_what_comes_behind_it(
    rows: "Rows", now: datetime
) -> None:
    attempt = await rows.attempt(started_at=None)
    await replies(rows, attempt, now)
    await mark(rows, relay_result=ABOUT_TO_START)
    await replies(rows, attempt, now + MINUTE)
    assert await since(rows) is None
