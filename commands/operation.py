"""Commands for operators: tables and search attributes."""

import asyncio

import typer

from clinic.clinic import Clinic
from clinic.refusal import Refusal
from commands import terminal
from commands.running import open_clinic, refuse

app = typer.Typer()


@app.command()
def migrate(context: typer.Context) -> None:
    """Bring the database to this version's tables. Make a backup first.

    Example: `regresa migrate`
    """
    try:
        clinic = open_clinic(context)
        asyncio.run(_migrate(clinic))
    except Refusal as refusal:
        refuse(refusal)


@app.command(name="search-attributes")
def search_attributes() -> None:
    """Register the product's search attributes with Temporal; needed once for each namespace.

    Example: `regresa search-attributes`
    """

    async def run() -> None:
        # imported here: the other commands do without Temporal, and start faster for it
        from activities.temporal_connection import (  # noqa: PLC0415
            connect,
            register_search_attributes,
        )

        added = await register_search_attributes(await connect())
        said = ", ".join(added) if added else "none; all were there"
        terminal.console.print(f"Registered: {said}.")

    try:
        asyncio.run(run())
    except Refusal as refusal:
        refuse(refusal)


async def _migrate(clinic: Clinic) -> None:
    try:
        await clinic.database.migrate()
    finally:
        await clinic.database.close()
    terminal.console.print("The database is at this version's tables.")
