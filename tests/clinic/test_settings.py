"""Settings: what is missing or wrong is refused by the variable's name, and no secret is shown."""

from pathlib import Path

import pytest

from clinic.refusal import Refusal
from clinic.settings import PREFIX, ClinicSettings, load_settings

SECRET = "a-secret-that-is-32-characters-long"


@pytest.fixture(autouse=True)
def _a_bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ClinicSettings.model_fields:
        monkeypatch.delenv(f"{PREFIX}{name.upper()}", raising=False)


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGRESA_SECRET_KEY", SECRET)
    monkeypatch.setenv("REGRESA_CHANNELS", '["email", "call"]')
    monkeypatch.setenv("REGRESA_LOG_LEVEL", "debug")
    settings = load_settings(ClinicSettings, PREFIX)
    assert (
        settings.secret_key.get_secret_value(),
        settings.channels,
        settings.log_level,
    ) == (SECRET, ["email", "call"], "debug")


def test_settings_come_from_a_file_and_the_environment_wins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text(
        f"REGRESA_SECRET_KEY={SECRET}\nREGRESA_LOG_LEVEL=error\nREGRESA_LOG_FORMAT=json\nOTHER=1\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("REGRESA_LOG_LEVEL", "debug")
    settings = load_settings(ClinicSettings, PREFIX)
    assert (settings.log_level, settings.log_format) == ("debug", "json")


def test_what_is_given_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGRESA_CLINIC", "elsewhere")
    given = Path("here")
    assert given == load_settings(ClinicSettings, PREFIX, secret_key=SECRET, clinic=given).clinic


@pytest.mark.parametrize(
    ("variable", "written"),
    [
        pytest.param("REGRESA_SECRET_KEY", "too short", id="a short key"),
        pytest.param("REGRESA_PUBLIC_URL", "aurora.example", id="no http"),
        pytest.param("REGRESA_LOG_LEVEL", "loud", id="an unknown level"),
        pytest.param("REGRESA_LOG_FORMAT", "xml", id="an unknown format"),
        pytest.param("REGRESA_CHANNELS", "[]", id="no channel"),
        pytest.param("REGRESA_CHANNELS", "email,sms", id="channels that are no JSON"),
    ],
)
def test_a_wrong_variable_is_refused_by_its_name(
    monkeypatch: pytest.MonkeyPatch, variable: str, written: str
) -> None:
    monkeypatch.setenv("REGRESA_SECRET_KEY", SECRET)
    monkeypatch.setenv(variable, written)
    with pytest.raises(Refusal) as refused:
        load_settings(ClinicSettings, PREFIX)
    assert variable in str(refused.value)
    assert SECRET not in str(refused.value)
    assert "too short" not in str(refused.value)


def test_everything_that_is_wrong_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGRESA_LOG_LEVEL", "loud")
    with pytest.raises(Refusal) as refused:
        load_settings(ClinicSettings, PREFIX)
    assert "  REGRESA_SECRET_KEY: Field required" in refused.value.problem
    assert "  REGRESA_LOG_LEVEL: " in refused.value.problem
    assert ".env.example" in refused.value.remedy


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    settings = ClinicSettings.model_validate({"secret_key": SECRET, "bookings_token": "token-1"})
    assert SECRET not in repr(settings)
    assert "token-1" not in repr(settings)
