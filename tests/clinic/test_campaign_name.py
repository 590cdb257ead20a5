"""A name for a new campaign: of its segment and the day, and nobody else's."""

from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from clinic.campaign_name import free_name
from clinic.campaign_terms import LONGEST_NAME, checked_name
from clinic.clinic import Clinic
from clinic.tables import Campaign

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows


async def named(clinic: Clinic, title: str, day: str = "2 mar 2027") -> str:
    async with clinic.database.reading() as session:
        return await free_name(session, title, day)


async def take(rows: "Rows", name: str, now: datetime) -> None:
    plan = {"name": "standard", "steps": []}
    await rows.add(Campaign(name=name, segment="all", plan=plan, started_at=now))


async def test_it_is_the_segments_title_and_the_day(clinic: Clinic) -> None:
    assert await named(clinic, "Niños") == "Niños, 2 mar 2027"


async def test_one_that_is_taken_is_numbered(clinic: Clinic, rows: "Rows", now: datetime) -> None:
    for name in ("Niños, 2 mar 2027", "Niños, 2 mar 2027 (2)", "100 %, 2 mar 2027"):
        await take(rows, name, now)
    assert await named(clinic, "Niños") == "Niños, 2 mar 2027 (3)"
    assert await named(clinic, "Niños", "3 mar 2027") == "Niños, 3 mar 2027"


async def test_one_that_is_too_long_is_cut(clinic: Clinic, rows: "Rows", now: datetime) -> None:
    first = await named(clinic, "x" * 200)
    await take(rows, first, now)
    second = await named(clinic, "x" * 200)
    assert (len(first), len(second)) == (LONGEST_NAME, LONGEST_NAME)
    assert second.endswith("…, 2 mar 2027 (2)")


@pytest.mark.parametrize("day", ["2\u202fмар. 2027\xa0г."])
async def test_it_can_be_typed_whatever_spaces_a_language_writes_days_with(
    clinic: Clinic, day: str
) -> None:
    name = await named(clinic, "Дети", day)
    assert name == "Дети, 2 мар. 2027 г."
    assert checked_name(name) == name
