"""What a patient agreed to and refused, on each channel, and a form for what they say now."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal, get_args

from fastapi import APIRouter, Depends, Form
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, Field
from sqlalchemy import select

from clinic.accounts import Role
from clinic.clinic import Clinic
from clinic.contact_policy import Content
from clinic.plain_text import legible
from clinic.register import consent as consents
from clinic.tables import Consent
from console.clock import Clock
from console.doors.sessions import Doors, Visitor
from console.register.found import CARD, card_at, name_of, note_change, seen, the_patient
from console.register.words import CONTENTS
from console.staff_view import render, translated
from console.staff_words import N_

ALL = "all"
LONGEST_SOURCE = 200
"""Characters."""

_NO_CHANNEL = N_("By which way? Choose one, please.")
_NO_CONTENT = N_("Choose what it is about, please.")
_NO_WORD = N_("What did they say? Choose one, please.")
_NO_SOURCE = N_("Where did they say so? Write for example: paper form.")
_NO_DAY = N_("That is no day. Write it as 2026-02-28.")
_DAY_AHEAD = N_("That day is still to come.")


class ConsentForm(BaseModel):
    """What somebody filled in, as the browser sends it.

    Attributes:
        channel: A channel in use, or `all`.
        content: `reminder`, `advertising` or `all`.
        word: Whether it was given or withdrawn; empty: nothing was chosen.
        source: Where it was said.
        day: By the clinic's calendar, ISO 8601; empty: today.
    """

    channel: str = Field(default="", max_length=100)
    content: str = Field(default="", max_length=100)
    word: Literal["", "given", "withdrawn"] = ""
    source: str = Field(default="", max_length=LONGEST_SOURCE)
    day: str = Field(default="", max_length=30)


class PatientConsents:
    """Lists what a patient said about being contacted, and records more.

    Args:
        clinic: Whose register.
        clock: What time it is.
    """

    def __init__(self, clinic: Clinic, clock: Clock) -> None:
        self._clinic = clinic
        self._clock = clock

    async def page(
        self,
        patient_id: str,
        visitor: Visitor,
        form: ConsentForm | None = None,
        wrong: dict[str, str] | None = None,
    ) -> Response:
        """Return the page; that it was looked at is noted.

        Args:
            patient_id: Whose.
            visitor: Who looks.
            form: What they filled in and what can't be taken as it is.
            wrong: Why, by field, in their words.
        """
        now, zone = self._clock(), self._clinic.profile.zone
        async with self._clinic.database.writing() as session:
            patient = await seen(session, patient_id, visitor, now)
            rows = await session.scalars(
                select(Consent)
                .where(Consent.patient_id == patient_id)
                .order_by(Consent.at.desc(), Consent.id.desc())
            )
            history = rows.all()
        today = now.astimezone(zone).date()
        return render(
            visitor,
            "register/consents.html",
            status=422 if wrong else 200,
            patient=patient,
            name=name_of(patient),
            history=history,
            form=form or ConsentForm(day=today.isoformat()),
            wrong=wrong or {},
            channels=self._clinic.settings.channels,
            contents=CONTENTS,
            all=ALL,
            today=today.isoformat(),
            longest_source=LONGEST_SOURCE,
            zone=zone,
        )

    async def record(self, patient_id: str, visitor: Visitor, form: ConsentForm) -> Response:
        """Record what a patient said; where it can't be, say why and keep what was filled in."""
        clinic, now = self._clinic, self._clock()
        zone = clinic.profile.zone
        channels = _chosen(form.channel, clinic.settings.channels)
        contents = _chosen(form.content, get_args(Content))
        wrong: dict[str, str] = {}
        if not channels:
            wrong["channel"] = _NO_CHANNEL
        if not contents:
            wrong["content"] = _NO_CONTENT
        if not form.word:
            wrong["word"] = _NO_WORD
        source = legible(form.source)
        if not source:
            wrong["source"] = _NO_SOURCE
        at = now
        try:
            if form.day.strip():
                day = date.fromisoformat(form.day.strip())
                if day > now.astimezone(zone).date():
                    wrong["day"] = _DAY_AHEAD
                else:
                    at = consents.heard_on(day, zone, now)
        except ValueError:
            wrong["day"] = _NO_DAY
        if wrong:
            said = {name: translated(visitor, why) for name, why in wrong.items()}
            return await self.page(patient_id, visitor, form, said)
        async with clinic.database.writing() as session:
            await the_patient(session, patient_id, to_change=True)
            added = await consents.record_each(
                session,
                patient_id,
                channels=channels,
                contents=contents,
                given=form.word == "given",
                source=source,
                at=at,
                zone=zone,
            )
            if added:
                await note_change(
                    session,
                    patient_id,
                    visitor,
                    now,
                    {"what": "consent", "given": form.word == "given", "recorded": added},
                )
        return card_at(patient_id, "consent" if added else "consent-before")


def _chosen(written: str, known: Sequence[str]) -> Sequence[str]:
    if written == ALL:
        return known
    return (written,) if written in known else ()


def router(clinic: Clinic, clock: Clock, doors: Doors) -> APIRouter:
    """Build the doors of a patient's consents."""
    routes = APIRouter(default_response_class=HTMLResponse)
    desk = PatientConsents(clinic, clock)
    ops = Annotated[Visitor, Depends(doors.signed_in(Role.OPS))]

    @routes.get(f"{CARD}/consents")
    async def show(patient_id: str, visitor: ops) -> Response:
        return await desk.page(patient_id, visitor)

    @routes.post(f"{CARD}/consents")
    async def record(
        patient_id: str, visitor: ops, form: Annotated[ConsentForm, Form()]
    ) -> Response:
        return await desk.record(patient_id, visitor, form)

    return routes
