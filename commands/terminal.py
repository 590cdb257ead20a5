"""How results look in a terminal, and to a program that reads them as JSON."""

import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from zoneinfo import ZoneInfo

import typer
from pydantic import BaseModel
from rich import box
from rich.console import Console
from rich.progress import Progress, TextColumn
from rich.table import Table
from rich.text import Text

from clinic.call_list import OpenCall
from clinic.campaigns import CampaignState
from clinic.delivery import SkipReason
from clinic.forecast import ForecastStep
from clinic.outcome import LossReason
from clinic.preview import Preview
from clinic.report import Report
from commands.foreign_text import HarmlessText, harmless_json

_PIPED_WIDTH = 160
console = Console(
    highlight=False,
    # names, replies and cells are other people's text: `[...]` and `:...:` in them mean nothing
    markup=False,
    emoji=False,
    width=None if sys.stdout.isatty() else _PIPED_WIDTH,
)
console.push_render_hook(HarmlessText())
_FEW = 20
CLEAR_ANSWERS = ("yes", "no")
"""How a reply may be read that staff are told; what is unclear they read themselves."""
_OURS = {reason.value for reason in LossReason if reason.internal}


def print_json(data: object) -> None:
    """Print data as one JSON document."""
    typer.echo(harmless_json(json.dumps(data, ensure_ascii=False, default=_plain)))


async def print_json_items(items: AsyncIterator[BaseModel]) -> None:
    """Print models as one JSON list, an item a line, as they come: it may be long."""
    before = "["
    async for item in items:
        typer.echo(before)
        typer.echo(harmless_json(item.model_dump_json()), nl=False)
        before = ","
    typer.echo("[]" if before == "[" else "\n]")


@contextmanager
def counting(what: str) -> Iterator[Callable[[], None]]:
    """Show how many there have been so far, where somebody looks; call what is given for each."""
    columns = (TextColumn("{task.completed} {task.description}", markup=False),)
    live = console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=not live) as progress:
        task = progress.add_task(what, total=None)
        yield lambda: progress.advance(task)


def local(moment: datetime, zone: ZoneInfo) -> str:
    """Write a moment in the clinic's local time."""
    return f"{moment.astimezone(zone):%a %Y-%m-%d %H:%M}"


def print_segments(rows: Sequence[tuple[str, int, str]]) -> None:
    """Print segments with their size."""
    table = new_table("Segment", "patients", "description")
    for name, count, description in rows:
        table.add_row(name, str(count), description)
    console.print(table)


def print_preview(preview: Preview, policy: str, zone: ZoneInfo) -> None:
    """Print who would get what when, by which rules, and who is left out and why.

    Args:
        preview: What was counted.
        policy: The contact policy's description.
        zone: The clinic's time zone, in which times are written.
    """
    if policy:
        console.print(f"By the contact policy: {policy}")
    steps = max((len(one.steps) for one in preview.shown), default=0)
    table = new_table("Patient", "name", *(f"step {number + 1}" for number in range(steps)))
    for one in preview.shown:
        table.add_row(one.external_id, one.name, *(_step(step, zone) for step in one.steps))
    console.print(table)
    if (more := preview.chosen - len(preview.shown)) > 0:
        console.print(f"... and {more} more (--limit shows more, --json all)")
    _print_counts("* Put off by the contact policy", preview.put_off)
    _print_counts("Skipped because", preview.skipped)
    _print_left_out(preview)
    sends = ", ".join(f"{count} {channel}" for channel, count in preview.sends.items() if count)
    console.print(
        f"{preview.chosen} patients would get an attempt: if nobody answered, {sends or 'nothing'}."
        f" {preview.patients - preview.chosen} are left out."
    )


