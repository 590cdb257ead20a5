"""Rows of the register that may be one person: somebody looks, and says which it is."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, SecretStr
from sqlalchemy import and_, delete, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from clinic.attempt import AttemptState
from clinic.event import EventKind
from clinic.inbox import Received, store
from clinic.refusal import Refusal
from clinic.tables import Appointment, Attempt, Consent, Duplicate, Patient, Visit


class Verdict(StrEnum):
    """What somebody found who looked at two rows."""

    SAME = "same"
    DIFFERENT = "different"


class PossiblePatient(BaseModel):
    """What tells one row from the other, for whoever looks at them."""

    model_config = ConfigDict(frozen=True)

    external_id: str
    name: str
    birth_date: str | None
    national_id: str | None
    phone: str | None
    email: str | None


class OpenDuplicate(BaseModel):
    """Two rows that nobody has looked at yet.

    Attributes:
        patient: The row that came later; it gets no attempt meanwhile.
        other: The row that was there before.
        reason: What they share.
        found_at: Aware UTC.
    """

    model_config = ConfigDict(frozen=True)

    patient: PossiblePatient
    other: PossiblePatient
    reason: str
    found_at: datetime


async def count_open(session: AsyncSession) -> int:
    """Return how many pairs nobody has looked at yet."""
    query = select(func.count()).select_from(Duplicate).where(Duplicate.verdict.is_(None))
    return await session.scalar(query) or 0


async def open_duplicates(session: AsyncSession, at_most: int) -> list[OpenDuplicate]:
    """Return the pairs that nobody has looked at yet, oldest first."""
    query = (
        select(Duplicate, _LATER, _OTHER)
        .join(_LATER, _LATER.id == Duplicate.patient_id)
        .join(_OTHER, _OTHER.id == Duplicate.other_id)
        .where(Duplicate.verdict.is_(None))
        .order_by(Duplicate.id)
        .limit(at_most)
    )
    return [
        OpenDuplicate(
            patient=_possible(later),
            other=_possible(other),
            reason=pair.reason,
            found_at=pair.found_at,
        )
        for pair, later, other in await session.execute(query)
    ]


async def settle(
    session: AsyncSession,
    patient: Patient,
    other: Patient,
    verdict: Verdict,
    *,
    who: str,
    now: datetime,
    key: SecretStr,
) -> None:
    """Record what somebody found who looked at two rows.

    If they are one person, the row that came later stays, and stands for the other one: its
    visits, appointments and consents go there, as will those of later imports; its open attempt
    ends. Of a yes and a no of one moment the no counts. If they are two people, both get attempts
    of their own.

    Args:
        session: A writing transaction.
        patient: One of the two rows.
        other: The other, in any order.
        verdict: What was found.
        who: Who says so.
        now: Aware UTC.
        key: For the inbox.

    Raises:
        Refusal: They were never noted as one another's duplicate, or it was settled before.
    """
    pair = await session.scalar(
        select(Duplicate).where(
            or_(
                and_(Duplicate.patient_id == patient.id, Duplicate.other_id == other.id),
                and_(Duplicate.patient_id == other.id, Duplicate.other_id == patient.id),
            )
        )
    )
    names = f"{patient.external_id} and {other.external_id}"
    if pair is None:
        raise Refusal(f"{names} were not found to be alike", "To see who was: regresa duplicates")
    if pair.verdict is not None:
        raise Refusal(
            f"{names} were settled as {pair.verdict} by {pair.settled_by} "
            f"on {pair.settled_at:%Y-%m-%d}"
        )
    pair.verdict, pair.settled_at, pair.settled_by = verdict.value, now, who
    if verdict is Verdict.SAME:
        later, kept = (patient, other) if pair.patient_id == patient.id else (other, patient)
        # another row may stand for either already: it is one person with all of them
        first = await session.get_one(Patient, later.duplicate_of or later.id)
        kept_id = kept.duplicate_of or kept.id
        if first.id != kept_id:
            await _stand_for(session, first, kept_id, now, key)


_LATER, _OTHER = aliased(Patient), aliased(Patient)
_ONE_WORD = ("channel", "content", "at")


def _possible(patient: Patient) -> PossiblePatient:
    return PossiblePatient(
        external_id=patient.external_id,
        name=f"{patient.first_name} {patient.last_name}".strip(),
        birth_date=patient.birth_date.isoformat() if patient.birth_date else None,
        national_id=patient.national_id,
        phone=patient.phone,
        email=patient.email,
    )


async def _stand_for(
    session: AsyncSession, later: Patient, kept_id: str, now: datetime, key: SecretStr
) -> None:
    later.duplicate_of = kept_id
    await session.flush()
    # those for whom the later row stood are the kept one's now
    await session.execute(
        update(Patient).where(Patient.duplicate_of == later.id).values(duplicate_of=kept_id)
    )
    await _move(session, Visit, ("day", "treatment"), later.id, kept_id)
    await _move(session, Appointment, ("at",), later.id, kept_id)
    await _let_no_win(session, later.id, kept_id)
    await _move(session, Consent, _ONE_WORD, later.id, kept_id)
    if later.opted_out_at is not None:
        kept = await session.get_one(Patient, kept_id)
        kept.opted_out_at = kept.opted_out_at or later.opted_out_at
    await _end_attempt(session, later.id, now, key)


async def _let_no_win(session: AsyncSession, later_id: str, kept_id: str) -> None:
    """Take back what the kept row agreed to at the very moment at which the later one refused."""
    refused = aliased(Consent)
    is_refused = exists().where(
        refused.patient_id == later_id,
        refused.given.is_(False),
        *(getattr(refused, name) == getattr(Consent, name) for name in _ONE_WORD),
    )
    await session.execute(
        delete(Consent)
        .where(Consent.patient_id == kept_id, Consent.given.is_(True), is_refused)
        .execution_options(synchronize_session=False)
    )


async def _move(
    session: AsyncSession,
    table: type[Visit | Appointment | Consent],
    unique: Sequence[str],
    later_id: str,
    kept_id: str,
) -> None:
    """Hand a row's history on; what the kept row has as well is there once."""
    same = aliased(table)
    is_there = exists().where(
        same.patient_id == kept_id,
        *(getattr(same, name) == getattr(table, name) for name in unique),
    )
    of_later = table.patient_id == later_id
    await session.execute(
        delete(table).where(of_later, is_there).execution_options(synchronize_session=False)
    )
    await session.execute(
        update(table)
        .where(of_later)
        .values(patient_id=kept_id)
        .execution_options(synchronize_session=False)
    )


async def _end_attempt(
    session: AsyncSession, patient_id: str, now: datetime, key: SecretStr
) -> None:
    opened = await session.scalar(
        select(Attempt.id).where(
            Attempt.patient_id == patient_id, Attempt.state == AttemptState.OPEN.value
        )
    )
    if opened is not None:
        received = Received(
            source="duplicates",
            source_key=opened,
            kind=EventKind.EXCLUDED,
            patient_id=patient_id,
            attempt_id=opened,
        )
        await store(session, received, now=now, key=key)
