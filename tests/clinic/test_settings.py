"""Settings: what is missing or wrong is refused by the variable's name, and no secret is shown."""

from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, DirectoryPath, Field, model_validator

from clinic.refusal import Refusal
from clinic.settings import PREFIX, ClinicSettings, load_settings

SECRET = "a-secret-that-is-32-characters-long"
A_LIST = 'expected a list such as ["email", "sms", "call"]'


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
    ("variable", "written", "said"),
    [
        pytest.param(
            "REGRESA_SECRET_KEY", "too short", "expected at least 32 characters", id="a short key"
        ),
        pytest.param("REGRESA_SECRET_KEY", "", "is missing", id="an empty key"),
        pytest.param(
            "REGRESA_PUBLIC_URL",
            "aurora.example",
            "expected an address such as https://come-back.example.com",
            id="no http",
        ),
        pytest.param(
            "REGRESA_LOG_LEVEL",
            "loud",
            "expected `debug`, `info`, `warning` or `error`",
            id="an unknown level",
        ),
        pytest.param(
            "REGRESA_LOG_FORMAT", "xml", "expected `console` or `json`", id="an unknown format"
        ),
        pytest.param("REGRESA_CHANNELS", "[]", A_LIST, id="no channel"),
        pytest.param("REGRESA_CHANNELS", "email,sms", A_LIST, id="channels that are no JSON"),
    ],
)
def test_a_wrong_variable_is_refused_by_its_name_with_what_is_expected(
    monkeypatch: pytest.MonkeyPatch, variable: str, written: str, said: str
) -> None:
    monkeypatch.setenv("REGRESA_SECRET_KEY", SECRET)
    monkeypatch.setenv(variable, written)
    with pytest.raises(Refusal) as refused:
        load_settings(ClinicSettings, PREFIX)
    assert refused.value.problem == f"settings are missing or wrong:\n  {variable}: {said}"
    assert SECRET not in str(refused.value)
    assert "too short" not in str(refused.value)


class _Numbers(BaseModel):
    port: Annotated[int, Field(ge=1)] = 1
    rate: Annotated[float, Field(allow_inf_nan=False)] = 1
    name: Annotated[str, Field(max_length=3)] = ""
    folder: DirectoryPath = Path()
    on: bool = False
    number: Annotated[str, Field(pattern="^[0-9]*$", description="digits alone")] = ""

    @model_validator(mode="after")
    def _name_and_number(self) -> "_Numbers":
        if self.name and not self.number:
            raise ValueError("A_NAME needs A_NUMBER")
        return self


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"port": "high"}, "A_PORT: expected a whole number"),
        ({"port": 0}, "A_PORT: expected a number of at least 1"),
        ({"rate": "nan"}, "A_RATE: expected a number"),
        ({"name": "long"}, "A_NAME: expected at most 3 characters"),
        ({"folder": "/no/such"}, "A_FOLDER: there is no such folder"),
        ({"on": "maybe"}, "A_ON: expected `true` or `false`"),
        ({"number": "one"}, "A_NUMBER: expected digits alone"),
        ({"name": "abc"}, "A_NAME needs A_NUMBER"),
    ],
)
def test_what_is_expected_is_said_in_words(given: dict[str, Any], said: str) -> None:
    with pytest.raises(Refusal) as refused:
        load_settings(_Numbers, "A_", **given)
    assert refused.value.problem == f"settings are missing or wrong:\n  {said}"


def test_everything_that_is_wrong_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGRESA_LOG_LEVEL", "loud")
    with pytest.raises(Refusal) as refused:
        load_settings(ClinicSettings, PREFIX)
    assert "  REGRESA_SECRET_KEY: is missing\n" in refused.value.problem
    assert "  REGRESA_LOG_LEVEL: " in refused.value.problem
    assert ".env.example" in refused.value.remedy


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    settings = ClinicSettings.model_validate({"secret_key": SECRET, "bookings_token": "token-1"})
    assert SECRET not in repr(settings)
    assert "token-1" not in repr(settings)
