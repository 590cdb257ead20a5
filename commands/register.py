"""Commands for the register: see the segments."""

from collections.abc import Callable
from datetime import UTC, datetime, time
from typing import Annotated

import typer

from channels.addresses import addresses_by_channel
from clinic.audit import Action
from clinic.clinic import Clinic
from clinic.segments import size as segment_size
from clinic.segments.in_words import in_words
from clinic.segments.rule import Segment
from clinic.segments.size import SegmentSize
from clinic.segments.unknown_words import unknown_words
from commands import segment_screen, terminal
from commands.audited import note_command
from commands.options import AsJson, complete_from
from commands.register_import import warn_of_unfinished
from commands.running import now, run_with_clinic

app = typer.Typer()


@app.command()
def segments(
    context: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(
            help="Show this one closely: a file of segments/.",
            autocompletion=complete_from("segments"),
        ),
    ] = None,
    on: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Count as of noon on this day; default: now."),
    ] = None,
    sample: Annotated[int, typer.Option(help="With a name: patients to show.", min=0)] = 10,
    as_json: AsJson = False,
) -> None:
    """List the segments with their patients; of one, also its rule, a sample and who is left out.

    Examples:
    - `regresa segments`
    - `regresa segments lapsed-orthodontics --sample 20`
    """

    async def run(clinic: Clinic) -> None:
        moment = _noon_of(on, clinic)
        await warn_of_unfinished(clinic)
        if name is None:
            await _list(clinic, moment, as_json=as_json)
            return
        segment = clinic.folder.segment(name)
        await _warn_of_unknown_words(clinic, segment)
        with terminal.counting("patients looked at") as count:
            size = await _measure(clinic, segment, moment, sample, count)
        if size.sample:
            async with clinic.database.writing() as session:
                rows = len(size.sample)
                await note_command(session, Action.VIEWED, what="segment_sample", rows=rows)
        said, rule = _described(segment, clinic), in_words(segment.where)
        if as_json:
            terminal.print_json(segment_screen.as_json(segment, said, size, rule))
        else:
            segment_screen.print_segment(segment, said, size, rule)

    run_with_clinic(context, run)


async def _list(clinic: Clinic, moment: datetime, *, as_json: bool) -> None:
    rows: list[tuple[str, int, str]] = []
    for segment in clinic.folder.segments():
        await _warn_of_unknown_words(clinic, segment)
        async with clinic.database.reading() as session:
            count = await segment_size.count(session, segment, now=moment, calendar=clinic.calendar)
        rows.append((segment.name, count, _described(segment, clinic)))
    if as_json:
        keys = ("name", "patients", "description")
        terminal.print_json([dict(zip(keys, row, strict=True)) for row in rows])
    else:
        terminal.print_segments(rows)


def _described(segment: Segment, clinic: Clinic) -> str:
    """Return a segment's description as commands speak, in English; else as the clinic does."""
    return segment.description.said("en", clinic.profile.language).text


async def _measure(
    clinic: Clinic, segment: Segment, moment: datetime, sample: int, count: Callable[[], object]
) -> SegmentSize:
    def on_page(patients: int) -> None:
        for _ in range(patients):
            count()

    async with clinic.database.reading() as session:
        return await segment_size.measure(
            session,
            segment,
            addresses_by_channel(clinic),
            policy=clinic.policy,
            calendar=clinic.calendar,
            key=clinic.key,
            now=moment,
            sample=sample,
            on_page=on_page,
        )


async def _warn_of_unknown_words(clinic: Clinic, segment: Segment) -> None:
    async with clinic.database.reading() as session:
        for warning in await unknown_words(session, segment.where):
            typer.echo(f"segment {segment.name}: {warning}", err=True)


def _noon_of(day: datetime | None, clinic: Clinic) -> datetime:
    if day is None:
        return now()
    return datetime.combine(day.date(), time(12), tzinfo=clinic.profile.zone).astimezone(UTC)
