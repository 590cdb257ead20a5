"""`regresa import`, as a front desk uses it."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from clinic.tables import Consent, Duplicate, ImportRun, Patient

if TYPE_CHECKING:
    from tests.commands.conftest import Desk

ROOT = Path(__file__).parents[2]
HEADER = "patient_id,first_name,last_name,phone,last_visit,nickname\n"
ANA = "A-1,Ana,Gil,305-555-0101,2026-01-10,Anita\n"
ROWS_OF_A_LONG_LIST = 20_000


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where files land that nobody named."""
    folder = tmp_path / "desk"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def listed(working_folder: Path) -> Path:
    file = working_folder / "list.csv"
    file.write_text(HEADER + ANA)
    return file


def test_it_says_how_the_file_was_read_and_what_became_of_its_rows(
    desk: "Desk", listed: Path
) -> None:
    said = " ".join(desk.says("import", str(listed)).split())
    assert "list.csv: text in UTF-8, separated by `,`" in said
    assert "Columns that nothing is read from: nickname" in said
    assert "new 1 updated 0 unchanged 0 rejected 0 rows read 1" in said


def test_a_dry_run_shows_the_first_rows_as_they_were_understood_and_writes_nothing(
    desk: "Desk", listed: Path, working_folder: Path
) -> None:
    with listed.open("a") as file:
        file.write("A-2,Eva,Paz,12,2026-02-30,\n")
    said = " ".join(desk.says("import", str(listed), "--dry-run").split())
    assert "first name Ana" in said
    assert "phone +13055550101" in said
    assert "new 1 updated 0 unchanged 0 rejected 1" in said
    assert "This was a dry run: nothing was written." in said
    assert desk.all(Patient) == []
    assert desk.all(ImportRun) == []
    assert [file.name for file in working_folder.iterdir()] == ["list.csv"]


def test_a_program_gets_the_same_as_json(desk: "Desk", listed: Path) -> None:
    told = json.loads(desk.says("import", str(listed), "--json"))
    assert {name: told[name] for name in ("new", "updated", "unchanged", "rejected")} == {
        "new": 1,
        "updated": 0,
        "unchanged": 0,
        "rejected": 0,
    }
    assert (told["file"], told["dry_run"], told["rejects"]) == ("list.csv", False, None)
    assert told["columns"]["first_name"] == "first_name"
    assert told["ignored"] == ["nickname"]


def test_who_may_be_there_twice_is_shown_with_what_to_do(desk: "Desk", listed: Path) -> None:
    with listed.open("a") as file:
        file.write("A-2,Ana,Gil,305-555-0101,,\n")
    said = " ".join(desk.says("import", str(listed)).split())
    assert "A-2 A-1 name and phone" in said
    assert "regresa duplicates" in said
    assert len(desk.all(Duplicate)) == 1


def test_the_list_itself_is_never_overwritten_with_its_rejects(desk: "Desk", listed: Path) -> None:
    before = listed.read_text()
    said = desk.says("import", str(listed), "--rejects", str(listed), code=2)
    assert "is the list itself" in said
    assert listed.read_text() == before


def test_consents_of_a_list_name_it_as_their_source(desk: "Desk", listed: Path) -> None:
    listed.write_text("patient_id,first_name,phone,consent_sms\nA-1,Ana,305-555-0101,yes\n")
    desk.says("import", str(listed))
    assert [consent.source for consent in desk.all(Consent)] == ["import list.csv"]


@pytest.mark.parametrize(
    ("how", "told"),
    [
        pytest.param(signal.SIGKILL, "", id="killed"),
        pytest.param(signal.SIGINT, "list.csv: imported up to line ", id="Ctrl-C"),
    ],
)
def test_an_import_that_is_interrupted_says_so_and_is_finished_by_the_same_command(
    desk: "Desk", listed: Path, how: signal.Signals, told: str
) -> None:
    with listed.open("a") as file:
        for number in range(ROWS_OF_A_LONG_LIST):
            file.write(f"B-{number},Eva{number},Paz,305-555-{number % 10_000:04},2026-01-10,\n")
    command = [sys.executable, "-m", "starter", "--clinic", str(desk.folder)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(  # noqa: S603 - our own command
        [*command, "import", str(listed)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        while not line_reached(desk):
            assert running.poll() is None
            time.sleep(0.01)
        running.send_signal(how)
        _, complaint = running.communicate()
    assert running.returncode != 0
    assert told in complaint
    assert "Traceback" not in complaint
    [run] = desk.all(ImportRun)
    imported = len(desk.all(Patient))
    assert run.finished_at is None
    assert 0 < imported == run.new < ROWS_OF_A_LONG_LIST

    warned = desk.types("segments").output
    assert "The import of list.csv that began on" in warned
    assert f"it reached line {run.line}" in warned.replace("\n", " ")

    again = json.loads(desk.says("import", str(listed), "--json"))
    assert again["unchanged"] == imported
    assert again["new"] == ROWS_OF_A_LONG_LIST + 1 - imported
    assert "has not finished" not in desk.types("segments").output


def line_reached(desk: "Desk") -> int:
    with closing(sqlite3.connect(desk.database_url.removeprefix("sqlite:///"))) as connection:
        try:
            return sum(line for (line,) in connection.execute("SELECT line FROM imports"))
        except sqlite3.OperationalError:  # no tables yet
            return 0
