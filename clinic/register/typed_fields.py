"""A patient's fields as somebody types them, read by the same rules as a clinic's list.

What can't be taken is a closed list: whoever shows the form says it in the language of its reader.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from zoneinfo import ZoneInfo

from clinic.multilingual import LANGUAGES
from clinic.outcome import LossReason
from clinic.register.address import read_email, read_phone
from clinic.register.standing import PatientStatus
from clinic.register_import.cell import text_of
from clinic.register_import.closed_lists import listed_values
from clinic.register_import.dates import DateOrderSearch, DateReader, UnclearDates
from clinic.register_import.listed_columns import CHANNELS
from clinic.tables import Patient

LONGEST = 200
"""Characters of a field; no name or address has as many."""

PHONES = ("phone", "other_phone", "guardian_phone")
EMAILS = ("email", "guardian_email")

CHOICES: Mapping[str, tuple[str, ...]] = {
    "language": LANGUAGES,
    "preferred_channel": tuple(
        channel for channel in CHANNELS if channel in listed_values("preferred_channel")
    ),
    "status": tuple(status.value for status in PatientStatus),
    "loss_reason": tuple(reason.value for reason in LossReason),
}
"""The fields with a closed list, and what may be chosen; all but the status may be empty."""

EDITABLE = (
    "first_name",
    "last_name",
    "birth_date",
    "language",
    "email",
    "phone",
    "other_phone",
    "preferred_channel",
    "guardian_name",
    "guardian_number",
    "guardian_email",
    "guardian_phone",
    "district",
    "occupation",
    "insurance",
    "provider",
    "status",
    "loss_reason",
)
"""The columns of `patients` that somebody may change by hand, in the order of the form."""


class FieldProblem(StrEnum):
    """Why what somebody typed can't be taken."""

    MISSING = "missing"
    NO_NAME = "no_name"
    TOO_LONG = "too_long"
    NO_EMAIL = "no_email"
    NO_PHONE = "no_phone"
    EXTENSION = "extension"
    TWICE = "twice"
    """The second number is the first one again."""
    NO_BIRTH_DATE = "no_birth_date"
    UNCLEAR_DATE = "unclear_date"
    NOT_LISTED = "not_listed"
    NOBODY = "nobody"
    """No patient on the register has this number."""
    OWN_NUMBER = "own_number"
    MEANWHILE = "meanwhile"
    """Somebody else has changed the field since the form was shown."""


class Untakeable(ValueError):
    """What stands in one field can't be taken.

    Args:
        problem: Why.
    """

    def __init__(self, problem: FieldProblem) -> None:
        super().__init__(problem.value)
        self.problem = problem


@dataclass(frozen=True)
class Desk:
    """Where somebody types.

    Attributes:
        country: ISO 3166 code, for numbers without a country prefix and the order of dates.
        zone: The clinic's time zone.
        today: The clinic's day; nobody was born after it.
    """

    country: str
    zone: ZoneInfo
    today: date


@dataclass(frozen=True)
class Taken:
    """What a field is to hold.

    Attributes:
        value: As the column has it; None: nothing.
        phone_kind: Of a phone number.
    """

    value: str | date | None
    phone_kind: str | None = None


def shown(patient: Patient) -> dict[str, str]:
    """Return what a form shows of a patient, by field; an empty text where nothing is known."""
    return {name: _as_text(getattr(patient, name)) for name in EDITABLE}


def read_typed(field: str, typed: str, desk: Desk) -> Taken:
    """Read what somebody typed in a field of `EDITABLE`.

    Raises:
        Untakeable: It is nothing that the field can hold.
    """
    text = text_of(typed)
    if len(text) > LONGEST:
        raise Untakeable(FieldProblem.TOO_LONG)
    if not text:
        if field in ("first_name", "status"):
            raise Untakeable(FieldProblem.MISSING)
        # the column of a last name knows no NULL
        return Taken("" if field == "last_name" else None)
    read: Callable[[str, Desk], Taken] | None = _READERS.get(field)
    if read is not None:
        return read(text, desk)
    if field in CHOICES and text not in CHOICES[field]:
        raise Untakeable(FieldProblem.NOT_LISTED)
    return Taken(text)


def _read_name(text: str, _desk: Desk) -> Taken:
    if not any(map(str.isalpha, text)):
        raise Untakeable(FieldProblem.NO_NAME)
    return Taken(text)


def _read_email(text: str, _desk: Desk) -> Taken:
    try:
        return Taken(read_email(text))
    except ValueError:
        raise Untakeable(FieldProblem.NO_EMAIL) from None


def _read_phone(text: str, desk: Desk) -> Taken:
    try:
        phone = read_phone(text, desk.country)
    except ValueError:
        raise Untakeable(FieldProblem.NO_PHONE) from None
    if phone.extension:
        raise Untakeable(FieldProblem.EXTENSION)
    return Taken(phone.number, phone.kind)


def _read_birth_date(text: str, desk: Desk) -> Taken:
    search = DateOrderSearch()
    search.see(text)
    try:
        order = search.found(desk.country)
    except UnclearDates:
        raise Untakeable(FieldProblem.UNCLEAR_DATE) from None
    try:
        day = DateReader(zone=desk.zone, today=desk.today, order=order).birth_date(text)
    except ValueError:
        raise Untakeable(FieldProblem.NO_BIRTH_DATE) from None
    if day is None:  # what programs write where they know no day
        raise Untakeable(FieldProblem.NO_BIRTH_DATE)
    return Taken(day)


_READERS: Mapping[str, Callable[[str, Desk], Taken]] = {
    "first_name": _read_name,
    "last_name": _read_name,
    "birth_date": _read_birth_date,
    **dict.fromkeys(EMAILS, _read_email),
    **dict.fromkeys(PHONES, _read_phone),
}


def _as_text(value: str | date | None) -> str:
    if isinstance(value, date):
        return value.isoformat()
    return value or ""
