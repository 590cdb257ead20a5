"""A short run of the real thing: the same programs, kills and faults as `make chaos`."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(240)
async def test_thirty_attempts_lose_nothing_and_repeat_nothing(tmp_path: Path) -> None:
    # a seed whose few slow faults come early: an answer that stays out costs forty seconds
    arguments = ["--attempts", "30", "--seed", "105", "--waits", "1", "1", "--json"]
    process = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "chaos", *arguments, "--state", str(tmp_path), "--minutes", "3"],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    (result,) = json.loads(process.stdout)
    verdict = result["verdict"]
    assert (verdict["duplicates"], verdict["losses"], verdict["after_stop"]) == ([], [], [])
    assert verdict["attempts"] == 30
    assert (sum(verdict["outcomes"].values()), verdict["with_person"]) == (30, 0)
    assert result["kills"]["between_acceptance_and_record"] >= 1
    assert result["kills"]["between_claim_and_sending"] >= 1
    assert result["kills"]["server"] >= 1
    assert sum(result["faults"].values()) > 0
