"""Whom words concern that came from an address: an answer may come late, or from a guardian."""

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
    address: str,
    says_stop: bool,
    now: datetime,
    key: SecretStr,
) -> list[tuple[str, str | None]]:
    """Return whom words from an address concern: patients, each with their attempt.

    Whoever shares the address speaks for each whom an open attempt has written to there. Where
    there is none, the words answer what was written there before: they concern those whom the
    address still reaches; where it reaches none of them, everybody that it may be. Stop is heard
    for all of these: nobody else may write there either.

    Args:
        session: Any transaction.
        channel: The channel's name.
        address: A number in E.164, or an email.
        says_stop: The words are an opt-out.
        now: Aware UTC.
        key: The key of the address hashes.

    Returns:
        Ids of patients and attempts; without an attempt, it is the patient's open or latest one.
    """
    written_to = await _written_to(session, channel, address_hash(key, address))
    under_way = [
        (patient_id, attempt_id)
        for patient_id, attempt_id, state in written_to
        if state == AttemptState.OPEN.value
    ]
    if under_way:
        return list(dict.fromkeys(under_way))
    before = [patient_id for patient_id, _, _ in written_to]
    reached = await reached_at(session, address, now)
    still_there = {patient.id for patient in reached}.intersection(before)
    if still_there and not says_stop:
        concerned = [patient_id for patient_id in before if patient_id in still_there]
    else:
        concerned = [*before, *(patient.id for patient in reached)]
    return [(patient_id, None) for patient_id in await _people(session, concerned)]


async def latest_message_to(
    session: AsyncSession, channel: str, address: str, key: SecretStr
) -> Message | None:
    """Return what was sent to an address last, on a channel: whoever writes from there answers it.

    Args:
        session: Any transaction.
        channel: The channel's name.
        address: A number in E.164, or an email.
        key: The key of the address hashes.
    """
    query = select(Message).where(
        Message.address_hash == address_hash(key, address),
        Message.channel == channel,
        Message.carried_by.is_(None),
        Message.failed_at.is_(None),
    )
    return await session.scalar(query.order_by(Message.claimed_at.desc()).limit(1))


async def reached_at(session: AsyncSession, address: str, now: datetime) -> list[Patient]:
    """Return everyone whose address this is, and the minors whose guardian's it is.

    A family may share one. The guardian of old does not speak for somebody who is of age.

    Args:
        session: Any transaction.
        address: A number in E.164, or an email.
        now: Aware UTC; a minor comes of age on the day by UTC.
    """
    written = await patients_at(session, address)
    own = [row for row in written if _is_own(row, address)]
    wards = await session.scalars(
        select(Patient)
        .where(Patient.guardian_number.in_([row.external_id for row in own]))
        .order_by(Patient.external_id)
    )
    minors = [row for row in (*written, *wards) if is_minor(row, now.date())]
    return list({row.id: row for row in (*own, *minors)}.values())


def _is_own(patient: Patient, address: str) -> bool:
    if "@" in address:
        return (patient.email or "").lower() == address.lower()
    return address in (patient.phone, patient.other_phone)


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
