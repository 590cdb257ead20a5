"""`make demo`, as a new user runs it; and what its logs must not hold."""

import asyncio
import csv
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from deploy.local.settings import LocalSettings

ROOT = Path(__file__).parents[2]


def command(settings: LocalSettings) -> tuple[list[str], dict[str, str]]:
    given = settings.model_dump(mode="json", exclude_none=True)
    variables = {f"REGRESA_LOCAL_{name.upper()}": str(value) for name, value in given.items()}
    return [sys.executable, "-m", "deploy.local", "demo"], os.environ | variables


@asynccontextmanager
async def started(
    arguments: list[str], variables: dict[str, str]
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a command; it is stopped where a test fails before its end."""
    process = await asyncio.create_subprocess_exec(
        *arguments, cwd=ROOT, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
            await process.communicate()


def rows(output: str) -> dict[str, int]:
    """Read the campaign's table: label to number of patients."""
    table = output[output.index("Patients of the segment") :]
    found = re.findall(r"^ +(\S.*?) {2,}(\d+) +\d+\.\d%", table, re.MULTILINE)
    return {label: int(count) for label, count in found}


@pytest.mark.timeout(500)
async def test_an_interrupted_demo_goes_on_and_its_table_adds_up(
    local_settings: LocalSettings,
) -> None:
    arguments, variables = command(local_settings)
    assert local_settings.state is not None
    async with started(arguments, variables) as interrupted:
        assert interrupted.stdout is not None
        async for line in interrupted.stdout:
            if b"waiting" in line:
                interrupted.send_signal(signal.SIGINT)
                break
        rest = await interrupted.stdout.read()
        assert await interrupted.wait() == 130
    assert b"goes on from there" in rest

    async with started(arguments, variables) as demo:
        output = (await demo.communicate())[0].decode()
    assert demo.returncode == 0, output
    table = rows(output)
    total = table.pop("in the segment")
    assert total == 48
    assert sum(table.values()) == total
    assert table["booked"] > 0
    assert (
        table["not started yet"] + table["waiting for an answer"] + table["on the call list"] == 0
    )
    personal = personal_data_in((local_settings.state / "stack.log").read_text())
    assert personal == []


def personal_data_in(log: str) -> list[str]:
    """Return what of the register stands in a log: addresses, numbers, surnames."""
    with (ROOT / "examples" / "clinic" / "register.csv").open(encoding="utf-8") as file:
        patients = list(csv.DictReader(file))
    words = {
        word
        for patient in patients
        for word in (patient["email"], patient["phone"], patient["last_name"])
        if word
    }
    digits = {re.sub(r"\D", "", patient["phone"])[-10:] for patient in patients} - {""}
    return sorted(word for word in words | digits if word in log)


@pytest.mark.parametrize("name", ["temporal_port", "smtp_port"])
def test_a_taken_port_is_named_with_the_setting_that_moves_it(
    local_settings: LocalSettings, name: str
) -> None:
    arguments, variables = command(local_settings)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", getattr(local_settings, name)))
        taken.listen()
        ended = subprocess.run(  # noqa: S603 - our own command
            arguments, cwd=ROOT, env=variables, capture_output=True, text=True, check=False
        )
    assert ended.returncode == 2
    assert f"REGRESA_LOCAL_{name.upper()}" in ended.stderr
    assert str(getattr(local_settings, name)) in ended.stderr
