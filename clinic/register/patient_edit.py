"""A patient's row changed by hand: all that was typed counts, or nothing of it.

What follows from a change is what follows when a clinic's list says the same: a new address has
not failed yet, whoever now looks like another patient waits until somebody has settled it, and
nobody writes any more to who died, moved or left.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.event import EventKind
from clinic.inbox import STAFF
from clinic.plain_text import name_key
from clinic.register.standing import PatientStatus
from clinic.register.typed_fields import (
    EDITABLE,
    Desk,
    FieldProblem,
    Taken,
    Untakeable,
    read_typed,
    shown,
)
from clinic.register.vocabulary import WordKind, spell
from clinic.register_import import possible_duplicates
from clinic.register_import.ended_attempts import Ending, end_attempts
from clinic.register_import.patient_fields import FAILED_BEFORE, IDENTITY
from clinic.register_import.possible_duplicates import Person
from clinic.tables import Patient


@dataclass(frozen=True)
class Trouble:
    """Why a field can't be saved.

    Attributes:
        problem: Why.
        meanwhile: What somebody else has written there since the form was shown.
    """

    problem: FieldProblem
    meanwhile: str = ""


@dataclass(frozen=True)
class Edited:
    """What was saved.

    Attributes:
        fields: Those that changed.
        alike: Other patients who may be the same person, as was found just now.
    """

    fields: tuple[str, ...]
    alike: int = 0


class NotSaved(Exception):
    """Nothing was changed.

    Args:
        troubles: By the field; none: the row is no patient's any more.
    """

    def __init__(self, troubles: Mapping[str, Trouble]) -> None:
        super().__init__(", ".join(sorted(troubles)))
        self.troubles = troubles


async def save(
    session: AsyncSession,
    patient_id: str,
    typed: Mapping[str, str],
    was: Mapping[str, str],
    *,
    desk: Desk,
    now: datetime,
    key: SecretStr,
) -> Edited:
    """Save what somebody changed on a form.

    A field that was left as it was shown is not touched: whatever it holds by now stays.

    Args:
        session: A writing transaction, which has to be rolled back where this raises.
        patient_id: Whose row.
        typed: What stands in the form, by field.
        was: What the form showed at first, as `shown` returned it then.
        desk: Where it was typed.
        now: Aware UTC.
        key: For the inbox.

    Raises:
        NotSaved: Something can't be taken, or was changed by somebody else meanwhile.
    """
    troubles: dict[str, Trouble] = {}
    taken: dict[str, Taken] = {}
    for name in EDITABLE:
        if name not in typed or typed[name] == was.get(name, ""):
            continue
        try:
            taken[name] = read_typed(name, typed[name], desk)
        except Untakeable as error:
            troubles[name] = Trouble(error.problem)
    # words before the patient: an import takes them in this order
    taken |= await _spelled(session, taken)
    # no more than that: a row that names this patient, as one that looks alike, has not to wait
    patient = await session.get(
        Patient, patient_id, with_for_update={"key_share": True}, populate_existing=True
    )
    if patient is None or patient.erased_at is not None or patient.duplicate_of is not None:
        raise NotSaved({})
    troubles |= _changed_meanwhile(patient, taken, was)
    troubles |= await _not_fitting(session, patient, taken)
    if troubles:
        raise NotSaved(troubles)
    changed = {name for name, new in taken.items() if getattr(patient, name) != new.value}
    _write(patient, {name: taken[name] for name in changed})
    await session.flush()
    alike = await _note_alike(session, patient, now) if changed & IDENTITY else 0
    if "status" in changed and patient.status != PatientStatus.ACTIVE.value:
        gone = {patient.id: Ending(EventKind.EXCLUDED)}
        await end_attempts(session, gone, now=now, key=key, source=STAFF)
    return Edited(tuple(name for name in EDITABLE if name in changed), alike)


async def _spelled(session: AsyncSession, taken: Mapping[str, Taken]) -> dict[str, Taken]:
    spelled: dict[str, Taken] = {}
    for kind in WordKind:  # in an import's order: new words are locked until they are saved
        word = taken[kind].value if kind in taken else None
        if isinstance(word, str):
            spelled[kind] = Taken((await spell(session, kind, [word]))[word])
    return spelled


def _changed_meanwhile(
    patient: Patient, taken: Mapping[str, Taken], was: Mapping[str, str]
) -> dict[str, Trouble]:
    now_shown = shown(patient)
    return {
        name: Trouble(FieldProblem.MEANWHILE, meanwhile=now_shown[name])
        for name, new in taken.items()
        if now_shown[name] != was.get(name, "") and getattr(patient, name) != new.value
    }


async def _not_fitting(
    session: AsyncSession, patient: Patient, taken: Mapping[str, Taken]
) -> dict[str, Trouble]:
    """Return what can't stand beside the other fields, or the other patients."""
    troubles: dict[str, Trouble] = {}
    other = _value(patient, taken, "other_phone")
    if other is not None and other == _value(patient, taken, "phone"):
        name = "other_phone" if "other_phone" in taken else "phone"
        if name in taken:
            troubles[name] = Trouble(FieldProblem.TWICE)
    number = taken["guardian_number"].value if "guardian_number" in taken else None
    if number == patient.external_id:
        troubles["guardian_number"] = Trouble(FieldProblem.OWN_NUMBER)
    elif number is not None:
        found = select(Patient.id).where(Patient.external_id == number, Patient.erased_at.is_(None))
        if await session.scalar(found) is None:
            troubles["guardian_number"] = Trouble(FieldProblem.NOBODY)
    return troubles


def _value(patient: Patient, taken: Mapping[str, Taken], name: str) -> str | date | None:
    value: str | date | None = taken[name].value if name in taken else getattr(patient, name)
    return value


def _write(patient: Patient, changes: Mapping[str, Taken]) -> None:
    for name, new in changes.items():
        setattr(patient, name, new.value)
        for mark in FAILED_BEFORE.get(name, ()):
            setattr(patient, mark, None)
    if "phone" in changes:
        patient.phone_kind = changes["phone"].phone_kind
    if changes.keys() & {"first_name", "last_name"}:
        patient.name_key = name_key(patient.first_name, patient.last_name)


async def _note_alike(session: AsyncSession, patient: Patient, now: datetime) -> int:
    person = Person(
        id=patient.id,
        number=patient.external_id,
        kept_id=patient.id,
        name_key=patient.name_key,
        national_id=patient.national_id,
        birth_date=patient.birth_date,
        phone=patient.phone,
    )
    found = await possible_duplicates.find(session, [person])
    return len(await possible_duplicates.note(session, found, now))
