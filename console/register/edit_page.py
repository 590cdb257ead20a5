"""A patient's row as a form: all that was typed is saved, or each field says what is wrong."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from clinic.accounts import Role
from clinic.clinic import Clinic
from clinic.register.patient_edit import NotSaved, Trouble, save
from clinic.register.typed_fields import CHOICES, EDITABLE, LONGEST, Desk, FieldProblem, shown
from console.clock import Clock
from console.doors.sessions import Doors, Visitor
from console.register.found import CARD, card_at, name_of, note_change, seen, the_patient
from console.register.words import (
    CHOICE_WORDS,
    FIELD_PROBLEMS,
    FIELDS,
    GROUPS,
    HINTS,
    NOTHING,
)
from console.staff_view import render, translated

_WAS = "was_"
"""Begins the hidden fields that carry what a form showed at first."""


class PatientForm:
    """Shows a patient's row as a form, and saves it.

    Args:
        clinic: Whose register.
        clock: What time it is.
    """

    def __init__(self, clinic: Clinic, clock: Clock) -> None:
        self._clinic = clinic
        self._clock = clock

    async def page(self, patient_id: str, visitor: Visitor) -> Response:
        """Return the form; that it was looked at is noted."""
        return await self._page(patient_id, visitor, {}, {}, {})

    async def save(
        self, patient_id: str, visitor: Visitor, typed: Mapping[str, str], was: Mapping[str, str]
    ) -> Response:
        """Save what was typed, or show the form again with what is wrong at each field.

        Args:
            patient_id: Whose row.
            visitor: Who typed.
            typed: What stands in the form, by field.
            was: What it showed at first.
        """
        clinic, now = self._clinic, self._clock()
        profile = clinic.profile
        desk = Desk(profile.country, profile.zone, now.astimezone(profile.zone).date())
        try:
            async with clinic.database.writing() as session:
                await the_patient(session, patient_id)
                edited = await save(
                    session, patient_id, typed, was, desk=desk, now=now, key=clinic.key
                )
                if edited.fields:
                    fields = list(edited.fields)
                    await note_change(session, patient_id, visitor, now, {"fields": fields})
        except NotSaved as refused:
            return await self._page(patient_id, visitor, typed, was, refused.troubles)
        if not edited.fields:
            return card_at(patient_id, "unchanged")
        return card_at(patient_id, "alike" if edited.alike else "saved")

    async def _page(
        self,
        patient_id: str,
        visitor: Visitor,
        typed: Mapping[str, str],
        was: Mapping[str, str],
        troubles: Mapping[str, Trouble],
    ) -> Response:
        async with self._clinic.database.writing() as session:
            patient = await seen(session, patient_id, visitor, self._clock())
        stands = shown(patient)
        meanwhile = any(each.problem is FieldProblem.MEANWHILE for each in troubles.values())
        return render(
            visitor,
            "register/edit.html",
            status=409 if meanwhile else 422 if troubles else 200,
            patient=patient,
            name=name_of(patient),
            stands=stands,
            # a field that nobody touched shows what it holds by now
            values={
                name: stands[name] if typed.get(name, "") == was.get(name, "") else typed[name]
                for name in EDITABLE
            },
            wrong={
                name: self._in_words(visitor, name, trouble, typed.get(name, ""))
                for name, trouble in troubles.items()
            },
            groups=GROUPS,
            fields=FIELDS,
            hints=HINTS,
            choices=CHOICES,
            choice_words=CHOICE_WORDS,
            longest=LONGEST,
        )

    def _in_words(self, visitor: Visitor, field: str, trouble: Trouble, typed: str) -> str:
        said = translated(visitor, FIELD_PROBLEMS[trouble.problem])
        if trouble.problem is not FieldProblem.MEANWHILE:
            return said
        return said % {
            "now": self._value(visitor, field, trouble.meanwhile),
            "yours": self._value(visitor, field, typed),
        }

    def _value(self, visitor: Visitor, field: str, value: str) -> str:
        words = CHOICE_WORDS.get(field, {})
        if value and value not in words:
            return value  # what somebody wrote
        return translated(visitor, words[value] if value else NOTHING)


def router(clinic: Clinic, clock: Clock, doors: Doors) -> APIRouter:
    """Build the doors of the form."""
    routes = APIRouter(default_response_class=HTMLResponse)
    desk = PatientForm(clinic, clock)
    ops = Annotated[Visitor, Depends(doors.signed_in(Role.OPS))]

    @routes.get(f"{CARD}/edit")
    async def show(patient_id: str, visitor: ops) -> Response:
        return await desk.page(patient_id, visitor)

    @routes.post(f"{CARD}/edit")
    async def save_it(patient_id: str, visitor: ops, request: Request) -> Response:
        sent = await request.form(max_files=0)
        given = {name: str(value) for name, value in sent.items()}
        typed = {name: given[name] for name in EDITABLE if name in given}
        was = {name: given.get(f"{_WAS}{name}", "") for name in typed}
        return await desk.save(patient_id, visitor, typed, was)

    return routes
