"""Rows that are, or may be, one person: what the clinic was told of one row counts for the others.

Staff said that two rows are one person, or nobody has settled yet whether they are. Either way
the stricter word wins: who died, moved, booked, said stop or refused a channel under one number is
left alone under the other. `inactive` is no such word: software closes a person's second card so.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import ColumnElement, bindparam, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from clinic.event import CallOutcome, EventKind
from clinic.register.consent import consents_of
from clinic.tables import Appointment, CallTask, Duplicate, Event, Patient, UtcMoment

BOOKED_FOR = timedelta(days=30)
"""Who booked without telling for when is taken to have an appointment for so long."""

_AT_ONCE = 500
_T = TypeVar("_T")


@dataclass(frozen=True)
class SaidElsewhere:
    """What a person's other rows say, or those that may be the same person's.

    Attributes:
        statuses: On the register, as the table has them.
        opted_out: The person wants no message.
        booked: There is an appointment ahead.
        refused: (channel, content) of which the newest word was no.
    """

    statuses: frozenset[str] = frozenset()
    opted_out: bool = False
    booked: bool = False
    refused: frozenset[tuple[str, str]] = frozenset()


NOTHING_ELSEWHERE = SaidElsewhere()


def is_booked() -> ColumnElement[bool]:
    """Return the condition that a patient has a future appointment, or said so lately.

    Its parameters, aware UTC: `now`, and `lately`, which is `BOOKED_FOR` before.
    """
    now, lately = bindparam("now", type_=UtcMoment), bindparam("lately", type_=UtcMoment)
    in_the_book = exists().where(Appointment.patient_id == Patient.id, Appointment.at > now)
    said_so = exists().where(
        Event.patient_id == Patient.id,
        Event.kind == EventKind.BOOKED.value,
        Event.received_at > lately,
    )
    told_staff = exists().where(
        CallTask.patient_id == Patient.id,
        CallTask.outcome == CallOutcome.BOOKED.value,
        CallTask.closed_at > lately,
    )
    return or_(in_the_book, said_so, told_staff)


def has_others() -> ColumnElement[bool]:
    """Return the condition that a row of patients may have others of the same person.

    A look-up in an index each: nearly nobody has any, and needs no further query.
    """
    same = aliased(Patient)
    unsettled = Duplicate.verdict.is_(None)
    return or_(
        Patient.duplicate_of.is_not(None),
        exists().where(same.duplicate_of == Patient.id),
        exists().where(Duplicate.patient_id == Patient.id, unsettled),
        exists().where(Duplicate.other_id == Patient.id, unsettled),
    )


async def said_elsewhere(
    session: AsyncSession, patient_ids: Sequence[str], now: datetime
) -> dict[str, SaidElsewhere]:
    """Return what other rows say of some patients, by the patient's id.

    Args:
        session: Any transaction.
        patient_ids: Those of whom `has_others` is true; the others cost queries for nothing.
        now: Aware UTC.
    """
    if not patient_ids:
        return {}
    others = await _others(session, patient_ids)
    everybody = frozenset[str]().union(*others.values())
    told = await _told_of(session, everybody, now)
    return {
        patient_id: SaidElsewhere(
            statuses=frozenset[str]().union(*(told[other].statuses for other in of_one)),
            opted_out=any(told[other].opted_out for other in of_one),
            booked=any(told[other].booked for other in of_one),
            refused=frozenset[tuple[str, str]]().union(*(told[other].refused for other in of_one)),
        )
        for patient_id, of_one in others.items()
    }


async def _others(session: AsyncSession, patient_ids: Collection[str]) -> dict[str, frozenset[str]]:
    """Return the other rows of each patient: settled ones, and those alike that nobody settled.

    Who may be the same as somebody who may be the same is not asked for: a number or a name that
    many share would make one person of them all.
    """
    same = await _settled(session, patient_ids)
    known = frozenset[str]().union(*same.values())
    alike = await _unsettled(session, known)
    behind = await _settled(session, frozenset[str]().union(*alike.values()))
    found: dict[str, frozenset[str]] = {}
    for patient_id in patient_ids:
        twins = frozenset[str]().union(*(alike.get(row, frozenset()) for row in same[patient_id]))
        every = same[patient_id].union(*(behind[twin] for twin in twins))
        found[patient_id] = every - {patient_id}
    return found


async def _settled(
    session: AsyncSession, patient_ids: Collection[str]
) -> Mapping[str, frozenset[str]]:
    """Return the rows of each patient's person, with their own."""
    kept: dict[str, str] = {}
    stand_for: defaultdict[str, set[str]] = defaultdict(set)
    for page in _pages(patient_ids):
        rows = await session.execute(
            select(Patient.id, Patient.duplicate_of).where(Patient.id.in_(page))
        )
        kept |= {row.id: row.duplicate_of or row.id for row in rows}
    for page in _pages(set(kept.values())):
        rows = await session.execute(
            select(Patient.id, Patient.duplicate_of).where(Patient.duplicate_of.in_(page))
        )
        for row in rows:
            stand_for[row.duplicate_of].add(row.id)
    return {
        patient_id: frozenset({kept_id, *stand_for[kept_id]})
        for patient_id, kept_id in kept.items()
    }


async def _unsettled(
    session: AsyncSession, patient_ids: Collection[str]
) -> Mapping[str, frozenset[str]]:
    """Return those that may be the same person as a row, by the row."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for page in _pages(patient_ids):
        pairs = await session.execute(
            select(Duplicate.patient_id, Duplicate.other_id).where(
                Duplicate.verdict.is_(None),
                or_(Duplicate.patient_id.in_(page), Duplicate.other_id.in_(page)),
            )
        )
        for later, other in pairs:
            found[later].add(other)
            found[other].add(later)
    return {row: frozenset(twins) for row, twins in found.items()}


async def _told_of(
    session: AsyncSession, patient_ids: Collection[str], now: datetime
) -> dict[str, SaidElsewhere]:
    told: dict[str, SaidElsewhere] = {}
    for page in _pages(patient_ids):
        consents = await consents_of(session, page)
        rows = await session.execute(
            select(
                Patient.id, Patient.status, Patient.opted_out_at, is_booked().label("booked")
            ).where(Patient.id.in_(page)),
            {"now": now, "lately": now - BOOKED_FOR},
        )
        for row in rows:
            words = consents.get(row.id, {})
            told[row.id] = SaidElsewhere(
                statuses=frozenset({row.status}),
                opted_out=row.opted_out_at is not None,
                booked=row.booked,
                refused=frozenset(about for about, given in words.items() if not given),
            )
    return told


def _pages(ids: Collection[_T]) -> Iterator[list[_T]]:
    every = list(ids)
    for start in range(0, len(every), _AT_ONCE):
        yield every[start : start + _AT_ONCE]
