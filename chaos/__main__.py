"""`python -m chaos`: run campaigns while everything around them is killed; print a verdict."""

import asyncio
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live
from rich.text import Text

from activities.log_context import configure_logging
from chaos.report import print_results
from chaos.run import Progress, Result, run
from chaos.setting import prepare
from clinic.refusal import Refusal

_FAILED, _REFUSED, _QUOTA_NOT_MET, _INTERRUPTED = 1, 2, 3, 130

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    attempts: Annotated[int, typer.Option(help="Patients in each campaign.", min=10, max=1200)] = (
        1000
    ),
    seed: Annotated[
        list[int] | None, typer.Option(help="One run for each; default: 1.", show_default=False)
    ] = None,
    workers: Annotated[int, typer.Option(help="Workers that run side by side.", min=1)] = 1,
    waits: Annotated[
        tuple[float, float], typer.Option(help="Seconds after the email and after the SMS.")
    ] = (6, 6),
    minutes: Annotated[
        float, typer.Option(help="What is not finished by then counts as lost.", min=0.1)
    ] = 20,
    state: Annotated[
        Path | None,
        typer.Option(help="A new folder for databases and logs; it is kept.", show_default=False),
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
) -> None:
    """Run a campaign while worker, server and console are killed and providers fail; then judge.

    It ends with 0 if nothing was lost or came twice, 1 if something was, 3 after too few kills.

    Example: python -m chaos --attempts 200 --seed 1 --seed 2
    """
    configure_logging("console", "error")
    console = Console(stderr=as_json)
    results: list[Result] = []
    try:
        for one in seed or [1]:
            folder = _folder_for(one, state)
            setting = prepare(attempts, one, folder, waits=waits)
            with Live(console=console, refresh_per_second=2, transient=True) as live:

                def show(progress: Progress, *, of: int = one, on: Live = live) -> None:
                    on.update(_told(of, progress))

                result = asyncio.run(run(setting, workers=workers, within=minutes * 60, show=show))
            results.append(result)
            console.print(_summary(result))
            if state is None and result.holds and result.quota_is_met:
                shutil.rmtree(folder)
    except Refusal as refusal:
        typer.echo(f"chaos: {refusal}", err=True)
        sys.exit(_REFUSED)
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    if as_json:
        sys.stdout.write(f"[{','.join(result.model_dump_json() for result in results)}]\n")
    else:
        print_results(results, console)
    sys.exit(exit_code(results))


def _folder_for(seed: int, state: Path | None) -> Path:
    if state is None:
        return Path(tempfile.mkdtemp(prefix="chaos-"))
    folder = state.resolve() / f"seed-{seed}"
    if folder.exists() and any(folder.iterdir()):
        raise Refusal(f"{folder} is not empty", "Name another folder with --state.")
    return folder


def _told(seed: int, progress: Progress) -> Text:
    kills = progress.kills
    return Text(
        f"seed {seed}: {progress.settled} of {progress.attempts} attempts settled; killed: worker "
        f"{kills.worker} times, server {kills.server}, console {kills.console}"
    )


def _summary(result: Result) -> Text:
    verdict, kills = result.verdict, result.kills
    return Text(
        f"seed {result.seed}: {len(verdict.duplicates)} duplicates, {len(verdict.losses)} losses, "
        f"{len(verdict.after_stop)} sent after a stop; {verdict.attempts} attempts, killed: worker "
        f"{kills.worker} times, server {kills.server}; {result.seconds:.0f} s"
    )


def exit_code(results: list[Result]) -> int:
    """Return 1 where a run found anything, 3 where one had too few kills, else 0."""
    if not all(result.holds for result in results):
        return _FAILED
    return 0 if all(result.quota_is_met for result in results) else _QUOTA_NOT_MET


if __name__ == "__main__":
    app()
