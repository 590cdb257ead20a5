"""Clinic ops' and staff's command line: import, preview, start, watch, report, calls."""

import asyncio
import getpass
import shlex
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import func, or_, select

import terminal
from clinic import call_list, campaigns, inbox
from clinic.call_task import Reported
from clinic.clinic import Clinic
from clinic.delivery_check import AddressOf
from clinic.event import CallOutcome, EventKind
from clinic.forecast import forecast_segment
from clinic.identifiers import new_id
from clinic.outcome import LossReason
from clinic.refusal import Refusal
from clinic.register_import import import_register, write_rejects
from clinic.report import Report, report_on
from clinic.segment_sql import members
from clinic.settings import PREFIX, ClinicSettings, load_settings
from clinic.tables import Campaign, Patient
from command_options import (
    AsJson,
    By,
    Name,
    PlanName,
    SegmentName,
    Task,
    checked_name,
    end_of_day,
    moment,
    read_pace,
    read_share,
    read_words,
    refuse_unwritable,
)

_Result = TypeVar("_Result")
_WATCH_SECONDS = 0.5
_INTERRUPTED = 130

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,  # they print local variables, patients among them
    help="Bring a clinic's lapsed patients back.\n\n"
    "Start with `import`, `segments` and `preview`; then `start` and `watch` a campaign. "
    "Settings are read from the environment or a .env file; .env.example lists them.",
)


@app.callback()
def _options(
    context: typer.Context,
    clinic: Annotated[
        Path | None,
        typer.Option(envvar="REGRESA_CLINIC", help="The clinic's folder.", show_default=False),
    ] = None,
) -> None:
    context.obj = clinic


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
                    now=_now(),
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

    _run(context, run)


@app.command()
def segments(context: typer.Context, as_json: AsJson = False) -> None:
    """List the clinic's segments and how many patients each has now.

    Example: `regresa segments`
    """

    async def run(clinic: Clinic) -> None:
        rows: list[tuple[str, int, str]] = []
        async with clinic.database.reading() as session:
            for segment in clinic.folder.segments():
                condition = members(segment, _now(), clinic.profile.zone)
                query = select(func.count()).select_from(Patient).where(condition)
                count = await session.scalar(query) or 0
                rows.append((segment.name, count, segment.description))
        if as_json:
            keys = ("name", "patients", "description")
            terminal.print_json([dict(zip(keys, row, strict=True)) for row in rows])
        else:
            terminal.print_segments(rows)

    _run(context, run)


@app.command()
def preview(
    context: typer.Context,
    segment: SegmentName,
    plan: PlanName,
    limit: Annotated[int, typer.Option(help="Patients to show.", min=0)] = 20,
    as_json: AsJson = False,
) -> None:
    """Show who would get what when, and who is left out and why; nothing is sent.

    Example: `regresa preview lapsed-orthodontics --plan standard`
    """

    async def run(clinic: Clinic) -> None:
        channels = _channels(clinic)
        chosen = clinic.folder.segment(segment)
        steps = clinic.folder.plan(plan, channels)
        async with clinic.database.reading() as session:
            forecasts = await forecast_segment(
                session,
                chosen,
                steps,
                channels,
                policy=clinic.policy,
                zone=clinic.profile.zone,
                key=clinic.key,
                now=_now(),
            )
        if as_json:
            terminal.print_json([one.model_dump(mode="json") for one in forecasts])
        else:
            terminal.print_preview(forecasts, limit, clinic.profile.zone)

    _run(context, run)


