"""`python -m benchmarks`: measure everything, print a table, write the figures."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from activities.log_context import configure_logging
from benchmarks import (
    call_list,
    footprint,
    ledger_cost,
    page_sizes,
    reaction,
    register_import,
    reply_load,
    segments,
    starting,
    throughput,
)
from benchmarks.ground import prepared
from benchmarks.results import Machine, Results
from benchmarks.table import print_results
from clinic.refusal import Refusal

_OUTPUT = Path(__file__).with_name("results.json")
_STARTS, _EVENTS, _REPLIES, _ROWS, _QUICK_ROWS = 400, 100, 1_000, 50_000, 2_000
_QUICK_ATTEMPTS, _QUICK_STARTS, _QUICK_EVENTS, _QUICK_PATIENTS = 6, 40, 10, 5_000
_QUICK_REPLIES = 50
_CALLS, _QUICK_CALLS = 100_000, 1_000

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


async def measure(
    *,
    rounds: int,
    attempts: int,
    starts: int,
    events: int,
    replies: int,
    patients: int,
    rows: int,
    calls: int,
) -> Results:
    """Measure everything on one server.

    Args:
        rounds: Pairs of runs for each ratio.
        attempts: Attempts in a run of the throughput.
        starts: Attempts that a campaign starts.
        events: Events whose delay is measured.
        replies: Replies that come in under load.
        patients: On the register whose segments are counted, and in the longest list.
        rows: Of the list that is imported for each ratio.
        calls: Open tasks on the call list that is shown.
    """
    progress = Console(stderr=True)
    progress.print(f"Segments of {patients:,} patients ...")
    counts = await segments.measure(rounds=rounds, patients=patients)
    progress.print(f"Import of {rows:,} rows ...")
    imports = await register_import.measure(rounds=rounds, rows=rows)
    progress.print(f"Memory of an import of up to {patients:,} rows ...")
    memory = register_import.measure_memory([patients // 100, patients // 10, patients])
    progress.print(f"The call list of {calls:,} open tasks ...")
    pages = await call_list.measure(rounds=rounds, patients=patients, tasks=calls)
    sizes = await page_sizes.measure()
    async with prepared() as ground:
        progress.print("What an attempt leaves at Temporal ...")
        left = await footprint.measure(ground)
        progress.print("From event to action ...")
        delays = await reaction.measure(ground, n=events)
        progress.print(f"{' and '.join(map(str, reply_load.RATES))} replies a second ...")
        delays += await reply_load.measure(ground, n=replies)
        progress.print("Attempts a second ...")
        rates = await throughput.measure(ground, rounds=rounds, n=attempts)
        progress.print("The ledger ...")
        rates.append(await ledger_cost.measure(ground, rounds=rounds, n=attempts))
        progress.print("Starts a second ...")  # last: what it starts stays open
        started = await starting.measure(ground, rounds=rounds, n=starts)
        return Results(
            machine=Machine.here(ground.server),
            throughput=rates,
            footprint=left,
            starting=started,
            reaction=delays,
            segments=counts,
            imports=imports,
            import_memory=memory,
            pages=pages,
            page_sizes=sizes,
        )


@app.command()
def main(
    rounds: Annotated[int, typer.Option(help="Pairs of runs for each ratio.", min=1)] = 5,
    attempts: Annotated[
        int, typer.Option(help="Attempts in each run of the throughput.", min=1)
    ] = 50,
    patients: Annotated[
        int, typer.Option(help="On the register whose segments are counted.", min=1_000)
    ] = 1_000_000,
    *,
    quick: Annotated[
        bool, typer.Option("--quick", help="One small round of each: that it runs, not how fast.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            help="Where the figures go.", show_default="benchmarks/results.json; --quick: nowhere"
        ),
    ] = None,
) -> None:
    """Measure the engine against a bare workflow of the same shape.

    Everything runs on this machine, on a Temporal server of its own, and is gone afterwards.

    Example: python -m benchmarks --rounds 7
    """
    configure_logging("console", "error")
    try:
        results = asyncio.run(
            measure(
                rounds=1 if quick else rounds,
                attempts=_QUICK_ATTEMPTS if quick else attempts,
                starts=_QUICK_STARTS if quick else _STARTS,
                events=_QUICK_EVENTS if quick else _EVENTS,
                replies=_QUICK_REPLIES if quick else _REPLIES,
                patients=_QUICK_PATIENTS if quick else patients,
                rows=_QUICK_ROWS if quick else _ROWS,
                calls=_QUICK_CALLS if quick else _CALLS,
            )
        )
    except Refusal as refusal:
        typer.echo(f"benchmarks: {refusal}", err=True)
        sys.exit(2)
    print_results(results)
    target = output or (None if quick else _OUTPUT)
    if target is not None:
        target.write_text(results.model_dump_json(indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    app()
