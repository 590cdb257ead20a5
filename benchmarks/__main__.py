"""`python -m benchmarks`: measure everything, print a table, write the figures."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from activities.log_context import configure_logging
from benchmarks import footprint, reaction, starting, throughput
from benchmarks.figures import Machine, Results
from benchmarks.ground import prepared
from benchmarks.table import print_results
from clinic.refusal import Refusal

_OUTPUT = Path(__file__).with_name("results.json")
_STARTS, _EVENTS = 400, 100
_QUICK_ATTEMPTS, _QUICK_STARTS, _QUICK_EVENTS = 6, 40, 10

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


async def measure(*, rounds: int, attempts: int, starts: int, events: int) -> Results:
    """Measure everything on one server.

    Args:
        rounds: Pairs of runs for each ratio.
        attempts: Attempts in a run of the throughput.
        starts: Attempts that a campaign starts.
        events: Events whose delay is measured.
    """
    progress = Console(stderr=True)
    async with prepared() as ground:
        progress.print("What an attempt leaves at Temporal ...")
        left = await footprint.measure(ground)
        progress.print("From event to action ...")
        delays = await reaction.measure(ground, n=events)
        progress.print("Attempts a second ...")
        rates = await throughput.measure(ground, rounds=rounds, n=attempts)
        progress.print("Starts a second ...")  # last: what it starts stays open
        started = await starting.measure(ground, rounds=rounds, n=starts)
        return Results(
            machine=Machine.here(ground.server),
            throughput=rates,
            footprint=left,
            starting=started,
            reaction=delays,
        )


@app.command()
def main(
    rounds: Annotated[int, typer.Option(help="Pairs of runs for each ratio.", min=1)] = 5,
    attempts: Annotated[
        int, typer.Option(help="Attempts in each run of the throughput.", min=1)
    ] = 50,
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
