"""Work over a whole register goes on beside the console, and its result is kept for a while."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from clinic.database import Database
from console.campaigns import background
from console.campaigns.background import Background, Look, Work

NOON = datetime(2027, 3, 2, 17, 0, tzinfo=UTC)
AN_HOUR = timedelta(hours=1)
LONG_ENOUGH = 60.0
"""Seconds; nobody waits as long."""

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def looks(database_url: str) -> Iterator[Background]:
    made = Background(database_url, AN_HOUR)
    yield made
    made.close()


def giving(*results: int) -> Work[int]:
    left = list(results)

    async def work(database: Database, look: Look[int]) -> int:
        look.total = 2
        look.count(2)
        async with database.reading() as session:
            await session.execute(text("SELECT 1"))
        return left.pop(0)

    return work


class Held:
    """Work that lasts until it is let go."""

    def __init__(self) -> None:
        self.begun, self.may_end = threading.Event(), threading.Event()

    async def work(self, _database: Database, look: Look[int]) -> int:
        look.total = 10
        look.count(4)
        self.begun.set()
        self.may_end.wait(LONG_ENOUGH)
        look.count(6)
        return 10


async def test_a_result_comes_with_its_time_and_is_kept(looks: Background) -> None:
    work = giving(1, 2)
    look = looks.look("a", work, NOON)
    await looks.wait(["a"], LONG_ENOUGH)
    assert (look.running, look.result, look.counted_at, look.looked_at) == (False, 1, NOON, 2)
    assert looks.look("a", work, NOON + AN_HOUR / 2) is look


@pytest.mark.parametrize(
    ("later", "given"),
    [
        pytest.param(AN_HOUR, {}, id="it is old"),
        pytest.param(timedelta(0), {"anew": True}, id="somebody asks for it"),
    ],
)
async def test_a_new_count_shows_the_last_one_until_it_is_done(
    looks: Background, later: timedelta, given: dict[str, bool]
) -> None:
    held, at = Held(), NOON + later
    looks.look("a", giving(1), NOON)
    await looks.wait(["a"], LONG_ENOUGH)
    look = looks.look("a", held.work, at, **given)
    assert (look.running, look.result, look.counted_at) == (True, 1, NOON)
    held.may_end.set()
    await looks.wait(["a"], LONG_ENOUGH)
    assert (look.running, look.result, look.counted_at) == (False, 10, at)


async def test_a_page_waits_no_longer_than_it_has_patience_and_sees_how_far_it_is(
    looks: Background,
) -> None:
    held = Held()
    look = looks.look("a", held.work, NOON)
    await looks.wait(["a"], 0.01)
    assert await asyncio.to_thread(held.begun.wait, LONG_ENOUGH)
    assert (look.running, look.looked_at, look.total, look.result) == (True, 4, 10, None)
    # somebody else asks for the same: it is not begun again
    assert looks.look("a", giving(1), NOON + AN_HOUR * 2, anew=True) is look
    held.may_end.set()
    await looks.wait(["a"], LONG_ENOUGH)


async def test_what_breaks_says_so_and_is_tried_again_when_asked(looks: Background) -> None:
    async def broken(_database: Database, _look: Look[int]) -> int:
        raise RuntimeError

    look = looks.look("a", broken, NOON)
    await looks.wait(["a"], LONG_ENOUGH)
    assert (look.running, look.failed, look.result) == (False, True, None)
    # to open the page once more is to ask: nothing that is good enough was kept
    again = looks.look("a", giving(1), NOON)
    await looks.wait(["a"], LONG_ENOUGH)
    assert (again.failed, again.result) == (False, 1)


async def test_closing_leaves_what_is_being_done(database_url: str) -> None:
    looks, held = Background(database_url, AN_HOUR), Held()
    look = looks.look("a", held.work, NOON)
    assert await asyncio.to_thread(held.begun.wait, LONG_ENOUGH)
    looks.close()
    held.may_end.set()
    await looks.wait(["a"], LONG_ENOUGH)
    assert (look.running, look.failed, look.result) == (False, True, None)


async def test_what_takes_long_rests_longer_before_it_is_done_again(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "LONG", 0.0)
    often = Background(database_url, timedelta(0))
    look = often.look("a", giving(1, 2), NOON)
    await often.wait(["a"], LONG_ENOUGH)
    assert often.look("a", giving(3), NOON) is look
    assert often.look("a", giving(3), NOON + timedelta(seconds=6 * look.took)) is not look
    await often.wait(["a"], LONG_ENOUGH)
    often.close()


async def test_few_results_are_kept_at_a_time(
    looks: Background, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "_MOST_KEPT", 1)
    first = looks.look("a", giving(1), NOON)
    await looks.wait(["a"], LONG_ENOUGH)
    looks.look("b", giving(2), NOON)
    await looks.wait(["b"], LONG_ENOUGH)
    assert looks.look("a", giving(3), NOON) is not first
    await looks.wait(["a"], LONG_ENOUGH)


async def test_nor_does_more_wait_its_turn_than_that(
    looks: Background, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "_MOST_KEPT", 2)
    held, begun = Held(), []

    def named(name: int) -> Work[int]:
        async def work(_database: Database, _look: Look[int]) -> int:
            begun.append(name)
            return name

        return work

    looks.look("held", held.work, NOON)
    assert await asyncio.to_thread(held.begun.wait, LONG_ENOUGH)
    for name in range(5):
        looks.look(name, named(name), NOON)
    held.may_end.set()
    await looks.wait(["held", *range(5)], LONG_ENOUGH)
    assert begun == [4]
