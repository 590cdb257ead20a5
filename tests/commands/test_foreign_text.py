"""What others wrote can't steer the terminal of whoever reads it."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.table import Table
from rich.text import Text

from clinic.tables import Event
from commands import terminal
from commands.foreign_text import harmless

if TYPE_CHECKING:
    from tests.commands.conftest import Desk

STEERING = {
    "a colour": "\x1b[31m",
    "the window's title": "\x1b]0;owned\x07",
    "a C1 control": "\x9b2J",
    "back to the line's beginning": "\r",
    "backspace": "\x08",
    "delete": "\x7f",
    "from right to left": "\u202e",
    "an isolate": "\u2067",
}


@pytest.mark.parametrize("what", STEERING)
@pytest.mark.parametrize("form", [str, Text], ids=["a string", "a text"])
def test_nothing_that_steers_reaches_the_terminal(what: str, form: type) -> None:
    foreign = f"before{STEERING[what]}after"
    table = Table(title=form(foreign))
    table.add_column("words")
    table.add_row(form(foreign))
    with terminal.console.capture() as shown:
        terminal.console.print(form(foreign))
        terminal.console.print(table)
    assert STEERING[what][0] not in shown.get().replace("\r\n", "\n")
    assert shown.get().count("before") == 3


def test_lines_tabs_and_letters_of_every_script_stay() -> None:
    said = "¿Mañana?\n\tЗавтра שלום 🙂"
    assert harmless(said) == said


def test_what_the_terminal_itself_needs_stays() -> None:
    printed = subprocess.run(
        [
            sys.executable,
            "-c",
            "from commands.terminal import console as c; c.print('x', style='red')",
        ],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
        env={"FORCE_COLOR": "1", "TERM": "xterm-256color"},
    )
    assert printed.stdout == "\x1b[31mx\x1b[0m\n"


@pytest.mark.parametrize("what", STEERING)
def test_a_reply_is_harmless_on_the_card_and_as_json(desk: "Desk", what: str) -> None:
    patient = desk.patient()
    desk.add(
        Event(
            source="sms",
            source_key="1",
            kind="reply",
            patient_id=patient.id,
            body=f"Sí{STEERING[what]}",
            received_at=datetime(2027, 3, 2, 17, 0, tzinfo=UTC),
        )
    )
    assert STEERING[what][0] not in desk.says("card", "A-0042")
    as_json = desk.says("card", "A-0042", "--json")
    assert STEERING[what][0] not in as_json
    assert json.loads(as_json)["said"][0]["words"] == f"Sí{STEERING[what]}"


@pytest.mark.parametrize("what", STEERING)
def test_a_refusal_that_quotes_somebody_is_harmless(desk: "Desk", what: str) -> None:
    assert STEERING[what][0] not in desk.says("card", f"A{STEERING[what]}", code=2)
