"""What patients said about being contacted: by channel and content, with source and date."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.conflict_free_insert import insert_if_new
from clinic.tables import Consent

FROM_LIST = "import "
"""Begins the source of each word that a list brought without a source of its own: the name of the
file follows."""

_AT_ONCE = 500
_SAID_ON = " (said on {})"
_SAID_WHERE = re.compile(r"(.*) \(said on (\d{4}-[01]\d-[0-3]\d)\)", re.DOTALL)
_TICK = timedelta(microseconds=1)
_UTC = ZoneInfo("UTC")


class Word(NamedTuple):
    """One word of a patient on one channel and one kind of content.

    Attributes:
        at: From when it counts, aware UTC.
        given: Whether the contact was agreed to; otherwise it was refused or withdrawn.
        source: Where it was said.
    """

    at: datetime
    given: bool
    source: str

    def counting_after(self, newest: "Word", zone: ZoneInfo) -> "Word":
        """Return a refusal as it counts against what was known before it was heard.

        A refusal that is told late is no less a refusal: days are whole and forms lie about, so
        the day written on one can't make a yes outweigh it. It counts from the newest word on,
        and its source keeps the day on which it was said.
        """
        if self.given or self.at > newest.at:
            return self
        day = self.at.astimezone(zone).date()
        return self._replace(at=newest.at + _TICK, source=self.source + _SAID_ON.format(day))


def without_list(source: str) -> str:
    """Return where something was said, without the name of a list: it may be somebody's."""
    if not source.startswith(FROM_LIST):
        return source
    _, day = said_where(source)
    return FROM_LIST.strip() + (_SAID_ON.format(day) if day else "")


def said_where(source: str) -> tuple[str, date | None]:
    """Return where something was said, and the day on it, where it counts from a later one."""
    found = _SAID_WHERE.fullmatch(source)
    try:
        return (found[1], date.fromisoformat(found[2])) if found else (source, None)
    except ValueError:  # somebody wrote it, and it is no day
        return source, None


async def record(
    session: AsyncSession,
    patient_id: str,
    *,
    channel: str,
    content: str,
    given: bool,
    source: str,
    at: datetime,
    zone: ZoneInfo = _UTC,
) -> bool:
    """Record what a patient said about one channel and one kind of content.

    What was said before stays as it was: only the newest word counts, and the older ones prove
    what the clinic was told at the time. A refusal counts over a yes that is known already,
    whatever their days.

    Args:
        session: A writing transaction.
        patient_id: Who said it.
        channel: A channel's name.
        content: `reminder` or `advertising`.
        given: Whether it was given; otherwise it was refused or withdrawn.
        source: Where it was said, such as `paper form`.
        at: When, aware UTC. Of two words on one moment, the one recorded later counts.
        zone: The clinic's time zone, in whose days the source tells when a refusal was said.

    Returns:
        False where the same word of the same moment was recorded before.
    """
    about = {"patient_id": patient_id, "channel": channel, "content": content}
    said_before = await session.execute(
        select(Consent.at, Consent.given, Consent.source).filter_by(**about).order_by(Consent.at)
    )
    known = [Word(*said) for said in said_before]
    word = Word(at, given, source)
    if known:
        newest = known[-1]
        late = word.counting_after(newest, zone)
        if newest.given:
            word = late
        elif late != word and any(each.source == late.source for each in known):
            return False
    taken, last = {each.at: each.given for each in known}, None
    while word.at in taken:
        last, word = taken[word.at], word._replace(at=word.at + _TICK)
    if last is given:
        return False
    return await insert_if_new(session, Consent, about | word._asdict())


def heard_on(day: date, zone: ZoneInfo, now: datetime) -> datetime:
    """Return from when a word counts that was said on a day, aware UTC.

    It is the day's end, as nobody noted the hour, but now at the latest.

    Args:
        day: By the clinic's calendar.
        zone: The clinic's time zone.
        now: Aware UTC.

    Raises:
        ValueError: The day is still to come.
    """
    if day > now.astimezone(zone).date():
        raise ValueError(f"{day} is still to come")
    return min(datetime.combine(day, time.max, tzinfo=zone).astimezone(UTC), now)


async def record_each(
    session: AsyncSession,
    patient_id: str,
    *,
    channels: Sequence[str],
    contents: Sequence[str],
    given: bool,
    source: str,
    at: datetime,
    zone: ZoneInfo,
) -> int:
    """Record one word for each of some channels and contents, see `record`.

    Returns:
        How many were not recorded before.
    """
    added = 0
    for channel in channels:
        for content in contents:
            added += await record(
                session,
                patient_id,
                channel=channel,
                content=content,
                given=given,
                source=source,
                at=at,
                zone=zone,
            )
    return added


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
