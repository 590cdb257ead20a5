"""A patient's fields: which of them a row changes, and which it may not."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import compress
from operator import attrgetter
from typing import Any

from clinic.plain_text import plain
from clinic.register.standing import PatientStatus
from clinic.register_import.register_row import RegisterRow

FIELDS = (
    "first_name",
    "last_name",
    "national_id",
    "birth_date",
    "sex",
    "occupation",
    "district",
    "language",
    "email",
    "phone",
    "other_phone",
    "insurance",
    "provider",
    "preferred_channel",
    "guardian_name",
    "guardian_email",
    "guardian_phone",
    "guardian_number",
    "status",
    "loss_reason",
    "reported_visits",
)
"""The columns of `patients` that a list fills, in the order of `Fields.values`."""

_IN_ROW = tuple("visits" if name == "reported_visits" else name for name in FIELDS)
_BITS = tuple(1 << position for position in range(len(FIELDS)))
_POSITIONS = {name: position for position, name in enumerate(FIELDS)}
_STATUS, _LOSS_REASON = _POSITIONS["status"], _POSITIONS["loss_reason"]
# an enumeration's values cost a call each, for each of a million rows
_ACTIVE, _MOVED, _DECEASED = (
    status.value for status in (PatientStatus.ACTIVE, PatientStatus.MOVED, PatientStatus.DECEASED)
)
_VISITS = _POSITIONS["reported_visits"]
_NATIONAL_ID, _BIRTH_DATE = _POSITIONS["national_id"], _POSITIONS["birth_date"]
_PHONE = _POSITIONS["phone"]
_EMAIL_FAILED, _PHONE_FAILED = ("email_bad_at",), ("phone_bad_at", "sms_bad_at")
FAILED_BEFORE = {
    "email": _EMAIL_FAILED,
    "phone": _PHONE_FAILED,
    # a minor is reached there, and what failed stands on the minor's row
    "guardian_email": _EMAIL_FAILED,
    "guardian_phone": _PHONE_FAILED,
}
"""What is known of an address that did not work, by its field: a new address has not failed yet."""
_MARKS = {_POSITIONS[name]: marks for name, marks in FAILED_BEFORE.items()}
IDENTITY = frozenset({"first_name", "last_name", "national_id", "birth_date", "phone"})
"""What another patient's row is compared with, to find duplicates."""


said_by = attrgetter(*_IN_ROW)
"""Return what a row says, in the order of `FIELDS`: None, or an empty text, where it is silent."""


def bits_of(said: Sequence[Any]) -> int:
    """Return which fields were said, as bits."""
    bits = sum(compress(_BITS, said))
    return bits | _BITS[_VISITS] if said[_VISITS] == 0 else bits  # a 0 was said as well


@dataclass(slots=True)
class Fields:
    """A patient's fields as the register holds them, or will once the batch is written.

    Attributes:
        values: In the order of `FIELDS`.
        phone_kind: Of the phone among them.
        changed: Columns of `patients` that have to be written, those of `FIELDS` and others.
    """

    values: list[Any]
    phone_kind: str | None
    changed: set[str] = field(default_factory=set)

    @classmethod
    def of_new(cls, said: Sequence[Any], row: RegisterRow) -> "Fields":
        """Return the fields of a patient who was not on the register."""
        values = list(said)
        values[_STATUS] = values[_STATUS] or _ACTIVE
        return cls(values, row.phone_kind if row.phone else None)

    def update(
        self, said: Sequence[Any], row: RegisterRow, said_before: int
    ) -> tuple[bool, list[str]]:
        """Take over what a row says; what it does not say stays as it was.

        Args:
            said: The row's words, see `said_by`.
            row: The row.
            said_before: Bits of the fields that earlier rows of the file said: their word stands.

        Returns:
            Whether anything changed, and the fields in which the row contradicts an earlier one
            of its file.
        """
        changed, contradicted = False, list[str]()
        for position, (value, known) in enumerate(zip(said, self.values, strict=True)):
            if value is None or value in ("", known) or self._staff_know_better(position, value):
                continue
            if said_before & _BITS[position] and not _is_final(position, value, known):
                if not _same_words(value, known):
                    contradicted.append(FIELDS[position])
                continue
            changed = True
            self.values[position] = value
            self.changed.add(FIELDS[position])
            self.changed.update(_MARKS.get(position, ()))
        if not said_before & _BITS[_PHONE]:
            changed |= self._update_phone_kind(row)
        return changed, contradicted

    def _update_phone_kind(self, row: RegisterRow) -> bool:
        if row.phone is None or row.phone != self.values[_PHONE]:
            return False
        if row.phone_kind == self.phone_kind:
            return False
        self.phone_kind = row.phone_kind
        self.changed.add("phone_kind")
        return True

    def _staff_know_better(self, position: int, value: object) -> bool:
        """Whether the register holds what staff heard: an older list does not take it back."""
        known = self.values[position]
        if position == _LOSS_REASON:
            return known is not None
        if position != _STATUS:
            return False
        gone = known == _MOVED and value == _ACTIVE
        return gone or known == _DECEASED

    def compared(self) -> tuple[str | None, date | None, str | None]:
        """Return what patients are compared by beside their name: national id, birth date, phone.

        The import asks this of every new row.
        """
        values = self.values
        return values[_NATIONAL_ID], values[_BIRTH_DATE], values[_PHONE]

    def get(self, name: str) -> Any:
        """Return the value of one of `FIELDS`."""
        return self.values[_POSITIONS[name]]

    def column(self, name: str) -> Any:
        """Return what a column of `patients` is to hold."""
        if name in _POSITIONS:
            return self.get(name)
        return self.phone_kind if name == "phone_kind" else None


def _is_final(position: int, value: object, known: object) -> bool:
    """Whether a word counts against the first one of the file: nobody writes to the dead.

    None of these is taken back by an `active`, so the same file again changes nothing.
    """
    if position != _STATUS:
        return False
    left = value == _MOVED and known == _ACTIVE
    return left or value == _DECEASED


def _same_words(value: object, known: object) -> bool:
    return isinstance(value, str) and isinstance(known, str) and plain(value) == plain(known)
