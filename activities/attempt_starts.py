"""Attempts' workflows are started from the client: no children, nothing in the parent's history."""

import asyncio
from collections.abc import Sequence

from temporalio import activity
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities import names
from clinic.attempt import AttemptInput
from clinic.duration import spoken
from clinic.plan import Plan
from clinic.tables import Attempt, Campaign

_AT_ONCE = 16
"""More than this many starts in flight gain nothing on one server (measured in benchmarks/)."""


class AttemptStarts:
    """Starts workflows, several at once.

    Args:
        client: Starts them.
        task_queue: Where they run.
    """

    def __init__(self, client: Client, task_queue: str) -> None:
        self._client = client
        self._task_queue = task_queue

    async def start(self, campaign: Campaign, plan: Plan, attempts: Sequence[Attempt]) -> list[str]:
        """Start the workflows of attempts whose rows are open.

        Returns:
            The ids of the attempts whose workflows run. Of the others, the patient's previous
            workflow is about to close.
        """
        at_once = asyncio.Semaphore(_AT_ONCE)

        async def start(attempt: Attempt) -> str | None:
            async with at_once:
                is_started = await self._start(campaign, plan, attempt)
                activity.heartbeat()
            return attempt.id if is_started else None

        results = await asyncio.gather(*(start(attempt) for attempt in attempts))
        return [attempt_id for attempt_id in results if attempt_id is not None]

    async def _start(self, campaign: Campaign, plan: Plan, attempt: Attempt) -> bool:
        workflow_id = names.attempt_workflow_id(attempt.patient_id)
        try:
            await self._client.start_workflow(
                names.RECOVERY_WORKFLOW,
                AttemptInput(attempt_id=attempt.id, patient_id=attempt.patient_id, plan=plan),
                id=workflow_id,
                task_queue=self._task_queue,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                memo={names.ATTEMPT_MEMO: attempt.id},
                search_attributes=names.of_campaign(campaign.name, campaign.segment, plan.name),
                static_summary=f"{campaign.name}: {plan.name}"[:200],
                static_details=_details(campaign, plan, attempt),
            )
        except WorkflowAlreadyStartedError:
            return await self._is_this_one(workflow_id, attempt)
        return True

    async def _is_this_one(self, workflow_id: str, attempt: Attempt) -> bool:
        """Tell whether the workflow that runs is this attempt's.

        It is, where an earlier page was cut short. Else it is the patient's previous one, which
        has recorded its outcome and is about to close: the next page tries again.
        """
        description = await self._client.get_workflow_handle(workflow_id).describe()
        memo = await description.memo()
        return bool(memo.get(names.ATTEMPT_MEMO) == attempt.id)


def _details(campaign: Campaign, plan: Plan, attempt: Attempt) -> str:
    ladder = "\n".join(
        f"{number}. {step.channel} `{step.template}`, wait {spoken(step.wait)}"
        for number, step in enumerate(plan.steps, start=1)
    )
    return (
        f"Attempt `{attempt.id}` of campaign **{campaign.name}**, "
        f"segment `{campaign.segment}`, plan `{plan.name}`:\n\n{ladder}"
    )
