"""How an import looks in a terminal, and to a program."""

from typing import Any

from clinic.register_import.import_result import ImportResult
from clinic.register_import.register_row import RegisterRow, Source
from commands import terminal


def print_import(
    source: Source, result: ImportResult, rejects: str | None, *, dry_run: bool
) -> None:
    """Print how a file was read and what became of its rows.

    Args:
        source: The file.
        result: What became of its rows.
        rejects: Where all that could not be used is listed.
        dry_run: Whether nothing was written.
    """
    out = terminal.console
    out.print(f"{source.name}: {source.description}")
    _print_columns(source)
    if dry_run:
        _print_first_rows(result)
    counts = terminal.new_table("What became of the rows", "rows")
    for name, count in result.counts.items():
        counts.add_row(name, str(count))
    counts.add_section()
    counts.add_row("rows read", str(result.rows))
    out.print(counts)
    _print_unusable(result, rejects)
    _print_duplicates(result)
    if dry_run:
        out.print("This was a dry run: nothing was written.")


def as_json(
    source: Source, result: ImportResult, rejects: str | None, *, dry_run: bool
) -> dict[str, Any]:
    """Return the same for a program."""
    return {
        **result.counts,
        "rejects": rejects,
        "unusable": result.unusable,
        "duplicates": result.duplicates,
        "dry_run": dry_run,
        "file": source.name,
        "read_as": source.description,
        "columns": source.understood,
        "ignored": list(source.ignored),
    }


def _print_columns(source: Source) -> None:
    understood = ", ".join(
        header if header == column else f"{header} as {column}"
        for header, column in source.understood.items()
    )
    if understood:
        terminal.console.print(f"Columns: {understood}")
    if source.ignored:
        terminal.console.print(f"Columns that nothing is read from: {', '.join(source.ignored)}")


def _print_first_rows(result: ImportResult) -> None:
    shown = result.first_changes or result.first_rows
    if not shown:
        return
    rows = [_said(row) for row in shown]
    named = list(dict.fromkeys(name for row in rows for name in row))
    title = "New or changed, read as" if result.first_changes else "Read as"
    first = terminal.new_table(title, *(str(number + 1) for number in range(len(rows))))
    for name in named:
        first.add_row(name.replace("_", " "), *(row.get(name, "") for row in rows))
    terminal.console.print(first)


def _said(row: RegisterRow) -> dict[str, str]:
    said = row.said()
    if consents := said.pop("consents", None):
        said["consents"] = ", ".join(f"{what}: {_yes(given)}" for what, given in consents.items())
    return {name: str(value) for name, value in said.items()}


def _yes(given: bool) -> str:  # noqa: FBT001 - one use, beside what was given
    return "yes" if given else "no"


def _print_unusable(result: ImportResult, rejects: str | None) -> None:
    for reject in result.rejects:
        done = "imported without it" if reject.imported else "rejected"
        terminal.console.print(
            f"  line {reject.line}, {reject.column}: {reject.whole_reason} ({done})"
        )
    if (more := result.unusable - len(result.rejects)) > 0:
        terminal.console.print(f"  ... and {more} more")
    if rejects is not None:
        terminal.console.print(f"All of them, with their rows: {rejects}")


def _print_duplicates(result: ImportResult) -> None:
    if not result.duplicates:
        return
    pairs = terminal.new_table("Patient", "may be", "same")
    for found in result.first_duplicates:
        pairs.add_row(found.person.number, found.other.number, found.reason)
    terminal.console.print(pairs)
    if (more := result.duplicates - len(result.first_duplicates)) > 0:
        terminal.console.print(f"  ... and {more} more")
    terminal.console.print(
        f"{result.duplicates} may be on the register twice. They get no attempt until somebody "
        "has looked at them: regresa duplicates"
    )
