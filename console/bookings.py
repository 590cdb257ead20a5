"""The clinic's own software reports a booking here; the same key twice is one booking."""

import hmac
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Header, HTTPException
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import select

from clinic import inbox
from clinic.clinic import Clinic
from clinic.event import EventKind
from clinic.tables import Patient

Word = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]


class Booking(BaseModel):
    """A booked appointment.

    Attributes:
        key: The reporter's own key for this booking.
        patient: The clinic's own patient number.
        appointment_at: When, with its UTC offset.
    """

    model_config = ConfigDict(extra="forbid")

    key: Word
    patient: Word
    appointment_at: AwareDatetime


def router(clinic: Clinic) -> APIRouter:
    """Build the door: POST /bookings with `Authorization: Bearer <REGRESA_BOOKINGS_TOKEN>`."""
    routes = APIRouter()
    token = clinic.settings.bookings_token.get_secret_value()

    @routes.post("/bookings")
    async def book(
        booking: Booking, authorization: Annotated[str, Header()] = ""
    ) -> dict[str, bool]:
        if not token or not hmac.compare_digest(authorization.encode(), f"Bearer {token}".encode()):
            raise HTTPException(401, "a bearer token is needed", {"WWW-Authenticate": "Bearer"})
        async with clinic.database.writing() as session:
            patient = await session.scalar(
                select(Patient).where(Patient.external_id == booking.patient)
            )
            if patient is None:
                raise HTTPException(404, "no such patient on the register")
            received = inbox.Received(
                source="bookings",
                source_key=booking.key,
                kind=EventKind.BOOKED,
                patient_id=patient.id,
                at=booking.appointment_at.astimezone(UTC),
            )
            is_new = await inbox.store(session, received, now=datetime.now(UTC), key=clinic.key)
        return {"new": is_new}

    return routes
