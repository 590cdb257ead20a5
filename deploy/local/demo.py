"""The demo: the main job, run to its end on invented patients."""

import asyncio
import json
import shutil
import sys
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich.console import Console

from clinic.refusal import Refusal
from deploy.local.first_visit import EXAMPLE_REGISTER
from deploy.local.settings import HOST, LocalSettings, environment, write_exports
from deploy.local.stack import Stack, refuse_taken_ports
from deploy.local.staff import Staff

CAMPAIGN = "demo"
_SEGMENT = "lapsed-orthodontics"
_PLAN = "demo"
_FINISHED = "finished"
_STATE_FILES = (
    "regresa.db*",
    "temporal.db*",
    "stack.log",
    "stack.env",
    "secrets.env",
    "sandbox-ca.pem*",
    "sandbox-ca.key",
    _FINISHED,  # the last: a removal that was interrupted is taken up again
)

_console = Console(highlight=False)


async def run_demo(settings: LocalSettings) -> None:
    """Run the main job; a demo that was interrupted goes on where it stopped.

    Raises:
        Refusal: A port is taken, or the stack does not come up.
    """
    refuse_taken_ports(settings)
    state = (settings.state or Path("var/demo")).resolve()
    if (state / _FINISHED).exists():
        remove_state(state)
    state.mkdir(parents=True, exist_ok=True)
    variables = environment(settings, state, demonstration=True)
    write_exports(variables, state)
    goes_on = (state / "regresa.db").exists()
    _say("Starting Temporal, the worker, the console and the stand-ins for the providers ...")
    _say("Importing the example clinic's register ...")
    await _regresa(variables, "import", EXAMPLE_REGISTER)
    with Stack(variables, state / "stack.log", "make demo") as stack:
        await stack.ready(port for port, _ in settings.ports().values())
        ui = f"http://{HOST}:{settings.ui_port}"
        _say(f"Temporal's UI, while this runs: [link={ui}]{ui}[/link]")
        if not goes_on or not await _has_started(variables):
            await _regresa(variables, "preview", _SEGMENT, "--plan", _PLAN, "--limit", "5")
            await _regresa(
                variables, "start", _SEGMENT, "--plan", _PLAN, "--name", CAMPAIGN, "--goal", "15%"
            )
        await _watch(variables, stack)
        (state / _FINISHED).touch()
        _say_what_patients_did(settings)


def remove_state(state: Path) -> None:
    """Remove what the stack made in its folder, and nothing else that lies there."""
    for pattern in _STATE_FILES:
        for path in state.glob(pattern):
            path.unlink()
    # lists that were imported by the console, where somebody had this state up by `make run`
    shutil.rmtree(state / "uploads", ignore_errors=True)


async def _watch(variables: dict[str, str], stack: Stack) -> None:
    staff = Staff(variables)
    working = asyncio.create_task(staff.work())
    watching = asyncio.create_task(_regresa(variables, "watch", CAMPAIGN))
    guarding = asyncio.create_task(_guard(stack))
    tasks = (working, watching, guarding)
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    said = ", ".join(f"{outcome} {count}" for outcome, count in staff.outcomes.most_common())
    _say(f"Staff made {staff.outcomes.total()} calls with the same commands as people: {said}.")


async def _guard(stack: Stack) -> None:
    while True:
        stack.refuse_ended()
        await asyncio.sleep(0.5)


async def _has_started(variables: dict[str, str]) -> bool:
    process = await asyncio.create_subprocess_exec(
        "regresa",
        "report",
        CAMPAIGN,
        "--json",
        env=variables,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    return await process.wait() == 0


async def _regresa(variables: dict[str, str], *arguments: str) -> None:
    _console.print(f"[bold]$ regresa {' '.join(arguments)}[/]")
    process = await asyncio.create_subprocess_exec("regresa", *arguments, env=variables)
    try:
        code = await process.wait()
    except asyncio.CancelledError:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
        raise
    if code != 0:
        raise Refusal(f"`regresa {' '.join(arguments)}` ended with exit code {code}")


def _say_what_patients_did(settings: LocalSettings) -> None:
    url = f"http://{HOST}:{settings.sandbox_port}/sandbox/patients"
    with urllib.request.urlopen(url, timeout=5) as answer:
        did: dict[str, Any] = json.load(answer)
    answered = {name.replace("_", " "): of["answered"] for name, of in did["personas"].items()}
    said = ", ".join(f"{name} {count}" for name, count in answered.items() if count)
    _say(f"What the simulated patients did: {said}.")


def _say(text: str) -> None:
    _console.print(text)
    sys.stdout.flush()
