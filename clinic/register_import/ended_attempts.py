"""What a list says that ends a patient's open attempt: they came back, or left for good."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.attempt import AttemptState
from clinic.event import EventKind
from clinic.inbox import Received, store
from clinic.register_import.patient_history import SOURCE
from clinic.tables import Attempt


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a patient's attempt has nothing left to do.

    Attributes:
        kind: `booked`: an appointment or a visit that was not known; `excluded`: deceased,
            moved, no patient any more.
        appointment: Aware UTC.
    """

    kind: EventKind
    appointment: datetime | None = None


async def end_attempts(
    session: AsyncSession,
    endings: Mapping[str, Ending],
    *,
    now: datetime,
    key: SecretStr,
    source: str = SOURCE,
) -> None:
    """Store for each patient with an open attempt the event that ends it.

    Args:
        session: The transaction that writes what the list says: both count, or neither.
        endings: By the patient's id.
        now: Aware UTC.
        key: For the inbox.
        source: Who says so.
    """
    if not endings:
        return
    opened = await session.execute(
        select(Attempt.id, Attempt.patient_id).where(
            Attempt.patient_id.in_(list(endings)), Attempt.state == AttemptState.OPEN.value
        )
    )
    for attempt_id, patient_id in opened.all():
        ending = endings[patient_id]
        received = Received(
            source=source,
            # an attempt ends once: the same list again has no more to tell
            source_key=f"{attempt_id}:{ending.kind.value}",
            kind=ending.kind,
            patient_id=patient_id,
            attempt_id=attempt_id,
            at=ending.appointment,
        )
        await store(session, received, now=now, key=key)
