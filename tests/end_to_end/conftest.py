"""The real programs as processes, on ports of their own."""

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO

import pytest

from deploy.local.settings import LocalSettings, environment

ROOT = Path(__file__).parents[2]


def free_ports(count: int) -> list[int]:
    """Choose ports that nobody has, and that nobody is given by chance.

    They lie below the range from which systems hand out ports: a program started before (Temporal
    takes several for itself) could get one of those. Each test process has a slice of its own.
    """
    process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = 20_000 + process % 10 * 1_000
    candidates = random.sample(range(first, first + 1_000), 1_000)
    return list(islice((port for port in candidates if is_free(port)), count))


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@pytest.fixture
def local_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalSettings:
    """A local stack on free ports, with its state in a folder of the test."""
    monkeypatch.chdir(ROOT)
    temporal, ui, console, smtp, sandbox = free_ports(5)
    return LocalSettings(
        temporal_port=temporal,
        ui_port=ui,
        console_port=console,
        smtp_port=smtp,
        sandbox_port=sandbox,
        state=tmp_path / "state",
    )


class Processes:
    """The lines of the Procfile, each started, killed and started again by itself."""

    def __init__(self, settings: LocalSettings, **variables: str) -> None:
        assert settings.state is not None
        self.settings = settings
        self.state = settings.state
        self.state.mkdir(parents=True, exist_ok=True)
        self.environment = environment(settings, self.state, demonstration=True) | variables
        lines = (ROOT / "Procfile").read_text().splitlines()
        self._commands = dict(line.split(": ", 1) for line in lines)
        self._ports = {
            "temporal": settings.temporal_port,
            "sandbox": settings.sandbox_port,
            "console": settings.console_port,
        }
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._logs: list[IO[bytes]] = []

    def add(self, name: str, command: str, *, port: int) -> None:
        """Add a program that is not in the Procfile."""
        self._commands[name] = command
        self._ports[name] = port

    async def start(self, *names: str) -> None:
        for name in names:
            self._start(name)
        for name in names:
            while name in self._ports and not answers(self._ports[name]):
                assert self._running[name].poll() is None, self.log(name)
                await asyncio.sleep(0.05)

    def _start(self, name: str) -> None:
        log = (self.state / f"{name}.log").open("ab")
        self._logs.append(log)
        self._running[name] = subprocess.Popen(  # noqa: S602 - our own Procfile
            self._commands[name],
            shell=True,
            cwd=ROOT,
            env=self.environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )

    async def ends(self, name: str, *, code: int) -> None:
        """Start a program that is expected to end by itself."""
        self._start(name)
        assert await asyncio.to_thread(self._running.pop(name).wait, 60) == code, self.log(name)

    def kill(self, name: str) -> None:
        """End a process as a power cut would."""
        self._running[name].send_signal(signal.SIGKILL)
        self._running.pop(name).wait()

    def stop(self) -> None:
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            process.wait(30)
        for log in self._logs:
            log.close()

    def log(self, name: str) -> str:
        return (self.state / f"{name}.log").read_text()

    def regresa(
        self, *arguments: str, check: bool = True, typed: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - our own command
            [sys.executable, str(ROOT / "starter.py"), *arguments],
            cwd=ROOT,
            env=self.environment,
            input=typed,
            capture_output=True,
            text=True,
            check=check,
        )


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def processes(local_settings: LocalSettings) -> Iterator[Processes]:
    """The stack's programs; those a test started are stopped in the end."""
    running = Processes(local_settings, REGRESA_SANDBOX_PATIENTS="false")
    yield running
    running.stop()
