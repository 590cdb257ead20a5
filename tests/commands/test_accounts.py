"""`regresa accounts` and `regresa audit`: who may sign in, and who saw or changed what."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from typer.testing import CliRunner

from clinic import accounts
from clinic.audit import Action, note
from clinic.tables import Account, AuditEntry
from commands.audited import login_name
from starter import app

if TYPE_CHECKING:
    from tests.commands.conftest import Desk

PASSWORD = "a river, two bridges"
OTHER = "three hills and a fog"
THEN = datetime(2027, 3, 2, 17, 0, tzinfo=UTC)
SPAWN = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)"
"""Runs a program in a terminal of its own."""
QUESTIONS = (b"characters): ", b"confirmation: ")


def piped(desk: "Desk", *arguments: str, given: bytes, code: int = 0) -> str:
    """Type a command that reads the password from standard input; return what it prints."""
    line = ["--clinic", str(desk.folder), "accounts", *arguments, "--password-stdin"]
    result = CliRunner().invoke(app, line, input=given)
    assert result.exit_code == code, result.output
    return result.output


def added(desk: "Desk", name: str = "Vera", role: str = "staff") -> Account:
    piped(desk, "add", name, "--role", role, given=f"{PASSWORD}\n".encode())
    return next(account for account in desk.all(Account) if account.name == name)


def opens(desk: "Desk", password: str) -> bool:
    async def sign_in(session: AsyncSession) -> bool:
        return await accounts.sign_in(session, "Vera", password, now=THEN) is not None

    return desk.in_session(sign_in)


def asked(desk: "Desk", *arguments: str, answers: tuple[str, ...]) -> tuple[str, int]:
    """Type a command at a terminal, and answer what it asks, unseen; return what it shows."""
    command = [sys.executable, str(Path(__file__).parents[2] / "starter.py")]
    command += ["--clinic", str(desk.folder), "accounts", *arguments]
    with subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-c", SPAWN, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        bufsize=0,
    ) as terminal:
        assert terminal.stdin is not None
        assert terminal.stdout is not None
        shown = b""
        for answer in answers:
            # what is typed before it is asked for would be dropped
            while not shown.endswith(QUESTIONS) and (byte := terminal.stdout.read(1)):
                shown += byte
            terminal.stdin.write(f"{answer}\n".encode())
            shown += b"|"
        shown += terminal.stdout.read()
    return shown.decode(), terminal.returncode


def test_a_program_makes_an_account_by_giving_the_password_on_standard_input(
    desk: "Desk",
) -> None:
    said = piped(
        desk,
        *("add", "Vera", "--role", "ops", "--language", "es"),
        given=f"{PASSWORD}\r\nnot read\n".encode(),
    )
    assert said == "Vera may sign in as ops.\n"
    [account] = desk.all(Account)
    assert (account.name, account.role, account.language) == ("Vera", "ops", "es")
    assert opens(desk, PASSWORD)


def test_a_person_is_asked_for_the_password_twice_and_it_is_not_shown(desk: "Desk") -> None:
    said, code = asked(desk, "add", "Vera", "--role", "admin", answers=(PASSWORD, PASSWORD))
    assert code == 0, said
    assert "Password for Vera (at least 12 characters): " in said
    assert "Vera may sign in as admin." in said
    assert PASSWORD not in said
    assert opens(desk, PASSWORD)


def test_a_password_typed_differently_the_second_time_is_asked_for_again(desk: "Desk") -> None:
    added(desk)
    said, code = asked(desk, "password", "vera", answers=(OTHER, PASSWORD, OTHER, OTHER))
    assert code == 0, said
    assert "do not match" in said
    assert opens(desk, OTHER)


def test_without_a_terminal_nobody_is_asked(desk: "Desk") -> None:
    said = desk.says("accounts", "add", "Vera", "--role", "staff", code=2)
    assert "nobody is here to be asked for the password" in said
    assert "--password-stdin" in said
    assert desk.all(Account) == []


@pytest.mark.parametrize(
    ("arguments", "given", "said"),
    [
        pytest.param(("Boris",), b"too short\n", "has 9 characters, at least 12", id="short"),
        pytest.param(("Boris",), b"", "has 0 characters", id="empty input"),
        pytest.param(("Boris",), b"\xff" * 12, "not in UTF-8", id="no text"),
        pytest.param(("Boris Johnson",), b"boris johnson\n", "is the account's name", id="name"),
        pytest.param(("VERA",), PASSWORD.encode(), "there is an account `Vera`", id="taken"),
        pytest.param((" ",), PASSWORD.encode(), "1 to 60 printable characters", id="no name"),
        pytest.param(
            ("Boris", "--language", "xx"), PASSWORD.encode(), "One of: es, ru, en", id="language"
        ),
        pytest.param(
            ("Boris", "--role", "boss"), PASSWORD.encode(), "'boss' is not one of", id="role"
        ),
    ],
)
def test_an_account_that_cannot_be_made_says_why(
    desk: "Desk", arguments: tuple[str, ...], given: bytes, said: str
) -> None:
    added(desk)
    shown = piped(desk, "add", "--role", "staff", *arguments, given=given, code=2)
    assert said in shown
    assert "Traceback" not in shown
    assert [account.name for account in desk.all(Account)] == ["Vera"]


def test_another_password_ends_what_was_open(desk: "Desk") -> None:
    added(desk)
    said = piped(desk, "password", "vera", given=OTHER.encode())
    assert said == "Vera has another password; open sessions are over.\n"
    assert (opens(desk, PASSWORD), opens(desk, OTHER)) == (False, True)
    [account] = desk.all(Account)
    assert account.signed_out_at is not None
    desk.says("accounts", "disable", "Vera")
    assert "It stays disabled" in piped(desk, "password", "vera", given=OTHER.encode())


def test_an_account_is_disabled_and_enabled_and_told_when_it_was_before(desk: "Desk") -> None:
    added(desk)
    assert desk.says("accounts", "disable", "VERA") == "Vera can't sign in any more.\n"
    assert not opens(desk, PASSWORD)
    assert "was disabled before; nothing changes" in desk.says("accounts", "disable", "Vera")
    assert desk.says("accounts", "enable", "Vera") == "Vera may sign in again.\n"
    assert opens(desk, PASSWORD)
    assert "was not disabled; nothing changes" in desk.says("accounts", "enable", "Vera")


def test_a_role_is_given(desk: "Desk") -> None:
    added(desk)
    assert desk.says("accounts", "role", "vera", "admin") == "Vera is admin now.\n"
    assert [account.role for account in desk.all(Account)] == ["admin"]
    assert "was admin before; nothing changes" in desk.says("accounts", "role", "vera", "admin")


@pytest.mark.parametrize("command", [("disable",), ("enable",), ("password",), ("role", "ops")])
def test_an_account_that_is_not_there_is_said(desk: "Desk", command: tuple[str, ...]) -> None:
    said = desk.says("accounts", command[0], "Boris", *command[1:], code=2)
    assert "no account `Boris`" in said
    assert "regresa accounts list" in said


def test_the_list_shows_everybody_and_no_hash(desk: "Desk") -> None:
    assert "regresa accounts add NAME" in desk.says("accounts", "list")
    vera = added(desk)
    added(desk, "Boris", role="admin")
    opens(desk, PASSWORD)
    desk.says("accounts", "disable", "Boris")
    shown = desk.says("accounts", "list")
    assert shown.index("Boris") < shown.index("Vera")
    for expected in ("never yet", "Tue 2027-03-02 12:00"):
        assert expected in shown
    listed = desk.says("accounts", "list", "--json")
    boris, told = json.loads(listed)
    assert boris["disabled_at"]
    assert told == {
        "id": vera.id,
        "name": "Vera",
        "role": "staff",
        "language": "",
        "created_at": vera.created_at.isoformat(),
        "signed_in_at": THEN.isoformat(),
        "disabled_at": None,
    }
    assert "argon2" not in shown + listed


def test_every_change_of_an_account_is_in_the_audit_log(desk: "Desk") -> None:
    vera = added(desk)
    piped(desk, "password", "Vera", given=OTHER.encode())
    # each second one changes nothing
    for change in (("role", "Vera", "ops"), ("disable", "Vera"), ("enable", "Vera")):
        desk.says("accounts", *change)
        desk.says("accounts", *change)
    lines = desk.all(AuditEntry)
    assert {(line.who, line.account_id, line.subject) for line in lines} == {
        (login_name(), None, vera.id)
    }
    assert [(line.action, line.details) for line in lines] == [
        ("account_made", {"role": "staff"}),
        ("account_changed", {"change": "password"}),
        ("account_changed", {"change": "role", "role": "ops"}),
        ("account_changed", {"change": "disabled"}),
        ("account_changed", {"change": "enabled"}),
    ]


@pytest.fixture
def seen(desk: "Desk") -> str:
    """A patient whose card Vera saw and then changed; somebody else's was seen in between."""
    patient = desk.patient("A-0042")
    other = desk.patient("A-0043", email="other@example.com", phone="+13055550143")
    fields = {"fields": ["phone", "email"]}

    async def write(session: AsyncSession) -> None:
        for minute, (action, whose, details) in enumerate(
            (
                (Action.VIEWED, patient.id, None),
                (Action.VIEWED, other.id, None),
                (Action.CHANGED, patient.id, fields),
            )
        ):
            await note(
                session,
                who="Vera",
                action=action,
                now=THEN + timedelta(minutes=minute),
                patient_id=whose,
                details=details,
            )

    desk.in_session(write)
    return patient.id


