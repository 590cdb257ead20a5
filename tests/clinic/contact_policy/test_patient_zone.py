"""Whose time counts: the patient's, told by the phone number, or the clinic's."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from clinic.contact_policy import ContactCalendar, ContactPolicy, calendar_for, may_contact

RULE = {"source": "house rule", "since": "2026-01-01"}
HOURS = {"contact_hours": RULE | {"monday": "09:00-20:00"}}
OF_PATIENT = ContactPolicy.model_validate(HOURS | {"time_zone": RULE | {"of": "patient"}})
OF_CLINIC = ContactPolicy.model_validate(HOURS | {"time_zone": RULE | {"of": "clinic"}})
UNSAID = ContactPolicy.model_validate(HOURS)
MOSCOW = ZoneInfo("Europe/Moscow")
CLINIC = ContactCalendar(zone=MOSCOW)
DAYTIME = ContactPolicy.model_validate(
    {
        "contact_hours": RULE
        | dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday"), "09:00-20:00"),
        "time_zone": RULE | {"of": "patient"},
    }
)


def zones_of(
    phone: str | None, policy: ContactPolicy = OF_PATIENT, clinic: str = "Europe/Moscow"
) -> list[str]:
    """The zones in which a contact must be allowed, the first one first."""
    calendar = calendar_for(policy, ContactCalendar(zone=ZoneInfo(clinic)), phone)
    return [zone.key for zone in (calendar.zone, *calendar.further_zones)]


@pytest.mark.parametrize(
    ("phone", "zone"),
    [
        pytest.param("+13055550100", "America/New_York", id="Miami"),
        pytest.param("+12135550100", "America/Los_Angeles", id="Los Angeles"),
        pytest.param("+573005550100", "America/Bogota", id="a country of one zone"),
        pytest.param("+525555550100", "America/Mexico_City", id="Mexico City"),
        pytest.param("+34922555010", "Atlantic/Canary", id="a landline on Tenerife"),
        pytest.param("+73835550100", "Asia/Novosibirsk", id="a landline in Novosibirsk"),
    ],
)
def test_a_number_tells_its_zone(phone: str, zone: str) -> None:
    assert zones_of(phone) == [zone]


@pytest.mark.parametrize(
    "phone",
    [
        pytest.param("+79165550100", id="a Russian mobile: sixteen zones"),
        pytest.param("+88210555010", id="a satellite phone"),
        pytest.param("305-555-0100", id="no international number"),
        pytest.param("", id="empty"),
        pytest.param(None, id="no number"),
    ],
)
def test_a_number_that_tells_nothing_or_the_clinics_zone_too_leaves_the_clinics(
    phone: str | None,
) -> None:
    assert calendar_for(OF_PATIENT, CLINIC, phone) is CLINIC


@pytest.mark.parametrize("policy", [OF_CLINIC, UNSAID], ids=["the clinic's", "unsaid"])
def test_the_clinics_time_counts_unless_the_policy_says_otherwise(policy: ContactPolicy) -> None:
    assert calendar_for(policy, CLINIC, "+13055550100") is CLINIC


def test_several_zones_whose_clocks_agree_are_one() -> None:
    # a Finnish mobile tells Helsinki and Mariehamn
    assert zones_of("+358405550100") == ["Europe/Helsinki"]


def test_a_zone_with_the_clinics_clocks_is_the_clinics() -> None:
    # a Spanish mobile tells Madrid and the Canary Islands
    assert zones_of("+34600555010", clinic="Europe/Paris") == ["Europe/Paris"]


@pytest.mark.parametrize(
    ("phone", "zones"),
    [
        pytest.param("+34600555010", ["Atlantic/Canary", "Europe/Madrid"], id="a Spanish mobile"),
        pytest.param("+19075550100", ["America/Adak", "America/Anchorage"], id="Alaska"),
        pytest.param("+12085550100", ["America/Los_Angeles", "America/Boise"], id="Idaho"),
    ],
)
def test_a_number_from_far_away_that_tells_several_zones_is_held_to_each(
    phone: str, zones: list[str]
) -> None:
    assert zones_of(phone, DAYTIME, "America/New_York") == zones


@pytest.mark.parametrize(
    ("phone", "now", "until"),
    [
        # a Tuesday, 09:05 in New York: 05:05 in Anchorage, 04:05 in Adak
        pytest.param("+19075550100", "2027-03-02T14:05", "2027-03-02T19:00", id="Alaska sleeps"),
        pytest.param("+34600555010", "2027-03-02T21:30", "2027-03-03T09:00", id="Spain sleeps"),
        pytest.param("+12085550100", "2027-03-02T16:30", "2027-03-02T17:00", id="half of Idaho"),
        pytest.param("+61491570156", "2027-03-02T15:30", "2027-03-03T02:30", id="Australia sleeps"),
    ],
)
def test_nobody_is_contacted_while_it_is_night_anywhere_they_may_be(
    phone: str, now: str, until: str
) -> None:
    clinic = ContactCalendar(zone=ZoneInfo("America/New_York"))
    calendar = calendar_for(DAYTIME, clinic, phone)
    blocked = may_contact(
        DAYTIME, calendar, "sms", datetime.fromisoformat(now).replace(tzinfo=UTC), ()
    )
    assert blocked is not None
    assert blocked.until == datetime.fromisoformat(until).replace(tzinfo=UTC)


def test_of_zones_in_which_it_is_never_day_at_once_the_inner_ones_count() -> None:
    # toll-free: Guam to Newfoundland, 24 hours apart across the date line
    zones = zones_of("+18005550100", DAYTIME, "Europe/Madrid")
    assert len(zones) > 1
    assert DAYTIME.leaves_room([ZoneInfo(zone) for zone in zones])
    assert "Pacific/Guam" not in zones
    assert "America/Chicago" in zones
