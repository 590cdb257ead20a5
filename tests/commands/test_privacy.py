"""Say stop, see what is held, be forgotten: as people ask for it."""

import json
import os
import pty
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from clinic.tables import Event, Patient, Suppression, Visit

if TYPE_CHECKING:
    from tests.commands.conftest import Desk

STARTER = Path(__file__).parents[2] / "starter.py"


@pytest.mark.parametrize("written", ["+1 305 555 0142", "305-555-0142", "Ana@Example.com"])
def test_an_address_is_suppressed_as_people_write_it_and_whether_it_was_new_is_said(
    desk: "Desk", written: str
) -> None:
    desk.patient(email="ana@example.com")
    said = desk.says("suppress", written)
    assert "is not written to any more" in said
    assert "at this address: A-0042" in said
    assert "was suppressed before" in desk.says("suppress", written)
    assert len(desk.all(Suppression)) == 1


def test_an_address_that_is_nobodys_is_suppressed_as_well(desk: "Desk") -> None:
    desk.says("suppress", "nobody@example.com")
    assert len(desk.all(Suppression)) == 1


def test_a_patient_who_says_stop_is_told_to_the_attempt_too(desk: "Desk") -> None:
    patient = desk.patient()
    assert "is not written to any more" in desk.says("suppress", "A-0042")
    assert "was suppressed before" in desk.says("suppress", "A-0042")
    assert len(desk.all(Suppression)) == 2
    assert [row.opted_out_at is not None for row in desk.all(Patient)] == [True]
    assert {(row.kind, row.patient_id) for row in desk.all(Event)} == {("opted_out", patient.id)}


def test_lifting_has_to_be_meant(desk: "Desk") -> None:
    desk.patient()
    desk.says("suppress", "A-0042")
    assert "nothing was changed" in desk.says("suppress", "A-0042", "--lift", code=2)
    assert len(desk.all(Suppression)) == 2
    assert "may be written to again" in desk.says("suppress", "A-0042", "--lift", "--yes")
    assert desk.all(Suppression) == []
    assert "was not suppressed" in desk.says("suppress", "A-0042", "--lift", "--yes")


def test_lifting_an_address_says_that_who_opted_out_stays_silent(desk: "Desk") -> None:
    desk.patient()
    desk.says("suppress", "A-0042")
    said = desk.says("suppress", "+13055550142", "--lift", "--yes")
    assert "Who opted out stays silent" in said
    assert [row.opted_out_at is not None for row in desk.all(Patient)] == [True]


@pytest.mark.parametrize("written", ["B-7", "123", "a@", ""])
def test_what_is_neither_patient_nor_address_is_refused(desk: "Desk", written: str) -> None:
    said = desk.says("suppress", written, code=2)
    assert f"no patient `{written}` on the register" in said
    assert "An email or a phone is understood too" in said
    assert desk.all(Suppression) == []


def test_who_was_forgotten_has_nothing_to_suppress_any_more(desk: "Desk") -> None:
    patient = desk.patient()
    desk.says("forget", "A-0042", "--yes")
    for written in ("A-0042", patient.id):
        assert "was forgotten on" in desk.says("suppress", written, code=2)
        assert "was forgotten on" in desk.says("event", written, "replied", code=2)


def test_an_export_goes_to_a_file_that_its_owner_alone_can_read(
    desk: "Desk", tmp_path: Path
) -> None:
    patient = desk.patient()
    other = desk.patient("B-1", first_name="Irina", email="irina@example.org", phone=None)
    for one, treatment in ((patient, "crown"), (other, "braces")):
        day = datetime(2025, 5, 1, tzinfo=UTC).date()
        desk.add(Visit(patient_id=one.id, day=day, treatment=treatment))
    file = tmp_path / "held.json"
    file.write_text("what stood there before, and everybody could read")
    desk.says("export", "A-0042", "--to", str(file))
    assert file.stat().st_mode & 0o077 == 0
    text = file.read_text(encoding="utf-8")
    [held] = json.loads(text)["patients"]
    assert held["register"]["first_name"] == "Sofía"
    assert [visit["treatment"] for visit in held["visits"]] == ["crown"]
    assert "Irina" not in text
    assert "braces" not in text


def test_an_export_without_a_file_is_printed(desk: "Desk") -> None:
    desk.patient()
    exported = json.loads(desk.says("export", "A-0042"))
    assert set(exported["about"]) == {"es", "ru", "en"}


def test_an_export_that_can_not_be_written_is_refused(desk: "Desk", tmp_path: Path) -> None:
    desk.patient()
    said = desk.says("export", "A-0042", "--to", str(tmp_path / "no" / "held.json"), code=2)
    assert "there is no folder" in said


def test_forgetting_has_to_be_meant(desk: "Desk") -> None:
    desk.patient()
    said = desk.says("forget", "A-0042", code=2)
    assert "nothing was changed" in said
    assert "--yes" in said
    assert [row.first_name for row in desk.all(Patient)] == ["Sofía"]


def test_a_person_who_is_forgotten_is_not_found_in_the_file_any_more(
    desk: "Desk", tmp_path: Path
) -> None:
    desk.patient(first_name="Wilhelmina")
    desk.patient("A-0043", first_name="Ana", phone="+13055550142")
    said = desk.says("forget", "A-0042", "--yes")
    assert "A-0042: forgotten." in said
    assert "Others share an address and get no message there any more: A-0043." in said
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("clinic.db*"))
    assert b"Wilhelmina" not in stored
    assert b"a-0042@example.com" not in stored
    assert b"Ana" in stored
    again = desk.says("forget", "A-0042", "--yes", code=2)
    assert "patient `A-0042` was forgotten on" in again


def test_the_next_export_does_not_bring_a_forgotten_person_back(
    desk: "Desk", tmp_path: Path
) -> None:
    export = tmp_path / "patients.csv"
    export.write_text(
        "id,name,email\nA-0042,Wilhelmina Ruiz,w@example.com\nA-0043,Ana Paz,ana@example.com\n"
    )
    desk.says("import", str(export))
    desk.says("forget", "A-0042", "--yes")
    again = json.loads(desk.says("import", str(export), "--json"))
    assert (again["new"], again["unchanged"], again["rejected"]) == (0, 1, 1)
    assert {row.first_name for row in desk.all(Patient)} == {"", "Ana"}


def test_a_program_is_told_what_forgetting_meant(desk: "Desk") -> None:
    patient = desk.patient()
    assert json.loads(desk.says("forget", "A-0042", "--yes", "--json")) == {
        "patient": patient.id,
        "numbers": ["A-0042"],
        "addresses": 2,
        "open_attempts": 0,
        "open_calls": 0,
        "sharing": [],
    }


@pytest.mark.parametrize(("answer", "forgotten", "code"), [("n", False, 2), ("y", True, 0)])
def test_a_person_at_a_terminal_is_asked_first(
    desk: "Desk", answer: str, *, forgotten: bool, code: int
) -> None:
    desk.patient()
    keyboard, terminal = pty.openpty()
    os.write(keyboard, f"{answer}\n".encode())
    ended = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, str(STARTER), "--clinic", str(desk.folder), "forget", "A-0042"],
        stdin=terminal,
        capture_output=True,
        text=True,
        check=False,
    )
    for end in (keyboard, terminal):
        os.close(end)
    assert ended.returncode == code, ended.stderr
    assert "Sofía Rojas would be forgotten." in ended.stdout
    assert [row.erased_at is not None for row in desk.all(Patient)] == [forgotten]
