"""What one row of an export says about a patient, and how an import is handed its rows."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from clinic.register_import.reading import Reading


class BadCell(ValueError):
    """A cell that can't be read. The row is rejected for it.

    Args:
        column: The cell's.
        reason: Why.
        also: What else of the row can't be used: columns, each with its reason.
    """

    def __init__(self, column: str, reason: str, also: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(f"{column}: {reason}")
        self.column = column
        self.reason = reason
        self.also = tuple(also)

    def along_with(self, others: Iterable["BadCell"], unusable: Mapping[str, str]) -> "BadCell":
        """Return the same with what else of its row can't be used."""
        also = {other.column: other.reason for other in others} | dict(unusable)
        also.pop(self.column, None)
        return BadCell(self.column, self.reason, tuple(also.items()))


@dataclass(slots=True)
class RegisterRow:
    """What one row says about a patient; None where it says nothing.

    A plain dataclass: a model that validates once more would take as long as all else.

    Attributes:
        external_id: The clinic's own number; None where the export has none.
        first_name: None where the row is about appointments alone (FHIR `Appointment`): its
            patient has to be on the register.
        phone: The best number to write to, E.164.
        phone_kind: `mobile`, `landline`, or `unknown` where a country does not tell them apart.
        other_phone: A second number, E.164; called, never written to.
        national_id: In the compact form of python-stdnum, checked where it knows the country.
        treatment: Of the visit on `last_visit`.
        next_appointment: Aware UTC.
        says_no_appointment: The export has the column, and it is empty for this patient.
        cancelled_appointment: Aware UTC; an appointment that no longer stands (FHIR).
        guardian_number: The clinic's number of the patient who is the guardian.
        consents: What the patient said, by channel or `advertising`: given, or refused.
        unusable: What was written but can't be used, by column, with the reason; the row is
            imported without it.
    """

    external_id: str | None = None
    first_name: str | None = None
    last_name: str = ""
    national_id: str | None = None
    birth_date: date | None = None
    sex: str | None = None
    occupation: str | None = None
    district: str | None = None
    language: str | None = None
    email: str | None = None
    phone: str | None = None
    phone_kind: str | None = None
    other_phone: str | None = None
    insurance: str | None = None
    provider: str | None = None
    preferred_channel: str | None = None
    guardian_name: str | None = None
    guardian_email: str | None = None
    guardian_phone: str | None = None
    guardian_number: str | None = None
    status: str | None = None
    loss_reason: str | None = None
    treatment: str = ""
    last_visit: date | None = None
    visits: int | None = None
    next_appointment: datetime | None = None
    says_no_appointment: bool = False
    cancelled_appointment: datetime | None = None
    consents: dict[str, bool] = field(default_factory=dict)
    consent_at: date | None = None
    consent_source: str | None = None
    unusable: dict[str, str] = field(default_factory=dict)

    def said(self) -> dict[str, Any]:
        """Return what the row says, by field, for people to see that it was understood right."""
        return {
            name: value
            for name, value in asdict(self).items()
            if value and name not in ("unusable", "says_no_appointment")
        }


@dataclass(slots=True)
class ReadRow:
    """A row of the file: what it says, or why it is rejected.

    Attributes:
        line: The line on which the row begins; a file's first line is 1.
        cells: The row as it stood, for the file of rejects.
        said: What it says, or the cell for which it is rejected.
    """

    line: int
    cells: Sequence[str]
    said: RegisterRow | BadCell


class Source(Protocol):
    """An export that was looked through once: it can be read to its end."""

    @property
    def name(self) -> str:
        """The file's name, for people."""

    @property
    def header(self) -> Sequence[str]:
        """The columns' names as they stand in the file."""

    @property
    def reading(self) -> Reading:
        """How the file was read: its format, encoding, delimiter."""

    @property
    def description(self) -> str:
        """The same as a line."""

    @property
    def understood(self) -> dict[str, str]:
        """The file's columns that were understood: header to the register's column."""

    @property
    def ignored(self) -> Sequence[str]:
        """The file's columns that nothing is read from, so that people see what was left."""

    @property
    def size(self) -> int:
        """What `position` has reached at the file's end."""

    @property
    def position(self) -> int:
        """How far the rows have been read, for a progress bar."""

    def rows(self) -> Iterator[ReadRow]:
        """Yield the rows in their order, skipping empty ones; memory stays flat.

        Raises:
            Refusal: The file has changed since it was looked through.
        """
