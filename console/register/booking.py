"""An appointment that the desk has just made: noted on the card, and the attempt has its end."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import select

from clinic import inbox
from clinic.accounts import Role
from clinic.call_task import FURTHEST
from clinic.clinic import Clinic
from clinic.event import EventKind
from clinic.identifiers import new_id
from clinic.inbox import STAFF
from clinic.tables import Appointment
from console.clock import Clock
from console.doors.sessions import Doors, Visitor
from console.register.card_page import PatientCard
from console.register.found import CARD, card_at, note_change, the_patient
from console.staff_view import translated
from console.staff_words import N_

_NO_TIME = N_("When is the appointment? Choose the day and the time, please.")
_PASSED = N_("That time has passed. Choose a later one, please.")
_TOO_FAR = N_("That is more than ten years ahead. Is the year right?")


class Bookings:
    """Notes appointments that the desk makes.

    Args:
        clinic: Whose book.
        clock: What time it is.
    """

    def __init__(self, clinic: Clinic, clock: Clock) -> None:
        self._clinic = clinic
        self._clock = clock
        self._card = PatientCard(clinic, clock)

    async def book(self, patient_id: str, visitor: Visitor, written: str) -> Response:
        """Note an appointment; where it can't be, show the card with why.

        Args:
            patient_id: Who comes.
            visitor: Who noted it.
            written: By the clinic's clock, as `<input type="datetime-local">` writes it.
        """
        clinic, now = self._clinic, self._clock()
        try:
            at = self._read(written, now)
        except ValueError as error:
            problem = translated(visitor, str(error))
            return await self._card.page(patient_id, visitor, problem=problem, at=written)
        async with clinic.database.writing() as session:
            await the_patient(session, patient_id, to_change=True)
            same = select(Appointment.id).filter_by(patient_id=patient_id, at=at)
            if await session.scalar(same) is not None:
                return card_at(patient_id, "booked-before")
            received = inbox.Received(
                source=STAFF,
                source_key=new_id("booked"),
                kind=EventKind.BOOKED,
                patient_id=patient_id,
                at=at,
            )
            await inbox.store(session, received, now=now, key=clinic.key)
            await note_change(session, patient_id, visitor, now, {"what": "booked"})
        return card_at(patient_id, "booked")

    def _read(self, written: str, now: datetime) -> datetime:
        """Return a time by the clinic's clock, aware UTC.

        Raises:
            ValueError: It can't be, and why, to be translated.
        """
        try:
            local = datetime.fromisoformat(written)
        except ValueError:
            raise ValueError(_NO_TIME) from None
        zoned = local if local.tzinfo else local.replace(tzinfo=self._clinic.profile.zone)
        if not now.year <= zoned.year <= (now + FURTHEST).year:
            # before it is turned into UTC, which knows no year 0
            raise ValueError(_PASSED if zoned.year < now.year else _TOO_FAR)
        at = zoned.astimezone(UTC)
        if at <= now:
            raise ValueError(_PASSED)
        return at


def router(clinic: Clinic, clock: Clock, doors: Doors) -> APIRouter:
    """Build the door of an appointment."""
    routes = APIRouter(default_response_class=HTMLResponse)
    desk = Bookings(clinic, clock)
    staff = Annotated[Visitor, Depends(doors.signed_in(Role.STAFF))]

    @routes.post(f"{CARD}/booked")
    async def book(
        patient_id: str, visitor: staff, at: Annotated[str, Form(max_length=40)] = ""
    ) -> Response:
        return await desk.book(patient_id, visitor, at)

    return routes
