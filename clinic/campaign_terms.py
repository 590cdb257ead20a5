"""A campaign's terms as people write them: its name, goal, pace, last day and open calls."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from clinic.campaign_refusal import CampaignProblem, CampaignRefusal

LONGEST_NAME = 100
"""Characters."""
FASTEST_PACE = 1_000_000
"""Attempts an hour; more is taken for a slip of the pen."""
MOST_OPEN_CALLS = 1_000_000

_PER_HOUR = {"h": 1, "hour": 1, "min": 60, "minute": 60}


def checked_name(written: str) -> str:
    """Return a campaign's name.

    Raises:
        CampaignRefusal: It is empty, too long, or can't be printed.
    """
    name = written.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise CampaignRefusal(
            CampaignProblem.NAME,
            f"a campaign's name has 1 to {LONGEST_NAME} printable characters",
        )
    return name


def read_share(written: str) -> float:
    """Read `15%`, `15` or `12,5` as a share, 0 to 1.

    Raises:
        CampaignRefusal: Not more than 0 % and at most 100 %.
    """
    number = written.strip().removesuffix("%").strip().replace(",", ".")
    try:
        share = float(number) / 100
    except ValueError:
        share = 0.0
    if not 0 < share <= 1:
        raise CampaignRefusal(
            CampaignProblem.GOAL, f"`{written}` is no share: write for example 15%"
        )
    return share


def read_pace(written: str) -> int:
    """Read `120/h` or `2/min` as attempts an hour.

    Raises:
        CampaignRefusal: No such pace.
    """
    number, _, unit = (part.strip() for part in written.partition("/"))
    hourly = _PER_HOUR.get(unit)
    if hourly is None or not (number.isascii() and number.isdecimal()) or len(number) > 9:  # noqa: PLR2004 - digits, before int() reads them
        raise _no_pace(written)
    pace = int(number) * hourly
    if not 0 < pace <= FASTEST_PACE:
        raise _no_pace(written)
    return pace


def read_open_calls(written: str) -> int:
    """Read how many calls may be open before nobody new is started.

    Raises:
        CampaignRefusal: No whole number from 1 on.
    """
    number = written.strip()
    is_number = number.isascii() and number.isdecimal() and len(number) < 10  # noqa: PLR2004 - digits
    if not is_number or not 0 < int(number) <= MOST_OPEN_CALLS:
        raise CampaignRefusal(
            CampaignProblem.OPEN_CALLS, f"`{written}` is no number of calls: write for example 30"
        )
    return int(number)


def read_day(written: str) -> date:
    """Read a day as ISO 8601 writes it.

    Raises:
        CampaignRefusal: It is none.
    """
    try:
        return date.fromisoformat(written.strip())
    except ValueError:
        raise CampaignRefusal(
            CampaignProblem.LAST_DAY, f"`{written}` is no day: write for example 2027-04-30"
        ) from None


def end_of_day(day: date, zone: ZoneInfo, now: datetime) -> datetime:
    """Return the end of a campaign's last day, aware UTC.

    Args:
        day: By the clinic's calendar.
        zone: The clinic's.
        now: Aware UTC.

    Raises:
        CampaignRefusal: It has passed.
    """
    try:
        end = datetime.combine(day, time.max, tzinfo=zone).astimezone(UTC)
    except OverflowError:  # the last day of the year 9999
        raise CampaignRefusal(CampaignProblem.LAST_DAY, f"{day} is too far ahead") from None
    if end <= now:
        raise CampaignRefusal(CampaignProblem.DAY_OVER, f"{day:%Y-%m-%d} is over", day=day)
    return end


def _no_pace(written: str) -> CampaignRefusal:
    return CampaignRefusal(CampaignProblem.PACE, f"`{written}` is no pace: write for example 120/h")
