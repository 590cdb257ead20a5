"""Where the local stack listens and keeps its state, and what it tells its processes."""

import os
import secrets
import shlex
import sys
from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from activities.names import SEARCH_ATTRIBUTES

PREFIX = "REGRESA_LOCAL_"
HOST = "127.0.0.1"

Port = Annotated[int, Field(ge=1, le=65535)]


class LocalSettings(BaseSettings):
    """Ports of the local stack; each is the variable REGRESA_LOCAL_<NAME>.

    Attributes:
        state: The folder of databases, certificates, secrets and logs; default: `var/demo` for
            the demo, `var/run` for `make run`.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore")

    temporal_port: Port = 7233
    ui_port: Port = 8233
    console_port: Port = 8080
    smtp_port: Port = 8025
    sandbox_port: Port = 8026
    state: Path | None = None

    def ports(self) -> dict[str, tuple[int, str]]:
        """Return what listens where: name to port and the setting that moves it."""
        return {
            name: (getattr(self, field), f"{PREFIX}{field.upper()}")
            for name, field in (
                ("Temporal", "temporal_port"),
                ("Temporal's UI", "ui_port"),
                ("the console", "console_port"),
                ("the SMTP server", "smtp_port"),
                ("the sandbox", "sandbox_port"),
            )
        }


def environment(settings: LocalSettings, state: Path, *, demonstration: bool) -> dict[str, str]:
    """Return the environment of the stack's processes.

    Nothing of a live clinic gets in: the caller's own REGRESA_* and TEMPORAL_* are left behind,
    and every provider's setting is given, so that a .env file can't fill a gap.

    Args:
        settings: The ports.
        state: The folder of the stack's state.
        demonstration: Whether the policy that protects nobody is in force: invented patients
            are written to at any hour.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("REGRESA_", "TEMPORAL_"))
    }
    return kept | _tools() | _product(settings, state, demonstration=demonstration)


def write_exports(variables: dict[str, str], state: Path) -> Path:
    """Write the exports, which hold secrets, for the owner alone; return the file."""
    path = state / "stack.env"
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(exports(variables))
    return path


def exports(variables: dict[str, str]) -> str:
    """Write the product's part of an environment as a file for a shell to read."""
    lines = [
        f"export {name}={shlex.quote(value)}"
        for name, value in sorted(variables.items())
        if name.startswith(("REGRESA_", "TEMPORAL_"))
    ]
    return "\n".join(lines) + "\n"


def _tools() -> dict[str, str]:
    # `temporal`, `python` and `regresa` are those of the running virtual environment
    binaries = str(Path(sys.executable).parent)
    return {"PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}", "PYTHONUNBUFFERED": "1"}


