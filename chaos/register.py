"""An invented register: patients whose names tell in every message whom it is for."""

import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, product
from pathlib import Path

_COLUMNS = (
    "patient_id",
    "first_name",
    "last_name",
    "birth_date",
    "sex",
    "language",
    "email",
    "phone",
    "treatment",
    "last_visit",
    "visits",
    "status",
)
_LANGUAGES = ("es", "ru", "en")
_LANGUAGE_SHARES = (50, 30, 20)

_SYLLABLES = {
    "es": ("Ba", "Ce", "Di", "Fo", "Ga", "Le", "Mi", "No", "Pa", "Re", "Si", "To", "Va"),
    "en": ("Be", "Ca", "Do", "Fi", "Ha", "Je", "Ki", "Lu", "My", "Ro", "Sy", "Wa", "Yo"),
    "ru": ("Ба", "Ве", "Ги", "До", "За", "Ке", "Ли", "Мо", "На", "Пе", "Ри", "Со", "Та"),
}
# numbers 555-0100 to 555-0199 are kept for fiction in every area code
# https://nationalnanpa.com/number_resource_info/555_numbers.html
_AREA_CODES = (305, 786, 954, 561, 407, 813, 904, 212, 646, 718, 917, 516, 201, 732, 617, 508)
_NUMBERS_OF_AN_AREA = 100
_FAMILY_SHARE = 0.04
"""So many share the address of the one before them."""

_FAULTY_EMAILS = ("nobody", "greylisted", "cutoff")
"""Not the full mailbox: it is tried for days, and no run waits for that."""
_FAULTY_PHONES = ("+150055520", "+150055521", "+150055522", "+150055523", "+150055524")
_FAULT_EVERY = 50
"""Every so many patients, one has an address at which the sandbox plays a fault."""


@dataclass(frozen=True, slots=True)
class InventedPatient:
    """One patient of the register.

    Attributes:
        number: The clinic's own number.
        first_name: No other patient has it, and none has a part of it.
        email: Of a domain that is kept for examples.
        phone: E.164, of those that are kept for fiction, or one at which a fault is played.
    """

    number: str
    first_name: str
    language: str
    email: str
    phone: str


def invent(size: int, seed: int) -> list[InventedPatient]:
    """Invent so many patients; the same seed gives the same.

    Some pairs share a mailbox and a telephone; every fiftieth has an address at
    which the sandbox plays a fault.
    """
    chance = random.Random(seed)  # noqa: S311 - invented people, no secret
    names = {language: _names(language, chance) for language in _LANGUAGES}
    phones, faulty = _phones(), _faulty()
    invented: list[InventedPatient] = []
    alone: InventedPatient | None = None
    for number in range(1, size + 1):
        language = chance.choices(_LANGUAGES, _LANGUAGE_SHARES)[0]
        email, phone = f"patient{number}@example.com", next(phones)
        if number % _FAULT_EVERY == 0:
            email, phone = next(faulty)
        elif alone is not None and chance.random() < _FAMILY_SHARE:
            language, email, phone = alone.language, alone.email, alone.phone
        patient = InventedPatient(f"C-{number:05}", next(names[language]), language, email, phone)
        # the next one may share the address, unless two do already or a fault is played there
        alone = patient if email == f"patient{number}@example.com" else None
        invented.append(patient)
    return invented


def write(patients: list[InventedPatient], file: Path) -> None:
    """Write the register as a clinic exports it."""
    with file.open("w", encoding="utf-8", newline="") as opened:
        rows = csv.DictWriter(opened, _COLUMNS)
        rows.writeheader()
        for patient in patients:
            rows.writerow(
                {
                    "patient_id": patient.number,
                    "first_name": patient.first_name,
                    "last_name": {"ru": "Чаосова"}.get(patient.language, "Chaos"),
                    "birth_date": "1980-05-17",
                    "sex": "female",
                    "language": patient.language,
                    "email": patient.email,
                    "phone": patient.phone,
                    "treatment": "orthodontics",
                    "last_visit": "2024-02-12",
                    "visits": "4",
                    "status": "active",
                }
            )


def _names(language: str, chance: random.Random) -> Iterator[str]:
    """Make names of three syllables: short, so that an SMS to two people has room for both.

    A capital stands at the beginning alone, so that no name begins within another.
    """
    made = ["".join(parts).capitalize() for parts in product(_SYLLABLES[language], repeat=3)]
    chance.shuffle(made)
    yield from made


def _phones() -> Iterator[str]:
    for number in range(_NUMBERS_OF_AN_AREA):
        for area in _AREA_CODES:
            yield f"+1{area}55501{number:02}"
    raise ValueError("there are no more numbers that are kept for fiction")


def _faulty() -> Iterator[tuple[str, str]]:
    pairs = zip(cycle(_FAULTY_EMAILS), cycle(_FAULTY_PHONES), range(_NUMBERS_OF_AN_AREA))
    for email, phone, number in pairs:
        yield f"{email}+{number}@example.com", f"{phone}{number:02}"
