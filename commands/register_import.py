"""The command for the register's beginning: import a patient list."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from clinic.audit import Action, note
from clinic.clinic import Clinic
from clinic.refusal import Refusal
from clinic.register_import.import_result import AGAIN, ImportResult
from clinic.register_import.import_run import import_register, unfinished_imports
from clinic.register_import.register_row import Source
from clinic.register_import.rejects import RejectsFile
from clinic.register_import.source_file import open_source
from commands import import_screen, terminal
from commands.audited import login_name
from commands.options import AsJson, refuse_unwritable
from commands.running import now, run_with_clinic

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from clinic.database import Transactions

app = typer.Typer()


@app.command(name="import")
def import_file(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The export: CSV, TSV, XLSX, or FHIR as NDJSON.")],
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would become of it; write nothing.")
    ] = False,
    mapping: Annotated[
        Path | None, typer.Option(help="Which column is which, where that is not understood.")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="Such as cp1252, where it is not told right.")
    ] = None,
    rejects: Annotated[
        Path | None,
        typer.Option(
            help="Where to write what could not be used.", show_default="FILE's name.rejects.csv"
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Import a patient list into the register.

    Every row ends as new, updated, unchanged or rejected; what could not be used is written to a
    file of its own, with line and reason. A second import of the same file changes nothing.
    Interrupted, it says how far it came, and the same command again finishes it.

    Example: `regresa import patients.csv --dry-run`
    """
    # a trial leaves nothing behind, unless a file is asked for
    listing = rejects or (None if dry_run else Path(f"{file.stem}.rejects.csv"))

    async def run(clinic: Clinic) -> None:
        if listing is not None:
            _refuse_as_rejects(listing, file)
        await warn_of_unfinished(clinic, file.name)
        source = _open(file, clinic, mapping, encoding)
        result = ImportResult()
        if not dry_run:  # at once: what was interrupted has changed the register too
            await _note(clinic, step="began")
        async with _register(clinic, dry_run=dry_run) as database:
            try:
                await _import(database, source, clinic, result, listing)
            except asyncio.CancelledError:
                if not dry_run:
                    typer.echo(f"{result.how_far(source.name)}.\n{AGAIN}", err=True)
                raise
        if not dry_run:
            await _note(clinic, step="done", **result.counts)
        written = str(listing) if listing is not None and result.unusable else None
        if as_json:
            terminal.print_json(import_screen.as_json(source, result, written, dry_run=dry_run))
        else:
            import_screen.print_import(source, result, written, dry_run=dry_run)

    run_with_clinic(context, run)


async def warn_of_unfinished(clinic: Clinic, about_to_run: str = "") -> None:
    """Say which imports did not reach their file's end, unless one is about to be run again."""
    async with clinic.database.reading() as session:
        unfinished = await unfinished_imports(session)
    for run in {run.file_name: run for run in unfinished}.values():
        if run.file_name == about_to_run:
            continue
        began = terminal.local(run.started_at, clinic.profile.zone)
        typer.echo(
            f"The import of {run.file_name} that began on {began} has not finished: it reached "
            f"line {run.line}. Unless it is still running, run it again.",
            err=True,
        )


async def _note(clinic: Clinic, **details: int | str) -> None:
    async with clinic.database.writing() as session:
        await note(session, who=login_name(), action=Action.IMPORTED, now=now(), details=details)


def _refuse_as_rejects(listing: Path, file: Path) -> None:
    refuse_unwritable(listing, "--rejects")
    if listing.exists() and file.exists() and listing.samefile(file):
        raise Refusal(f"--rejects: {listing} is the list itself", "Name another file.")


def _open(file: Path, clinic: Clinic, mapping: Path | None, encoding: str | None) -> Source:
    profile = clinic.profile
    with terminal.console.status(f"Looking through {file.name} ..."):
        return open_source(
            file,
            country=profile.country,
            language=profile.language,
            zone=profile.zone,
            today=now().astimezone(profile.zone).date(),
            mapping=mapping,
            encoding=encoding,
        )


@asynccontextmanager
async def _register(clinic: Clinic, *, dry_run: bool) -> "AsyncIterator[Transactions]":
    if not dry_run:
        yield clinic.database
        return
    async with clinic.database.discarding() as database:
        yield database


async def _import(
    database: "Transactions",
    source: Source,
    clinic: Clinic,
    result: ImportResult,
    listing: Path | None,
) -> None:
    async def run(rejects: RejectsFile | None) -> None:
        with _progress(source) as on_progress:
            await import_register(
                database,
                source,
                now=now(),
                key=clinic.key,
                zone=clinic.profile.zone,
                result=result,
                on_reject=rejects.add if rejects else lambda _: None,
                on_progress=on_progress,
            )

    if listing is None:
        await run(None)
        return
    with RejectsFile(listing, source.header) as rejects:
        await run(rejects)


@contextmanager
def _progress(source: Source) -> Iterator[Callable[[int], None]]:
    """Show how much of a file has been read, where somebody looks."""
    screen = Console(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=screen, transient=True, disable=not screen.is_terminal
    ) as progress:
        task = progress.add_task(f"Importing {source.name}", total=source.size)
        yield lambda position: progress.update(task, completed=position)
