"""What patients said about being contacted: by channel and content, with source and date."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.conflict_free_insert import insert_if_new
from clinic.tables import Consent

_AT_ONCE = 500
_TICK = timedelta(microseconds=1)


async def record(
    session: AsyncSession,
    patient_id: str,
    *,
    channel: str,
    content: str,
    given: bool,
    source: str,
    at: datetime,
) -> bool:
    """Record what a patient said about one channel and one kind of content.

    What was said before stays as it was: only the newest word counts, and the older ones prove
    what the clinic was told at the time.

    Args:
        session: A writing transaction.
        patient_id: Who said it.
        channel: A channel's name.
        content: `reminder` or `advertising`.
        given: Whether it was given; otherwise it was refused or withdrawn.
        source: Where it was said, such as `paper form`.
        at: When, aware UTC. Of two words on one moment, the one recorded later counts.

    Returns:
        False where the same word of the same moment was recorded before.
    """
    about: dict[str, Any] = {"patient_id": patient_id, "channel": channel, "content": content}
    newest = None
    while (said := await session.scalar(_given_at(about, at))) is not None:
        newest, at = said, at + _TICK
    if newest is given:
        return False
    row = about | {"given": given, "source": source, "at": at}
    return await insert_if_new(session, Consent, row)


async def consents_of(
    session: AsyncSession, patient_ids: Sequence[str]
) -> dict[str, dict[tuple[str, str], bool]]:
    """Return the newest word on each channel and content, by patient.

    Returns:
        `{patient_id: {(channel, content): given}}`; who said nothing is not in it.
    """
    newest: dict[str, dict[tuple[str, str], bool]] = {}
    for start in range(0, len(patient_ids), _AT_ONCE):
        said = await session.execute(
            select(Consent.patient_id, Consent.channel, Consent.content, Consent.given)
            .where(Consent.patient_id.in_(patient_ids[start : start + _AT_ONCE]))
            .order_by(Consent.at, Consent.id)
        )
        for patient_id, channel, content, given in said:
            newest.setdefault(patient_id, {})[channel, content] = given
    return newest


def _given_at(about: dict[str, Any], at: datetime) -> Select[bool]:
    return select(Consent.given).filter_by(**about).where(Consent.at == at)
