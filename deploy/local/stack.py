"""The stack's processes: started together by honcho from the Procfile, stopped together."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from clinic.refusal import Refusal
from deploy.local.ports import answers, is_free
from deploy.local.settings import LocalSettings

_READY_WITHIN = 60.0
_STOP_WITHIN = 30.0
_LAST_LINES = 15
_STOPPED = re.compile(r"system +\| (\w+)\.\d+ stopped \(rc=(-?\d+)\)")
"""How honcho says that a program has ended; the first one took the others with it."""
PROGRAMS = {
    "temporal": "the Temporal server",
    "sandbox": "the providers' stand-in",
    "console": "the console",
    "worker": "the worker",
}
"""Those of the Procfile."""


def refuse_taken_ports(settings: LocalSettings) -> None:
    """Look whether every port of the stack is free.

    Raises:
        Refusal: Some are taken; it names each, with the setting that moves it.
    """
    taken = [
        f"port {port}, where {name} would listen, is taken: set {variable} to a free one"
        for name, (port, variable) in settings.ports().items()
        if not is_free(port)
    ]
    if taken:
        raise Refusal("\n".join(taken))


def ended(written: str, log: Path, again: str) -> str:
    """Say which of the stack's programs has ended, as one sentence.

    Args:
        written: What honcho and its programs wrote since the start.
        log: Where that stands.
        again: The command that goes on from there.
    """
    first = _STOPPED.search(written)
    if first is None:
        which, code = "honcho, which starts the programs,", ""
    else:
        which = PROGRAMS.get(first[1], first[1])
        number = int(first[2])
        # below 0: the signal that killed it
        code = f" (killed by signal {-number})" if number < 0 else f" (exit code {number})"
    return (
        f"{which} has ended{code}, so the rest was stopped too: what the programs said stands "
        f"in {log}, and `{again}` goes on from there."
    )


def shown(path: Path) -> Path:
    """Return a path as it is shown to whoever stands in the folder."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


class Stack:
    """The running stack; leaving the block stops it.

    Args:
        environment: Of its processes.
        log: The file that their output is added to.
        again: The command that goes on from where the stack has ended.
    """

    def __init__(self, environment: dict[str, str], log: Path, again: str) -> None:
        self._environment = environment
        self._log = log
        self._again = again
        self._begins_at = 0
        self._output: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start the processes."""
        self._output = self._log.open("ab")
        self._begins_at = self._log.stat().st_size
        self._process = subprocess.Popen(  # noqa: S603 - our own Procfile
            [sys.executable, "-m", "honcho", "--env", os.devnull, "start"],
            env=self._environment,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            # Ctrl-C reaches this process alone, which then stops the others in order
            start_new_session=True,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the processes: politely first, so that what is being sent is recorded."""
        process = self._started()
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_STOP_WITHIN)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if self._output is not None:
            self._output.close()

    async def ready(self, ports: Iterable[int]) -> None:
        """Wait until every port answers.

        Raises:
            Refusal: A process ended, or the stack is not up within a minute.
        """
        deadline = time.monotonic() + _READY_WITHIN
        waiting = list(ports)
        while waiting:
            self.refuse_ended()
            if time.monotonic() > deadline:
                raise Refusal(
                    f"the stack is not up after {_READY_WITHIN:.0f} s", self._last_words()
                )
            waiting = [port for port in waiting if not answers(port)]
            await asyncio.sleep(0.1)

    def wait(self, seconds: float) -> int | None:
        """Wait for the stack to end by itself; return its exit code, or None where it runs on."""
        try:
            return self._started().wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def refuse_ended(self) -> None:
        """Look whether the stack still runs.

        Raises:
            Refusal: It has ended: which of its programs did, where its words are, what to do.
        """
        if self._started().poll() is None:
            return
        with self._log.open("rb") as log:
            log.seek(self._begins_at)
            written = log.read().decode(errors="replace")
        raise Refusal(ended(written, shown(self._log), self._again))

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the stack was not started")
        return self._process

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()[-_LAST_LINES:]
        return f"The end of {self._log}:\n" + "\n".join(lines)
