"""What a process is told by its environment or a `.env` file."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from clinic.refusal import Refusal

PREFIX = "REGRESA_"
_Settings = TypeVar("_Settings", bound=BaseModel)

_WORDS = {
    "too_short": "expected at least {min_length} characters",
    "too_long": "expected at most {max_length} characters",
    "string_too_short": "expected at least {min_length} characters",
    "string_too_long": "expected at most {max_length} characters",
    "int_parsing": "expected a whole number",
    "float_parsing": "expected a number",
    "finite_number": "expected a number",
    "bool_parsing": "expected `true` or `false`",
    "greater_than": "expected a number above {gt}",
    "greater_than_equal": "expected a number of at least {ge}",
    "less_than": "expected a number below {lt}",
    "less_than_equal": "expected a number of at most {le}",
    "path_not_directory": "there is no such folder",
    "path_not_file": "there is no such file",
}
"""pydantic's types of errors; what a pattern means stands in its field's `description`."""

_CHANNELS = '["email", "sms", "call"]'


def _listed(written: object) -> object:
    # read here and not by pydantic-settings, whose error would name no variable
    try:
        return json.loads(written) if isinstance(written, str) else written
    except json.JSONDecodeError:
        raise ValueError(f"expected a list such as {_CHANNELS}") from None


class ClinicSettings(BaseSettings):
    """Settings that every process shares; each is the variable REGRESA_<NAME>.

    Attributes:
        clinic: The clinic's folder: clinic.yaml, segments, plans, templates, policies.
        database_url: `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/NAME`.
        uploads: Where the console keeps the lists that are imported by it, for a day; None:
            beside SQLite's file, and under `var` for another database.
        secret_key: Signs patients' links and hashes suppressed addresses; never change it
            while a campaign runs, or the links that were sent stop working.
        public_url: Where patients and providers reach the console from outside.
        temporal_ui_url: Temporal's UI, to which a card's attempts are linked; empty: no link.
        bookings_token: What the clinic's software presents to report a booking; empty: closed.
        metrics_token: What Prometheus presents to read the console's metrics; empty: closed.
        contact_policy: Overrules the policy that clinic.yaml names.
        channels: The channels in use.
        log_format: `console` for people, `json` for machines.
        log_level: Least severity that is logged.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=".env", extra="ignore")

    clinic: Path = Path("examples/clinic")
    database_url: str = "sqlite:///var/regresa.db"
    uploads: Annotated[Path | None, BeforeValidator(lambda written: written or None)] = None
    secret_key: Annotated[SecretStr, Field(min_length=32)]
    public_url: Annotated[
        str,
        Field(
            pattern=r"^https?://[^/]+(/.*)?$",
            description="an address such as https://come-back.example.com",
        ),
    ] = "http://127.0.0.1:8080"
    temporal_ui_url: Annotated[
        str,
        Field(
            pattern=r"^(https?://[^/?#\s]+(/[^?#\s]*)?)?$",
            description="an address such as https://temporal.example.com, or nothing",
        ),
    ] = ""
    bookings_token: SecretStr = SecretStr("")
    metrics_token: SecretStr = SecretStr("")
    contact_policy: str | None = None
    channels: Annotated[
        list[str],
        NoDecode,
        BeforeValidator(_listed),
        Field(min_length=1, description=f"a list such as {_CHANNELS}"),
    ] = [
        "email",
        "sms",
        "call",
    ]
    log_format: Literal["console", "json"] = "console"
    log_level: Literal["debug", "info", "warning", "error"] = "info"


def load_settings(model: type[_Settings], prefix: str, **given: Any) -> _Settings:
    """Read settings from the environment.

    Args:
        model: What to read.
        prefix: The variables' prefix, to name them in the refusal.
        given: Values that win over the environment, such as command-line options.

    Raises:
        Refusal: A variable is missing or wrong; it names each.
    """
    try:
        return model(**given)
    except ValidationError as error:
        lines = (f"  {_line(problem, model, prefix)}" for problem in error.errors())
        raise Refusal(
            "settings are missing or wrong:\n" + "\n".join(lines),
            "Set them in the environment or in a .env file (.env.example lists all of them); to "
            "use the stack that `make run` started: source var/run/stack.env",
        ) from None


def _line(problem: Mapping[str, Any], model: type[BaseModel], prefix: str) -> str:
    """Say which variable is missing or wrong, and never what it holds: it may be a secret."""
    if not problem["loc"]:  # of several variables, which it names
        return _said(problem, None)
    name = str(problem["loc"][0])
    return f"{prefix}{name.upper()}: {_said(problem, model.model_fields.get(name))}"


def _said(problem: Mapping[str, Any], field: FieldInfo | None) -> str:
    kind, limits = str(problem["type"]), problem.get("ctx", {})
    required = field is not None and field.is_required()
    if kind == "missing" or (required and problem["input"] == ""):
        return "is missing"
    if kind.startswith("value_error"):
        return str(problem["msg"]).removeprefix("Value error, ")
    if field is not None and field.description:
        return f"expected {field.description}"
    if kind == "literal_error":
        return f"expected {limits['expected']}".replace("'", "`")
    return _WORDS[kind].format(**limits) if kind in _WORDS else str(problem["msg"])
