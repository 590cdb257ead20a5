"""Forgetting a person: everything that tells who they are goes, and stays away.

What is left can't be read back: the row under its opaque id, so that the reports of past
campaigns add up; the suppression of the addresses, and a keyed hash of the clinic's number and
of the national id, so that the next export does not bring the person back.
"""

from collections.abc import Sequence
from datetime import datetime

from pydantic import SecretStr
from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from clinic import attempts, inbox
from clinic.attempt import AttemptState
from clinic.call_task import PATIENT_FORGOTTEN
from clinic.conflict_free_insert import insert_if_new
from clinic.event import EventKind
from clinic.identifiers import new_id
from clinic.outcome import Outcome
from clinic.refusal import Refusal
from clinic.register import blanking
from clinic.register.forgetting import Forgetting, foresee
from clinic.register.search import national_id_hash, number_hash, rows_of_person
from clinic.register.suppression import addresses_of, suppress
from clinic.register.written_from import wrote_from
from clinic.tables import Attempt, Call, CallTask, Campaign, Event, Forgotten, Patient

_SOURCE = "forgotten"


class ForgottenBefore(Refusal):
    """Nothing is held about the person any more.

    Args:
        patient_id: The opaque id.
    """

    def __init__(self, patient_id: str) -> None:
        super().__init__(f"patient {patient_id} was forgotten before")


async def forget(
    session: AsyncSession, patient_id: str, *, now: datetime, key: SecretStr
) -> Forgetting:
    """Erase a person everywhere, in this one transaction.

    Open attempts end first: their rows are closed as cancelled here, and their workflows hear
    it through the inbox.

    Args:
        session: A writing transaction.
        patient_id: One of the person's rows.
        now: Aware UTC.
        key: The key of the hashes.

    Returns:
        What it meant.

    Raises:
        ForgottenBefore: Nothing is held about them.
        MayBeAnotherRow: Nobody has settled it.
    """
    if (await session.get_one(Patient, patient_id)).erased_at is not None:
        raise ForgottenBefore(patient_id)
    meant = await foresee(session, patient_id, now)
    rows = await rows_of_person(session, patient_id)
    # rows are locked in the order in which deliveries and staff lock theirs: campaign, attempt,
    # task, message, patient, suppression; two who meet half-way would wait for each other
    ended = {row.id: await _end_attempts(session, row, now) for row in rows}
    await _lock(session, rows)
    if any(row.erased_at is not None for row in rows):  # by somebody else, in the same moment
        raise ForgottenBefore(patient_id)
    for row in rows:
        await _forget_row(session, row, ended[row.id], now, key)
    return meant


async def _end_attempts(session: AsyncSession, patient: Patient, now: datetime) -> Sequence[str]:
    """Do all that comes before the patient's own row; return the attempt that was open."""
    attempt_ids = await _attempts_of(session, patient)
    ended = await _end_open(session, attempt_ids, now)
    await _close_calls(session, patient, now)
    await blanking.blank_messages(session, attempt_ids)
    return ended


async def _lock(session: AsyncSession, rows: Sequence[Patient]) -> None:
    """Lock the rows of the person and of their wards in the order in which an import does."""
    ids = {row.id for row in rows}
    for row in rows:
        ids.update(await session.scalars(select(Patient.id).where(blanking.is_ward_of(row))))
    in_order = select(Patient).where(Patient.id.in_(ids)).order_by(Patient.id).with_for_update()
    await session.execute(in_order.execution_options(populate_existing=True))


async def _forget_row(
    session: AsyncSession,
    patient: Patient,
    ended: Sequence[str],
    now: datetime,
    key: SecretStr,
) -> None:
    attempt_ids = await _attempts_of(session, patient)
    for address in addresses_of(patient, now):
        await suppress(session, address, source=_SOURCE, now=now, key=key)
    await _remember_to_leave_out(session, patient, now, key)
    await blanking.let_go_of_wards(session, patient)
    await blanking.blank_events(session, patient, attempt_ids, now, told=_SOURCE)
    await blanking.delete_what_was_theirs(session, patient, attempt_ids)
    for attempt_id in ended:
        await inbox.store(session, _stopped(attempt_id), now=now, key=key)
    blanking.blank(patient, now)
    await session.flush()


async def _attempts_of(session: AsyncSession, patient: Patient) -> Sequence[str]:
    return (await session.scalars(select(Attempt.id).where(Attempt.patient_id == patient.id))).all()


async def _end_open(
    session: AsyncSession, attempt_ids: Sequence[str], now: datetime
) -> Sequence[str]:
    """End the open attempt, if there is one, and return its id."""
    is_open = (Attempt.id.in_(attempt_ids), Attempt.state == AttemptState.OPEN.value)
    # a delivery that is being prepared holds its campaign's row: it goes first, or finds nobody
    campaigns = select(Campaign.id).join(Attempt).where(*is_open).order_by(Campaign.id)
    await session.execute(campaigns.with_for_update(of=Campaign))
    opened = (await session.scalars(select(Attempt.id).where(*is_open))).all()
    for attempt_id in opened:
        await attempts.close(session, attempt_id, Outcome.CANCELLED, None, now)
    return opened


async def _close_calls(session: AsyncSession, patient: Patient, now: datetime) -> None:
    # also what they wrote before the register knew them
    unknown = select(Event.id).where(wrote_from(addresses_of(patient, now)))
    of_patient = or_(CallTask.patient_id == patient.id, CallTask.event_id.in_(unknown))
    # the closed ones as well: somebody may be keeping a late report on one just now
    tasks = select(CallTask.id).where(of_patient).order_by(CallTask.id)
    task_ids = (await session.scalars(tasks.with_for_update(key_share=True))).all()
    await session.execute(
        update(CallTask)
        .where(CallTask.id.in_(task_ids), CallTask.closed_at.is_(None))
        .values(closed_at=now, closed_by=PATIENT_FORGOTTEN, outcome=Outcome.CANCELLED.value)
    )
    await session.execute(
        update(Call)
        .where(Call.task_id.in_(task_ids))
        .values(note="", loss_reason=None, again_at=None)
    )


async def _remember_to_leave_out(
    session: AsyncSession, patient: Patient, now: datetime, key: SecretStr
) -> None:
    hashes = [number_hash(key, patient.external_id)]
    if patient.national_id:
        hashes.append(national_id_hash(key, patient.national_id))
    for hashed in hashes:
        await insert_if_new(session, Forgotten, {"number_hash": hashed, "at": now})


def _stopped(attempt_id: str) -> inbox.Received:
    return inbox.Received(
        source=_SOURCE,
        source_key=new_id("told"),
        kind=EventKind.STOPPED,
        attempt_id=attempt_id,
    )
