"""Whom words concern that came from a number: an answer may come late, and from a guardian."""

from datetime import datetime

from pydantic import SecretStr
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.attempt import AttemptState
from clinic.register.address import address_hash
from clinic.register.contact import is_minor
from clinic.register.search import patients_at
from clinic.tables import Attempt, Message, Patient


async def who_wrote(
    session: AsyncSession,
    *,
    channel: str,
    phone: str,
    says_stop: bool,
    now: datetime,
    key: SecretStr,
) -> list[tuple[str, str | None]]:
    """Return whom words from a number concern: patients, each with their attempt.

    Whoever shares the number speaks for each whom an open attempt has written to there. Where
    there is none, the words answer what was written there before: they concern those whom the
    number still reaches; where it reaches none of them, everybody that it may be. Stop is heard
    for all of these: nobody else may write there either.

    Args:
        session: Any transaction.
        channel: The channel's name.
        phone: E.164.
        says_stop: The words are an opt-out.
        now: Aware UTC.
        key: The key of the address hashes.

    Returns:
        Ids of patients and attempts; without an attempt, it is the patient's open or latest one.
    """
    written_to = await _written_to(session, channel, address_hash(key, phone))
    under_way = [
        (patient_id, attempt_id)
        for patient_id, attempt_id, state in written_to
        if state == AttemptState.OPEN.value
    ]
    if under_way:
        return list(dict.fromkeys(under_way))
    before = [patient_id for patient_id, _, _ in written_to]
    reached = await reached_at(session, phone, now)
    still_there = {patient.id for patient in reached}.intersection(before)
    if still_there and not says_stop:
        concerned = [patient_id for patient_id in before if patient_id in still_there]
    else:
        concerned = [*before, *(patient.id for patient in reached)]
    return [(patient_id, None) for patient_id in await _people(session, concerned)]


async def reached_at(session: AsyncSession, phone: str, now: datetime) -> list[Patient]:
    """Return everyone whose number this is, and the minors whose guardian's it is.

    A family may share one. The guardian of old does not speak for somebody who is of age.

    Args:
        session: Any transaction.
        phone: E.164.
        now: Aware UTC; a minor comes of age on the day by UTC.
    """
    written = await patients_at(session, phone)
    own = [row for row in written if phone in (row.phone, row.other_phone)]
    wards = await session.scalars(
        select(Patient)
        .where(Patient.guardian_number.in_([row.external_id for row in own]))
        .order_by(Patient.external_id)
    )
    minors = [row for row in (*written, *wards) if is_minor(row, now.date())]
    return list({row.id: row for row in (*own, *minors)}.values())


async def _written_to(
    session: AsyncSession, channel: str, hashed: str
) -> list[tuple[str, str, str]]:
    """Return patient, attempt and the attempt's state of what was written there, newest first."""
    rows = await session.execute(
        select(Attempt.patient_id, Attempt.id, Attempt.state)
        .join(Message, Message.attempt_id == Attempt.id)
        .where(Message.channel == channel, Message.address_hash == hashed)
        .group_by(Attempt.patient_id, Attempt.id, Attempt.state)
        .order_by(func.max(Message.claimed_at).desc(), Attempt.id)
    )
    return [(patient_id, attempt_id, state) for patient_id, attempt_id, state in rows]


async def _people(session: AsyncSession, patient_ids: list[str]) -> list[str]:
    """Return each person once, by the row that stands for all of theirs."""
    if not patient_ids:
        return []
    rows = await session.execute(
        select(Patient.id, Patient.duplicate_of).where(Patient.id.in_(patient_ids))
    )
    kept = {row.id: row.duplicate_of or row.id for row in rows}
    return list(dict.fromkeys(kept[patient_id] for patient_id in patient_ids))
