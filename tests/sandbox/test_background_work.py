"""Work in the background is waited for, and its failures come to light."""

import asyncio

import pytest
from structlog.testing import capture_logs

from sandbox.background_work import BackgroundWork


async def fail(reason: str) -> None:
    raise LookupError(reason)


async def wait_for_ever() -> None:
    await asyncio.Event().wait()


async def test_settling_waits_for_work_that_work_started() -> None:
    work = BackgroundWork()
    done: list[str] = []

    async def second() -> None:
        done.append("second")

    async def first() -> None:
        done.append("first")
        work.start(second(), name="second")

    work.start(first(), name="first")
    await work.settled()

    assert done == ["first", "second"]


async def test_a_failure_is_raised_once_and_logged_without_its_text() -> None:
    work = BackgroundWork()
    with capture_logs() as logs:
        work.start(fail("+13055550142"), name="delivery")
        with pytest.raises(ExceptionGroup) as raised:
            await work.settled()
    await work.close()

    assert raised.group_contains(LookupError)
    assert logs == [
        {
            "event": "background_work_failed",
            "log_level": "error",
            "work": "delivery",
            "error": "LookupError",
        }
    ]


async def test_closing_stops_what_still_runs() -> None:
    work = BackgroundWork()
    work.start(wait_for_ever(), name="patient")

    async with asyncio.timeout(5):
        await work.close()
