"""All that is held about one person, for that person: no other patient's data, no staff's."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any, TypeVar

from pydantic import SecretStr
from sqlalchemy import ColumnElement, and_, inspect, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.register.address import address_hash
from clinic.register.consent import without_list
from clinic.register.search import rows_of_person
from clinic.register.suppression import addresses_of, suppressed
from clinic.register.written_from import wrote_from
from clinic.tables import (
    Appointment,
    Attempt,
    Call,
    CallTask,
    Campaign,
    Consent,
    Duplicate,
    Event,
    Message,
    Patient,
    StepNote,
    Table,
    Visit,
)

_Row = TypeVar("_Row", bound=Table)

ABOUT = {
    "es": "Todo lo que la clínica conserva sobre esta persona en Regresa. Las fechas con hora "
    "están en UTC. Los nombres del personal y los datos de otras personas no se incluyen.",
    "ru": "Полные данные пациента, которые клиника хранит в Regresa. Время указано по UTC. Имена "
    "сотрудников и данные других людей не приводятся.",
    "en": "All that the clinic holds about this person in Regresa. Times are in UTC. Names of "
    "staff and other people's data are left out.",
}

WITHHELD = frozenset(
    {
        # other patients' rows
        "duplicate_of",
        "other_id",
        "carried_by",
        # staff
        "settled_by",
        "claimed_by",
        "closed_by",
        "made_by",
        # a hash says nothing to anybody; the address stands in its stead, where it is known
        "address_hash",
    }
)
"""Columns that are not the person's own data, or that say nothing without the clinic's key."""


async def export_patient(
    session: AsyncSession, patient: Patient, *, clinic: str, now: datetime, key: SecretStr
) -> dict[str, Any]:
    """Return all that is held about a person, ready for JSON.

    Rows are read by the tables themselves, so a column that is added is in the export.

    Args:
        session: Any transaction.
        patient: Whose data; what stands on rows that staff said are the same person is theirs.
        clinic: The clinic's name.
        now: Aware UTC.
        key: The key of the suppression hashes.
    """
    rows = await rows_of_person(session, patient.id)
    return {
        "about": ABOUT,
        "clinic": clinic,
        "exported_at": now.isoformat(),
        "patients": [await _export_row(session, row, now, key) for row in rows],
    }


async def _export_row(
    session: AsyncSession, patient: Patient, now: datetime, key: SecretStr
) -> dict[str, Any]:
    addresses = addresses_of(patient, now)
    silent = await suppressed(session, addresses, key)
    attempts = await _rows(session, Attempt, Attempt.patient_id == patient.id)
    events = or_(
        Event.patient_id == patient.id,
        Event.attempt_id.in_([attempt.id for attempt in attempts]),
        wrote_from(addresses),
    )
    loose = and_(CallTask.patient_id == patient.id, CallTask.attempt_id.is_(None))
    duplicates = or_(Duplicate.patient_id == patient.id, Duplicate.other_id == patient.id)
    return {
        "register": _held(patient),
        "visits": _all_held(await _rows(session, Visit, Visit.patient_id == patient.id)),
        "appointments": _all_held(
            await _rows(session, Appointment, Appointment.patient_id == patient.id)
        ),
        "consents": [
            # a list may have been named after somebody else
            _held(row) | {"source": without_list(row.source)}
            for row in await _rows(session, Consent, Consent.patient_id == patient.id)
        ],
        "addresses_nobody_writes_to": [
            {"address": address, "since": row.since.isoformat(), "source": row.source}
            for address, row in silent.items()
        ],
        "possible_duplicates": _all_held(await _rows(session, Duplicate, duplicates)),
        "attempts": await _attempts(session, attempts, addresses, key),
        "call_tasks": await _tasks(session, loose),
        "events": _all_held(await _rows(session, Event, events)),
    }


async def _attempts(
    session: AsyncSession, attempts: Sequence[Attempt], addresses: Collection[str], key: SecretStr
) -> list[dict[str, Any]]:
    known = {address_hash(key, address): address for address in addresses}
    exported = []
    for attempt in attempts:
        campaign = await session.get_one(Campaign, attempt.campaign_id)
        messages = await _rows(session, Message, Message.attempt_id == attempt.id)
        notes = await _rows(session, StepNote, StepNote.attempt_id == attempt.id)
        exported.append(
            _held(attempt)
            | {
                "campaign": campaign.name,
                "messages": [
                    _held(message)
                    | {
                        "to": known.get(message.address_hash, "an earlier address"),
                        "named_others_too": message.carried_by is not None,
                    }
                    for message in messages
                ],
                "step_notes": _all_held(notes),
                "call_tasks": await _tasks(session, CallTask.attempt_id == attempt.id),
            }
        )
    return exported


async def _tasks(session: AsyncSession, condition: ColumnElement[bool]) -> list[dict[str, Any]]:
    return [
        _held(task) | {"calls": _all_held(await _rows(session, Call, Call.task_id == task.id))}
        for task in await _rows(session, CallTask, condition)
    ]


async def _rows(
    session: AsyncSession, table: type[_Row], condition: ColumnElement[bool]
) -> Sequence[_Row]:
    key = inspect(table).primary_key
    return (await session.scalars(select(table).where(condition).order_by(*key))).all()


def _all_held(rows: Sequence[Table]) -> list[dict[str, Any]]:
    return [_held(row) for row in rows]


def _held(row: Table) -> dict[str, Any]:
    columns = (column.name for column in row.__table__.columns)
    return {name: _plain(getattr(row, name)) for name in columns if name not in WITHHELD}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value  # a datetime is a date too
