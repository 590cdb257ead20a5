"""Bare workflows: an attempt's shape in Temporal's terms, with nothing in it.

No ladder, no ledger, no database, no channel: what they take is Temporal's own share.
"""

from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity, workflow

with workflow.unsafe.imports_passed_through():
    from activities import names
    from clinic.outcome import Outcome

_TIMEOUT = timedelta(seconds=30)


@dataclass(frozen=True)
class BareInput:
    """What starts a bare workflow.

    Attributes:
        attempt_id: An opaque id, handed to every activity.
        wait_seconds: After the first and after the second step.
    """

    attempt_id: str
    wait_seconds: float


@activity.defn
async def deliver_nothing(attempt_id: str) -> None:
    """Stand for `deliver`."""
    del attempt_id


@activity.defn
async def close_nothing(attempt_id: str) -> None:
    """Stand for `close_attempt`."""
    del attempt_id


@workflow.defn
class BareAttempt:
    """The same shape as `RecoveryWorkflow` on an email-SMS-call plan.

    Four activities, two timers, one signal, two upserts of search attributes, and details and
    summaries at the same places; an answer ends it at any time.
    """

    def __init__(self) -> None:
        """Begin without an answer."""
        self._answered = False

    @workflow.run
    async def run(self, attempt: BareInput) -> Outcome:
        """Take the steps one after the other, then wait for the answer."""
        wait = timedelta(seconds=attempt.wait_seconds)
        if not (await self._step(1, attempt, wait) or await self._step(2, attempt, wait)):
            await self._deliver(3, attempt)
            workflow.set_current_details("Step 3 of 3: on the call list.")
            workflow.upsert_search_attributes([names.STAGE.value_set(names.STAGE_PERSON)])
            await workflow.wait_condition(lambda: self._answered)
        workflow.upsert_search_attributes(
            [
                names.STAGE.value_set(names.STAGE_ENDED),
                names.OUTCOME.value_set(Outcome.EXHAUSTED.value),
            ]
        )
        workflow.set_current_details("Ended: **exhausted**")
        await workflow.execute_activity(
            close_nothing,
            attempt.attempt_id,
            start_to_close_timeout=_TIMEOUT,
            summary="outcome: exhausted",
        )
        return Outcome.EXHAUSTED

    @workflow.signal(name=names.ATTEMPT_EVENT)
    def answer(self) -> None:
        """Take the answer."""
        self._answered = True

    async def _step(self, number: int, attempt: BareInput, wait: timedelta) -> bool:
        await self._deliver(number, attempt)
        workflow.set_current_details(f"Step {number} of 3: waiting for an answer.")
        try:
            await workflow.wait_condition(
                lambda: self._answered, timeout=wait, timeout_summary=f"answer to step {number}"
            )
        except TimeoutError:
            return False
        return True

    async def _deliver(self, number: int, attempt: BareInput) -> None:
        workflow.set_current_details(f"Step {number} of 3: delivering.")
        await workflow.execute_activity(
            deliver_nothing,
            attempt.attempt_id,
            start_to_close_timeout=_TIMEOUT,
            summary=f"step {number} of 3",
        )


@workflow.defn
class BarestAttempt:
    """The least that can be called an attempt: three activities, two timers, one signal.

    Nothing tells an operator where it stands, and nothing is recorded at its end.
    """

    def __init__(self) -> None:
        """Begin without an answer."""
        self._answered = False

    @workflow.run
    async def run(self, attempt: BareInput) -> None:
        """Take the steps one after the other, then wait for the answer."""
        for waits in (True, True, False):
            await workflow.execute_activity(
                deliver_nothing, attempt.attempt_id, start_to_close_timeout=_TIMEOUT
            )
            if waits:
                await workflow.sleep(attempt.wait_seconds)
        await workflow.wait_condition(lambda: self._answered)

    @workflow.signal(name=names.ATTEMPT_EVENT)
    def answer(self) -> None:
        """Take the answer."""
        self._answered = True
