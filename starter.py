"""Clinic ops' and staff's command line: import, preview, start, watch, report, calls."""

from pathlib import Path
from typing import Annotated

import typer

from commands import (
    accounts,
    audit,
    calls,
    campaigns,
    channels,
    duplicates,
    operation,
    patients,
    privacy,
    register,
    register_import,
)

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,  # they print local variables, patients among them
    help="Bring a clinic's lapsed patients back.\n\n"
    "Start with `import`, `segments` and `preview`; then `start` and `watch` a campaign. "
    "Settings are read from the environment or a .env file; .env.example lists them.",
)
for part in (
    register_import,
    duplicates,
    register,
    patients,
    campaigns,
    calls,
    privacy,
    channels,
    accounts,
    audit,
    operation,
):
    app.add_typer(part.app)


@app.callback()
def _options(
    context: typer.Context,
    clinic: Annotated[
        Path | None,
        typer.Option(envvar="REGRESA_CLINIC", help="The clinic's folder.", show_default=False),
    ] = None,
) -> None:
    context.obj = clinic


if __name__ == "__main__":
    app()
