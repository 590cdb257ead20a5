"""The clinic's days and weeks, as both databases reckon them."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import literal, select

from clinic.clinic import Clinic
from clinic.results.local_calendar import LocalCalendar, begins
from clinic.tables import UtcMoment

SINCE, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "zone", "day", "monday"),
    [
        pytest.param(
            datetime(2027, 3, 8, 4, 59, tzinfo=UTC),
            "America/New_York",
            date(2027, 3, 7),
            date(2027, 3, 1),
            id="Sunday night is still the week before",
        ),
        pytest.param(
            datetime(2027, 3, 8, 5, 0, tzinfo=UTC),
            "America/New_York",
            date(2027, 3, 8),
            date(2027, 3, 8),
            id="Monday begins the week",
        ),
        pytest.param(
            datetime(2027, 3, 15, 4, 0, tzinfo=UTC),
            "America/New_York",
            date(2027, 3, 15),
            date(2027, 3, 15),
            id="an hour earlier in summer",
        ),
        pytest.param(
            datetime(2027, 1, 3, 12, 0, 0, 5, tzinfo=UTC),
            "Europe/Madrid",
            date(2027, 1, 3),
            date(2026, 12, 28),
            id="a week of two years",
        ),
        pytest.param(
            datetime(2027, 5, 1, 18, 29, tzinfo=UTC),
            "Asia/Kolkata",
            date(2027, 5, 1),
            date(2027, 4, 26),
            id="half an hour",
        ),
        pytest.param(
            datetime(2027, 5, 1, 18, 30, tzinfo=UTC),
            "Asia/Kolkata",
            date(2027, 5, 2),
            date(2027, 4, 26),
            id="half an hour, the next day",
        ),
    ],
)
async def test_a_moments_day_and_week_are_those_of_the_clinics_zone(
    clinic: Clinic, moment: datetime, zone: str, day: date, monday: date
) -> None:
    async with clinic.database.reading() as session:
        calendar = LocalCalendar(ZoneInfo(zone), SINCE, UNTIL, session.get_bind().dialect.name)
        column = literal(moment, UtcMoment())
        found = await session.execute(select(calendar.day(column), calendar.monday(column)))
        assert tuple(found.one()) == (day, monday)


async def test_the_clocks_change_at_the_very_second(clinic: Clinic) -> None:
    zone = ZoneInfo("America/Havana")  # at midnight, so that the day itself has no first hour
    change = datetime(2027, 3, 14, 5, tzinfo=UTC)
    async with clinic.database.reading() as session:
        calendar = LocalCalendar(zone, SINCE, UNTIL, session.get_bind().dialect.name)
        for moment in (change - timedelta(seconds=1), change):
            day = await session.scalar(select(calendar.day(literal(moment, UtcMoment()))))
            assert day == moment.astimezone(zone).date()


def test_a_day_begins_at_midnight_of_the_zone() -> None:
    assert begins(date(2027, 7, 1), ZoneInfo("America/New_York")) == datetime(
        2027, 7, 1, 4, tzinfo=UTC
    )
