"""A FHIR `Appointment`, read into what the register knows: a visit, a booking, or its end."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from clinic.plain_text import legible
from clinic.register_import.cell_problem import CellProblem, Reason
from clinic.register_import.register_row import BadCell, RegisterRow

COLUMNS = {
    "Appointment.participant": "patient_id",
    "Appointment.status": "next_appointment or last_visit",
    "Appointment.start": "next_appointment or last_visit",
    "Appointment.serviceType": "treatment",
    "Appointment.appointmentType": "treatment",
    "Appointment.reasonCode": "treatment",
}
"""The elements that are read, with the register's column."""

# hl7.org/fhir/R4/valueset-appointmentstatus.html; `proposed` and `waitlist` say nothing yet
_OFF = frozenset({"cancelled", "noshow", "entered-in-error"})
_AGREED = frozenset({"booked", "pending"})
_CAME = frozenset({"arrived", "checked-in"})
_DONE = "fulfilled"
_EXPECTED = "2026-02-28T09:30:00-05:00"


class AppointmentReader:
    """Reads appointments that are valid FHIR.

    Args:
        zone: The clinic's time zone: a visit's day is a day there.
        today: The clinic's day.
    """

    def __init__(self, *, zone: ZoneInfo, today: date) -> None:
        self._zone = zone
        self._today = today

    def read(self, resource: Mapping[str, Any]) -> RegisterRow:
        """Read an appointment.

        Raises:
            BadCell: It names no patient, or no usable moment, or was fulfilled in the future.
        """
        patient = _patient(resource)
        row = RegisterRow(external_id=_number(patient["actor"]))
        status = resource.get("status")
        if patient.get("status") == "declined" or status in _OFF:
            row.cancelled_appointment = _start(resource) if "start" in resource else None
        elif status in _AGREED or status in _CAME or status == _DONE:
            start = _start(resource)
            day = start.astimezone(self._zone).date()
            ahead = day > self._today
            if ahead and status == _DONE:
                said = f"`{resource['start']}` lies in the future, but is done"
                future = Reason(CellProblem.FUTURE, said, str(resource["start"]))
                raise BadCell("Appointment.start", future)
            if status in _AGREED or ahead:
                row.next_appointment = start
            else:
                row.last_visit = day
                row.treatment = _service(resource)
        return row


def _patient(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    participants: list[Mapping[str, Any]] = resource["participant"]
    for participant in participants:
        actor = participant.get("actor") or {}
        if actor.get("type") == "Patient" or "Patient/" in actor.get("reference", ""):
            return participant
    raise BadCell("Appointment.participant", Reason(CellProblem.MISSING, "names no patient"))


def _number(actor: Mapping[str, Any]) -> str:
    """Return the patient's id; the reference may be a whole URL, and name a version."""
    _, _, after = actor.get("reference", "").rpartition("Patient/")
    number = after.partition("/_history")[0] or (actor.get("identifier") or {}).get("value")
    if not number:
        unnumbered = Reason(CellProblem.MISSING, "names a patient without an id")
        raise BadCell("Appointment.participant", unnumbered)
    return legible(str(number))


def _start(resource: Mapping[str, Any]) -> datetime:
    """Return the moment in UTC; a FHIR instant always has its zone, or is not valid."""
    try:
        start = datetime.fromisoformat(resource["start"])
    except KeyError:
        raise BadCell("Appointment.start", Reason(CellProblem.MISSING, "is missing")) from None
    except (TypeError, ValueError):  # pydantic takes a number for a moment too
        said = f"`{resource['start']}` is no moment"
        no_date = Reason(CellProblem.NO_DATE, said, str(resource["start"]), _EXPECTED)
        raise BadCell("Appointment.start", no_date) from None
    return start.astimezone(UTC)


def _service(resource: Mapping[str, Any]) -> str:
    """Return the first name of what was done: a treatment says more than a kind of visit."""
    for element in ("serviceType", "appointmentType", "reasonCode"):
        concepts = resource.get(element) or []
        for concept in concepts if isinstance(concepts, list) else [concepts]:
            shown = [
                concept.get("text"),
                *(each.get("display") for each in concept.get("coding", [])),
            ]
            for text in filter(None, shown):
                return legible(text)
    return ""
