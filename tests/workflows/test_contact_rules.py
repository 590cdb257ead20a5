"""An attempt under a law that stretches its plan, on the real server: each wait names the rule."""

import asyncio
import shutil
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.client import WorkflowHandle

from clinic.event import EventKind
from clinic.outcome import Outcome
from workflows.recovery import RecoveryWorkflow

if TYPE_CHECKING:
    from tests.workflows.conftest import Recovery

    Handle = WorkflowHandle[RecoveryWorkflow, Outcome]

EMAIL = {"channel": "email", "template": "come-back", "wait": "3 days"}
SMS = {"channel": "sms", "template": "come-back", "wait": "4 days"}


@pytest.fixture
def contact_policy() -> str:
    return "co"


@pytest.fixture
def database_url(prepared_sqlite: Path, tmp_path: Path) -> str:
    """One kind will do: what is read from it is tested on both."""
    return f"sqlite:///{shutil.copy(prepared_sqlite, tmp_path / 'clinic.db')}"


async def details(handle: "Handle") -> str:
    """Return what an operator reads about an attempt."""
    metadata: Any = await handle.query("__temporal_workflow_metadata")
    return str(metadata.current_details)


async def details_with(handle: "Handle", words: str) -> str:
    """Wait until an operator reads certain words about an attempt."""
    while words not in (said := await details(handle)):
        await asyncio.sleep(0.02)
    return said


async def test_a_step_that_the_law_puts_off_says_until_when_and_by_which_rule(
    recovery: "Recovery",
) -> None:
    handle = await recovery.start(EMAIL, SMS, real_waits=True)
    # the email leaves within three days, whatever Sundays and holidays lie ahead: on the sixth
    # day the SMS has been asked for, and its week is not over
    await recovery.forward(handle, timedelta(days=6))
    said = await details_with(handle, "one channel a week")
    assert "Step 2 of 2, **sms**: put off until" in said
    assert "one channel a week: email on" in said
    assert "(Ley 2300 de 2023, art. 3)" in said
    email = await recovery.message(0)
    assert email is not None
    assert email.sent_at is not None
    await recovery.say(EventKind.STOPPED)
    assert await handle.result() is Outcome.CANCELLED


async def test_after_its_end_an_attempt_says_which_steps_were_skipped_and_why(
    recovery: "Recovery",
) -> None:
    handle = await recovery.start(EMAIL, SMS, email=None, phone=None)
    assert await handle.result() is Outcome.UNREACHABLE
    assert await details(handle) == (
        "Ended: **unreachable**\n\n"
        "- step 1, email: skipped, no address\n"
        "- step 2, sms: skipped, no address"
    )
