"""When a program of the local stack ends, one sentence says which, and what to do."""

import os
import sys
from pathlib import Path

import pytest

from clinic.refusal import Refusal
from deploy.local.settings import LocalSettings, environment
from deploy.local.stack import PROGRAMS, Stack, ended

LOG = Path("var/run/stack.log")
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("written", "begins"),
    [
        pytest.param(
            "09:01:02 system     | worker.1 started (pid=7)\n"
            "09:02:03 system     | temporal.1 stopped (rc=-9)\n"
            "09:02:04 system     | worker.1 stopped (rc=-15)\n",
            "the Temporal server has ended (killed by signal 9), ",
            id="the first one, killed",
        ),
        pytest.param(
            "09:02:03 system     | console.1 stopped (rc=1)\n",
            "the console has ended (exit code 1), ",
            id="by itself",
        ),
        pytest.param("", "honcho, which starts the programs, has ended, ", id="nobody said"),
    ],
)
def test_the_program_that_ended_first_is_named(written: str, begins: str) -> None:
    said = ended(written, LOG, "make run")
    assert said.startswith(begins)
    assert said.endswith("stands in var/run/stack.log, and `make run` goes on from there.")
    assert "\n" not in said


def test_every_program_has_a_name() -> None:
    lines = (ROOT / "Procfile").read_text().splitlines()
    assert {line.partition(":")[0] for line in lines} == set(PROGRAMS)


def test_an_earlier_runs_end_is_not_this_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "stack.log"
    log.write_text("09:00:00 system     | temporal.1 stopped (rc=-9)\n")
    (tmp_path / "Procfile").write_text(f"worker: exec {sys.executable} -c 'raise SystemExit(3)'\n")
    monkeypatch.chdir(tmp_path)
    with Stack(dict(os.environ), log, "make run") as stack:
        assert stack.wait(20) == 3
        with pytest.raises(Refusal, match=r"^the worker has ended \(exit code 3\)"):
            stack.refuse_ended()


def test_the_console_of_the_stack_tells_its_figures_to_whoever_has_the_token(
    tmp_path: Path,
) -> None:
    given = environment(LocalSettings(), tmp_path, demonstration=True)
    assert given["REGRESA_METRICS_TOKEN"]
    assert given == environment(LocalSettings(), tmp_path, demonstration=True)
