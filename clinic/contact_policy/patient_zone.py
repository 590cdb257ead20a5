"""In which time zones a patient's hours are meant, told by the phone number."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from phonenumbers import NumberParseException, parse, timezone

from clinic.contact_policy.contact_calendar import ContactCalendar
from clinic.contact_policy.policy import ContactPolicy

_COMPARED_FROM = datetime(2026, 1, 1, tzinfo=UTC)
_COMPARED_HOURS = range(0, 3 * 366 * 24, 6)
"""Three years in steps of six hours: no clock change lasts shorter than that."""

_Clock = tuple[tuple[datetime, timedelta | None], ...]
"""A zone's offsets from UTC, each with the moment from which it is shown."""


def calendar_for(
    policy: ContactPolicy, clinic: ContactCalendar, phone: str | None
) -> ContactCalendar:
    """Return the calendar in which the hours of a patient's contact are meant.

    The patient's where the policy asks for it and the number tells a zone. Where it tells
    several (a Russian mobile has sixteen), the clinic's counts if it is among them: its patients
    mostly live nearby. If it is not, the patient is far away, nobody knows where, and a contact
    must be allowed in every one of them. A number that tells nothing leaves the clinic's.

    Args:
        policy: Whose `time_zone` counts.
        clinic: The clinic's.
        phone: The patient's number, E.164; None where there is none.
    """
    if policy.time_zone is None or policy.time_zone.of == "clinic" or phone is None:
        return clinic
    told = zones_told_by(phone)
    if not told:
        return clinic
    if len(told) == 1:
        return clinic.in_zones(told[0])
    here = _clock(clinic.zone)
    if any(_clock(zone) == here for zone in told):
        return clinic
    return clinic.in_zones(*_with_room(policy, told))


@lru_cache(maxsize=4000)
def zones_told_by(phone: str) -> tuple[ZoneInfo, ...]:
    """Return the zones that a number tells, one for each clock, from the west to the east.

    Args:
        phone: E.164; what is no number tells none.
    """
    try:
        names = timezone.time_zones_for_number(parse(phone))
    except NumberParseException:
        return ()
    return _zones(tuple(names))


@lru_cache(maxsize=2000)
def _zones(names: tuple[str, ...]) -> tuple[ZoneInfo, ...]:
    try:
        zones = [ZoneInfo(name) for name in names]
    except (ZoneInfoNotFoundError, ValueError):  # "Etc/Unknown" is what the library says then
        return ()
    by_clock: dict[_Clock, ZoneInfo] = {}
    for zone in zones:
        by_clock.setdefault(_clock(zone), zone)
    return tuple(sorted(by_clock.values(), key=_offset))


@lru_cache(maxsize=1000)
def _clock(zone: ZoneInfo) -> _Clock:
    shown: list[tuple[datetime, timedelta | None]] = []
    for hours in _COMPARED_HOURS:
        moment = _COMPARED_FROM + timedelta(hours=hours)
        offset = moment.astimezone(zone).utcoffset()
        if not shown or shown[-1][1] != offset:
            shown.append((moment, offset))
    return tuple(shown)


def _offset(zone: ZoneInfo) -> timedelta:
    return _COMPARED_FROM.astimezone(zone).utcoffset() or timedelta(0)


@lru_cache(maxsize=1000)
def _with_room(policy: ContactPolicy, zones: Sequence[ZoneInfo]) -> Sequence[ZoneInfo]:
    """Return those of the zones, from the west to the east, that are open at one time.

    A toll-free American number may be anywhere from Guam to Newfoundland, and somewhere it is
    always night: then the outermost are left out until some moment is open in all the rest.
    """
    while len(zones) > 1 and not policy.leaves_room(zones):
        zones = zones[1:-1] or zones[:1]
    return zones
