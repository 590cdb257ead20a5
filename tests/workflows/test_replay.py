"""Every change to the workflows keeps what runs in production going."""

from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from clinic.outcome import Outcome
from workflows.campaign import CampaignWorkflow
from workflows.recovery import RecoveryWorkflow

HISTORIES = Path(__file__).parents[1] / "histories"


RECORDED = {path.stem: path.read_text() for path in sorted(HISTORIES.glob("*.json"))}


@pytest.mark.parametrize("name", RECORDED)
async def test_a_golden_history_replays(name: str) -> None:
    replayer = Replayer(
        workflows=[RecoveryWorkflow, CampaignWorkflow], data_converter=pydantic_data_converter
    )
    await replayer.replay_workflow(WorkflowHistory.from_json(name, RECORDED[name]))


def test_there_is_a_golden_history_for_each_way_an_attempt_can_end() -> None:
    assert {outcome.value for outcome in Outcome} | {"campaign"} <= set(RECORDED)
