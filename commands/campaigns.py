"""Commands for campaigns: preview, start, watch, report, pause, resume, stop."""

import asyncio
import shlex
from collections import Counter
from datetime import datetime
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy.ext.asyncio import AsyncSession

from channels.addresses import addresses_by_channel
from clinic import campaigns
from clinic.audit import Action
from clinic.campaign_start import CampaignTerms, start_campaign
from clinic.clinic import Clinic
from clinic.forecast import forecast_segment
from clinic.identifiers import new_id
from clinic.preview import Preview
from clinic.report import Report, report_on
from commands import terminal
from commands.audited import note_command
from commands.channel_screen import print_held
from commands.options import (
    AsJson,
    Name,
    PlanName,
    PolicyName,
    SegmentName,
    checked_name,
    end_of_day,
    read_pace,
    read_share,
)
from commands.running import now, run_with_clinic

_WATCH_SECONDS = 0.5

app = typer.Typer()


@app.command()
def preview(
    context: typer.Context,
    segment: SegmentName,
    plan: PlanName,
    policy: PolicyName = None,
    limit: Annotated[int, typer.Option(help="Patients to show.", min=0)] = 20,
    as_json: AsJson = False,
) -> None:
    """Show who would get what when, and who is left out and why; nothing is sent.

    Example: `regresa preview lapsed-orthodontics --plan standard --policy co`
    """

    async def run(clinic: Clinic) -> None:
        rules = clinic.folder.policy(policy) if policy else clinic.policy
        channels = addresses_by_channel(clinic, rules)
        chosen = clinic.folder.segment(segment)
        steps = clinic.folder.plan(plan, channels)
        if as_json or limit:  # at once: a list that is broken off has been seen as well
            async with clinic.database.writing() as session:
                await note_command(session, Action.VIEWED, what="preview")
        async with clinic.database.reading() as session:
            forecasts = forecast_segment(
                session,
                chosen,
                steps,
                channels,
                policy=rules,
                folder=clinic.folder,
                links=clinic.links,
                key=clinic.key,
                now=now(),
            )
            if as_json:
                await terminal.print_json_items(forecasts)
                return
            in_order = Counter({step.channel: 0 for step in steps.steps})
            counted = Preview(at_most=limit, sends=in_order)
            with terminal.counting("patients looked at") as count:
                async for one in forecasts:
                    counted.take(one)
                    count()
        terminal.print_preview(counted, rules.description, clinic.profile.zone)

    run_with_clinic(context, run)


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
        channels = addresses_by_channel(clinic)
        chosen = clinic.folder.segment(segment)
        steps = clinic.folder.plan(plan, channels)
        started_at = now()
        terms = CampaignTerms(
            name=checked_name(name),
            goal=goal,
            until=end_of_day(until, clinic, started_at),
            pace_per_hour=pace,
            open_calls_at_most=clinic.profile.open_calls_at_most,
        )
        campaign_id = new_id("ca")
        await _refuse_without_temporal()
        async with clinic.database.writing() as session:
            count = await start_campaign(
                session,
                campaign_id,
                chosen,
                steps,
                terms,
                zone=clinic.profile.zone,
                key=clinic.key,
                now=started_at,
            )
            await note_command(session, Action.CAMPAIGN_STARTED, subject=campaign_id)
        if as_json:
            terminal.print_json({"campaign": campaign_id, "name": name, "patients": count})
        else:
            terminal.console.print(
                f"Campaign {name} has started with {count} patients. "
                f"Follow it with: regresa watch {shlex.quote(name)}"
            )

    run_with_clinic(context, run)


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
        if not as_json:
            print_held(report.held, clinic.profile.zone)
        live = terminal.console.is_terminal and not as_json
        said = ""
        with Progress(*columns, console=terminal.console, disable=not live) as progress:
            bar = progress.add_task(name, total=report.patients)
            while True:
                line = terminal.progress_line(report, clinic.profile.zone)
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
            print_held(report.held, clinic.profile.zone)

    run_with_clinic(context, run)


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
            print_held(found.held, clinic.profile.zone)

    run_with_clinic(context, run)


@app.command()
def pause(context: typer.Context, name: Name) -> None:
    """Hold a campaign: nobody new is started, no message leaves, everybody keeps their place.

    Example: `regresa pause spring`
    """

    async def run(clinic: Clinic) -> None:
        async with clinic.database.writing() as session:
            changed = await campaigns.pause(session, name, now=now(), key=clinic.key)
            if changed:
                await _note(session, Action.CAMPAIGN_PAUSED, name)
        terminal.console.print(f"Campaign {name} is {'now' if changed else 'already'} paused.")

    run_with_clinic(context, run)


@app.command()
def resume(context: typer.Context, name: Name) -> None:
    """Let a paused campaign go on.

    Example: `regresa resume spring`
    """

    async def run(clinic: Clinic) -> None:
        async with clinic.database.writing() as session:
            changed = await campaigns.resume(session, name, now=now(), key=clinic.key)
            if changed:
                await _note(session, Action.CAMPAIGN_RESUMED, name)
        terminal.console.print(f"Campaign {name} {'goes on' if changed else 'was not paused'}.")

    run_with_clinic(context, run)


@app.command()
def stop(context: typer.Context, name: Name) -> None:
    """End a campaign for good: every open attempt ends as cancelled.

    Example: `regresa stop spring`
    """

    async def run(clinic: Clinic) -> None:
        async with clinic.database.writing() as session:
            count = await campaigns.stop(session, name, now=now(), key=clinic.key)
            await _note(session, Action.CAMPAIGN_STOPPED, name)
        terminal.console.print(f"Campaign {name} is stopped; {count} open attempts end.")

    run_with_clinic(context, run)


async def _note(session: AsyncSession, action: Action, name: str) -> None:
    await note_command(session, action, subject=(await campaigns.find(session, name)).id)


async def _refuse_without_temporal() -> None:
    from activities.temporal_connection import connect  # noqa: PLC0415 - see search_attributes

    await connect()


async def _report(clinic: Clinic, name: str) -> Report:
    async with clinic.database.reading() as session:
        return await report_on(session, await campaigns.find(session, name), now())
