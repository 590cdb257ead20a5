"""An attempt's book-keeping: its call tasks, its outcome, and what comes after its end."""

from sqlalchemy import select
from temporalio import activity

from activities.interface import AttemptActivities
from clinic import attempts, call_opening
from clinic.attempt import CallTaskInput, CloseInput, LateEvents
from clinic.call_task import ANSWER_WITHIN, REPLY_TRIES
from clinic.contact_policy import ContactPolicy, next_opening
from clinic.database import Database
from clinic.folder import ClinicFolder
from clinic.tables import Event


class AttemptRecords(AttemptActivities):
    """The book-keeping activities and what they need.

    Args:
        database: The clinic's database.
        folder: The clinic's folder, for its time zone and closing days.
        policy: The contact policy in force: tasks are due within its hours.
    """

    def __init__(self, *, database: Database, folder: ClinicFolder, policy: ContactPolicy) -> None:
        self._database = database
        self._calendar = folder.profile.calendar
        self._policy = policy

    @activity.defn
    async def open_call_task(self, request: CallTaskInput) -> None:
        """Ask a person to take over; a second time finds the task there is."""
        now = activity.info().started_time
        async with self._database.writing() as session:
            await call_opening.open_task(
                session,
                attempt_id=request.attempt_id,
                step=request.step,
                kind=request.kind,
                due_at=next_opening(self._policy, self._calendar, now + ANSWER_WITHIN),
                tries=REPLY_TRIES,
                event_id=request.event_id,
                now=now,
            )

    @activity.defn
    async def close_attempt(self, request: CloseInput) -> None:
        """Record the outcome, once, and take the attempt off the call list."""
        now = activity.info().started_time
        async with self._database.writing() as session:
            await attempts.close(
                session, request.attempt_id, request.outcome, request.loss_reason, now
            )

    @activity.defn
    async def keep_late_events(self, request: LateEvents) -> None:
        """Keep events that came after the end; a reply becomes a task."""
        now = activity.info().started_time
        async with self._database.writing() as session:
            events = await session.scalars(select(Event).where(Event.id.in_(request.event_ids)))
            for event in events:
                await call_opening.keep_late(session, event, now)
