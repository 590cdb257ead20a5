"""The saboteur kills real processes, notices who died at a fail point, and leaves all running."""

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.figures import Kills
from chaos.programs import Programs, local_settings
from chaos.saboteur import Moment, Saboteur, Strike

WORKER = """
import os, pathlib, signal, sys, time
fail_points, gives_up = map(pathlib.Path, sys.argv[1:])
while True:
    time.sleep(0.02)
    if gives_up.exists():
        gives_up.unlink()
        sys.exit(3)
    for trap in fail_points.glob("sent"):
        trap.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
"""
ALL = Kills(
    worker=2, between_acceptance_and_record=1, between_claim_and_sending=0, server=1, console=1
)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Programs]:
    """Programs that do nothing but run, and a worker that heeds one fail point, `sent`."""
    (tmp_path / "worker.py").write_text(WORKER)
    serve = f"exec {sys.executable} -m http.server --bind 127.0.0.1 --directory {tmp_path / 'www'}"
    (tmp_path / "www").mkdir()
    (tmp_path / "traps").mkdir()
    (tmp_path / "Procfile").write_text(
        f"temporal: {serve} $TEMPORAL_PORT\nconsole: {serve} $CONSOLE_PORT\n"
        f"worker: exec {sys.executable} worker.py traps gives-up\n"
    )
    monkeypatch.setattr("chaos.programs.ROOT", tmp_path)
    settings = local_settings(tmp_path)
    environment = dict(os.environ) | {
        "TEMPORAL_PORT": str(settings.temporal_port),
        "CONSOLE_PORT": str(settings.console_port),
    }
    with Programs(settings, environment) as running:
        yield running


async def started(programs: Programs) -> None:
    for name in ("temporal", "console", *programs.workers):
        await programs.start(name)


def moments(*strikes: Strike) -> Iterator[Moment]:
    while True:
        for strike in strikes:
            yield Moment(after=0.05, strike=strike, away=0.0)


async def test_everything_is_killed_counted_and_running_again(
    programs: Programs, tmp_path: Path
) -> None:
    await started(programs)
    saboteur = Saboteur(programs, tmp_path / "traps", ALL, seed=1)
    stop = asyncio.Event()
    all_kinds = moments(Strike.WORKER, Strike.AT_SENT, Strike.SERVER, Strike.CONSOLE)
    striking = asyncio.create_task(saboteur.work(all_kinds, stop))
    while not saboteur.quota_is_met:
        assert not striking.done() or striking.result()
        await asyncio.sleep(0.05)
    stop.set()
    await striking
    assert saboteur.kills.reach(ALL)
    assert not any(programs.has_ended(name) for name in ("temporal", "console", "worker-1"))


async def test_a_fail_point_that_nobody_reaches_is_no_kill(
    programs: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chaos.saboteur._REACHED_WITHIN", 0.2)
    await started(programs)
    saboteur = Saboteur(programs, tmp_path / "traps", ALL, seed=1)
    stop = asyncio.Event()
    striking = asyncio.create_task(saboteur.work(moments(Strike.AT_CLAIMED, Strike.CONSOLE), stop))
    while saboteur.kills.console < 2:
        await asyncio.sleep(0.05)
    stop.set()
    await striking
    assert saboteur.kills.between_claim_and_sending == 0
    assert list((tmp_path / "traps").iterdir()) == []


async def test_a_program_that_gives_up_is_started_again_and_told(
    programs: Programs, tmp_path: Path
) -> None:
    await started(programs)
    saboteur = Saboteur(programs, tmp_path / "traps", ALL, seed=1)
    (tmp_path / "gives-up").touch()
    while not programs.has_ended("worker-1"):
        await asyncio.sleep(0.05)
    await saboteur.keep_up()
    assert saboteur.gave_up == {"worker-1": 1}
    assert saboteur.kills.worker == 0
    assert not programs.has_ended("worker-1")