def print_report(report: Report, zone: ZoneInfo) -> None:
    """Print a campaign's table; its rows add up to the segment."""
    ran_out = report.finished and report.state == CampaignState.RUNNING.value
    state = "finished" if ran_out else report.state
    console.print(
        Text(f"Campaign {report.name}", style="bold"),
        f", {state}: segment {report.segment}, plan {report.plan}",
        sep="",
    )
    table = new_table("Patients of the segment", "patients", "share")
    for label, count in report.rows():
        table.add_row(label, str(count), _share(count, report.patients))
    table.add_section()
    table.add_row("in the segment", str(report.patients), _share(report.patients, report.patients))
    console.print(table)
    sent = ", ".join(f"{count} {channel}" for channel, count in report.messages.items())
    console.print(f"Started {local(report.started_at, zone)}. Messages sent: {sent or 'none yet'}.")
    if report.waits is not None:
        words = report.waits.words(zone)
        console.print(f"{words[0].upper()}{words[1:]}.")
    if report.loss_reasons:
        said = ", ".join(
            f"{reason} ({count}{', ours to mend' if reason in _OURS else ''})"
            for reason, count in report.loss_reasons.items()
        )
        console.print(f"Why patients declined: {said}.")
    if report.goal is not None:
        reached = "reached" if report.booked_share >= report.goal else "not reached"
        console.print(
            f"Goal: {report.goal:.0%} booked; booked so far: {report.booked_share:.1%}: {reached}."
        )


def print_calls(calls: Sequence[OpenCall], zone: ZoneInfo) -> None:
    """Print the call list."""
    if not calls:
        console.print("Nobody to call.")
        return
    table = new_table(
        "Task", "why", "due", "patient", "name", "phone", "language", "tries", "taken by"
    )
    for call in calls:
        put_off = call.not_before
        due = local(call.due_at, zone) if put_off is None else f"later, {local(put_off, zone)}"
        unknown = call.patient_id is None
        table.add_row(
            call.task_id,
            call.kind.value,
            Text(f"{due} overdue", style="bold red") if call.overdue else due,
            call.external_id or "",
            "not on the register" if unknown else call.name,
            (call.from_address if unknown else call.phone) or "",
            call.language or "",
            f"{call.tries_made}/{call.tries_allowed}",
            call.claimed_by or "",
        )
        if call.household:
            names = ", ".join(str(one) for one in call.household)
            table.add_row("", "", "", "", Text(f"also: {names}", style="dim"))
        if call.words:
            table.add_row("", "", "", "", Text(f"“{call.words}”", style="italic"))
        if call.reading in CLEAR_ANSWERS:
            table.add_row("", "", "", "", Text(f"says {call.reading}", style="bold"))
        if call.opted_out:
            asked = "asked not to be contacted: read it, nobody calls"
            table.add_row("", "", "", "", Text(asked, style="bold red"))
    console.print(table)


def progress_line(report: Report, zone: ZoneInfo) -> str:
    """Say in a line where a campaign stands, with times in the clinic's time zone."""
    ended = ", ".join(f"{count} {outcome}" for outcome, count in report.outcomes.items() if count)
    return (
        f"{report.settled}/{report.patients} settled; {report.not_started} to start, "
        f"{report.waiting} waiting, {report.with_person} on the call list"
        + (f"; {ended}" if ended else "")
        + (f"; {report.waits.words(zone)}" if report.waits else "")
        + "".join(f"; {held.channel} is held" for held in report.held)
    )


def _print_left_out(preview: Preview) -> None:
    if not preview.left_out:
        return
    table = new_table("Left out because", "patients", "who", "rule")
    in_order = sorted(preview.left_out.items(), key=lambda each: (each[0][0], -each[1].patients))
    for (reason, rule), row in in_order[:_FEW]:
        who = ", ".join(row.few) + (" ..." if row.patients > len(row.few) else "")
        table.add_row(str(reason), str(row.patients), who, rule)
    console.print(table)
    if len(in_order) > _FEW:
        console.print(f"... and {len(in_order) - _FEW} more rules")


def _print_counts(title: str, counts: Counter[str]) -> None:
    if not counts:
        return
    table = new_table(title, "steps")
    for rule, count in counts.most_common(_FEW):
        table.add_row(rule, str(count))
    console.print(table)
    if len(counts) > _FEW:
        console.print(f"... and {len(counts) - _FEW} more")


def _step(step: ForecastStep, zone: ZoneInfo) -> Text:
    if step.at is None:
        return Text(f"{step.channel}: {_words(step.skipped)}", style="dim")
    return Text(f"{step.channel} {local(step.at, zone)}{' *' if step.rule else ''}")


def _words(reason: SkipReason | None) -> str:
    return str(reason).replace("_", " ")


def new_table(*columns: str) -> Table:
    """Return an empty table; columns of figures stand to the right."""
    table = Table(box=box.SIMPLE_HEAD)
    for column in columns:
        is_number = column in ("rows", "patients", "steps", "share")
        table.add_column(column, justify="right" if is_number else "left", overflow="fold")
    return table


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else ""


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is no JSON")
