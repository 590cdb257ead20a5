"""What forgetting a person would mean, before anybody does it."""

from collections.abc import Collection, Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict
from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from clinic.attempt import AttemptState
from clinic.refusal import Refusal
from clinic.register.search import patients_at, rows_of_person
from clinic.register.suppression import addresses_of
from clinic.tables import Attempt, CallTask, Duplicate, Patient


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


async def _refuse_unsettled(session: AsyncSession, ids: Collection[str]) -> None:
    later, other = aliased(Patient), aliased(Patient)
    rows = await session.execute(
        select(later.external_id, other.external_id)
        .select_from(Duplicate)
        .join(later, later.id == Duplicate.patient_id)
        .join(other, other.id == Duplicate.other_id)
        .where(
            or_(Duplicate.patient_id.in_(ids), Duplicate.other_id.in_(ids)),
            Duplicate.verdict.is_(None),
            ~and_(Duplicate.patient_id.in_(ids), Duplicate.other_id.in_(ids)),
        )
        .order_by(Duplicate.id)
    )
    pairs = [(one, two) for one, two in rows]
    if pairs:
        raise MayBeAnotherRow(pairs)
