"""What every command does around its work: open the clinic, say no with exit code 2."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import NoReturn, TypeVar

import typer

from clinic.clinic import Clinic
from clinic.contact_policy import ContactPolicy, refuse_unknown_channels
from clinic.delivery_check import AddressOf
from clinic.refusal import Refusal
from clinic.settings import PREFIX, ClinicSettings, load_settings
from commands.foreign_text import harmless

_Result = TypeVar("_Result")
_INTERRUPTED = 130


def run_with_clinic(
    context: typer.Context, work: Callable[[Clinic], Awaitable[_Result]]
) -> _Result:
    """Run a command's work with the clinic open; say no with exit code 2."""

    async def opened() -> _Result:
        clinic = open_clinic(context)
        async with clinic.opened():
            return await work(clinic)

    try:
        return asyncio.run(opened())
    except Refusal as refusal:
        refuse(refusal)
    except KeyboardInterrupt:
        typer.echo("Interrupted; what was recorded is kept.", err=True)
        sys.exit(_INTERRUPTED)


def open_clinic(context: typer.Context) -> Clinic:
    """Open the clinic that the options and the environment name.

    Raises:
        Refusal: The folder, its policy or a setting is wrong.
    """
    given = {"clinic": context.obj} if context.obj is not None else {}
    return Clinic(load_settings(ClinicSettings, PREFIX, **given))


def refuse(refusal: Refusal) -> NoReturn:
    """Say what is wrong, and end with exit code 2."""
    typer.echo(f"regresa: {harmless(str(refusal))}", err=True)
    sys.exit(2)


def addresses_by_channel(
    clinic: Clinic, policy: ContactPolicy | None = None
) -> dict[str, AddressOf]:
    """Return how each channel in use reads a patient's address.

    Args:
        clinic: The clinic.
        policy: The contact policy to be followed; None: the one in force.

    Raises:
        Refusal: A channel in use, or one that the policy names, is not installed.
    """
    from channels import registry  # noqa: PLC0415 - the providers' libraries load slowly

    classes = registry.installed()
    for name in clinic.settings.channels:
        if name not in classes:
            known = ", ".join(sorted(classes))
            raise Refusal(f"no channel `{name}` is installed", f"Installed: {known}")
    refuse_unknown_channels(policy or clinic.policy, classes)
    return {name: classes[name].address_of for name in clinic.settings.channels}


def now() -> datetime:
    """Return this moment, aware UTC."""
    return datetime.now(UTC)
