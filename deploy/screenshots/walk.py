"""An attempt's way up its plan, written to the database as the worker and staff would write it.

What Temporal does in a live system is done here by a loop: the rows come from the same functions.
"""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic import attempts, call_completion, inbox, ledger, step_notes
from clinic.attempt import AttemptState
from clinic.call_opening import open_task
from clinic.call_task import ANSWER_WITHIN, REPLY_TRIES, Reported, TaskKind
from clinic.clinic import Clinic
from clinic.contact_policy import next_opening
from clinic.delivery import Skipped, SkipReason
from clinic.event import CallOutcome, EventKind
from clinic.inbox import Received
from clinic.outcome import LossReason, Outcome
from clinic.plan import CALL, Plan
from clinic.register.address import address_hash
from clinic.tables import Attempt, Event, Patient, Visit
from clinic.wording import language_for
from deploy.screenshots.fates import Fate, fate_of

_STAFF = ("Irina", "Lucía")
_ENDS = {
    EventKind.BOOKED: Outcome.BOOKED,
    EventKind.DECLINED: Outcome.DECLINED,
    EventKind.OPTED_OUT: Outcome.OPTED_OUT,
}
_CALL_ENDS = {
    CallOutcome.BOOKED: Outcome.BOOKED,
    CallOutcome.DECLINED: Outcome.DECLINED,
    CallOutcome.WRONG_NUMBER: Outcome.UNREACHABLE,
}
_SAYS_YES = ("Sí", "Да", "Yes")


class Walk:
    """One patient's attempt, until the day of the pictures.

    Args:
        session: A writing transaction.
        clinic: Whose patient.
        attempt: Its row; it is opened.
        patient: The patient's.
        now: Aware UTC; what would come later is not there yet.
    """

    def __init__(
        self,
        session: AsyncSession,
        clinic: Clinic,
        attempt: Attempt,
        patient: Patient,
        now: datetime,
    ) -> None:
        self._session = session
        self._clinic = clinic
        self._attempt = attempt
        self._patient = patient
        self._now = now
        language = language_for(patient.language, clinic.profile)
        self._fate: Fate = fate_of(patient.external_id, language)

    async def climb(self, plan: Plan, start: datetime) -> None:
        """Take the attempt up its plan.

        Args:
            plan: The campaign's.
            start: Aware UTC; when it begins.
        """
        self._attempt.state, self._attempt.started_at = AttemptState.OPEN.value, start
        at = start
        for index, step in enumerate(plan.steps):
            if at > self._now:
                return
            if not await self._send(index, step.channel, at):
                continue
            if step.channel == CALL:
                await self._ask_staff(index, TaskKind.CALL, at, at + step.wait, step.tries, None)
                return
            if await self._answers(index, at):
                return
            at += step.wait
        await self._close(Outcome.EXHAUSTED, None, at)

    async def _send(self, index: int, channel: str, at: datetime) -> bool:
        """Send a message, or put the patient on the call list; return whether there is a way."""
        patient, key = self._patient, self._clinic.key
        address = patient.email if channel == "email" else patient.phone
        if address is None:
            skipped = Skipped(reason=SkipReason.NO_ADDRESS)
            await step_notes.note_down(self._session, self._attempt.id, index, skipped, at)
            return False
        await ledger.claim(
            self._session,
            attempt_id=self._attempt.id,
            step=index,
            channel=channel,
            address_hash=address_hash(key, address),
            now=at,
        )
        await ledger.record_sent(
            self._session,
            attempt_id=self._attempt.id,
            step=index,
            provider_id=f"{self._attempt.id}.{index}",
            now=at,
        )
        return True

    async def _answers(self, index: int, sent: datetime) -> bool:
        """Let the patient answer a message; return whether the machine is done with them."""
        fate = self._fate
        at = sent + timedelta(hours=fate.hours)
        if fate.answer is None or fate.to != index:
            return False
        if at > self._now:
            return True
        event = await self._hear(fate.answer, index, at)
        if fate.answer is EventKind.REPLY:
            due = at + ANSWER_WITHIN
            await self._ask_staff(index, TaskKind.REPLY, at, due, REPLY_TRIES, event)
        else:
            reason = fate.reason if fate.answer is EventKind.DECLINED else None
            await self._close(_ENDS[fate.answer], reason, at)
        return True

    async def _hear(self, kind: EventKind, step: int, at: datetime) -> str:
        """Store what the patient did, and return the event's id."""
        said = self._fate.words if kind is EventKind.REPLY else ""
        details: dict[str, object] = {"step": step}
        if kind is EventKind.REPLY:
            details["reading"] = "yes" if said.startswith(_SAYS_YES) else "unclear"
        if kind is EventKind.DECLINED:
            details["loss_reason"] = self._fate.reason.value
        received = Received(
            source="bookings" if kind is EventKind.BOOKED else "sms",
            source_key=f"{self._attempt.id}.{kind.value}",
            kind=kind,
            patient_id=self._patient.id,
            attempt_id=self._attempt.id,
            body=said,
            at=at + timedelta(days=9) if kind is EventKind.BOOKED else None,
            details=details,
        )
        await inbox.store(self._session, received, now=at, key=self._clinic.key)
        self._come(received.at)
        stored = select(Event.id).where(Event.source_key == received.source_key)
        return str(await self._session.scalar(stored))

    async def _ask_staff(
        self, step: int, kind: TaskKind, at: datetime, due: datetime, tries: int, event: str | None
    ) -> None:
        clinic = self._clinic
        task = await open_task(
            self._session,
            attempt_id=self._attempt.id,
            step=step,
            kind=kind,
            due_at=next_opening(clinic.policy, clinic.calendar, due),
            tries=tries,
            event_id=event,
            now=at,
        )
        busy = timedelta(hours=self._fate.called_after)
        called_at = next_opening(clinic.policy, clinic.calendar, at + busy)
        for outcome in self._fate.calls:
            if task is None or called_at > self._now:
                return
            again_at = await self._call(task, outcome, called_at)
            if again_at is None:
                ends = _CALL_ENDS.get(outcome, Outcome.EXHAUSTED)
                reason = self._fate.reason if ends is Outcome.DECLINED else None
                await self._close(ends, reason, called_at)
                return
            called_at = next_opening(clinic.policy, clinic.calendar, again_at + busy / 4)

    async def _call(self, task: str, outcome: CallOutcome, at: datetime) -> datetime | None:
        """Make a call; return when the next one is due, if any is."""
        declined = outcome is CallOutcome.DECLINED
        appointment = at + timedelta(days=6) if outcome is CallOutcome.BOOKED else None
        completed = await call_completion.complete(
            self._session,
            task,
            Reported(
                outcome=outcome,
                reason=self._fate.reason if declined else None,
                at=appointment,
            ),
            who=_STAFF[len(self._fate.words) % len(_STAFF)],
            now=at,
            policy=self._clinic.policy,
            calendar=self._clinic.calendar,
            key=self._clinic.key,
        )
        self._come(appointment)
        return completed.again_at

    def _come(self, appointment: datetime | None) -> None:
        """Let the patient come to an appointment that has been, as most do."""
        if appointment is not None and appointment <= self._now and self._fate.comes:
            day = appointment.astimezone(self._clinic.profile.zone).date()
            self._session.add(Visit(patient_id=self._patient.id, day=day, treatment="checkup"))

    async def _close(self, outcome: Outcome, reason: LossReason | None, at: datetime) -> None:
        await attempts.close(self._session, self._attempt.id, outcome, reason, at)
