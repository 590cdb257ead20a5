"""Visits and appointments of a batch's patients: what the register has, and what rows add."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.register_import.bulk_insert import insert_many
from clinic.register_import.numbers_seen import Doubt
from clinic.register_import.register_row import RegisterRow
from clinic.tables import Appointment, Visit

_VISITS: Any = Visit.__table__
_VISIT = ("patient_id", "day", "treatment")
_APPOINTMENTS: Any = Appointment.__table__
_APPOINTMENT = ("patient_id", "at", "source")
SOURCE = "import"
"""Who says so, on an appointment or event that a list brought."""


@dataclass(slots=True)
class Added:
    """What a row brought that the register did not have.

    Attributes:
        changed: Whether it brought anything.
        came_back: Whether it is a future appointment, or a visit newer than any known.
        appointment: That appointment, aware UTC.
    """

    changed: bool = False
    came_back: bool = False
    appointment: datetime | None = None


_NOTHING = Added()


class BatchHistory:
    """The visits and appointments of the patients whom a batch of rows is about.

    Args:
        now: Aware UTC.
    """

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._treatments: dict[tuple[str, date], tuple[str, ...]] = {}
        self._newest_visit: dict[str, date] = {}
        self._appointments: defaultdict[str, dict[datetime, str]] = defaultdict(dict)
        self._new_visits: dict[tuple[str, date, str], None] = {}
        self._named_visits: list[dict[str, Any]] = []
        self._new_appointments: list[tuple[str, datetime, str]] = []
        self.standing: list[tuple[str, datetime]] = []
        self.doubts: list[Doubt] = []

    async def load(self, session: AsyncSession, patient_ids: Collection[str]) -> None:
        """Read what the register has of patients."""
        if not patient_ids:
            return
        visits = select(Visit.patient_id, Visit.day, Visit.treatment)
        for patient_id, day, treatment in await session.execute(
            visits.where(Visit.patient_id.in_(patient_ids))
        ):
            self._note_visit(patient_id, day, treatment)
        appointments = select(Appointment.patient_id, Appointment.at, Appointment.source)
        for patient_id, at, source in await session.execute(
            appointments.where(Appointment.patient_id.in_(patient_ids))
        ):
            self._appointments[patient_id][at] = source

    def add(self, patient_id: str, row: RegisterRow, treatment: str) -> Added:
        """Add a row's visit and appointment to a patient's, where they are not there yet.

        Args:
            patient_id: Whose history it is.
            row: The row.
            treatment: The visit's, as the register spells it.
        """
        if row.last_visit is None and row.next_appointment is None:
            return _NOTHING
        added = Added()
        if row.last_visit is not None:
            self._add_visit(patient_id, row.last_visit, treatment, added)
        if row.next_appointment is not None:
            self._add_appointment(patient_id, row.next_appointment, added)
        return added

    def doubt(self, patient_id: str, row: RegisterRow, line: int, *, unchanged: bool) -> None:
        """Note the appointments that a row speaks against: they go unless another row has them.

        A list of patients says which appointment is next, so another one no longer stands. An
        export of appointments alone says nothing of those it lacks.
        """
        appointments = self._appointments.get(patient_id)
        if not appointments:
            return
        gone: set[datetime] = set()
        says_which = row.next_appointment is not None and row.first_name is not None
        if says_which or row.says_no_appointment:
            gone |= {
                at
                for at, source in appointments.items()
                if source == SOURCE and at > self._now and at != row.next_appointment
            }
        if row.cancelled_appointment in appointments:
            gone.add(row.cancelled_appointment)
        self.doubts += [Doubt(patient_id, at, line, unchanged) for at in sorted(gone)]

    async def write(self, session: AsyncSession) -> None:
        """Write what rows added."""
        connection = await session.connection()
        if self._named_visits:
            named = update(Visit.__table__).where(  # type: ignore[arg-type]
                Visit.patient_id == bindparam("whose"),
                Visit.day == bindparam("then"),
                Visit.treatment == "",
            )
            await connection.execute(named.values(treatment=bindparam("named")), self._named_visits)
        await insert_many(session, _VISITS, _VISIT, list(self._new_visits))
        await insert_many(session, _APPOINTMENTS, _APPOINTMENT, self._new_appointments)

    def _add_visit(self, patient_id: str, day: date, treatment: str, added: Added) -> None:
        known = self._treatments.get((patient_id, day), ())
        if treatment in known or (known and not treatment):
            return
        newest = self._newest_visit.get(patient_id)
        added.changed = True
        added.came_back = newest is None or day > newest
        if "" not in known:
            self._new_visits[patient_id, day, treatment] = None
        else:  # now it is known what was done that day
            del self._treatments[patient_id, day]
            if (patient_id, day, "") in self._new_visits:
                del self._new_visits[patient_id, day, ""]
                self._new_visits[patient_id, day, treatment] = None
            else:
                self._named_visits.append({"whose": patient_id, "then": day, "named": treatment})
        self._note_visit(patient_id, day, treatment)

    def _note_visit(self, patient_id: str, day: date, treatment: str) -> None:
        known = self._treatments.get((patient_id, day), ())
        self._treatments[patient_id, day] = (*known, treatment)
        newest = self._newest_visit.get(patient_id)
        if newest is None or day > newest:
            self._newest_visit[patient_id] = day

    def _add_appointment(self, patient_id: str, at: datetime, added: Added) -> None:
        is_future = at > self._now
        if is_future:
            self.standing.append((patient_id, at))
        known = self._appointments[patient_id]
        if at in known:
            return
        known[at] = SOURCE
        self._new_appointments.append((patient_id, at, SOURCE))
        added.changed = True
        if is_future:
            added.came_back, added.appointment = True, at
