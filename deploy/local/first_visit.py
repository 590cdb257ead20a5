"""What a newcomer to the stack finds: patients, and somebody to sign in as.

So nothing has to be read or typed before the console shows how it works. Both are made by the
commands that people use.
"""

import json
import subprocess
from pathlib import Path
from typing import NamedTuple

from clinic.refusal import Refusal

EXAMPLE_REGISTER = "examples/clinic/register.csv"
_NAME = "Aurora"
_BEGUN = "importing"
"""A file in the stack's folder while the register is imported: an interrupted import goes on."""


class FirstAccount(NamedTuple):
    """What to sign in with."""

    name: str
    password: str


def needs_patients(state: Path) -> bool:
    """Whether the stack's register was never filled; one that somebody has is left as it is.

    Args:
        state: The folder of the stack's state.
    """
    return (state / _BEGUN).exists() or not (state / "regresa.db").exists()


def import_patients(environment: dict[str, str], state: Path) -> None:
    """Import the example clinic's register of invented patients.

    Args:
        environment: Of the command; the stack need not be up.
        state: The folder of the stack's state.

    Raises:
        Refusal: The command refused.
    """
    begun = state / _BEGUN
    begun.touch()
    _regresa(environment, "import", EXAMPLE_REGISTER)
    begun.unlink()


def first_account(environment: dict[str, str], password: str) -> FirstAccount | None:
    """Make an account that may do everything.

    Args:
        environment: Of the command.
        password: For it; kept with the stack's other secrets, so that it is the same next time.

    Returns:
        The account; None where other accounts were made instead, and it was not.

    Raises:
        Refusal: The command refused.
    """
    listed = json.loads(_regresa(environment, "accounts", "list", "--json"))
    known = {each["name"] for each in listed}
    if known and _NAME not in known:
        return None
    if not known:
        _regresa(
            environment,
            *("accounts", "add", _NAME, "--role", "admin", "--password-stdin"),
            typed=password,
        )
    return FirstAccount(_NAME, password)


def _regresa(environment: dict[str, str], *arguments: str, typed: str = "") -> str:
    done = subprocess.run(  # noqa: S603 - our own command
        ["regresa", *arguments],  # noqa: S607 - that of the environment
        env=environment,
        input=typed,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise Refusal(f"`regresa {' '.join(arguments)}` was refused", done.stderr.strip())
    return done.stdout
