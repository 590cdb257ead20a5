"""Who else answers at the number of a call task: one call serves a household."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, SecretStr
from sqlalchemy import BindParameter, Select, and_, bindparam, select, union
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from clinic.attempt import AttemptState
from clinic.call_check import not_to_call
from clinic.register.address import address_hash
from clinic.register.crowd import MOST_IN_A_HOUSEHOLD
from clinic.register.standing import contacts_of, standings
from clinic.tables import Attempt, CallTask, Patient

_AT_ONCE = 500
_UTC = ZoneInfo("UTC")
"""Decides on which day a minor comes of age; for a number to call, an hour more or less is fine."""


class Housemate(BaseModel):
    """Somebody of the same campaign who answers at the same number.

    Attributes:
        external_id: The clinic's number of the patient.
        claimed_by: Who has their call task just now, if anybody.
        claimed_until: When that lapses, aware UTC.
    """

    model_config = ConfigDict(frozen=True)

    attempt_id: str
    external_id: str
    first_name: str
    claimed_by: str | None = None
    claimed_until: datetime | None = None

    def __str__(self) -> str:
        return f"{self.external_id} {self.first_name}".strip()


async def numbers_of(
    session: AsyncSession, patients: Sequence[Patient], now: datetime
) -> dict[str, str | None]:
    """Return where patients are called, by their id: a minor at the guardian's number."""
    contacts = await contacts_of(session, patients, now, _UTC)
    return {patient_id: contact.phone for patient_id, contact in contacts.items()}


async def housemates(
    session: AsyncSession,
    attempts: Sequence[tuple[str, str, str | None]],
    now: datetime,
    key: SecretStr,
) -> dict[str, tuple[Housemate, ...]]:
    """Return who else answers, by attempt.

    Args:
        session: Any transaction.
        attempts: Id, campaign's id and number to call of each attempt.
        now: Aware UTC.
        key: The key of the suppression hashes.

    Returns:
        Those with an open attempt in the same campaign, by the clinic's number. Nobody speaks
        of who may not be called: who died, booked, opted out or refused calls is not among them.
        A number that a crowd shares is no household's.
    """
    numbers = sorted({number for _, _, number in attempts if number})
    campaigns = {campaign for _, campaign, _ in attempts}
    asked_of = {attempt_id: number for attempt_id, _, number in attempts}
    living: dict[tuple[str, str | None], list[Any]] = {}
    for start in range(0, len(numbers), _AT_ONCE):
        asked = {"numbers": numbers[start : start + _AT_ONCE], "campaigns": list(campaigns)}
        found = (await session.execute(_PEOPLE, asked)).all()
        rows = [row for row in found if row.state == AttemptState.OPEN.value]
        others = [row.Patient for row in rows if not asked_of.get(row.id)]
        called_at = await numbers_of(session, others, now)
        for row in rows:
            at = row.campaign_id, asked_of.get(row.id) or called_at[row.Patient.id]
            living.setdefault(at, []).append(row)
    # most people live alone at their number: they cost nothing here; nor does a crowd
    homes = {at: rows for at, rows in living.items() if 1 < len(rows) <= MOST_IN_A_HOUSEHOLD}
    together = [row.Patient.id for rows in homes.values() for row in rows]
    known = await standings(session, list(dict.fromkeys(together)), now, key, zone=_UTC)
    named = {
        row.Patient.id
        for (_, number), rows in homes.items()
        for row in rows
        if not_to_call(known[row.Patient.id], key) is None
        and address_hash(key, number or "") not in known[row.Patient.id].crowded
    }
    return {
        attempt_id: tuple(
            _housemate(row, now)
            for row in homes.get((campaign, number), ())
            if row.id != attempt_id and row.Patient.id in named
        )
        for attempt_id, campaign, number in attempts
        if number
    }


def _people() -> Select[str, str, str, Patient, str | None, datetime | None]:
    """Return the query for who answers at some numbers, in some campaigns; it is built once."""
    guardian = aliased(Patient)
    numbers: BindParameter[Any] = bindparam("numbers", expanding=True)
    campaigns: BindParameter[Any] = bindparam("campaigns", expanding=True)
    people = union(
        select(Patient.id).where(Patient.phone.in_(numbers)),
        select(Patient.id).where(Patient.guardian_phone.in_(numbers)),
        select(Patient.id)
        .join(guardian, guardian.external_id == Patient.guardian_number)
        .where(guardian.phone.in_(numbers)),
    )
    return (
        select(
            Attempt.id,
            Attempt.campaign_id,
            Attempt.state,
            Patient,
            CallTask.claimed_by,
            CallTask.claimed_until,
        )
        .join(Patient, Patient.id == Attempt.patient_id)
        .outerjoin(CallTask, and_(CallTask.attempt_id == Attempt.id, CallTask.closed_at.is_(None)))
        .where(
            # the state is looked at afterwards, as in `clinic.register.household`
            Attempt.campaign_id.in_(campaigns),
            Attempt.patient_id.in_(people),
        )
        .order_by(Patient.external_id)
    )


_PEOPLE = _people()


def _housemate(row: Any, now: datetime) -> Housemate:
    until: datetime | None = row.claimed_until
    is_claimed = until is not None and until > now
    return Housemate(
        attempt_id=row.id,
        external_id=row.Patient.external_id,
        first_name=row.Patient.first_name,
        claimed_by=row.claimed_by if is_claimed else None,
        claimed_until=until if is_claimed else None,
    )
