"""The programs of the Procfile, each started, killed and started again by itself."""

import asyncio
import os
import random
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from clinic.refusal import Refusal
from deploy.local.ports import answers, is_free
from deploy.local.settings import LocalSettings

ROOT = Path(__file__).resolve().parents[1]
_PORTS = range(31_000, 32_700)
"""Below those that systems hand out by chance, and above those of the tests."""

_STOP_WITHIN = 20.0
_UP_WITHIN = 60.0
_LOOK_AGAIN = 0.05


def free_ports(count: int) -> list[int]:
    """Choose ports that nobody has, and that nobody is given by chance."""
    chosen = random.sample(_PORTS, len(_PORTS))
    return list(islice((port for port in chosen if is_free(port)), count))


def local_settings(state: Path) -> LocalSettings:
    """Choose free ports for a stack with its state in a folder."""
    temporal, ui, console, smtp, sandbox = free_ports(5)
    return LocalSettings(
        temporal_port=temporal,
        ui_port=ui,
        console_port=console,
        smtp_port=smtp,
        sandbox_port=sandbox,
        state=state,
    )


class Programs:
    """The running programs; leaving the block stops them.

    Args:
        settings: Their ports and the folder of their state, where each has its log.
        environment: Of all of them.
        workers: How many workers there are.

    Attributes:
        workers: Their names.
    """

    def __init__(
        self, settings: LocalSettings, environment: Mapping[str, str], *, workers: int = 1
    ) -> None:
        self._environment = dict(environment)
        self._logs = settings.state or Path()
        self._ports = {
            "temporal": settings.temporal_port,
            "sandbox": settings.sandbox_port,
            "console": settings.console_port,
        }
        lines = (ROOT / "Procfile").read_text(encoding="utf-8").splitlines()
        self._commands = dict(line.split(": ", 1) for line in lines)
        self.workers = [f"worker-{number}" for number in range(1, workers + 1)]
        self._commands |= dict.fromkeys(self.workers, self._commands["worker"])
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._outputs: dict[str, IO[bytes]] = {}

    def __enter__(self) -> Self:
        """Begin with nothing started."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop what still runs, politely first."""
        for process in self._running.values():
            process.terminate()
        for name in list(self._running):
            try:
                self._running[name].wait(_STOP_WITHIN)
            except subprocess.TimeoutExpired:
                self.kill(name)
        for output in self._outputs.values():
            output.close()

    async def start(self, name: str) -> None:
        """Start a program, and wait until it answers at its port, if it has one.

        Raises:
            Refusal: It ended, or is not up within a minute; its log says why.
        """
        self._spawn(name)
        port = self._ports.get(name)
        deadline = asyncio.get_running_loop().time() + _UP_WITHIN
        while port is not None and not await asyncio.to_thread(answers, port):
            late = asyncio.get_running_loop().time() > deadline
            if late or self.has_ended(name):
                raise Refusal(f"{name} does not come up", f"Read {self._log(name)}.")
            await asyncio.sleep(_LOOK_AGAIN)

    def kill(self, name: str) -> None:
        """End a program and whatever it started, as a power cut would."""
        process = self._running.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def has_ended(self, name: str) -> bool:
        """Tell whether a program has ended by itself."""
        return self._running[name].poll() is not None

    def was_killed(self, name: str) -> bool:
        """Tell whether a program has ended by SIGKILL, as one does at a fail point."""
        return self._running[name].poll() == -signal.SIGKILL

    def _spawn(self, name: str) -> None:
        if name not in self._outputs:
            self._outputs[name] = self._log(name).open("ab")
        # a shell reads the line and becomes the program (`exec`): its id is the program's
        self._running[name] = subprocess.Popen(  # noqa: S602 - our own Procfile
            self._commands[name],
            shell=True,
            cwd=ROOT,
            env=self._environment,
            stdout=self._outputs[name],
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _log(self, name: str) -> Path:
        return self._logs / f"{name}.log"
