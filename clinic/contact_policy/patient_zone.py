"""In which time zone a patient's hours are meant, told by the phone number."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from phonenumbers import NumberParseException, parse, timezone

from clinic.contact_policy.policy import ContactPolicy

_COMPARED_FROM = datetime(2026, 1, 1, tzinfo=UTC)
_COMPARED_HOURS = range(0, 3 * 366 * 24, 6)
"""Three years in steps of six hours: no clock change lasts shorter than that."""


def zone_for(policy: ContactPolicy, clinic_zone: ZoneInfo, phone: str | None) -> ZoneInfo:
    """Return the zone in which the hours of a patient's contact are meant.

    The patient's where the policy asks for it and the number tells one zone, or several whose
    clocks agree. A number that tells nothing, or a whole country (a Russian mobile has sixteen
    zones), leaves the clinic's.

    Args:
        policy: Whose `time_zone` counts.
        clinic_zone: The clinic's.
        phone: The patient's number, E.164; None where there is none.
    """
    if policy.time_zone is None or policy.time_zone.of == "clinic" or phone is None:
        return clinic_zone
    return _told_by(phone) or clinic_zone


def _told_by(phone: str) -> ZoneInfo | None:
    try:
        names = timezone.time_zones_for_number(parse(phone))
    except NumberParseException:
        return None
    return _agreed(tuple(names))


@lru_cache(maxsize=2000)
def _agreed(names: tuple[str, ...]) -> ZoneInfo | None:
    try:
        zones = [ZoneInfo(name) for name in names]
    except (ZoneInfoNotFoundError, ValueError):  # "Etc/Unknown" is what the library says then
        return None
    moments = [_COMPARED_FROM + timedelta(hours=hours) for hours in _COMPARED_HOURS]
    clocks = [[moment.astimezone(zone).utcoffset() for moment in moments] for zone in zones]
    return zones[0] if all(first == second for first, second in pairwise(clocks)) else None
