"""`regresa preview`: who would get what when, by which rules; nothing is sent."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.commands.conftest import Desk

FRIDAY = datetime(2026, 12, 18, 15, 0, tzinfo=UTC)
"""10:00 in the example clinic's New York time, a week before Christmas."""

PREVIEW = ("preview", "price-was-the-reason", "--plan", "standard")
CO = (*PREVIEW, "--policy", "co")


@pytest.fixture(autouse=True)
def _on_that_friday(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("commands.campaigns.now", lambda: FRIDAY)


def unfolded(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture
def lapsed(desk: "Desk") -> None:
    """Two who can be reached, one without an email, and one who wants no message."""
    desk.patient("A-1", loss_reason="price")
    desk.patient("A-2", loss_reason="price", phone="+13055550102")
    desk.patient("A-3", loss_reason="price", email=None, phone="+13055550103")
    desk.patient("A-4", loss_reason="price", opted_out_at=FRIDAY)


@pytest.mark.usefixtures("lapsed")
def test_colombias_law_stretches_the_plan_and_is_named_with_its_source(desk: "Desk") -> None:
    said = unfolded(desk.says(*CO))
    assert "By the contact policy: Colombia" in said
    assert (
        "A-1 Sofía Rojas email Fri 2026-12-18 10:00"
        " sms Sat 2026-12-26 08:00 * call Sat 2027-01-02 08:00 *"
    ) in said
    assert (
        "A-3 Sofía Rojas email: no address sms Fri 2026-12-18 10:00 call Sat 2026-12-26 08:00 *"
    ) in said
    assert "one channel a week: email (Ley 2300 de 2023, art. 3) 2" in said
    assert "one channel a week: sms (Ley 2300 de 2023, art. 3) 3" in said
    assert "holiday: Christmas Day (Ley 2300 de 2023, art. 3) 3" in said
    assert "email: no address 1" in said
    assert "opted_out 1 A-4" in said
    assert "3 patients would get an attempt: if nobody answered, 2 email, 3 sms, 3 call." in said
    assert "1 are left out." in said


@pytest.mark.usefixtures("lapsed")
def test_without_the_option_it_is_the_clinics_own_policy(desk: "Desk") -> None:
    said = unfolded(desk.says(*PREVIEW))
    assert "A-1 Sofía Rojas email Fri 2026-12-18 10:00 sms Mon 2026-12-21 10:00" in said
    assert "Ley 2300" not in said


@pytest.mark.usefixtures("lapsed")
def test_a_few_are_shown_and_all_are_counted(desk: "Desk") -> None:
    said = unfolded(desk.says(*CO, "--limit", "1"))
    assert "A-2" not in said
    assert "... and 2 more (--limit shows more, --json all)" in said
    assert "3 patients would get an attempt" in said


@pytest.mark.usefixtures("lapsed")
def test_json_is_one_list_with_everybody(desk: "Desk") -> None:
    listed = json.loads(desk.says(*CO, "--limit", "1", "--json"))
    assert [each["external_id"] for each in listed] == ["A-1", "A-2", "A-3", "A-4"]
    first, out = listed[0], listed[3]
    assert first["steps"][1] == {
        "channel": "sms",
        "template": "come-back",
        "at": "2026-12-26T13:00:00Z",
        "skipped": None,
        "rule": "one channel a week: email on Fri 2026-12-18 (Ley 2300 de 2023, art. 3); "
        "holiday: Christmas Day (Ley 2300 de 2023, art. 3)",
    }
    assert (first["left_out"], first["name"]) == (None, "Sofía Rojas")
    assert (out["left_out"], out["left_out_rule"], out["steps"]) == ("opted_out", "", [])


def test_of_nobody_json_is_an_empty_list(desk: "Desk") -> None:
    assert json.loads(desk.says(*PREVIEW, "--json")) == []


def test_of_nobody_a_preview_says_so(desk: "Desk") -> None:
    said = unfolded(desk.says(*PREVIEW))
    assert "0 patients would get an attempt: if nobody answered, nothing." in said


def test_a_policy_that_does_not_exist_is_refused_with_those_that_do(desk: "Desk") -> None:
    said = unfolded(desk.says(*PREVIEW, "--policy", "nowhere", code=2))
    assert "no contact policy `nowhere`" in said
    assert "shipped: cl, co, default, es, mx, ru, us" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("policy", ["cl", "co", "default", "es", "mx", "ru", "us"])
@pytest.mark.usefixtures("lapsed")
def test_under_every_shipped_policy_whoever_said_nothing_gets_a_reminder(
    desk: "Desk", policy: str
) -> None:
    listed = json.loads(desk.says(*PREVIEW, "--policy", policy, "--json"))
    assert [each["left_out"] for each in listed] == [None, None, None, "opted_out"]
    assert listed[0]["steps"][0]["at"] is not None


@pytest.mark.usefixtures("lapsed")
def test_a_step_that_lacks_the_consent_is_skipped_with_the_law_that_asks_for_it(
    desk: "Desk",
) -> None:
    said = unfolded(desk.says(*PREVIEW, "--policy", "ru"))
    assert "sms: no consent" in said
    assert "consent: reminder by sms needs the patient's yes (126-FZ, art. 44.1) 3" in said
