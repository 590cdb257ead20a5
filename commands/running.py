"""What every command does around its work: open the clinic, say no with exit code 2."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import NoReturn, TypeVar

import typer

from clinic.clinic import Clinic
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


def now() -> datetime:
    """Return this moment, aware UTC."""
    return datetime.now(UTC)
