"""The local stack is fenced off from whatever live settings its caller has."""

import stat
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from channels.email_settings import EmailSettings
from channels.sms import SmsSettings
from channels.whatsapp import WhatsAppSettings
from clinic.settings import ClinicSettings
from deploy.local.demo import remove_state
from deploy.local.settings import (
    LocalSettings,
    console_password,
    environment,
    exports,
    write_exports,
)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path


def test_nothing_of_a_live_clinic_gets_into_the_stack(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = {
        "REGRESA_SMS_AUTH_TOKEN": "live-token",
        "REGRESA_SMS_MESSAGING_SERVICE_SID": "MG" + "1" * 32,
        "REGRESA_DATABASE_URL": "postgresql://live",
        "TEMPORAL_ADDRESS": "live.tmprl.example:7233",
        "TEMPORAL_API_KEY": "live-key",
    }
    for name, value in live.items():
        monkeypatch.setenv(name, value)
    given = environment(LocalSettings(), state, demonstration=True)
    assert set(live.values()) & set(given.values()) == set()
    assert "TEMPORAL_API_KEY" not in given


def test_the_secrets_of_an_earlier_version_stay_and_what_is_new_is_added(state: Path) -> None:
    (state / "secrets.env").write_text("secret_key=as-it-was\n")
    password = console_password(state)
    given = environment(LocalSettings(), state, demonstration=True)
    assert given["REGRESA_SECRET_KEY"] == "as-it-was"
    assert given["REGRESA_BOOKINGS_TOKEN"]
    assert console_password(state) == password


def test_every_setting_of_the_clinic_is_given_so_that_a_dotenv_fills_no_gap(state: Path) -> None:
    given = environment(LocalSettings(), state, demonstration=True)
    models: list[type[BaseSettings]] = [
        ClinicSettings,
        EmailSettings,
        SmsSettings,
        WhatsAppSettings,
    ]
    wanted = {
        f"{model.model_config.get('env_prefix')}{name.upper()}"
        for model in models
        for name in model.model_fields
    }
    assert wanted - set(given) == set()


def test_secrets_are_made_once_and_are_for_the_owner_alone(state: Path) -> None:
    first = environment(LocalSettings(), state, demonstration=True)
    second = environment(LocalSettings(), state, demonstration=True)
    assert first["REGRESA_SECRET_KEY"] == second["REGRESA_SECRET_KEY"]
    assert stat.S_IMODE((state / "secrets.env").stat().st_mode) == 0o600


def test_a_shell_can_read_the_exported_settings(state: Path) -> None:
    lines = exports(environment(LocalSettings(), state, demonstration=True)).splitlines()
    assert all(line.startswith(("export REGRESA_", "export TEMPORAL_")) for line in lines)
    assert """export REGRESA_CHANNELS='["email", "sms", "whatsapp", "call"]'""" in lines


def test_the_exported_settings_are_for_the_owner_alone(state: Path) -> None:
    (state / "stack.env").touch(mode=0o644)  # of an earlier version
    file = write_exports({"REGRESA_SECRET_KEY": "a-secret"}, state)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "a-secret" in file.read_text()


def test_a_fresh_demo_removes_what_the_stack_made_and_nothing_else(state: Path) -> None:
    own = ("regresa.db", "regresa.db-wal", "temporal.db", "stack.log", "stack.env", "secrets.env")
    others = ("thesis.txt", "clinic.db")
    for name in (*own, "sandbox-ca.pem", "sandbox-ca.key", "finished", *others):
        (state / name).touch()
    (state / "uploads").mkdir()
    (state / "uploads" / "patients.csv").touch()
    remove_state(state)
    assert {path.name for path in state.iterdir()} == set(others)
