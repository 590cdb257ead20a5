"""The relay: hands stored events on to the workflows they concern, until they have arrived."""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple

import structlog
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities import names
from clinic import attempts, call_opening, inbox
from clinic.attempt import AttemptState, CampaignInput
from clinic.database import Database
from clinic.event import EventKind
from clinic.outcome import Outcome
from clinic.tables import Attempt, Campaign, Event, Patient
from clinic.unrelayed import ABOUT_TO_START

_POLL_SECONDS = 0.2
"""How often the inbox is looked at: an event is acted on within a second of its arrival."""

_AT_ONCE = 200
"""Events; a backlog of thousands is worked off in as many signals at a time."""

_CHANGES_NOTHING = (EventKind.NOTICE.value, EventKind.UNKNOWN.value)

_log = structlog.get_logger()


class _About(NamedTuple):
    """An attempt as an event finds it, and whether its patient was forgotten."""

    attempt: Attempt
    is_erased: bool


class Relay:
    """Runs in every worker. Two relays may hand on the same event; a workflow hears it once.

    Args:
        client: Reaches the workflows.
        database: The clinic's database.
        task_queue: Where campaigns' workflows run.
    """

    def __init__(
        self, client: Client, database: Database, task_queue: str = names.TASK_QUEUE
    ) -> None:
        self._client = client
        self._database = database
        self._task_queue = task_queue

    async def run(self, stop: asyncio.Event) -> None:
        """Relay until asked to stop. A stopped Temporal delays events and loses none.

        It is asked, not cancelled: a cancellation in the middle of a transaction can get lost
        in the database driver.
        """
        while not stop.is_set():
            try:
                relayed = await self.relay_due()
            except (SQLAlchemyError, OSError) as error:
                # a database that is locked or away: the events stand in it, and wait
                _log.warning("inbox can't be read", reason=type(error).__name__)
                relayed = 0
            if relayed == 0:
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), _POLL_SECONDS)

    async def relay_due(self) -> int:
        """Hand on the events that are due, oldest first.

        Returns:
            How many arrived.
        """
        now = datetime.now(UTC)
        by_target: dict[str, list[Event]] = {}
        async with self._database.reading() as session:
            for event in await inbox.to_relay(session, now, _AT_ONCE):
                target = event.attempt_id or event.campaign_id or event.id
                by_target.setdefault(target, []).append(event)
            # one attempt's events keep their order, also behind one that was put off; different
            # attempts do not wait for each other
            for target in await _waiting(session, by_target, now):
                del by_target[target]
            attempts_of = await _attempts_of(session, by_target)
        arrived = await asyncio.gather(
            *(self._relay_in_order(of, attempts_of.get(target)) for target, of in by_target.items())
        )
        results = [result for of_target in arrived for result in of_target]
        if results:
            # what is lost before this is handed on once more, and known by its event's id
            async with self._database.writing() as session:
                await inbox.mark_relayed(session, results, now=datetime.now(UTC))
        return len(results)

    async def _relay_in_order(
        self, events: list[Event], about: _About | None
    ) -> list[tuple[str, str]]:
        """Hand on one target's events; returns those that arrived, each with what came of it."""
        arrived: list[tuple[str, str]] = []
        for event in events:
            try:
                result = await self._relay(event, about)
            except RPCError as error:
                await self._put_off(event, error.status.name)
                return arrived
            except SQLAlchemyError as error:
                await self._put_off(event, type(error).__name__)
                return arrived
            if result is None:
                await self._put_off(event, ABOUT_TO_START)
                return arrived
            arrived.append((event.id, result))
        return arrived

    async def _relay(self, event: Event, about: _About | None) -> str | None:
        """Hand one event on; returns what came of it, or None where it has to wait."""
        if event.campaign_id is not None:
            return await self._relay_to_campaign(event, event.campaign_id)
        if about is None or event.kind in _CHANGES_NOTHING:
            return "kept"
        attempt, is_erased = about
        # of a person who was forgotten the row is closed before the workflow hears of it
        if attempt.state == AttemptState.OPEN.value or is_erased:
            handle = self._client.get_workflow_handle(names.attempt_workflow_id(attempt.patient_id))
            try:
                await handle.signal(names.ATTEMPT_EVENT, inbox.as_attempt_event(event))
            except RPCError as error:
                if not _is_gone(error):
                    raise
            else:
                return "signalled"
            if attempt.started_at is None:
                if event.kind == EventKind.REPLY.value:
                    await self._answer_before_the_start(event)
                return None
        now = datetime.now(UTC)
        async with self._database.writing() as session:
            await call_opening.keep_late(session, event, now)
            if event.kind == EventKind.STOPPED.value:
                # nobody is left to close the row where an operator ended the workflow by hand
                await attempts.close(session, attempt.id, Outcome.CANCELLED, None, now)
        return "attempt is over"

    async def _answer_before_the_start(self, event: Event) -> None:
        """Have a person read a reply to an attempt whose workflow has still to be started.

        Who began with a household's message may wait for that as long as the campaign's pace, a
        pause or a full call list holds the next page. The workflow hears of it all the same, and
        finds the task that stands.
        """
        async with self._database.writing() as session:
            await call_opening.keep_late(session, event, datetime.now(UTC))

    async def _relay_to_campaign(self, event: Event, campaign_id: str) -> str:
        workflow_id = names.campaign_workflow_id(campaign_id)
        if event.kind == EventKind.CAMPAIGN_STARTED.value:
            try:
                async with self._database.reading() as session:
                    campaign = await session.get_one(Campaign, campaign_id)
                await self._client.start_workflow(
                    names.CAMPAIGN_WORKFLOW,
                    CampaignInput(campaign_id=campaign_id),
                    id=workflow_id,
                    task_queue=self._task_queue,
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                    search_attributes=names.of_campaign(
                        campaign.name, campaign.segment, campaign.plan["name"]
                    ),
                    static_summary=f"{campaign.name}: starts the attempts, page by page"[-200:],
                )
            except WorkflowAlreadyStartedError:
                return "started before"
            return "started"
        try:
            handle = self._client.get_workflow_handle(workflow_id)
            await handle.signal(names.CAMPAIGN_NEWS[event.kind])
        except RPCError as error:
            if not _is_gone(error):
                raise
            return "campaign has started everybody"
        return "signalled"

    async def _put_off(self, event: Event, reason: str) -> None:
        _log.warning("event put off", event_id=event.id, kind=event.kind, reason=reason)
        async with self._database.writing() as session:
            await inbox.put_off(session, event, reason=reason, now=datetime.now(UTC))


async def _attempts_of(session: AsyncSession, targets: Collection[str]) -> dict[str, _About]:
    rows = await session.execute(
        select(Attempt, Patient.erased_at)
        .join(Patient, Patient.id == Attempt.patient_id)
        .where(Attempt.id.in_(targets))
    )
    return {attempt.id: _About(attempt, erased_at is not None) for attempt, erased_at in rows}


async def _waiting(session: AsyncSession, targets: Collection[str], now: datetime) -> Sequence[str]:
    """Return those of the targets for which an event was put off and is not due yet."""
    target = func.coalesce(Event.attempt_id, Event.campaign_id, Event.id)
    put_off = select(target).where(
        Event.relayed_at.is_(None), Event.relay_after > now, target.in_(targets)
    )
    return (await session.scalars(put_off.distinct())).all()


def _is_gone(error: RPCError) -> bool:
    """Whether no such workflow runs; a namespace that is not found is a mistake in the settings."""
    return error.status is RPCStatusCode.NOT_FOUND and "namespace" not in error.message.lower()