@app.command()
def start(
    context: typer.Context,
    segment: SegmentName,
    plan: PlanName,
    name: Annotated[str, typer.Option(help="The campaign's name, for reports.")],
    goal: Annotated[
        float | None,
        typer.Option(parser=read_share, metavar="SHARE", help="Share that should book: 15%."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Last day on which the machine writes."),
    ] = None,
    pace: Annotated[
        int | None,
        typer.Option(parser=read_pace, metavar="PACE", help="Attempts started: 120/h."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Start a campaign: a plan for every patient of a segment.

    Example: `regresa start lapsed-orthodontics --plan standard --name spring --pace 120/h`
    """

    async def run(clinic: Clinic) -> None:
        channels = _channels(clinic)
        chosen = clinic.folder.segment(segment)
        steps = clinic.folder.plan(plan, channels)
        now = _now()
        campaign = Campaign(
            id=new_id("ca"),
            name=checked_name(name),
            segment=chosen.name,
            plan=steps.model_dump(mode="json"),
            goal=goal,
            until=end_of_day(until, clinic, now),
            pace_per_hour=pace,
            open_calls_at_most=clinic.profile.open_calls_at_most,
            started_at=now,
        )
        await _refuse_without_temporal()
        async with clinic.database.writing() as session:
            condition = members(chosen, now, clinic.profile.zone)
            count = await campaigns.start(session, campaign, condition, clinic.key)
            if count == 0:
                raise Refusal(f"segment `{segment}` has no patients now; nothing was started")
        if as_json:
            terminal.print_json({"campaign": campaign.id, "name": name, "patients": count})
        else:
            terminal.console.print(
                f"Campaign {name} has started with {count} patients. "
                f"Follow it with: regresa watch {shlex.quote(name)}"
            )

    _run(context, run)


@app.command()
def watch(context: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """Follow a campaign until every patient's row is final; Ctrl-C stops watching only.

    Example: `regresa watch spring`
    """

    async def run(clinic: Clinic) -> None:
        report = await _report(clinic, name)
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        live = terminal.console.is_terminal and not as_json
        said = ""
        with Progress(*columns, console=terminal.console, disable=not live) as progress:
            bar = progress.add_task(name, total=report.patients)
            while True:
                line = terminal.progress_line(report)
                progress.update(bar, completed=report.settled, description=line)
                if not live and line != said:
                    terminal.print_json(report) if as_json else terminal.console.print(line)
                said = line
                if report.finished:
                    break
                await asyncio.sleep(_WATCH_SECONDS)
                report = await _report(clinic, name)
        if not as_json:
            terminal.print_report(report, clinic.profile.zone)

    _run(context, run)


@app.command()
def report(context: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """Print a campaign's table; every patient of the segment is in exactly one row.

    Example: `regresa report spring`
    """

    async def run(clinic: Clinic) -> None:
        found = await _report(clinic, name)
        if as_json:
            terminal.print_json(found)
        else:
            terminal.print_report(found, clinic.profile.zone)

    _run(context, run)


@app.command()
def pause(context: typer.Context, name: Name) -> None:
    """Hold a campaign: nobody new is started, no message leaves, everybody keeps their place.

    Example: `regresa pause spring`
    """

    async def run(clinic: Clinic) -> None:
        async with clinic.database.writing() as session:
            changed = await campaigns.pause(session, name, now=_now(), key=clinic.key)
        terminal.console.print(f"Campaign {name} is {'now' if changed else 'already'} paused.")

    _run(context, run)


@app.command()
def resume(context: typer.Context, name: Name) -> None:
    """Let a paused campaign go on.

    Example: `regresa resume spring`
    """

    async def run(clinic: Clinic) -> None:
        async with clinic.database.writing() as session:
            changed = await campaigns.resume(session, name, now=_now(), key=clinic.key)
        terminal.console.print(f"Campaign {name} {'goes on' if changed else 'was not paused'}.")

    _run(context, run)


@app.command()
def stop(context: typer.Context, name: Name) -> None:
    """End a campaign for good: every open attempt ends as cancelled.

    Example: `regresa stop spring`
    """

    async def run(clinic: Clinic) -> None:
        async with clinic.database.writing() as session:
            count = await campaigns.stop(session, name, now=_now(), key=clinic.key)
        terminal.console.print(f"Campaign {name} is stopped; {count} open attempts end.")

    _run(context, run)


@app.command()
def calls(context: typer.Context, as_json: AsJson = False) -> None:
    """List who to call: overdue first, then by priority and due time.

    Example: `regresa calls`
    """

    async def run(clinic: Clinic) -> None:
        async with clinic.database.reading() as session:
            found = await call_list.open_calls(session, _now())
        if as_json:
            terminal.print_json(found)
        else:
            terminal.print_calls(found, clinic.profile.zone)

    _run(context, run)


@app.command()
def claim(context: typer.Context, task: Task, by: By = "", as_json: AsJson = False) -> None:
    """Take a call task for 15 minutes, so that nobody else calls the same patient.

    Example: `regresa claim ct-5f0c9a3e1b7d2c48`
    """

    async def run(clinic: Clinic) -> None:
        who = by or getpass.getuser()
        async with clinic.database.writing() as session:
            until = await call_list.claim(session, task, who=who, now=_now())
            script = await call_list.script_for(session, task, clinic.folder)
        if as_json:
            terminal.print_json({"task": task, "by": who, "until": until, "script": script})
        else:
            terminal.console.print(
                f"Task {task} is yours until {terminal.local(until, clinic.profile.zone)}.\n"
            )
            terminal.console.print(script)

    _run(context, run)


@app.command()
def complete(
    context: typer.Context,
    task: Task,
    outcome: Annotated[
        CallOutcome,
        typer.Option(
            parser=read_words(CallOutcome),
            metavar="OUTCOME",
            help="What came of it: " + ", ".join(kind.replace("_", "-") for kind in CallOutcome),
        ),
    ],
    reason: Annotated[
        LossReason | None,
        typer.Option(
            parser=read_words(LossReason),
            metavar="REASON",
            help="With declined: " + ", ".join(kind.replace("_", "-") for kind in LossReason),
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(help="When to call back, or the appointment: '2027-03-02 10:30' local."),
    ] = None,
    note: Annotated[str, typer.Option(help="Free words for the patient's card.")] = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Record what came of a call; the patient's attempt hears of it as soon as a worker runs.

    Examples: `regresa complete ct-5f0c9a3e1b7d2c48 --outcome no-answer`,
    `regresa complete ct-5f0c9a3e1b7d2c48 --outcome declined --reason price`
    """

    async def run(clinic: Clinic) -> None:
        reported = Reported(outcome=outcome, reason=reason, at=moment(at, clinic), note=note)
        async with clinic.database.writing() as session:
            completed = await call_list.complete(
                session,
                task,
                reported,
                who=by or getpass.getuser(),
                now=_now(),
                policy=clinic.policy,
                zone=clinic.profile.zone,
                key=clinic.key,
            )
        if as_json:
            terminal.print_json(completed)
        elif completed.again_at is None:
            terminal.console.print(f"Task {task} is closed as {outcome}.")
        else:
            due = terminal.local(completed.again_at, clinic.profile.zone)
            terminal.console.print(f"Task {task} stays open as {outcome}; it is due again {due}.")

    _run(context, run)


_EVENTS = {
    "booked": EventKind.BOOKED,
    "replied": EventKind.REPLY,
    "opted-out": EventKind.OPTED_OUT,
}


@app.command()
def event(
    context: typer.Context,
    patient: Annotated[str, typer.Argument(help="The clinic's own number, or the opaque id.")],
    what: Annotated[str, typer.Argument(help="One of: " + ", ".join(_EVENTS))],
    at: Annotated[
        str | None, typer.Option(help="The appointment: '2027-03-02 10:30', local time.")
    ] = None,
    text: Annotated[str, typer.Option(help="What the patient said.")] = "",
    key: Annotated[
        str | None, typer.Option(help="Your own key: the same key again is a repeat.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Report what a patient did: booked, replied or opted out.

    Examples: `regresa event A-0042 booked --at '2027-03-02 10:30'`,
    `regresa event A-0042 replied --text 'Can you call me on Monday?'`
    """

    async def run(clinic: Clinic) -> None:
        if what not in _EVENTS:
            raise Refusal(f"no event `{what}`", f"One of: {', '.join(_EVENTS)}")
        async with clinic.database.writing() as session:
            patient_id = await session.scalar(
                select(Patient.id).where(or_(Patient.external_id == patient, Patient.id == patient))
            )
            if patient_id is None:
                raise Refusal(f"no patient `{patient}` on the register")
            received = inbox.Received(
                source=call_list.STAFF,
                source_key=key or new_id("said"),
                kind=_EVENTS[what],
                patient_id=patient_id,
                body=text,
                at=moment(at, clinic),
            )
            is_new = await inbox.store(session, received, now=_now(), key=clinic.key)
        if as_json:
            terminal.print_json({"patient": patient_id, "event": what, "new": is_new})
        else:
            said = "is recorded" if is_new else "was recorded before; nothing changes"
            terminal.console.print(f"{patient} {what}: {said}.")

    _run(context, run)


@app.command()
def migrate(context: typer.Context) -> None:
    """Bring the database to this version's tables. Make a backup first.

    Example: `regresa migrate`
    """
    try:
        clinic = _open(context)
        asyncio.run(_migrate(clinic))
    except Refusal as refusal:
        _refuse(refusal)


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
        _refuse(refusal)


def _run(context: typer.Context, work: Callable[[Clinic], Awaitable[_Result]]) -> _Result:
    """Run a command's work with the clinic open; say no with exit code 2."""

    async def opened() -> _Result:
        clinic = _open(context)
        async with clinic.database:
            return await work(clinic)

    try:
        return asyncio.run(opened())
    except Refusal as refusal:
        _refuse(refusal)
    except KeyboardInterrupt:
        typer.echo("Interrupted; what was recorded is kept.", err=True)
        sys.exit(_INTERRUPTED)


def _open(context: typer.Context) -> Clinic:
    given = {"clinic": context.obj} if context.obj is not None else {}
    return Clinic(load_settings(ClinicSettings, PREFIX, **given))


def _refuse(refusal: Refusal) -> NoReturn:
    typer.echo(f"regresa: {refusal}", err=True)
    sys.exit(2)


async def _migrate(clinic: Clinic) -> None:
    try:
        await clinic.database.migrate()
    finally:
        await clinic.database.close()
    terminal.console.print("The database is at this version's tables.")


async def _refuse_without_temporal() -> None:
    from activities.temporal_connection import connect  # noqa: PLC0415 - see search_attributes

    await connect()


async def _report(clinic: Clinic, name: str) -> Report:
    async with clinic.database.reading() as session:
        return await report_on(session, await campaigns.find(session, name))


def _channels(clinic: Clinic) -> dict[str, AddressOf]:
    """Return how each channel in use reads a patient's address."""
    from channels import registry  # noqa: PLC0415 - the providers' libraries load slowly

    classes = registry.installed()
    for name in clinic.settings.channels:
        if name not in classes:
            known = ", ".join(sorted(classes))
            raise Refusal(f"no channel `{name}` is installed", f"Installed: {known}")
    return {name: classes[name].address_of for name in clinic.settings.channels}


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    app()
