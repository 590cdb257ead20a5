"""`python -m deploy.local demo` and `run`: what `make demo` and `make run` start."""

import asyncio
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

import typer

from clinic.refusal import Refusal
from clinic.settings import load_settings
from deploy.local.demo import run_demo
from deploy.local.first_visit import (
    FirstAccount,
    first_account,
    import_patients,
    needs_patients,
)
from deploy.local.settings import (
    HOST,
    PREFIX,
    LocalSettings,
    console_password,
    environment,
    write_exports,
)
from deploy.local.stack import Stack, refuse_taken_ports, shown

_INTERRUPTED = 130
_LIKE_CTRL_C = (signal.SIGTERM, signal.SIGHUP)

_LOOK_AGAIN = 0.5
_asked_to_stop = threading.Event()

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Run the whole stack on this machine, with stand-ins for the providers.",
)


@app.callback()
def _stop_in_order() -> None:
    # a shell starts a background job with SIGINT ignored
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in _LIKE_CTRL_C:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as `nohup` asks for
            signal.signal(number, _interrupt)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    # the exception may be raised where Python drops it, as in a finaliser; this is not lost
    _asked_to_stop.set()
    for number in _LIKE_CTRL_C:  # a closed terminal may send several
        signal.signal(number, signal.SIG_IGN)
    signal.raise_signal(signal.SIGINT)


def _stop_if_asked() -> None:
    if _asked_to_stop.is_set():
        raise KeyboardInterrupt


@app.command()
def demo() -> None:
    """Run the main job to its end with invented patients, then stop everything."""
    try:
        asyncio.run(run_demo(load_settings(LocalSettings, PREFIX)))
    except Refusal as refusal:
        _refuse(refusal)
    except KeyboardInterrupt:
        typer.echo("\nStopped. What was recorded is kept: `make demo` goes on from there.")
        sys.exit(_INTERRUPTED)


@app.command()
def run() -> None:
    """Start the stack and keep it up until Ctrl-C; its state is kept for the next time."""
    try:
        settings = load_settings(LocalSettings, PREFIX)
        refuse_taken_ports(settings)
        state = (settings.state or Path("var/run")).resolve()
        state.mkdir(parents=True, exist_ok=True)
        variables = environment(settings, state, demonstration=True)
        file = write_exports(variables, state)
        if needs_patients(state):
            typer.echo("Importing the example clinic's register ...")
            import_patients(variables, state)
        typer.echo("Starting Temporal, the worker, the console and the providers' stand-ins ...")
        with Stack(variables, state / "stack.log", "make run") as stack:
            asyncio.run(stack.ready(port for port, _ in settings.ports().values()))
            account = first_account(variables, console_password(state))
            _say_where(settings, state, file, account)
            while True:
                stack.refuse_ended()
                stack.wait(_LOOK_AGAIN)
                _stop_if_asked()
    except Refusal as refusal:
        _refuse(refusal)
    except KeyboardInterrupt:
        # no failure: it has no other end, and `make` would call it an error
        typer.echo("\nStopped. What was recorded is kept: `make run` goes on from there.")


def _say_where(
    settings: LocalSettings, state: Path, exports: Path, account: FirstAccount | None
) -> None:
    name, password = account or ("yours", "yours")
    typer.echo(
        f"""
The stack is up. Sign in to the console, in a browser on this machine:

  Console                http://{HOST}:{settings.console_port}
  Name                   {name}
  Password               {password}

Choose "Campaigns" and start one with the plan "demo": its patients are invented, and those who do
not answer are on the call list within a minute.

  Messages sent so far   http://{HOST}:{settings.sandbox_port}/sandbox/messages
  Temporal's UI          http://{HOST}:{settings.ui_port}
  Prometheus's figures   http://{HOST}:{settings.console_port}/metrics; its token: {shown(exports)}
  What the programs say  {shown(state / "stack.log")}
  The command line       source .venv/bin/activate && source {shown(exports)} && regresa --help

Ctrl-C stops the stack; what was recorded is kept.
"""
    )


def _refuse(refusal: Refusal) -> None:
    typer.echo(f"regresa: {refusal}", err=True)
    sys.exit(2)


if __name__ == "__main__":
    app()
