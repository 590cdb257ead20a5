"""The command for whoever has to know who saw or changed what."""

from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.audit import entries
from clinic.clinic import Clinic
from clinic.register.search import find_row, known_as
from clinic.tables import AuditEntry
from commands import terminal
from commands.options import AsJson
from commands.running import run_with_clinic

app = typer.Typer()

_SHOWN = 50


@app.command()
def audit(
    context: typer.Context,
    patient: Annotated[
        str | None,
        typer.Option(
            help="Only of this patient: the clinic's own number, or the opaque id (which is all "
            "that is left of somebody who was forgotten).",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[int, typer.Option(help="Lines shown at the most.", min=1)] = _SHOWN,
    as_json: AsJson = False,
) -> None:
    """Show who saw or changed what in the console, the newest first.

    Examples:
    - `regresa audit`
    - `regresa audit --patient A-0042 --limit 500 --json`
    """

    async def run(clinic: Clinic) -> None:
        async with clinic.database.reading() as session:
            patient_id = await _patient_id(session, patient, clinic) if patient else None
            found = await entries(session, patient_id=patient_id, at_most=limit + 1)
        shown = found[:limit]
        if as_json:
            terminal.print_json([_line(entry) for entry in shown])
            return
        if not shown:
            terminal.console.print(
                "The audit log has no line about this patient." if patient else _EMPTY
            )
            return
        table = terminal.new_table("When", "who", "did", "patient", "subject", "details")
        for entry in shown:
            table.add_row(
                terminal.local(entry.at, clinic.profile.zone),
                entry.who or "not known",
                entry.action.replace("_", " "),
                entry.patient_id or "",
                entry.subject or "",
                _details(entry),
            )
        terminal.console.print(table)
        if len(found) > limit:
            terminal.console.print("... and more (--limit shows more)")

    run_with_clinic(context, run)


_EMPTY = "The audit log is empty."


async def _patient_id(session: AsyncSession, written: str, clinic: Clinic) -> str:
    """Return whom somebody means, also one who was forgotten, by the opaque id.

    Raises:
        Refusal: There is nobody, or the number was forgotten.
    """
    found = await known_as(session, written.strip())
    if found is None:
        found = await find_row(session, written, key=clinic.key)
    return found.id


def _details(entry: AuditEntry) -> str:
    said = (
        f"{name}: {', '.join(value) if isinstance(value, list) else value}"
        for name, value in entry.details.items()
    )
    return "; ".join(said)


def _line(entry: AuditEntry) -> dict[str, object]:
    return {column.name: getattr(entry, column.name) for column in AuditEntry.__table__.columns}
