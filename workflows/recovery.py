"""One attempt, one execution: the thin shell that runs the ladder's moves."""

from collections import deque
from contextlib import suppress

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities import names
    from activities.interface import AttemptActivities, DeliveryActivities
    from clinic import ladder
    from clinic.attempt import (
        AttemptInput,
        CallTaskInput,
        CloseInput,
        DeliverInput,
        LateEvents,
    )
    from clinic.delivery import Delivery  # noqa: TC001 - the data converter reads annotations
    from clinic.event import AttemptEvent
    from clinic.ladder import Deliver, End, OpenCallTask, Stand, TimeOut, Wait
    from clinic.outcome import Outcome
    from workflows.activity_options import DELIVERY, RECORD
    from workflows.attempt_details import (
        details_at_end,
        details_of,
        name_of_wait,
        passed_over_by,
    )


@workflow.defn(name=names.RECOVERY_WORKFLOW)
class RecoveryWorkflow:
    """Takes one patient up one plan, until an answer or the end of the plan."""

    @workflow.init
    def __init__(self, attempt: AttemptInput) -> None:
        """Stand at the foot of the plan."""
        self._attempt = attempt
        self._plan = attempt.plan
        self._events: deque[AttemptEvent] = deque()
        self._heard: set[str] = set()
        self._delivery: workflow.ActivityHandle[Delivery] | None = None
        self._passed_over: list[str] = []
        self._stage = names.STAGE_MACHINE

    @workflow.run
    async def run(self, attempt: AttemptInput) -> Outcome:
        """Make the ladder's moves one after the other; return how it ended."""
        del attempt  # taken at init, so that signals that come first find it
        turn = ladder.begin()
        while not isinstance(turn.move, End):
            self._show(turn.stand)
            await self._make(turn.move, turn.stand)
            happening = await self._next_happening(turn.stand)
            if (said := passed_over_by(self._plan, turn.stand, happening)) is not None:
                self._passed_over.append(said)
            turn = ladder.advance(self._plan, turn.stand, happening, workflow.now())
        await self._end(turn.move)
        return turn.move.outcome

    @workflow.signal(name=names.ATTEMPT_EVENT)
    def hear(self, event: AttemptEvent) -> None:
        """Take an event; the same one twice counts once."""
        if event.event_id not in self._heard:
            self._heard.add(event.event_id)
            self._events.append(event)

    async def _make(self, move: Deliver | Wait | OpenCallTask, stand: Stand) -> None:
        match move:
            case Deliver():
                await self._drop_delivery()
                self._start_delivery(stand)
            case OpenCallTask():
                await self._drop_delivery()
                await workflow.execute_activity_method(
                    AttemptActivities.open_call_task,
                    CallTaskInput(
                        attempt_id=self._attempt.attempt_id,
                        step=stand.step,
                        kind=move.kind,
                        event_id=move.event_id,
                    ),
                    summary=f"call task: {move.kind}",
                    **RECORD,
                )
            case Wait():
                pass

    def _start_delivery(self, stand: Stand) -> None:
        step = self._plan.steps[stand.step]
        self._delivery = workflow.start_activity_method(
            DeliveryActivities.deliver,
            DeliverInput(attempt_id=self._attempt.attempt_id, step=stand.step),
            summary=f"step {stand.step + 1} of {len(self._plan.steps)}: {step.channel}",
            task_queue=names.delivery_queue(workflow.info().task_queue, step.channel),
            **DELIVERY,
        )

    async def _next_happening(self, stand: Stand) -> ladder.Happening:
        """Wait for an event, the delivery's end or the time-out, whichever is first.

        An event that stands beside a finished delivery goes first: after an answer nothing more
        may be sent, and what the delivery did is in the ledger.
        """
        delivery = self._delivery
        timeout = stand.until - workflow.now() if stand.until is not None else None
        try:
            await workflow.wait_condition(
                lambda: bool(self._events) or (delivery is not None and delivery.done()),
                timeout=timeout,
                timeout_summary=name_of_wait(self._plan, stand),
            )
        except TimeoutError:
            return TimeOut()
        if self._events:
            return self._events.popleft()
        assert delivery is not None  # noqa: S101 - the condition above leaves nothing else
        self._delivery = None
        return await delivery

    async def _end(self, end: End) -> None:
        await self._drop_delivery()
        self._set_stage(names.STAGE_ENDED, end.outcome)
        workflow.set_current_details(details_at_end(end.outcome, self._passed_over))
        await workflow.execute_activity_method(
            AttemptActivities.close_attempt,
            CloseInput(
                attempt_id=self._attempt.attempt_id,
                outcome=end.outcome,
                loss_reason=end.loss_reason,
            ),
            summary=f"outcome: {end.outcome}",
            **RECORD,
        )
        while self._events:
            late = tuple(event.event_id for event in self._events)
            self._events.clear()
            await workflow.execute_activity_method(
                AttemptActivities.keep_late_events,
                LateEvents(event_ids=late),
                summary="events after the end",
                **RECORD,
            )

    async def _drop_delivery(self) -> None:
        """Stop trying to deliver; what was sent already stands in the ledger."""
        if self._delivery is not None:
            self._delivery.cancel()
            with suppress(ActivityError):  # that it was cancelled is what was asked for
                await self._delivery
            self._delivery = None

    def _show(self, stand: Stand) -> None:
        workflow.set_current_details(details_of(self._plan, stand, self._passed_over))
        with_person = ladder.needs_person(stand)
        self._set_stage(names.STAGE_PERSON if with_person else names.STAGE_MACHINE)

    def _set_stage(self, stage: str, outcome: Outcome | None = None) -> None:
        if stage == self._stage:
            return
        self._stage = stage
        updates = [names.STAGE.value_set(stage)]
        if outcome is not None:
            updates.append(names.OUTCOME.value_set(outcome.value))
        workflow.upsert_search_attributes(updates)
