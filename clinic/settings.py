"""What a process is told by its environment or a `.env` file."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from clinic.refusal import Refusal

PREFIX = "REGRESA_"
_Settings = TypeVar("_Settings", bound=BaseModel)


def _listed(written: object) -> object:
    # read here and not by pydantic-settings, whose error would name no variable
    try:
        return json.loads(written) if isinstance(written, str) else written
    except json.JSONDecodeError:
        raise ValueError('write a list such as ["email", "sms", "call"]') from None


class ClinicSettings(BaseSettings):
    """Settings that every process shares; each is the variable REGRESA_<NAME>.

    Attributes:
        clinic: The clinic's folder: clinic.yaml, segments, plans, templates, policies.
        database_url: `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/NAME`.
        secret_key: Signs patients' links and hashes suppressed addresses; never change it
            while a campaign runs, or the links that were sent stop working.
        public_url: Where patients and providers reach the console from outside.
        bookings_token: What the clinic's software presents to report a booking; empty: closed.
        contact_policy: Overrules the policy that clinic.yaml names.
        channels: The channels in use.
        log_format: `console` for people, `json` for machines.
        log_level: Least severity that is logged.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=".env", extra="ignore")

    clinic: Path = Path("examples/clinic")
    database_url: str = "sqlite:///var/regresa.db"
    secret_key: Annotated[SecretStr, Field(min_length=32)]
    public_url: Annotated[str, Field(pattern=r"^https?://[^/]+(/.*)?$")] = "http://127.0.0.1:8080"
    bookings_token: SecretStr = SecretStr("")
    contact_policy: str | None = None
    channels: Annotated[list[str], NoDecode, BeforeValidator(_listed), Field(min_length=1)] = [
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
        raise Refusal(
            "settings are missing or wrong:\n" + "\n".join(_lines(error, prefix)),
            "Set them in the environment or in a .env file (.env.example lists all of them); to "
            "use the stack that `make run` started: source var/run/stack.env",
        ) from None


def _lines(error: ValidationError, prefix: str) -> list[str]:
    return [
        f"  {prefix}{'_'.join(str(part) for part in problem['loc']).upper()}: "
        f"{problem['msg'].removeprefix('Value error, ')}"
        for problem in error.errors(include_url=False, include_input=False)
    ]
