"""Whatever is killed in the middle of a campaign: nobody is missed, no SMS comes twice."""

import asyncio
import json
import urllib.request
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.end_to_end.conftest import Processes

PLAN = """
steps:
  - {channel: email, template: come-back, wait: 2 seconds}
  - {channel: sms, template: come-back, wait: 2 seconds}
"""


def messages(processes: "Processes") -> list[dict[str, Any]]:
    """Return everything that the providers took, by their own count."""
    url = f"http://127.0.0.1:{processes.settings.sandbox_port}/sandbox/messages"
    with urllib.request.urlopen(url, timeout=10) as answer:
        taken: list[dict[str, Any]] = json.load(answer)
    return taken


async def sent_at_least(processes: "Processes", count: int) -> None:
    while len(await asyncio.to_thread(messages, processes)) < count:
        await asyncio.sleep(0.1)


def report(processes: "Processes") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(processes.regresa("report", "killed", "--json").stdout)
    return found


@pytest.mark.timeout(240)
async def test_kill_9_of_worker_and_server_misses_nobody_and_repeats_no_sms(
    processes: "Processes", clinic_folder: Path
) -> None:
    (clinic_folder / "plans" / "short.yaml").write_text(PLAN)
    processes.environment["REGRESA_CLINIC"] = str(clinic_folder)
    processes.regresa("import", str(clinic_folder / "register.csv"))
    await processes.start("temporal", "sandbox", "console", "worker")
    processes.regresa("start", "lapsed-orthodontics", "--plan", "short", "--name", "killed")

    await sent_at_least(processes, 5)
    processes.kill("worker")
    await processes.start("worker")
    await sent_at_least(processes, 25)
    processes.kill("temporal")
    await processes.start("temporal")
    await sent_at_least(processes, 50)
    processes.kill("worker")
    processes.kill("temporal")
    await processes.start("temporal", "worker")

    found = await asyncio.to_thread(report, processes)
    while not found["finished"]:
        await asyncio.sleep(0.5)
        found = await asyncio.to_thread(report, processes)
    ended = sum(found["outcomes"].values())
    assert (ended, found["left_out"]) == (
        44,
        {"deceased": 1, "moved": 1, "no_way_to_reach": 2},
    )
    assert found["outcomes"]["exhausted"] == 44
    taken = messages(processes)
    texts = Counter(message["body"] for message in taken if message["channel"] == "sms")
    assert [count for count in texts.values() if count > 1] == []
    # SMTP can't be asked: a mail whose answer was cut off is sent again, under the same
    # Message-ID and no other
    mails = {message["message_id"] for message in taken if message["channel"] == "email"}
    assert {"email": len(mails), "sms": len(texts)} == found["messages"]
