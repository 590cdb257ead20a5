"""People who share an address: one message names them all, and each keeps an attempt of their own.

The ledger has a row for each of them. The row of the attempt whose delivery sends the message is
the carrier's; the others' name it in `carried_by`, and share its fate: they are sent, failed or
given back together (`clinic.ledger`).
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import (
    Select,
    String,
    bindparam,
    exists,
    or_,
    select,
    union,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from clinic.attempt import AttemptState, DeliverInput
from clinic.inbox import SILENCING, Received
from clinic.register.neighbour import Climb, Neighbour, Rules, Rung
from clinic.register.standing import PatientStatus, standings
from clinic.tables import Attempt, CallTask, Event, Message, Patient, StepNote

_UNDER_WAY = (AttemptState.PLANNED.value, AttemptState.OPEN.value)
_CLIMBED_PAST = ("skipped", "failed")
_SILENCES = Event.kind.in_([kind.value for kind in SILENCING])


async def sharing(session: AsyncSession, attempt: Attempt, address: str) -> Sequence[str]:
    """Return the campaign's other attempts that may be about people at the same address.

    Args:
        session: Any transaction.
        attempt: Whose delivery asks.
        address: Where its message goes.
    """
    found_at = await session.scalars(_people_at(by_email="@" in address), {"address": address})
    people = set(found_at) - {attempt.patient_id}
    if not people:
        return []
    rows = await session.execute(
        # the state is looked at afterwards: asked for here, its index is read for everybody
        select(Attempt.id, Attempt.state).where(
            Attempt.campaign_id == attempt.campaign_id, Attempt.patient_id.in_(people)
        )
    )
    return [attempt_id for attempt_id, state in rows if state in _UNDER_WAY]


async def joining(
    session: AsyncSession,
    attempt_ids: Sequence[str],
    rung: Rung,
    rules: Rules,
    now: datetime,
    *,
    besides: DeliverInput | None = None,
) -> list[str]:
    """Return those attempts whose patients the message to a shared address is to name as well.

    They stand at this very step, at this address, and may be written to now. Who has not begun
    yet begins with this message: their row is opened, and their workflow will find it sent.

    Args:
        session: A writing transaction.
        attempt_ids: What `sharing` found.
        rung: The step.
        rules: What decides who may be written to.
        now: Aware UTC.
        besides: The delivery that asks; what it has claimed keeps nobody from joining it.
    """
    attempts = (await session.scalars(_may_join(attempt_ids))).all()
    zone = rules.calendar.zone
    patient_ids = [attempt.patient_id for attempt in attempts]
    patients = await standings(session, patient_ids, now, rules.key, zone=zone, besides=besides)
    climbs = await _climbs(session, attempts)
    due = [
        attempt
        for attempt in attempts
        if Neighbour(
            AttemptState(attempt.state),
            patients[attempt.patient_id],
            climbs[attempt.id],
            rung,
            rules,
        ).is_due(now)
    ]
    return [attempt.id for attempt in due if await _opened(session, attempt)]


async def names_on(
    session: AsyncSession, attempt_id: str, step: int, *, besides: Collection[str] = ()
) -> list[str]:
    """Return the first names of everybody whom the message of an attempt's step concerns.

    Args:
        session: Any transaction.
        attempt_id: The carrier.
        step: The step's index.
        besides: Attempts that it carries and whose patients it is not to name.
    """
    rows = await session.scalars(
        select(Patient.first_name)
        .join(Attempt, Attempt.patient_id == Patient.id)
        .join(Message, Message.attempt_id == Attempt.id)
        .where(
            or_(Message.attempt_id == attempt_id, Message.carried_by == attempt_id),
            Message.step == step,
            Message.try_number == 1,
            Message.attempt_id.not_in(besides),
            # it may be sent again long after it was claimed
            Patient.status != PatientStatus.DECEASED.value,
            Patient.erased_at.is_(None),
        )
        .order_by(Patient.external_id)
    )
    return list(rows)


async def names_again(
    session: AsyncSession, attempt_id: str, rung: Rung, rules: Rules, now: datetime
) -> list[str]:
    """Return whom a message is to name that goes out again, maybe long after it was claimed.

    Who may not be written to any more, has answered or is reached elsewhere by now is not named;
    the row of their ledger stays, for the first try may have arrived.

    Args:
        session: Any transaction.
        attempt_id: The carrier.
        rung: The step.
        rules: What decides who may be written to.
        now: Aware UTC.
    """
    carried = await carried_by(session, attempt_id, rung.step)
    carried_ids = [attempt.id for attempt in carried]
    answered = set(
        await session.scalars(
            select(Event.attempt_id).where(Event.attempt_id.in_(carried_ids), _SILENCES)
        )
    )
    patients = await standings(
        session,
        [attempt.patient_id for attempt in carried],
        now,
        rules.key,
        zone=rules.calendar.zone,
    )
    unnamed = [
        attempt.id
        for attempt in carried
        if attempt.state != AttemptState.OPEN.value
        or attempt.id in answered
        or not Neighbour(
            AttemptState.OPEN, patients[attempt.patient_id], Climb(), rung, rules
        ).may_be_named_again(now)
    ]
    return await names_on(session, attempt_id, rung.step, besides=unnamed)


async def carried_by(session: AsyncSession, attempt_id: str, step: int) -> Sequence[Attempt]:
    """Return the other attempts that an attempt's message carries; of nobody who was forgotten."""
    query = (
        select(Attempt)
        .join(Message, Message.attempt_id == Attempt.id)
        .join(Patient, Patient.id == Attempt.patient_id)
        .where(Message.carried_by == attempt_id, Message.step == step, Message.try_number == 1)
        .where(Patient.erased_at.is_(None))
    )
    return (await session.scalars(query.order_by(Attempt.id))).all()


