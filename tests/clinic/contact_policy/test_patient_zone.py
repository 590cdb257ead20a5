"""Whose time counts: the patient's, told by the phone number, or the clinic's."""

from zoneinfo import ZoneInfo

import pytest

from clinic.contact_policy import ContactPolicy, zone_for

RULE = {"source": "house rule", "since": "2026-01-01"}
HOURS = {"contact_hours": RULE | {"monday": "09:00-20:00"}}
OF_PATIENT = ContactPolicy.model_validate(HOURS | {"time_zone": RULE | {"of": "patient"}})
OF_CLINIC = ContactPolicy.model_validate(HOURS | {"time_zone": RULE | {"of": "clinic"}})
UNSAID = ContactPolicy.model_validate(HOURS)
CLINIC = ZoneInfo("Europe/Moscow")


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
    assert ZoneInfo(zone) == zone_for(OF_PATIENT, CLINIC, phone)


@pytest.mark.parametrize(
    "phone",
    [
        pytest.param("+79165550100", id="a Russian mobile: sixteen zones"),
        pytest.param("+34600555010", id="a Spanish mobile: two zones"),
        pytest.param("+88210555010", id="a satellite phone"),
        pytest.param("305-555-0100", id="no international number"),
        pytest.param("", id="empty"),
        pytest.param(None, id="no number"),
    ],
)
def test_a_number_that_tells_no_single_zone_leaves_the_clinics(phone: str | None) -> None:
    assert zone_for(OF_PATIENT, CLINIC, phone) is CLINIC


@pytest.mark.parametrize("policy", [OF_CLINIC, UNSAID], ids=["the clinic's", "unsaid"])
def test_the_clinics_time_counts_unless_the_policy_says_otherwise(policy: ContactPolicy) -> None:
    assert zone_for(policy, CLINIC, "+13055550100") is CLINIC


def test_several_zones_whose_clocks_agree_are_one() -> None:
    # a Finnish mobile tells Helsinki and Mariehamn
    assert ZoneInfo("Europe/Helsinki") == zone_for(OF_PATIENT, CLINIC, "+358405550100")
