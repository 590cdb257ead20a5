"""A campaign's terms are read by one rule, wherever they are written."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from clinic.campaign_refusal import CampaignProblem, CampaignRefusal
from clinic.campaign_terms import (
    checked_name,
    end_of_day,
    read_day,
    read_open_calls,
    read_pace,
    read_share,
)

NOON = datetime(2027, 3, 2, 17, 0, tzinfo=UTC)
ZONE = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("read", "written", "value"),
    [
        (read_share, "15%", 0.15),
        (read_share, " 15 ", 0.15),
        (read_share, "12,5 %", 0.125),
        (read_share, "100", 1.0),
        (read_pace, "120/h", 120),
        (read_pace, "2/min", 120),
        (read_pace, " 60/h ", 60),
        (read_pace, "1 / hour", 1),
        (read_open_calls, " 30 ", 30),
        (read_day, "2027-04-30", date(2027, 4, 30)),
        (checked_name, "  Primavera 2027 ", "Primavera 2027"),
    ],
)
def test_what_people_write_is_read(
    read: Callable[[str], object], written: str, value: object
) -> None:
    assert read(written) == value


@pytest.mark.parametrize(
    ("read", "written", "why"),
    [
        *((read_share, each, CampaignProblem.GOAL) for each in ("", "0", "101", "nan", "a%", "-1")),
        *(
            (read_pace, each, CampaignProblem.PACE)
            for each in (
                "",
                "60",
                "0/h",
                "12/d",
                "-1/h",
                "1.5/h",
                "9" * 30 + "/h",
                "1000001/h",
                "٣/h",
            )
        ),
        *(
            (read_open_calls, each, CampaignProblem.OPEN_CALLS)
            for each in ("", "0", "-3", "1.5", "9" * 30)
        ),
        (read_day, "30.04.2027", CampaignProblem.LAST_DAY),
        *((checked_name, each, CampaignProblem.NAME) for each in ("", " ", "x" * 101, "a\nb")),
    ],
)
def test_what_can_not_be_meant_is_refused_with_its_reason(
    read: Callable[[str], object], written: str, why: CampaignProblem
) -> None:
    with pytest.raises(CampaignRefusal) as refused:
        read(written)
    assert refused.value.why is why


def test_the_last_day_ends_when_the_clinics_day_does() -> None:
    end = end_of_day(date(2027, 3, 2), ZONE, NOON)
    assert end == datetime(2027, 3, 3, 4, 59, 59, 999999, tzinfo=UTC)


def test_a_day_that_is_over_is_refused_and_named() -> None:
    with pytest.raises(CampaignRefusal, match="2027-03-01 is over") as refused:
        end_of_day(date(2027, 3, 1), ZONE, NOON)
    assert (refused.value.why, refused.value.day) == (CampaignProblem.DAY_OVER, date(2027, 3, 1))


def test_a_day_beyond_the_calendar_is_refused() -> None:
    with pytest.raises(CampaignRefusal) as refused:
        end_of_day(date.max, ZONE, NOON)
    assert refused.value.why is CampaignProblem.LAST_DAY
