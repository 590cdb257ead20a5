"""A campaign steered and worked through with the commands that people use."""

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from deploy.local.terminal import Terminal, terminal

if TYPE_CHECKING:
    from tests.end_to_end.conftest import Processes


async def typed(regresa: Terminal, *arguments: str, code: int = 0) -> str:
    """Type a command; return what it prints."""
    answer = await regresa.type(*arguments)
    assert answer.code == code, answer.errors
    return answer.output if code == 0 else answer.errors


async def calls(regresa: Terminal) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(await typed(regresa, "calls", "--json"))
    return listed


@pytest.mark.timeout(180)
async def test_a_campaign_from_start_to_stop_by_command(processes: "Processes") -> None:
    async with terminal(processes.environment) as regresa:
        await typed(regresa, "import", "examples/clinic/register.csv")
        await processes.start("temporal", "sandbox", "console", "worker")
        start = ("start", "price-was-the-reason", "--plan", "call-first", "--name", "spring")
        await typed(regresa, *start, "--goal", "15%", "--pace", "3600/h")
        again = await typed(regresa, *start, code=2)
        assert "there is a campaign `spring` already" in again

        while len(listed := await calls(regresa)) < 9:
            await asyncio.sleep(0.2)
        assert {call["kind"] for call in listed} == {"call"}
        task = listed[0]["task_id"]
        script = await typed(regresa, "claim", task, "--as", "Lucía")
        assert "Aurora" in script
        taken = await typed(regresa, "claim", task, "--as", "Irina", code=2)
        assert "is claimed by Lucía until" in taken
        await typed(regresa, "complete", task, "--outcome", "declined", code=2)
        outcome = ("--outcome", "declined", "--reason", "price", "--as", "Lucía")
        await typed(regresa, "complete", task, *outcome)
        closed = await typed(regresa, "complete", task, *outcome, code=2)
        assert "was closed by Lucía" in closed

        booked = listed[1]
        await typed(regresa, "event", booked["external_id"], "booked", "--key", "k-1")
        repeat = await typed(regresa, "event", booked["external_id"], "booked", "--key", "k-1")
        assert "was recorded before" in repeat

        assert "now paused" in await typed(regresa, "pause", "spring")
        assert "already paused" in await typed(regresa, "pause", "spring")
        assert "goes on" in await typed(regresa, "resume", "spring")
        assert "is stopped" in await typed(regresa, "stop", "spring")
        assert "was stopped" in await typed(regresa, "resume", "spring", code=2)
        await typed(regresa, "watch", "spring")
        report = json.loads(await typed(regresa, "report", "spring", "--json"))
        assert report["finished"]
        assert report["outcomes"] == dict.fromkeys(report["outcomes"], 0) | {
            "declined": 1,
            "booked": 1,
            "cancelled": 7,
        }
        assert report["loss_reasons"] == {"price": 1}
        assert sum(report["left_out"].values()) + 9 == report["patients"]


async def test_a_worker_refuses_the_policy_that_protects_nobody_where_somebody_could_be_reached(
    processes: "Processes",
) -> None:
    processes.environment["REGRESA_SMS_BASE_URL"] = "https://api.twilio.example"
    await processes.start("temporal")
    await processes.ends("worker", code=2)
    assert "the contact policy is for demonstrations" in processes.log("worker")


async def test_a_worker_without_temporal_says_so_and_ends(processes: "Processes") -> None:
    processes.environment["REGRESA_WORKER_WAIT"] = "0"
    await processes.ends("worker", code=2)
    assert "no Temporal at 127.0.0.1" in processes.log("worker")


async def test_a_worker_that_waits_for_temporal_can_be_stopped(processes: "Processes") -> None:
    processes.environment["REGRESA_WORKER_WAIT"] = "600"
    await processes.start("worker")
    while not (processes.state / "regresa.db").exists():
        await asyncio.sleep(0.05)
    began = time.monotonic()
    await asyncio.to_thread(processes.stop)
    assert time.monotonic() - began < 20


async def test_a_setting_that_is_wrong_is_named(processes: "Processes") -> None:
    processes.environment["REGRESA_EMAIL_PORT"] = "many"
    await processes.ends("worker", code=2)
    assert "REGRESA_EMAIL_PORT" in processes.log("worker")
