"""The clinic's register as the sandbox reads it: which patient has which address."""

import csv
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

_NOT_DIGITS: Final = re.compile(r"[^0-9]")
_US_NUMBER_LENGTH: Final = 10
_COLUMNS: Final = ("patient_id", "first_name", "language", "email", "phone")


class RegisterColumnsError(Exception):
    """The register is not in the form that the sandbox reads."""


@dataclass(frozen=True, slots=True)
class RegisteredPatient:
    """What simulating a patient takes of the register."""

    patient_id: str
    first_name: str
    language: str
    email: str
    """In small letters; empty if unknown."""
    phone: str
    """E.164; empty if unknown."""


def e164_of(written: str) -> str:
    """Return a telephone number in E.164; one without a country is a US number.

    A number that is neither becomes an empty string: no message can have reached it.
    """
    digits = _NOT_DIGITS.sub("", written)
    if written.strip().startswith("+"):
        return f"+{digits}"
    if len(digits) == _US_NUMBER_LENGTH:
        return f"+1{digits}"
    if len(digits) == _US_NUMBER_LENGTH + 1 and digits.startswith("1"):
        return f"+{digits}"
    return ""


class Register:
    """Finds the patient whom a message reached.

    Attributes:
        patients: All patients, in the order of the file.
    """

    def __init__(self, patients: Iterable[RegisteredPatient]) -> None:
        """Index patients by their addresses."""
        self.patients = tuple(patients)
        self._by_address: defaultdict[str, list[RegisteredPatient]] = defaultdict(list)
        for patient in self.patients:
            for address in (patient.email, patient.phone):
                if address:
                    self._by_address[address].append(patient)

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read a register (CSV, UTF-8, with or without a byte-order mark).

        Raises:
            OSError: The file cannot be read.
            RegisterColumnsError: The file lacks a column.
        """
        with file.open(encoding="utf-8-sig", newline="") as opened:
            rows = csv.DictReader(opened)
            lacking = [name for name in _COLUMNS if name not in (rows.fieldnames or ())]
            if lacking:
                raise RegisterColumnsError(f"the register lacks columns: {', '.join(lacking)}")
            return cls(
                RegisteredPatient(
                    patient_id=row["patient_id"],
                    first_name=row["first_name"].strip(),
                    language=row["language"].strip().lower(),
                    email=row["email"].strip().lower(),
                    phone=e164_of(row["phone"]),
                )
                for row in rows
            )

    def patient_at(self, address: str, text: str) -> RegisteredPatient | None:
        """Return the patient at an address, an email or an E.164 number.

        In a family that shares an address it is the one whose first name the text calls.
        """
        sharing = self._by_address.get(address.lower(), [])
        called = (patient for patient in sharing if patient.first_name in text)
        return next(called, sharing[0] if sharing else None)
