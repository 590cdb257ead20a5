"""The patient whose page is asked for, and the line in the audit log that somebody saw it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from fastapi import HTTPException
from fastapi.responses import RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.convertors import Convertor, register_url_convertor

from clinic.audit import Action, Details, note, note_many
from clinic.tables import Patient
from console.doors.sessions import Visitor
from console.reader import AnsweredAlready


class _PatientId(Convertor[str]):
    """An opaque id in a path: what else stands under /register is no patient."""

    regex = "pt-[^/]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("patient", _PatientId())

CARD = "/register/{patient_id:patient}"
"""The path of a patient's card, as a route."""


def card_at(patient_id: str, said: str = "") -> RedirectResponse:
    """Return the way to a patient's card.

    Args:
        patient_id: Whose.
        said: What it says at its head, of `words.NOTICES`; empty: nothing.
    """
    return RedirectResponse(f"/register/{patient_id}{f'?said={said}' if said else ''}", 303)


async def the_patient(
    session: AsyncSession, patient_id: str, *, to_change: bool = False
) -> Patient:
    """Return a patient of whom something can be shown or changed.

    Args:
        session: Any transaction; a writing one to change something.
        patient_id: The opaque id.
        to_change: Whoever forgets the person, or imports a list, waits until this transaction
            has ended, or this one until theirs has.

    Raises:
        HTTPException: 404, there is no such patient.
        AnsweredAlready: The row is not the one that counts, or the person was forgotten: the
            card says so.
    """
    patient = await session.get(Patient, patient_id, with_for_update=to_change)
    if patient is None:
        raise HTTPException(404, "no such patient")
    if patient.duplicate_of is not None:
        raise AnsweredAlready(card_at(patient.duplicate_of, "same-person"))
    if patient.erased_at is not None:
        raise AnsweredAlready(card_at(patient_id))
    return patient


async def seen(session: AsyncSession, patient_id: str, visitor: Visitor, now: datetime) -> Patient:
    """Return a patient as `the_patient` does, and note who looks.

    Args:
        session: A writing transaction.
        patient_id: The opaque id.
        visitor: Who looks.
        now: Aware UTC.
    """
    patient = await the_patient(session, patient_id)
    who = visitor.account
    await note(session, who=who, action=Action.VIEWED, now=now, patient_id=patient_id)
    return patient


async def note_shown(
    session: AsyncSession,
    patient_ids: Sequence[str],
    visitor: Visitor,
    now: datetime,
    *,
    where: Literal["search", "address"],
) -> None:
    """Note who saw the names of patients without opening their cards.

    Args:
        session: A writing transaction.
        patient_ids: Whose; at least one.
        visitor: Who saw them.
        now: Aware UTC.
        where: Of `words.CHANGES`.
    """
    await note_many(
        session,
        who=visitor.account,
        action=Action.VIEWED,
        now=now,
        about=[(patient_id, None) for patient_id in patient_ids],
        details={"what": where},
    )


async def note_change(
    session: AsyncSession, patient_id: str, visitor: Visitor, now: datetime, details: Details
) -> None:
    """Note who changed what of a patient.

    Args:
        session: The transaction that changes it.
        patient_id: Whose.
        visitor: Who changed it.
        now: Aware UTC.
        details: Names of fields, or what of `words.CHANGES`.
    """
    await note(
        session,
        who=visitor.account,
        action=Action.CHANGED,
        now=now,
        patient_id=patient_id,
        details=details,
    )


def name_of(patient: Patient) -> str:
    """Return a patient's name as it stands on pages."""
    return f"{patient.first_name} {patient.last_name}".strip()