async def for_each(session: AsyncSession, received: Received, step: int) -> list[Received]:
    """Return what happened to a message as it concerns everybody whom the message names.

    In the order of their patients: whoever changes the rows of several patients goes by it, so
    that no two of them wait for each other.

    Args:
        session: Any transaction.
        received: What happened, about the attempt whose message it was.
        step: Of which step.
    """
    if received.attempt_id is None:
        return [received]
    others = await carried_by(session, received.attempt_id, step)
    if not others:
        return [received]
    carrier = await session.get_one(Attempt, received.attempt_id)
    by_patient = {carrier.patient_id: received} | {
        other.patient_id: received.model_copy(
            update={
                "source_key": f"{received.source_key}.{other.id}",
                "attempt_id": other.id,
                "patient_id": other.patient_id,
            }
        )
        for other in others
    }
    return [by_patient[patient_id] for patient_id in sorted(by_patient)]


async def is_lost(session: AsyncSession, row: Message, longest: timedelta, now: datetime) -> bool:
    """Whether nobody will settle any more what became of the message that carries a row.

    Args:
        session: Any transaction.
        row: A carried row that is not settled.
        longest: For how long a carrier's delivery may be tried.
        now: Aware UTC.
    """
    carrier = await session.get(Attempt, row.carried_by)
    if carrier is None or carrier.state != AttemptState.OPEN.value:
        return True
    # a person looks at the carrier: the machine has given up, or was answered
    with_person = select(CallTask.id).where(
        CallTask.attempt_id == carrier.id, CallTask.opened_at >= row.claimed_at
    )
    return now - row.claimed_at > longest or await session.scalar(with_person.limit(1)) is not None


@cache
def _people_at(*, by_email: bool) -> Select[str]:
    """Return the query for everybody whom the parameter `address` may reach.

    It is asked before every message, and to put it together takes longer than to run it.
    """
    address = bindparam("address", type_=String)
    guardian = aliased(Patient)
    if by_email:
        own, of_guardian, guardians_own = Patient.email, Patient.guardian_email, guardian.email
    else:
        own, of_guardian, guardians_own = Patient.phone, Patient.guardian_phone, guardian.phone
    # a look-up in an index each
    people = union(
        select(Patient.id).where(own == address),
        select(Patient.id).where(of_guardian == address),
        select(Patient.id)
        .join(guardian, guardian.external_id == Patient.guardian_number)
        .where(guardians_own == address),
    ).subquery()
    return select(people.c.id)


def _may_join(attempt_ids: Sequence[str]) -> Select[Attempt]:
    answered = exists().where(Event.attempt_id == Attempt.id, _SILENCES)
    # also for what they wrote before the attempt began
    with_person = exists().where(
        CallTask.patient_id == Attempt.patient_id, CallTask.closed_at.is_(None)
    )
    return (
        select(Attempt)
        .where(
            Attempt.id.in_(attempt_ids),
            Attempt.state.in_(_UNDER_WAY),
            Attempt.held.is_(False),
            ~or_(answered, with_person),
        )
        # whoever opens several does so in this order
        .order_by(Attempt.id)
        .execution_options(populate_existing=True)
    )


async def _climbs(session: AsyncSession, attempts: Iterable[Attempt]) -> dict[str, Climb]:
    climbs = {attempt.id: Climb() for attempt in attempts}
    # what came back for our own fault is still to be delivered
    rows = select(Message).where(Message.attempt_id.in_(climbs), Message.try_number == 1)
    for row in await session.scalars(rows):
        climbs[row.attempt_id].rows[row.step] = row
    past = select(StepNote).where(
        StepNote.attempt_id.in_(climbs), StepNote.result.in_(_CLIMBED_PAST)
    )
    for note in await session.scalars(past):
        climbs[note.attempt_id].past.add(note.step)
    return climbs


async def _opened(session: AsyncSession, attempt: Attempt) -> bool:
    """Open an attempt that is planned; False where its page has decided otherwise meanwhile."""
    if attempt.state == AttemptState.OPEN.value:
        return True
    opened = await session.scalar(
        update(Attempt)
        .where(Attempt.id == attempt.id, Attempt.state == AttemptState.PLANNED.value)
        .values(state=AttemptState.OPEN.value)
        .returning(Attempt.id)
        .execution_options(synchronize_session=False)
    )
    return opened is not None