def _product(settings: LocalSettings, state: Path, *, demonstration: bool) -> dict[str, str]:
    known = _secrets(state)
    console = f"http://{HOST}:{settings.console_port}"
    sandbox = f"http://{HOST}:{settings.sandbox_port}"
    ca_file = str(state / "sandbox-ca.pem")
    variables = {
        "TEMPORAL_ADDRESS": f"{HOST}:{settings.temporal_port}",
        "TEMPORAL_CONFIG_FILE": os.devnull,
        "REGRESA_LOCAL_TEMPORAL_PORT": str(settings.temporal_port),
        "REGRESA_LOCAL_UI_PORT": str(settings.ui_port),
        "REGRESA_LOCAL_CONSOLE_PORT": str(settings.console_port),
        "REGRESA_LOCAL_TEMPORAL_FILE": str(state / "temporal.db"),
        "REGRESA_LOCAL_SEARCH_ATTRIBUTES": " ".join(
            f"--search-attribute {key.name}=Keyword" for key in SEARCH_ATTRIBUTES
        ),
        "REGRESA_CLINIC": str(Path("examples/clinic").resolve()),
        "REGRESA_DATABASE_URL": f"sqlite:///{state / 'regresa.db'}",
        "REGRESA_UPLOADS": str(state / "uploads"),
        "REGRESA_SECRET_KEY": known["secret_key"],
        "REGRESA_PUBLIC_URL": console,
        "REGRESA_TEMPORAL_UI_URL": f"http://{HOST}:{settings.ui_port}",
        "REGRESA_BOOKINGS_TOKEN": known["bookings_token"],
        "REGRESA_METRICS_TOKEN": known["metrics_token"],
        "REGRESA_CHANNELS": '["email", "sms", "whatsapp", "call"]',
        "REGRESA_WORKER_WAIT": "30",
        "REGRESA_LOG_FORMAT": "console",
        "REGRESA_LOG_LEVEL": "info",
        "REGRESA_EMAIL_HOST": HOST,
        "REGRESA_EMAIL_PORT": str(settings.smtp_port),
        "REGRESA_EMAIL_SECURITY": "starttls",
        "REGRESA_EMAIL_USERNAME": "aurora",
        "REGRESA_EMAIL_PASSWORD": known["smtp_password"],
        "REGRESA_EMAIL_FROM_ADDRESS": "hello@aurora.example",
        "REGRESA_EMAIL_CA_FILE": ca_file,
        "REGRESA_EMAIL_PER_SECOND": "",
        "REGRESA_EMAIL_REPLY_PLUS": "false",
        "REGRESA_EMAIL_DKIM_KEY_FILE": "",
        "REGRESA_EMAIL_DKIM_SELECTOR": "",
        "REGRESA_EMAIL_DKIM_DOMAIN": "",
        "REGRESA_EMAIL_IMAP_HOST": "",
        "REGRESA_EMAIL_IMAP_PORT": "",
        "REGRESA_EMAIL_IMAP_SECURITY": "tls",
        "REGRESA_EMAIL_IMAP_USERNAME": "",
        "REGRESA_EMAIL_IMAP_PASSWORD": "",
        "REGRESA_EMAIL_IMAP_FOLDER": "INBOX",
        "REGRESA_EMAIL_IMAP_DONE_FOLDER": "",
        "REGRESA_SMS_ACCOUNT_SID": known["account_sid"],
        "REGRESA_SMS_AUTH_TOKEN": known["auth_token"],
        "REGRESA_SMS_FROM_NUMBER": "+13055550100",
        "REGRESA_SMS_MESSAGING_SERVICE_SID": "",
        "REGRESA_SMS_BASE_URL": sandbox,
        "REGRESA_SMS_PER_SECOND": "1000",
        "REGRESA_WHATSAPP_ACCOUNT_SID": known["account_sid"],
        "REGRESA_WHATSAPP_AUTH_TOKEN": known["auth_token"],
        "REGRESA_WHATSAPP_FROM_NUMBER": "+13055550100",
        "REGRESA_WHATSAPP_MESSAGING_SERVICE_SID": "",
        "REGRESA_WHATSAPP_BASE_URL": sandbox,
        "REGRESA_WHATSAPP_PER_SECOND": "1000",
        "REGRESA_SANDBOX_SMTP_PORT": str(settings.smtp_port),
        "REGRESA_SANDBOX_HTTP_PORT": str(settings.sandbox_port),
        "REGRESA_SANDBOX_SMTP_USER": "aurora",
        "REGRESA_SANDBOX_SMTP_PASSWORD": known["smtp_password"],
        "REGRESA_SANDBOX_CA_FILE": ca_file,
        "REGRESA_SANDBOX_TWILIO_ACCOUNT_SID": known["account_sid"],
        "REGRESA_SANDBOX_TWILIO_AUTH_TOKEN": known["auth_token"],
        "REGRESA_SANDBOX_TWILIO_NUMBERS": '["+13055550100"]',
        "REGRESA_SANDBOX_WEBHOOK_URL": f"{console}/webhooks/sms",
        "REGRESA_SANDBOX_WHATSAPP_WEBHOOK_URL": f"{console}/webhooks/whatsapp",
        "REGRESA_SANDBOX_REGISTER_FILE": str(Path("examples/clinic/register.csv").resolve()),
        "REGRESA_SANDBOX_BOOKINGS_URL": f"{console}/bookings",
        "REGRESA_SANDBOX_BOOKINGS_TOKEN": known["bookings_token"],
        "REGRESA_SANDBOX_PATIENTS": "true",
    }
    if demonstration:
        variables["REGRESA_CONTACT_POLICY"] = "round-the-clock"
    return variables


def console_password(state: Path) -> str:
    """Return the password of the stack's first account (`deploy.local.first_visit`)."""
    return _secrets(state)["console_password"]


def _secrets(state: Path) -> dict[str, str]:
    """Return the stack's own secrets, made at its first start and kept with its state."""
    path = state / "secrets.env"
    path.touch(mode=0o600, exist_ok=True)
    known = dict(line.split("=", 1) for line in path.read_text().splitlines())
    made = {
        "secret_key": secrets.token_hex(32),
        "bookings_token": secrets.token_hex(16),
        "metrics_token": secrets.token_hex(16),
        "smtp_password": secrets.token_hex(16),
        "account_sid": "AC" + secrets.token_hex(16),
        "auth_token": secrets.token_hex(16),
        "console_password": secrets.token_hex(8),
    }
    if not made.keys() <= known.keys():  # the first start, or one of a later version
        known = made | known
        path.write_text("".join(f"{name}={value}\n" for name, value in known.items()))
    return known
