"""A process dies where a test says, once, and only if it is told where to look."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from activities import fail_point
from channels.protocol import Receipt
from clinic.delivery import Sent

if TYPE_CHECKING:
    from tests.activities.conftest import Deliver, Desk, Told

SMS = 1
ROOT = Path(__file__).parents[2]


def come_to(name: str, folder: Path | None) -> int:
    """Come to a place in a process of its own; return how that ended."""
    script = f"from activities.fail_point import reach; reach({name!r})"
    environment = {"PYTHONPATH": str(ROOT)}
    if folder is not None:
        environment[fail_point.VARIABLE] = str(folder)
    command = [sys.executable, "-c", script]
    return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603 - our own


def test_who_comes_first_dies_and_who_comes_next_goes_on(tmp_path: Path) -> None:
    (tmp_path / "sent").touch()
    assert come_to("claimed", tmp_path) == 0
    assert come_to("sent", tmp_path) == -signal.SIGKILL
    assert come_to("sent", tmp_path) == 0
    assert list(tmp_path.iterdir()) == []


def test_nobody_dies_who_was_not_told_where_to_look(tmp_path: Path) -> None:
    (tmp_path / "sent").touch()
    assert come_to("sent", None) == 0
    assert (tmp_path / "sent").exists()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_places_are_before_and_after_the_provider(
    desk: "Desk", deliver: "Deliver", told: "Told", monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = await desk.attempt()
    channel = told(Receipt(provider_id="SM1"))
    seen: list[tuple[str, int]] = []

    def come(name: str) -> None:
        seen.append((name, len(channel.sent)))

    monkeypatch.setattr(fail_point, "reach", come)
    assert await deliver(attempt, SMS, sms=channel) == Sent()
    assert seen == [("claimed", 0), ("sent", 1)]