def test_the_audit_log_is_shown_the_newest_first(desk: "Desk", seen: str) -> None:
    shown = " ".join(desk.says("audit").split())
    moments = ("2027-03-02 12:02 Vera changed", "2027-03-02 12:00 Vera viewed")
    changed, viewed = (shown.index(moment) for moment in moments)
    assert changed < viewed
    assert "fields: phone, email" in shown
    assert seen in shown
    assert "Sofía" not in shown


def test_the_audit_log_of_one_patient_is_read_by_a_program(desk: "Desk", seen: str) -> None:
    lines = json.loads(desk.says("audit", "--patient", "A-0042", "--json"))
    assert [(line["action"], line["patient_id"]) for line in lines] == [
        ("changed", seen),
        ("viewed", seen),
    ]
    assert lines[0]["at"] == "2027-03-02T17:02:00+00:00"
    assert lines[0]["details"] == {"fields": ["phone", "email"]}


@pytest.mark.usefixtures("seen")
def test_a_long_audit_log_says_that_there_is_more(desk: "Desk") -> None:
    shown = desk.says("audit", "--limit", "2")
    assert shown.count("Vera") == 2
    assert "... and more (--limit shows more)" in shown
    assert "and more" not in desk.says("audit", "--limit", "3")
    assert len(json.loads(desk.says("audit", "--limit", "2", "--json"))) == 2


def test_the_audit_log_of_somebody_forgotten_is_found_by_the_opaque_id(
    desk: "Desk", seen: str
) -> None:
    desk.says("forget", "A-0042", "--yes")
    assert "was forgotten" in desk.says("audit", "--patient", "A-0042", code=2)
    assert desk.says("audit", "--patient", seen).count("Vera") == 2


def test_an_audit_log_without_a_line_says_so(desk: "Desk") -> None:
    assert desk.says("audit") == "The audit log is empty.\n"
    desk.patient("A-0042")
    assert "has no line about this patient" in desk.says("audit", "--patient", "A-0042")
    assert "no patient `A-9`" in desk.says("audit", "--patient", "A-9", code=2)
