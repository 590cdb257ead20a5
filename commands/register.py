"""Commands for the register: import a patient list, see the segments."""

from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import func, select

from clinic.clinic import Clinic
from clinic.register_import.import_run import import_register, write_rejects
from clinic.segment_sql import members
from clinic.tables import Patient
from commands import terminal
from commands.options import AsJson, refuse_unwritable
from commands.running import now, run_with_clinic

app = typer.Typer()


@app.command(name="import")
def import_file(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The patient list, as CSV in UTF-8.")],
    rejects: Annotated[
        Path | None, typer.Option(help="Where to write what could not be used.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Import a patient list into the register.

    Every row ends as new, updated, unchanged or rejected; the rejected ones are written to a
    file of their own, with line and reason. A second import of the same file changes nothing.

    Example: `regresa import patients.csv`
    """
    rejects = rejects or Path(f"{file.stem}.rejects.csv")

    async def run(clinic: Clinic) -> None:
        refuse_unwritable(rejects, "--rejects")
        with terminal.console.status(f"Reading {file.name} ...") as status:
            async with clinic.database.writing() as session:
                result = await import_register(
                    session,
                    file,
                    country=clinic.profile.country,
                    zone=clinic.profile.zone,
                    now=now(),
                    on_progress=lambda line: status.update(f"Reading {file.name}: line {line}"),
                )
        if result.rejects:
            write_rejects(result, rejects)
        written = str(rejects) if result.rejects else None
        if as_json:
            counts = {name: getattr(result, name) for name in ("new", "updated", "unchanged")}
            terminal.print_json(counts | {"rejected": result.rejected, "rejects": written})
        else:
            terminal.print_import(result, written)

    run_with_clinic(context, run)


@app.command()
def segments(context: typer.Context, as_json: AsJson = False) -> None:
    """List the clinic's segments and how many patients each has now.

    Example: `regresa segments`
    """

    async def run(clinic: Clinic) -> None:
        rows: list[tuple[str, int, str]] = []
        async with clinic.database.reading() as session:
            for segment in clinic.folder.segments():
                condition = members(segment, now(), clinic.profile.zone)
                query = select(func.count()).select_from(Patient).where(condition)
                count = await session.scalar(query) or 0
                rows.append((segment.name, count, segment.description))
        if as_json:
            keys = ("name", "patients", "description")
            terminal.print_json([dict(zip(keys, row, strict=True)) for row in rows])
        else:
            terminal.print_segments(rows)

    run_with_clinic(context, run)
