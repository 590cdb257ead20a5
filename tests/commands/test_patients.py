"""A patient's card and consents, as people ask for them."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from clinic.tables import (
    Appointment,
    Attempt,
    Call,
    CallTask,
    Campaign,
    Consent,
    Event,
    Message,
    Patient,
    StepNote,
    Visit,
)

if TYPE_CHECKING:
    from tests.commands.conftest import Desk

AT = datetime(2027, 3, 2, 17, 0, tzinfo=UTC)
PLAN = {
    "name": "standard",
    "steps": [
        {"channel": "email", "template": "come-back", "wait": "3 days"},
        {"channel": "sms", "template": "come-back", "wait": "4 days"},
        {"channel": "call", "template": "come-back", "wait": "2 days", "tries": 3},
    ],
}
GIVEN = ("--channel", "sms", "--for", "advertising", "--given", "--source", "paper form")


def attempt_of(desk: "Desk", patient: Patient, **given: object) -> Attempt:
    campaign = Campaign(
        id="ca-1", name="spring", segment="children", plan=PLAN, state="running", started_at=AT
    )
    fields = {"campaign_id": "ca-1", "patient_id": patient.id, "state": "open", "started_at": AT}
    attempt = Attempt(**(fields | given))
    desk.add(campaign, attempt)
    return attempt


def test_a_card_names_the_rule_that_put_a_step_off_and_until_when(desk: "Desk") -> None:
    attempt = attempt_of(desk, desk.patient())
    desk.add(
        Message(
            attempt_id=attempt.id,
            step=0,
            channel="email",
            address_hash="of-somebody",
            claimed_at=AT,
            sent_at=AT,
        ),
        StepNote(
            attempt_id=attempt.id,
            step=1,
            at=AT,
            result="deferred",
            rule="holiday: Good Friday (Ley 2300 de 2023, art. 3)",
            until=datetime(2027, 3, 9, 13, 0, tzinfo=UTC),
        ),
    )
    said = desk.says("card", "A-0042")
    assert "sent" in said
    assert "deferred until Tue 2027-03-09 08:00" in said
    assert "holiday: Good Friday (Ley 2300 de 2023, art. 3)" in said
    assert "to come" in said


@pytest.mark.parametrize("written", ["A-0042", "a-0042@example.com", "305-555-0142"])
def test_a_card_is_found_by_number_email_and_phone(desk: "Desk", written: str) -> None:
    desk.patient()
    assert "Sofía Rojas" in desk.says("card", written)


def test_a_card_says_what_is_known_of_the_patient(desk: "Desk") -> None:
    patient = desk.patient(language="es", preferred_channel="sms", phone_kind="mobile")
    desk.add(
        Visit(
            patient_id=patient.id, day=datetime(2025, 5, 1, tzinfo=UTC).date(), treatment="crown"
        ),
        Appointment(patient_id=patient.id, at=datetime(2150, 5, 1, 15, 0, tzinfo=UTC), source="x"),
    )
    said = desk.says("card", "A-0042")
    for words in ("sms", "mobile", "1, the last on 2025-05-01 (crown)", "2150-05-01 11:00"):
        assert words in said
    assert "No attempt yet." in said


def test_a_card_shows_calls_with_notes_and_answers(desk: "Desk") -> None:
    patient = desk.patient()
    attempt = attempt_of(desk, patient)
    task = CallTask(
        id="ct-1",
        attempt_id=attempt.id,
        patient_id=patient.id,
        step=2,
        kind="reply",
        priority=1,
        due_at=AT,
        opened_at=AT,
        tries_allowed=3,
    )
    reply = Event(
        source="sms",
        source_key="1",
        kind="reply",
        attempt_id=attempt.id,
        body="Llámenme",
        received_at=AT,
    )
    call = Call(task_id="ct-1", made_at=AT, made_by="Lucía", outcome="voicemail", note="su hijo")
    desk.add(task, reply, call)
    said = desk.says("card", "A-0042")
    assert "on the call list: ct-1" in said
    assert "called by Lucía: voicemail: su hijo" in said
    assert "“Llámenme”" in said


def test_a_card_is_given_to_programs_as_json(desk: "Desk") -> None:
    patient = desk.patient()
    shown = json.loads(desk.says("card", "A-0042", "--json"))
    assert (shown["patient_id"], shown["attempts"]) == (patient.id, [])


@pytest.mark.parametrize("command", ["card", "consent", "export", "forget"])
def test_an_unknown_patient_is_refused(desk: "Desk", command: str) -> None:
    desk.patient()
    assert "no patient `B-7` on the register" in desk.says(command, "B-7", code=2)


def test_a_consent_is_recorded_with_source_and_day(desk: "Desk") -> None:
    patient = desk.patient()
    said = desk.says("consent", "A-0042", *GIVEN, "--on", "2026-11-02")
    assert said == "A-0042: given for advertising by sms: is recorded.\n"
    [row] = desk.all(Consent)
    assert (row.patient_id, row.given, row.source) == (patient.id, True, "paper form")
    # the end of that day in the clinic's New York: it counts over what the day began with
    assert f"{row.at:%Y-%m-%d %H:%M}" == "2026-11-03 04:59"
    assert "2026-11-02" in desk.says("consent", "A-0042")


def test_all_channels_and_all_contents_are_said_with_one_word(desk: "Desk") -> None:
    desk.patient()
    about = ("--channel", "all", "--for", "all", "--withdrawn", "--source", "said so by phone")
    desk.says("consent", "A-0042", *about)
    assert {(row.channel, row.content, row.given) for row in desk.all(Consent)} == {
        (channel, content, False)
        for channel in ("email", "sms", "call")
        for content in ("reminder", "advertising")
    }


def test_the_same_consent_again_changes_nothing(desk: "Desk") -> None:
    desk.patient()
    for expected in ("is recorded", "was recorded before; nothing changes"):
        assert expected in desk.says("consent", "A-0042", *GIVEN, "--on", "2026-11-02")
    assert len(desk.all(Consent)) == 1


def test_a_consent_does_not_take_an_opt_out_back_and_says_so(desk: "Desk") -> None:
    desk.patient()
    desk.says("suppress", "A-0042")
    assert "regresa suppress A-0042 --lift" in desk.says("consent", "A-0042", *GIVEN)
    assert [row.opted_out_at is not None for row in desk.all(Patient)] == [True]


def test_without_options_the_consents_are_listed_newest_first(desk: "Desk") -> None:
    desk.patient()
    assert desk.says("consent", "A-0042") == "A-0042: nothing was recorded.\n"
    desk.says("consent", "A-0042", *GIVEN, "--on", "2026-11-02")
    withdrawn = [word.replace("--given", "--withdrawn") for word in GIVEN]
    desk.says("consent", "A-0042", *withdrawn, "--on", "2026-11-03")
    listed = json.loads(desk.says("consent", "A-0042", "--json"))
    assert [line["given"] for line in listed] == [False, True]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(GIVEN[:5], "go together", id="no source"),
        pytest.param(("--source", "paper form"), "go together", id="a source alone"),
        pytest.param(("--channel", "fax", *GIVEN[2:]), "no `fax`", id="a channel not in use"),
        pytest.param((*GIVEN[:3], "spam", *GIVEN[4:]), "no `spam`", id="an unknown content"),
        pytest.param((*GIVEN, "--on", "2150-01-01"), "is still to come", id="a day to come"),
    ],
)
def test_a_consent_that_says_too_little_is_refused(
    desk: "Desk", arguments: tuple[str, ...], said: str
) -> None:
    desk.patient()
    assert said in desk.says("consent", "A-0042", *arguments, code=2)
    assert desk.all(Consent) == []
