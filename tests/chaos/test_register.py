"""The invented register: every message tells whom it is for, and nobody real can be reached."""

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

from chaos.register import InventedPatient, invent, write
from clinic.register.address import read_phone

KEPT_FOR_FICTION = re.compile(r"\+1\d{3}55501\d{2}")
PLAYS_A_FAULT = re.compile(r"\+150055520\d{2}|\+15005552[1-4]\d{2}")


@pytest.fixture(scope="module")
def patients() -> list[InventedPatient]:
    return invent(1000, seed=1)


def test_no_name_stands_in_another(patients: list[InventedPatient]) -> None:
    names = [patient.first_name for patient in patients]
    text = "\n".join(names)
    assert [name for name in names if text.count(name) > 1] == []


def test_addresses_are_nobodys(patients: list[InventedPatient]) -> None:
    assert {patient.email.partition("@")[2] for patient in patients} == {"example.com"}
    for patient in patients:
        assert KEPT_FOR_FICTION.fullmatch(patient.phone) or PLAYS_A_FAULT.fullmatch(patient.phone)
        assert read_phone(patient.phone, "US").number == patient.phone


def test_there_are_three_languages_families_of_two_and_faults(
    patients: list[InventedPatient],
) -> None:
    languages = Counter(patient.language for patient in patients)
    assert min(languages["es"], languages["ru"], languages["en"]) > 100
    sharing = Counter(Counter(patient.phone for patient in patients).values())
    assert sharing[2] >= 20
    assert set(sharing) == {1, 2}
    assert sum(not KEPT_FOR_FICTION.fullmatch(patient.phone) for patient in patients) == 20


def test_the_seed_decides(patients: list[InventedPatient]) -> None:
    assert invent(1000, seed=1) == patients
    assert invent(1000, seed=2) != patients


def test_the_file_is_a_clinics_export(patients: list[InventedPatient], tmp_path: Path) -> None:
    write(patients, tmp_path / "register.csv")
    with (tmp_path / "register.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["patient_id"] for row in rows] == [patient.number for patient in patients]
    assert {row["treatment"] for row in rows} == {"orthodontics"}
