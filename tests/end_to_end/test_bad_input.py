"""Bad input gets a clear error and exit code 2, and changes nothing."""

import json
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from starter import app

Regresa = Callable[..., Result]


@pytest.fixture
def clinic_dir(clinic_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example clinic with an empty SQLite register, set by the environment."""
    for name in [name for name in os.environ if name.startswith(("REGRESA_", "TEMPORAL_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("REGRESA_SECRET_KEY", "a-secret-that-is-32-characters-long")
    monkeypatch.setenv("REGRESA_DATABASE_URL", f"sqlite:///{clinic_folder.parent}/clinic.db")
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{free_port()}")
    return clinic_folder


@pytest.fixture
def regresa(clinic_dir: Path) -> Regresa:
    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["--clinic", str(clinic_dir), *arguments])

    return run


@pytest.fixture
def imported(regresa: Regresa, clinic_dir: Path) -> None:
    assert regresa("import", str(clinic_dir / "register.csv")).exit_code == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.usefixtures("imported")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(
            ("preview", "lapsed", "--plan", "standard"),
            "There are: children, lapsed-by-the-sea, lapsed-orthodontics",
            id="an unknown segment",
        ),
        pytest.param(
            ("preview", "children", "--plan", "nice"),
            "There are: call-first, demo, gentle, standard",
            id="an unknown plan",
        ),
        pytest.param(
            ("start", "lapsed", "--plan", "standard", "--name", "x"),
            "no segment `lapsed`",
            id="start with an unknown segment",
        ),
        pytest.param(("report", "spring"), "no campaign `spring`", id="an unknown campaign"),
        pytest.param(("pause", "spring"), "no campaign `spring`", id="pause of an unknown one"),
        pytest.param(("claim", "ct-1"), "no call task `ct-1`", id="an unknown task"),
        pytest.param(
            ("complete", "ct-1", "--outcome", "booked"), "no call task", id="complete, unknown task"
        ),
        pytest.param(
            ("complete", "ct-1", "--outcome", "fine"), "is not one of: booked", id="an outcome"
        ),
        pytest.param(("event", "Z-1", "booked"), "no patient `Z-1`", id="an unknown patient"),
        pytest.param(("event", "A-0001", "smiled"), "no event `smiled`", id="an unknown event"),
        pytest.param(
            ("event", "A-0001", "booked", "--at", "2020-01-01 10:30"), "has passed", id="too late"
        ),
        pytest.param(
            ("event", "A-0001", "booked", "--at", "soon"), "`soon` is no time", id="no time"
        ),
        pytest.param(
            ("start", "children", "--plan", "demo", "--name", "x", "--pace", "120"),
            "write for example 120/h",
            id="a pace without its unit",
        ),
        pytest.param(
            ("start", "children", "--plan", "demo", "--name", "x", "--goal", "150%"),
            "write for example 15%",
            id="a goal beyond everybody",
        ),
        pytest.param(
            ("start", "children", "--plan", "demo", "--name", "x", "--until", "2020-01-01"),
            "--until: 2020-01-01 is over",
            id="an end date that has passed",
        ),
        pytest.param(
            ("start", "children", "--plan", "demo", "--name", " "), "--name", id="no name"
        ),
    ],
)
def test_a_command_that_can_not_be_carried_out_says_why(
    regresa: Regresa, arguments: tuple[str, ...], said: str
) -> None:
    result = regresa(*arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.output.replace("│", " ").split())


@pytest.mark.usefixtures("imported")
@pytest.mark.parametrize(
    ("plan", "said"),
    [
        pytest.param("steps: []", "bad.yaml:1: steps: is empty", id="no steps"),
        pytest.param(
            "steps:\n  - {channel: email, template: come-back, wait: 0 days}",
            "bad.yaml:2: steps.0.wait: a wait must be longer than zero",
            id="a wait of zero",
        ),
        pytest.param(
            "steps:\n  - {channel: email, template: come-back, wait: -3 days}",
            "bad.yaml:2: steps.0.wait: a wait must be longer than zero",
            id="a wait below zero",
        ),
        pytest.param(
            "steps:\n  - {channel: pigeon, template: come-back, wait: 3 days}",
            "bad.yaml:2: steps.0.channel: no channel `pigeon` is in use",
            id="an unknown channel",
        ),
        pytest.param(
            "steps:\n  - {channel: sms, template: hello, wait: 3 days}",
            "bad.yaml:2: steps.0.template: no template `hello`",
            id="an unknown template",
        ),
    ],
)
def test_a_bad_plan_is_refused_with_file_line_and_field(
    regresa: Regresa, clinic_dir: Path, plan: str, said: str
) -> None:
    (clinic_dir / "plans" / "bad.yaml").write_text(plan)
    result = regresa("preview", "children", "--plan", "bad")
    assert result.exit_code == 2
    assert said in result.output


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param("color,shape\nred,round\n", "no column for", id="no usable column"),
        pytest.param("", "the file is empty", id="an empty file"),
        pytest.param("id,name\n1,Ana\n", "an email or a phone", id="no way to reach anybody"),
    ],
)
def test_a_file_that_is_no_patient_list_is_refused(
    regresa: Regresa, tmp_path: Path, content: str, said: str
) -> None:
    file = tmp_path / "list.csv"
    file.write_text(content)
    result = regresa("import", str(file))
    assert result.exit_code == 2
    assert said in result.output


def test_a_file_that_is_not_there_is_refused(regresa: Regresa) -> None:
    result = regresa("import", "nowhere.csv")
    assert result.exit_code == 2
    assert "nowhere.csv: No such file" in result.output


@pytest.mark.parametrize("rejects", ["nowhere/rejects.csv", "."])
def test_a_place_for_rejects_that_is_none_is_refused_before_anything_changes(
    regresa: Regresa, clinic_dir: Path, tmp_path: Path, rejects: str
) -> None:
    register = str(clinic_dir / "register.csv")
    result = regresa("import", register, "--rejects", str(tmp_path / rejects))
    assert result.exit_code == 2
    assert "--rejects" in result.output
    counts = json.loads(regresa("import", register, "--json").output)
    assert counts["new"] == 200


def test_what_others_wrote_is_never_read_as_markup(regresa: Regresa, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text(
        "id,name,email,birth date\n1,Ana [/b],ana@example.com,1990-02-28\n2,Eva,,[/x]\n"
    )
    result = regresa("import", str(file), "--rejects", str(tmp_path / "[red]"))
    assert "`[/x]` is no date" in result.output
    assert "[red]" in result.output


def test_a_row_with_an_impossible_date_is_rejected_and_the_rest_imported(
    regresa: Regresa, tmp_path: Path
) -> None:
    file = tmp_path / "list.csv"
    file.write_text(
        "id,name,email,birth date\n"
        "1,Ana Ruiz,ana@example.com,1990-02-28\n"
        "2,Eva Paz,eva@example.com,1990-02-31\n"
    )
    result = regresa("import", str(file), "--rejects", str(tmp_path / "rejects.csv"))
    assert result.exit_code == 0
    assert "line 3, birth_date: `1990-02-31` is no date" in result.output
    rejects = (tmp_path / "rejects.csv").read_text(encoding="utf-8-sig").splitlines()
    assert rejects[1].startswith("3,birth_date,")
    assert "Eva Paz" in rejects[1]
    again = regresa("import", str(file), "--rejects", str(tmp_path / "rejects.csv"), "--json")
    assert '"new": 0, "updated": 0, "unchanged": 1, "rejected": 1' in again.output


@pytest.mark.usefixtures("imported")
def test_no_temporal_is_said_within_five_seconds_with_how_to_start_one(regresa: Regresa) -> None:
    began = time.monotonic()
    result = regresa("start", "children", "--plan", "demo", "--name", "spring")
    assert time.monotonic() - began < 5
    assert result.exit_code == 2
    assert os.environ["TEMPORAL_ADDRESS"] in result.output
    assert "make run" in result.output
    assert regresa("report", "spring").exit_code == 2


def test_missing_settings_are_named(regresa: Regresa, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REGRESA_SECRET_KEY")
    result = regresa("segments")
    assert result.exit_code == 2
    assert "REGRESA_SECRET_KEY" in result.output


def test_a_folder_that_is_no_clinic_is_refused(regresa: Regresa, clinic_dir: Path) -> None:
    (clinic_dir / "clinic.yaml").unlink()
    result = regresa("segments")
    assert result.exit_code == 2
    assert "has no clinic.yaml" in result.output


def commands() -> list[str]:
    group: Any = typer.main.get_command(app)
    return sorted(group.commands)


@pytest.mark.parametrize("command", commands())
def test_every_command_has_help_with_an_example(regresa: Regresa, command: str) -> None:
    result = regresa(command, "--help")
    assert result.exit_code == 0
    assert f"regresa {command}" in result.output
