"""The clinic's own software reports a booking here; the same key twice is one booking."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic import inbox
from clinic.clinic import Clinic
from clinic.event import EventKind
from clinic.tables import Event, Patient
from console.bearer import refuse_strangers
from console.clock import Clock

_SOURCE = "bookings"
_FURTHEST = timedelta(days=3 * 366)
"""Nobody books further ahead; a year that was mistyped would keep a patient from being asked."""

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
    appointment_at: Annotated[AwareDatetime, Field(strict=True)]


def router(clinic: Clinic, clock: Clock) -> APIRouter:
    """Build the door: POST /bookings with `Authorization: Bearer <REGRESA_BOOKINGS_TOKEN>`."""
    routes = APIRouter()

    # read here and not by the framework, which would read the body before it knows who sends it
    @routes.post("/bookings", openapi_extra=_DOCUMENTED)
    async def book(request: Request) -> dict[str, bool]:
        refuse_strangers(request, clinic.settings.bookings_token)
        now = clock()
        booking = _read(await request.body(), now)
        async with clinic.database.writing() as session:
            return {"new": await _store(session, booking, clinic, now)}

    return routes


def _read(body: bytes, now: datetime) -> Booking:
    try:
        booking = Booking.model_validate_json(body)
    except ValidationError as error:
        raise _refused(
            422,
            *(
                (".".join(str(part) for part in problem["loc"]), problem["msg"])
                for problem in error.errors(
                    include_url=False, include_context=False, include_input=False
                )
            ),
        ) from None
    if booking.appointment_at <= now:
        raise _refused(422, ("appointment_at", "lies in the past"))
    if booking.appointment_at > now + _FURTHEST:
        raise _refused(422, ("appointment_at", "lies more than three years ahead"))
    return booking


async def _store(session: AsyncSession, booking: Booking, clinic: Clinic, now: datetime) -> bool:
    patient = await session.scalar(select(Patient).where(Patient.external_id == booking.patient))
    if patient is None:
        raise _refused(404, ("patient", "no such patient on the register"))
    received = inbox.Received(
        source=_SOURCE,
        source_key=booking.key,
        kind=EventKind.BOOKED,
        patient_id=patient.id,
        at=booking.appointment_at.astimezone(UTC),
    )
    if await inbox.store(session, received, now=now, key=clinic.key):
        return True
    before = await session.scalar(
        select(Event).where(Event.source == _SOURCE, Event.source_key == booking.key)
    )
    if before is not None and not _is_same(before, received, patient):
        raise _refused(409, ("key", "was given before, for another patient or another time"))
    return False


def _is_same(before: Event, received: inbox.Received, patient: Patient) -> bool:
    of_patient = before.patient_id in (patient.id, patient.duplicate_of)
    at = before.details.get("at")
    return of_patient and at is not None and datetime.fromisoformat(at) == received.at


def _refused(status: int, *problems: tuple[str, str]) -> HTTPException:
    errors = [{"field": field, "problem": problem} for field, problem in problems]
    return HTTPException(status, errors)


_DOCUMENTED: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": Booking.model_json_schema()}},
    },
    "security": [{"bearer": []}],
}
"""What the framework can't find out, as it does not read the body."""
