"""How results look in a terminal, and to a program that reads them as JSON."""

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import typer
from pydantic import BaseModel
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from clinic.call_list import OpenCall
from clinic.campaigns import CampaignState
from clinic.delivery import SkipReason
from clinic.forecast import Forecast, ForecastStep
from clinic.outcome import LossReason
from clinic.register_import.import_run import ImportResult
from clinic.report import Report

_PIPED_WIDTH = 160
console = Console(
    highlight=False,
    # names, replies and cells are other people's text: `[...]` and `:...:` in them mean nothing
    markup=False,
    emoji=False,
    width=None if sys.stdout.isatty() else _PIPED_WIDTH,
)
_FEW = 20
_OURS = {reason.value for reason in LossReason if reason.internal}


def print_json(data: object) -> None:
    """Print data as one JSON document."""
    typer.echo(json.dumps(data, ensure_ascii=False, default=_plain))


def local(moment: datetime, zone: ZoneInfo) -> str:
    """Write a moment in the clinic's local time."""
    return f"{moment.astimezone(zone):%a %Y-%m-%d %H:%M}"


def print_import(result: ImportResult, rejects: str | None) -> None:
    """Print what became of an import's rows."""
    table = _table("What became of the rows", "rows")
    for name in ("new", "updated", "unchanged", "rejected"):
        table.add_row(name, str(getattr(result, name)))
    table.add_section()
    table.add_row("rows read", str(result.rows))
    console.print(table)
    for reject in result.rejects[:_FEW]:
        done = "imported without it" if reject.imported else "rejected"
        console.print(f"  line {reject.line}, {reject.column}: {reject.reason} ({done})")
    if len(result.rejects) > _FEW:
        console.print(f"  ... and {len(result.rejects) - _FEW} more")
    if rejects is not None:
        console.print(f"All of them, with their rows: {rejects}")


def print_segments(rows: Sequence[tuple[str, int, str]]) -> None:
    """Print segments with their size."""
    table = _table("Segment", "patients", "description")
    for name, count, description in rows:
        table.add_row(name, str(count), description)
    console.print(table)


def print_preview(forecasts: Sequence[Forecast], at_most: int, zone: ZoneInfo) -> None:
    """Print who would get what when, and who is left out and why."""
    chosen = [one for one in forecasts if one.left_out is None]
    steps = max((len(one.steps) for one in chosen), default=0)
    table = _table("Patient", "name", *(f"step {number + 1}" for number in range(steps)))
    for one in chosen[:at_most]:
        table.add_row(one.external_id, one.name, *(_step(step, zone) for step in one.steps))
    console.print(table)
    if len(chosen) > at_most:
        console.print(f"... and {len(chosen) - at_most} more (--limit shows more, --json all)")
    rules = sorted({step.rule for one in chosen for step in one.steps if step.rule})
    for rule in rules:
        console.print(f"Put off by the contact policy: {rule}")
    _print_left_out([one for one in forecasts if one.left_out is not None])
    sends = _count_steps(chosen)
    console.print(
        f"{len(chosen)} patients would get an attempt: if nobody answered, "
        + ", ".join(f"{count} {channel}" for channel, count in sends.items())
        + f". {len(forecasts) - len(chosen)} are left out."
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
    table = _table("Patients of the segment", "patients", "share")
    for label, count in report.rows():
        table.add_row(label, str(count), _share(count, report.patients))
    table.add_section()
    table.add_row("in the segment", str(report.patients), _share(report.patients, report.patients))
    console.print(table)
    sent = ", ".join(f"{count} {channel}" for channel, count in report.messages.items())
    console.print(f"Started {local(report.started_at, zone)}. Messages sent: {sent or 'none yet'}.")
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
    table = _table(
        "Task", "why", "due", "patient", "name", "phone", "language", "tries", "taken by"
    )
    for call in calls:
        due = local(call.due_at, zone)
        table.add_row(
            call.task_id,
            call.kind.value,
            Text(f"{due} overdue", style="bold red") if call.overdue else due,
            call.external_id,
            call.name,
            call.phone or "",
            call.language or "",
            f"{call.tries_made}/{call.tries_allowed}",
            call.claimed_by or "",
        )
        if call.words:
            table.add_row("", "", "", "", Text(f"“{call.words}”", style="italic"))
    console.print(table)


def progress_line(report: Report) -> str:
    """Say in a line where a campaign stands."""
    ended = ", ".join(f"{count} {outcome}" for outcome, count in report.outcomes.items() if count)
    return (
        f"{report.settled}/{report.patients} settled; {report.not_started} to start, "
        f"{report.waiting} waiting, {report.with_person} on the call list"
        + (f"; {ended}" if ended else "")
    )


def _print_left_out(left_out: Sequence[Forecast]) -> None:
    if not left_out:
        return
    table = _table("Left out because", "patients", "who")
    reasons = sorted({str(one.left_out) for one in left_out})
    for reason in reasons:
        who = [one.external_id for one in left_out if one.left_out == reason]
        few = ", ".join(who[:_FEW]) + (" ..." if len(who) > _FEW else "")
        table.add_row(reason, str(len(who)), few)
    console.print(table)


def _count_steps(forecasts: Sequence[Forecast]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for one in forecasts:
        for step in one.steps:
            counts[step.channel] = counts.get(step.channel, 0) + (step.at is not None)
    return counts


def _step(step: ForecastStep, zone: ZoneInfo) -> Text:
    if step.at is None:
        return Text(f"{step.channel}: {_words(step.skipped)}", style="dim")
    return Text(f"{step.channel} {local(step.at, zone)}{' *' if step.rule else ''}")


def _words(reason: SkipReason | None) -> str:
    return str(reason).replace("_", " ")


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for column in columns:
        is_number = column in ("rows", "patients", "share")
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
