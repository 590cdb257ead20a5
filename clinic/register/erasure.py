"""Forgetting a person: everything that tells who they are goes, and stays away.

What is left can't be read back: the row under its opaque id, so that the reports of past
campaigns add up; the suppression of the addresses, and a keyed hash of the clinic's number and
of the national id, so that the next export does not bring the person back.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict, SecretStr
from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from clinic import attempts, inbox
from clinic.attempt import AttemptState
from clinic.call_task import PATIENT_FORGOTTEN
from clinic.conflict_free_insert import insert_if_new
from clinic.event import EventKind
from clinic.identifiers import new_id
from clinic.outcome import Outcome
from clinic.plain_text import name_key
from clinic.refusal import Refusal
from clinic.register.search import national_id_hash, number_hash, patients_at, rows_of_person
from clinic.register.standing import PatientStatus
from clinic.register.suppression import addresses_of, suppress
from clinic.register.written_from import tells_of, wrote_from
from clinic.tables import (
    Appointment,
    Attempt,
    Call,
    CallTask,
    Campaign,
    Consent,
    Duplicate,
    Event,
    Forgotten,
    Message,
    Patient,
    StepNote,
    Visit,
)

_SOURCE = "forgotten"


class Forgetting(BaseModel):
    """What forgetting a person means, in the clinic's own numbers.

    Attributes:
        numbers: The person's rows: their own, and those that staff said are the same person.
        addresses: How many addresses are suppressed for good.
        open_attempts: Attempts that end as cancelled.
        open_calls: Call tasks that are closed.
        sharing: Others who can be reached at one of the addresses: they get no message there
            any more.
    """

    model_config = ConfigDict(frozen=True)

    numbers: tuple[str, ...]
    addresses: int
    open_attempts: int
    open_calls: int
    sharing: tuple[str, ...]


class MayBeAnotherRow(Refusal):
    """Another row may be the same person, and nobody has settled it: nothing was erased.

    Args:
        pairs: The numbers of the rows, the person's and the other one.
    """

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self.pairs = pairs
        one, two = pairs[0]
        unsettled = "another row" if len(pairs) == 1 else f"{len(pairs)} other rows"
        super().__init__(
            f"nobody has settled whether {unsettled} may be the same person; nothing was erased",
            f"First say so: regresa duplicates {one} {two} --same, or --different",
        )


class ForgottenBefore(Refusal):
    """Nothing is held about the person any more.

    Args:
        patient_id: The opaque id.
    """

    def __init__(self, patient_id: str) -> None:
        super().__init__(f"patient {patient_id} was forgotten before")


async def foresee(session: AsyncSession, patient_id: str, now: datetime) -> Forgetting:
    """Return what forgetting a person would mean; nothing is changed.

    Args:
        session: Any transaction.
        patient_id: One of the person's rows.
        now: Aware UTC.

    Raises:
        MayBeAnotherRow: Nobody has settled it: the other row would stay, and be written to.
    """
    rows = await rows_of_person(session, patient_id)
    ids = {row.id for row in rows}
    await _refuse_unsettled(session, ids)
    addresses = {address for row in rows for address in addresses_of(row, now)}
    sharing = {
        other.external_id
        for address in addresses
        for other in await patients_at(session, address)
        if other.id not in ids
    }
    opened = (Attempt.patient_id.in_(ids), Attempt.state == AttemptState.OPEN.value)
    calls = (CallTask.patient_id.in_(ids), CallTask.closed_at.is_(None))
    return Forgetting(
        numbers=tuple(row.external_id for row in rows),
        addresses=len(addresses),
        open_attempts=await session.scalar(select(func.count(Attempt.id)).where(*opened)) or 0,
        open_calls=await session.scalar(select(func.count(CallTask.id)).where(*calls)) or 0,
        sharing=tuple(sorted(sharing)),
    )


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
    for row in await rows_of_person(session, patient_id):
        await _forget_row(session, row, now, key)
    return meant


async def _refuse_unsettled(session: AsyncSession, ids: Collection[str]) -> None:
    later, other = aliased(Patient), aliased(Patient)
    rows = await session.execute(
        select(later.external_id, other.external_id)
        .select_from(Duplicate)
        .join(later, later.id == Duplicate.patient_id)
        .join(other, other.id == Duplicate.other_id)
        .where(
            _concerns(ids),
            Duplicate.verdict.is_(None),
            ~and_(Duplicate.patient_id.in_(ids), Duplicate.other_id.in_(ids)),
        )
        .order_by(Duplicate.id)
    )
    pairs = [(one, two) for one, two in rows]
    if pairs:
        raise MayBeAnotherRow(pairs)


async def _forget_row(
    session: AsyncSession, patient: Patient, now: datetime, key: SecretStr
) -> None:
    # rows are locked in the order in which deliveries and staff lock theirs: campaign, attempt,
    # task, message, patient, suppression; two who meet half-way would wait for each other
    attempt_ids = await _attempts_of(session, patient)
    ended = await _end_open(session, attempt_ids, now)
    await _close_calls(session, patient, now)
    await _blank_messages(session, attempt_ids)
    await session.refresh(patient, with_for_update=True)
    for address in addresses_of(patient, now):
        await suppress(session, address, source=_SOURCE, now=now, key=key)
    await _remember_to_leave_out(session, patient, now, key)
    await _let_go_of_wards(session, patient)
    await _blank_events(session, patient, attempt_ids, now)
    for table in (Visit, Appointment, Consent):
        await session.execute(delete(table).where(table.patient_id == patient.id))
    await session.execute(delete(Duplicate).where(_concerns({patient.id})))
    await session.execute(delete(StepNote).where(StepNote.attempt_id.in_(attempt_ids)))
    for attempt_id in ended:
        await inbox.store(session, _stopped(attempt_id), now=now, key=key)
    _blank(patient, now)
    await session.flush()


def _blank(patient: Patient, now: datetime) -> None:
    # by the table and not by name: a column that is added is blanked as well
    for column in Patient.__table__.columns:
        if column.name != "id":
            setattr(patient, column.name, None if column.nullable else "")
    patient.external_id = new_id("forgotten")
    patient.status = PatientStatus.INACTIVE.value
    patient.erased_at = now


def _stopped(attempt_id: str) -> inbox.Received:
    return inbox.Received(
        source=_SOURCE,
        source_key=new_id("told"),
        kind=EventKind.STOPPED,
        attempt_id=attempt_id,
    )


async def _remember_to_leave_out(
    session: AsyncSession, patient: Patient, now: datetime, key: SecretStr
) -> None:
    hashes = [number_hash(key, patient.external_id)]
    if patient.national_id:
        hashes.append(national_id_hash(key, patient.national_id))
    for hashed in hashes:
        await insert_if_new(session, Forgotten, {"number_hash": hashed, "at": now})


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


async def _blank_messages(session: AsyncSession, attempt_ids: Sequence[str]) -> None:
    await session.execute(
        update(Message)
        .where(Message.attempt_id.in_(attempt_ids))
        .values(address_hash="", provider_id=None)
        .execution_options(synchronize_session=False)
    )


async def _let_go_of_wards(session: AsyncSession, patient: Patient) -> None:
    """Take the person off the rows of the minors whose guardian they are."""
    names = name_key(patient.first_name, patient.last_name)
    phones = [phone for phone in (patient.phone, patient.other_phone) if phone]
    wards = select(Patient).where(
        or_(
            Patient.guardian_number == patient.external_id,
            Patient.guardian_email.in_([patient.email] if patient.email else []),
            Patient.guardian_phone.in_(phones),
        )
    )
    for ward in (await session.scalars(wards)).all():
        if ward.guardian_number == patient.external_id:
            ward.guardian_number = None
        if ward.guardian_name and name_key(ward.guardian_name, "") == names:
            ward.guardian_name = None
        if ward.guardian_email == patient.email:
            ward.guardian_email = None
        if ward.guardian_phone in phones:
            ward.guardian_phone = None


async def _blank_events(
    session: AsyncSession, patient: Patient, attempt_ids: Sequence[str], now: datetime
) -> None:
    """Blank what happened, also the source's own key, which may name the person elsewhere."""
    addresses = addresses_of(patient, now)
    of_person = or_(
        Event.patient_id == patient.id,
        Event.attempt_id.in_(attempt_ids),
        wrote_from(addresses),
        *([tells_of(addresses)] if addresses else []),
    )
    # nobody has to hear any more what was on its way
    await session.execute(
        update(Event)
        .where(of_person, Event.relayed_at.is_(None))
        .values(relayed_at=now, relay_result=_SOURCE)
        .execution_options(synchronize_session=False)
    )
    await session.execute(
        update(Event)
        .where(of_person)
        .values(body="", details={}, source_key=Event.id, from_address=None)
        .execution_options(synchronize_session=False)
    )


def _concerns(patient_ids: Collection[str]) -> ColumnElement[bool]:
    return or_(Duplicate.patient_id.in_(patient_ids), Duplicate.other_id.in_(patient_ids))
