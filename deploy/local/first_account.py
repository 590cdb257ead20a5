"""Somebody who can sign in to a new stack's console, so that a visitor need read nothing first."""

import json
import subprocess
from typing import NamedTuple

from clinic.refusal import Refusal

_NAME = "Aurora"


class FirstAccount(NamedTuple):
    """What to sign in with."""

    name: str
    password: str


def first_account(environment: dict[str, str], password: str) -> FirstAccount | None:
    """Make an account that may do everything, by the command that people use.

    Args:
        environment: Of the command; the stack is up.
        password: For it; kept with the stack's other secrets, so that it is the same next time.

    Returns:
        The account; None where other accounts were made instead, and it was not.

    Raises:
        Refusal: The command refused.
    """
    known = {each["name"] for each in json.loads(_regresa(environment, "list", "--json"))}
    if known and _NAME not in known:
        return None
    if not known:
        _regresa(environment, "add", _NAME, "--role", "admin", "--password-stdin", said=password)
    return FirstAccount(_NAME, password)


def _regresa(environment: dict[str, str], *arguments: str, said: str = "") -> str:
    done = subprocess.run(  # noqa: S603 - our own command
        ["regresa", "accounts", *arguments],  # noqa: S607 - that of the environment
        env=environment,
        input=said,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise Refusal("no account for the console could be made", done.stderr.strip())
    return done.stdout
