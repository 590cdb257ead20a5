"""What one exhausted email-SMS-call attempt leaves at Temporal: events, bytes, billable actions.

Counted from the fetched history of an attempt that a campaign started, on a server that does not
skip time (skipping adds events). Beside it, the bare workflow of the same shape, and the barest.
"""

from collections import Counter
from datetime import timedelta
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle

from activities import names
from benchmarks import providers
from benchmarks.figures import Footprint
from benchmarks.ground import Ground
from benchmarks.register import plan_campaign
from benchmarks.shapes import BareAttempt, BareInput, BarestAttempt
from benchmarks.sides import (
    BARE_QUEUE,
    STARTING_ATTRIBUTES,
    BareSide,
    EngineSide,
    relaying,
    settled,
    store_answer,
)
from clinic.event import EventKind
from clinic.identifiers import new_id

_WAIT = timedelta(seconds=0.2)
_DELIVERIES = 3

_BILLED = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: "start",  # its search attributes are free
    EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: "activity",
    EventType.EVENT_TYPE_TIMER_STARTED: "timer",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: "signal",
    EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: "search attributes",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: "update",
    EventType.EVENT_TYPE_MARKER_RECORDED: "marker",
}
"""What Temporal Cloud bills once for each event of a kind; a child workflow would be two."""
_RETRY = "activity retry"
_CHILD = EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED


async def measure(ground: Ground) -> list[Footprint]:
    """Run one attempt and the two bare workflows to their ends, and count."""
    async with (
        providers.in_memory(ground) as channels,
        EngineSide.worker(ground, channels),
        BareSide.worker(ground),
    ):
        return [
            await _count("attempt", await _exhausted_attempt(ground)),
            await _count("bare workflow of the same shape", await _bare(ground, BareAttempt.run)),
            await _count("barest workflow", await _bare(ground, BarestAttempt.run)),
        ]


async def _exhausted_attempt(ground: Ground) -> WorkflowHandle[Any, Any]:
    ground.activities.expect(_DELIVERIES + 1)  # and the campaign's page
    async with relaying(ground):
        _, patients = await plan_campaign(ground, 1, _WAIT)
        await ground.activities.reached()
        handle = ground.client.get_workflow_handle(names.attempt_workflow_id(patients[0]))
        await settled(handle)
        attempt_id = (await (await handle.describe()).memo())[names.ATTEMPT_MEMO]
        await store_answer(ground, attempt_id, EventKind.CALL_OUTCOME)
        await handle.result()
    return handle


async def _bare(ground: Ground, workflow: Any) -> WorkflowHandle[Any, Any]:
    ground.activities.expect(_DELIVERIES)
    workflow_id = new_id("bare")
    handle = await ground.client.start_workflow(
        workflow,
        BareInput(attempt_id=workflow_id, wait_seconds=_WAIT.total_seconds()),
        id=workflow_id,
        task_queue=BARE_QUEUE,
        search_attributes=STARTING_ATTRIBUTES,
    )
    await ground.activities.reached()
    await settled(handle)
    await handle.signal(names.ATTEMPT_EVENT)
    await handle.result()
    return handle


async def _count(measured: str, handle: WorkflowHandle[Any, Any]) -> Footprint:
    history = await handle.fetch_history()
    billed: Counter[str] = Counter()
    for event in history.events:
        if event.event_type == _CHILD:
            raise ValueError("an attempt has no children; these would be billed as two")
        if event.event_type in _BILLED:
            billed[_BILLED[event.event_type]] += 1
        retries = event.activity_task_started_event_attributes.attempt - 1
        if retries > 0:
            billed[_RETRY] += retries
    return Footprint(
        measured=measured,
        events=len(history.events),
        history_bytes=sum(event.ByteSize() for event in history.events),
        billed=dict(billed),
    )
