"""The clinic's folder: its profile and its named files, checked as they are read."""

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from clinic.contact_policy import ContactCalendar
from clinic.folder import ClinicFolder
from clinic.refusal import Refusal

CHANNELS = ("email", "sms", "call")
PLAN = """\
steps:
  - channel: email
    template: come-back
    wait: 3 days
  - channel: sms
    template: come-back
    wait: 4 days
"""


def rewrite(path: Path, given: str, written: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert given in text
    path.write_text(text.replace(given, written, 1), encoding="utf-8")


def test_a_folder_without_a_profile_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        ClinicFolder(tmp_path)
    assert f"{tmp_path} is no clinic's folder: it has no clinic.yaml" == refused.value.problem
    assert "--clinic" in refused.value.remedy


@pytest.mark.parametrize(
    ("given", "written", "field"),
    [
        pytest.param(
            "America/New_York", "America/Miami", "timezone: `America/Miami` is", id="zone"
        ),
        pytest.param("America/New_York", "../etc/passwd", "timezone: ", id="a path for a zone"),
        pytest.param("language: es", "language: fr", "language: ", id="a language without texts"),
        pytest.param("country: US", "country: usa", "country: ", id="country"),
        pytest.param('"+13055550100"', "13055550100", "phone: ", id="a phone without quotes"),
        pytest.param('"+13055550100"', '"305-555-0100"', "phone: ", id="a phone that is not E.164"),
        pytest.param(
            "calls_at_most: 40", "calls_at_most: 0", "open_calls_at_most: ", id="no calls"
        ),
        pytest.param("booking_url:", "booking_link:", "booking_link: is no field", id="typo"),
        pytest.param("booking_url:", "#", "booking_url: is missing", id="missing"),
        pytest.param("https://aurora", "javascript:aurora", "booking_url: ", id="no web address"),
        pytest.param(
            "country: US",
            "country: US\nfeedback_incentive: {fr: Merci}",
            "feedback_incentive.fr",
            id="an incentive in a language without a page",
        ),
        pytest.param(
            "currency: USD", "currency: BUCKS", "costs.currency: ", id="no code of a currency"
        ),
        pytest.param(
            "currency: USD",
            "currency: QQQ",
            "costs.currency: `QQQ` is no currency",
            id="a currency that does not exist",
        ),
        pytest.param("call: 1.50", "call: -1", "costs.call: ", id="a price below nothing"),
        pytest.param("sms: 0.025", "sms: cheap", "costs.messages.sms: ", id="a price in words"),
        pytest.param(
            "sms: 0.025", "call: 1", "costs.messages: `call` is no message", id="a call as message"
        ),
    ],
)
def test_a_wrong_profile_is_refused_with_its_field(
    clinic_folder: Path, given: str, written: str, field: str
) -> None:
    rewrite(clinic_folder / "clinic.yaml", given, written)
    with pytest.raises(Refusal, match=r"clinic\.yaml:\d+: ") as refused:
        ClinicFolder(clinic_folder)
    assert field in str(refused.value)


READERS: list[Any] = [
    pytest.param(lambda folder: folder.segment("x"), "segment", "segments", id="segment"),
    pytest.param(lambda folder: folder.plan("x", CHANNELS), "plan", "plans", id="plan"),
    pytest.param(lambda folder: folder.template("x"), "template", "templates", id="template"),
]


@pytest.mark.parametrize(("read", "kind", "subfolder"), READERS)
def test_an_unknown_name_is_refused_with_those_there_are(
    clinic_folder: Path, read: Callable[[ClinicFolder], object], kind: str, subfolder: str
) -> None:
    folder = ClinicFolder(clinic_folder)
    with pytest.raises(Refusal) as refused:
        read(folder)
    assert f"no {kind} `x` in {clinic_folder / subfolder}" == refused.value.problem
    assert f"There are: {', '.join(folder.names(subfolder))}" == refused.value.remedy


def test_an_unknown_policy_is_refused_with_the_clinics_own_and_those_shipped(
    clinic_folder: Path,
) -> None:
    with pytest.raises(Refusal) as refused:
        ClinicFolder(clinic_folder, "nights").policy()
    own = "There are: daytime, round-the-clock"
    assert f"{own}; shipped: cl, co, default, es, mx, ru, us" == refused.value.remedy


def test_a_shipped_policy_needs_no_file(clinic_folder: Path) -> None:
    assert ClinicFolder(clinic_folder, "co").policy().country == "CO"


def test_a_policy_may_be_asked_for_by_name_for_a_look(clinic_folder: Path) -> None:
    folder = ClinicFolder(clinic_folder)
    assert folder.policy("es").country == "ES"
    assert folder.policy().country == ""


def test_the_clinics_own_policy_wins_over_the_shipped_one(clinic_folder: Path) -> None:
    own = (clinic_folder / "policies" / "daytime.yaml").read_text(encoding="utf-8")
    (clinic_folder / "policies" / "co.yaml").write_text(own, encoding="utf-8")
    assert ClinicFolder(clinic_folder, "co").policy() == ClinicFolder(clinic_folder).policy()


@pytest.mark.parametrize("name", ["../policies/co", "co.yaml", "", "../../clinic/policies/co"])
def test_a_policys_name_never_leads_out_of_its_folders(clinic_folder: Path, name: str) -> None:
    folder = ClinicFolder(clinic_folder, name or "/co")
    with pytest.raises(Refusal, match="no contact policy"):
        folder.policy()


def test_a_clinic_without_closing_days_is_open_on_all(clinic_folder: Path) -> None:
    calendar = ClinicFolder(clinic_folder).profile.calendar
    assert ContactCalendar(zone=ZoneInfo("America/New_York")) == calendar


def test_closing_days_stand_in_the_profile(clinic_folder: Path) -> None:
    with (clinic_folder / "clinic.yaml").open("a", encoding="utf-8") as profile:
        profile.write("\nclosing_days: [2026-12-24, 2026-12-31 to 2027-01-02]\n")
    days = ("2026-12-24", "2026-12-31", "2027-01-01", "2027-01-02")
    closed = ClinicFolder(clinic_folder).profile.calendar.closing_days
    assert {date.fromisoformat(day) for day in days} == closed


@pytest.mark.parametrize(
    ("written", "what"),
    [
        pytest.param("[2026-02-30]", "day", id="a day that does not exist"),
        pytest.param("[Christmas]", "`Christmas` is no day", id="a name"),
        pytest.param("2026-12-24", "write a list", id="no list"),
    ],
)
def test_wrong_closing_days_are_refused_with_their_line(
    clinic_folder: Path, written: str, what: str
) -> None:
    rewrite(clinic_folder / "clinic.yaml", "name:", f"closing_days: {written}\nname:")
    with pytest.raises(Refusal, match=r"clinic\.yaml:3: closing_days") as refused:
        ClinicFolder(clinic_folder)
    assert what in str(refused.value)


def test_an_empty_folder_is_said_to_be_empty(clinic_folder: Path) -> None:
    for path in (clinic_folder / "segments").iterdir():
        path.unlink()
    folder = ClinicFolder(clinic_folder)
    assert folder.segments() == []
    with pytest.raises(Refusal, match="There are: none"):
        folder.segment("lapsed-orthodontics")


@pytest.mark.parametrize("name", ["../clinic", "segments/over-60", "", ".", "over-60.yaml"])
def test_a_name_never_leads_out_of_its_folder(clinic_folder: Path, name: str) -> None:
    with pytest.raises(Refusal, match="no segment"):
        ClinicFolder(clinic_folder).segment(name)


def test_the_policy_of_the_profile_may_be_overruled(clinic_folder: Path) -> None:
    assert not ClinicFolder(clinic_folder).policy().demonstration
    assert ClinicFolder(clinic_folder, "round-the-clock").policy().demonstration


@pytest.mark.parametrize(
    ("given", "written", "expected"),
    [
        pytest.param(
            "channel: sms",
            "channel: pigeon",
            ":5: steps.1.channel: no channel `pigeon` is in use (in use: call, email, sms)",
            id="an unknown channel",
        ),
        pytest.param(
            "template: come-back",
            "template: hello",
            ":3: steps.0.template: no template `hello` (there are: come-back, come-back-again)",
            id="an unknown template",
        ),
        pytest.param("3 days", "0 days", ":4: steps.0.wait: ", id="a wait of zero"),
    ],
)
def test_a_wrong_plan_is_refused_with_line_and_field(
    clinic_folder: Path, given: str, written: str, expected: str
) -> None:
    path = clinic_folder / "plans" / "mine.yaml"
    path.write_text(PLAN.replace(given, written, 1), encoding="utf-8")
    with pytest.raises(Refusal) as refused:
        ClinicFolder(clinic_folder).plan("mine", CHANNELS)
    assert f"{path}{expected}" == str(refused.value)[: len(f"{path}{expected}")]


def test_a_template_that_lacks_a_language_is_refused_for_its_channel(clinic_folder: Path) -> None:
    (clinic_folder / "plans" / "mine.yaml").write_text(PLAN, encoding="utf-8")
    rewrite(clinic_folder / "templates" / "come-back.yaml", "\nru:\n  email:", "\nru:\n  letter:")
    with pytest.raises(Refusal) as refused:
        ClinicFolder(clinic_folder).plan("mine", CHANNELS)
    path = clinic_folder / "plans" / "mine.yaml"
    said = "template `come-back` has no text for email in `ru`"
    assert f"{path}:3: steps.0.template: {said}" == str(refused.value)


def test_a_step_by_whatsapp_without_an_approved_text_is_refused(clinic_folder: Path) -> None:
    path = clinic_folder / "plans" / "mine.yaml"
    path.write_text(PLAN.replace("channel: sms", "channel: whatsapp"), encoding="utf-8")
    template = clinic_folder / "templates" / "come-back.yaml"
    text = re.sub(r"\n    approved_text: .*", "", template.read_text(encoding="utf-8"), count=1)
    template.write_text(text, encoding="utf-8")
    with pytest.raises(Refusal) as refused:
        ClinicFolder(clinic_folder).plan("mine", (*CHANNELS, "whatsapp"))
    said = "template `come-back` has no approved_text for whatsapp in `es`"
    assert f"{path}:6: steps.1.template: {said}" == str(refused.value)


def test_every_wrong_step_of_a_plan_is_named(clinic_folder: Path) -> None:
    path = clinic_folder / "plans" / "mine.yaml"
    path.write_text(PLAN.replace("come-back", "hello"), encoding="utf-8")
    with pytest.raises(Refusal) as refused:
        ClinicFolder(clinic_folder).plan("mine", CHANNELS)
    first, second = str(refused.value).splitlines()
    assert first.startswith(f"{path}:3: steps.0.template: ")
    assert second.startswith(f"{path}:6: steps.1.template: ")


def test_a_heading_is_read_from_a_file_that_is_wrong_elsewhere_and_anew_when_it_changes(
    clinic_folder: Path,
) -> None:
    folder, plan = ClinicFolder(clinic_folder), clinic_folder / "plans" / "mine.yaml"
    assert not folder.heading("plans", "mine").title.said("es").text
    plan.write_text("title: Uno\nsteps: []\n", encoding="utf-8")
    assert folder.heading("plans", "mine").title.said("es").text == "Uno"
    plan.write_text("title: Otro\nsteps: []\n", encoding="utf-8")
    assert folder.heading("plans", "mine").title.said("es").text == "Otro"
    assert folder.heading("plans", "../clinic").title.said("es").text == ""
