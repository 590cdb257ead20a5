"""The example exports: each is read without a mapping, and says what its README says."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from clinic.register_import.register_row import BadCell, ReadRow, RegisterRow, Source

if TYPE_CHECKING:
    from tests.clinic.register_import.conftest import Export

EXPORTS = Path(__file__).parents[3] / "examples" / "exports"


@dataclass
class Folder:
    """The folder of examples, and a clinic that opens one."""

    export: "Export"

    def opened(self, name: str, country: str, language: str) -> Source:
        self.export.path = EXPORTS / name
        return self.export.opened(country=country, language=language)

    def rows(self, name: str, country: str = "US", language: str = "es") -> list[RegisterRow]:
        self.export.path = EXPORTS / name
        return self.export.rows(country=country, language=language)

    def patient(self, name: str, external_id: str) -> RegisterRow:
        return next(row for row in self.rows(name) if row.external_id == external_id)


@pytest.fixture
def folder(export: "Export") -> Folder:
    return Folder(export)


EXAMPLE = ("US", "es")


@pytest.mark.parametrize(
    ("name", "clinic", "rows", "description", "ignored"),
    [
        pytest.param(name, clinic, rows, description, ignored, id=f"{name} in {clinic[0]}")
        for name, own, rows, description, ignored in (
            (
                "pacientes-punto-y-coma.csv",
                ("MX", "es"),
                10,
                "text in Windows-1252, separated by `;`, header in line 1, dates as day/month/year",
                ["Observaciones"],
            ),
            (
                "tratamientos-por-fila.csv",
                ("CL", "es"),
                13,
                "text in UTF-8, separated by `,`, header in line 1, dates as day/month/year",
                ["# Tratamiento"],
            ),
            (
                "pacienty-1251.csv",
                ("RU", "ru"),
                9,
                "text in Windows-1251, separated by `;`, header in line 1, dates as day/month/year",
                [],
            ),
            (
                "open-dental.csv",
                ("US", "en"),
                10,
                "text in UTF-8, separated by `,`, header in line 1, dates as day/month/year",
                ["MiddleI", "DateFirstVisit"],
            ),
            (
                "recall-list.tsv",
                ("US", "en"),
                8,
                "text in UTF-8, separated by tab, header in line 1, dates as month/day/year",
                ["Notes"],
            ),
            (
                "pacientes-sin-cita.xlsx",
                ("ES", "es"),
                9,
                "XLSX, sheet `Pacientes`, header in line 4, dates as day/month/year",
                [],
            ),
            (
                "unicode-text.txt",
                ("RU", "ru"),
                8,
                "text in UTF-16, separated by tab, header in line 1, dates as day/month/year",
                [],
            ),
        )
        for clinic in dict.fromkeys((EXAMPLE, own))
    ],
)
def test_an_export_is_read_without_a_mapping(
    folder: Folder,
    name: str,
    clinic: tuple[str, str],
    rows: int,
    description: str,
    ignored: list[str],
) -> None:
    source = folder.opened(name, *clinic)
    assert description == source.description
    assert ignored == list(source.ignored)
    read = list(source.rows())
    assert rows == len(read)
    assert [row for row in read if _is_rejected_or_in_part(row)] == []
    assert all(row.said.first_name for row in read if isinstance(row.said, RegisterRow))


def _is_rejected_or_in_part(row: ReadRow) -> bool:
    return isinstance(row.said, BadCell) or bool(row.said.unusable)


@pytest.mark.parametrize(
    ("name", "rows"), [("patients.ndjson", 10), ("appointments.ndjson", 12)], ids=str
)
def test_a_fhir_export_is_read_without_a_mapping(folder: Folder, name: str, rows: int) -> None:
    assert len(folder.rows(name)) == rows


def test_a_list_in_spanish_says_who_died_moved_and_has_an_appointment(folder: Folder) -> None:
    name = "pacientes-punto-y-coma.csv"
    assert [row.status for row in folder.rows(name)].count("active") == 7
    assert folder.patient(name, "1047").status == "deceased"
    assert folder.patient(name, "1049").status == "moved"
    begonia = folder.patient(name, "1043")
    assert begonia.next_appointment == datetime(2027, 3, 18, 14, 30, tzinfo=UTC)
    assert (begonia.sex, begonia.birth_date) == ("female", None)
    raul = folder.patient(name, "1044")
    assert (raul.phone, raul.says_no_appointment) == ("+13055550114", True)


def test_a_list_of_treatments_repeats_its_patients(folder: Folder) -> None:
    rows = folder.rows("tratamientos-por-fila.csv", "CL")
    assert len({row.external_id for row in rows}) == 8
    camila = [row for row in rows if row.external_id == "9007"]
    assert {row.last_name for row in camila} == {"Sepúlveda Rojas"}
    assert {row.national_id for row in camila} == {"450009598"}
    assert [(row.last_visit, row.treatment) for row in camila] == [
        (date(2024, 3, 12), "Ortodoncia"),
        (date(2024, 4, 9), "Ortodoncia"),
        (date(2025, 10, 2), "Retiro de brackets"),
    ]


def test_a_russian_list_has_no_numbers_and_the_surname_first(folder: Folder) -> None:
    rows = folder.rows("pacienty-1251.csv")
    assert {row.external_id for row in rows} == {None}
    assert (rows[1].first_name, rows[1].last_name) == ("Пётр Львович", "Ежов")
    assert [row.last_visit for row in rows].count(None) == 1, "`нет` is no visit"


def test_open_dental_says_who_pays_for_whom(folder: Folder) -> None:
    assert folder.patient("open-dental.csv", "20").guardian_number == "19"
    walter = folder.patient("open-dental.csv", "21")
    assert (walter.status, walter.guardian_number) == ("deceased", None)
    assert folder.patient("open-dental.csv", "15").birth_date is None


def test_two_digit_years_and_line_breaks_are_read(folder: Folder) -> None:
    otis = folder.patient("recall-list.tsv", "C-308")
    assert (otis.birth_date, otis.last_visit) == (date(1936, 2, 29), date(2021, 11, 11))
    assert folder.patient("recall-list.tsv", "C-305").treatment == "Cleaning and fluoride"


def test_a_formula_in_a_workbook_stays_a_text(folder: Folder) -> None:
    aitor = folder.patient("pacientes-sin-cita.xlsx", "2218")
    assert aitor.treatment == '=CONCATENATE("Lim","pieza")'
    assert aitor.consents == {"sms": True, "advertising": False}
    assert folder.patient("pacientes-sin-cita.xlsx", "2214").consents == {}


def test_no_two_examples_give_one_number_to_different_people(folder: Folder) -> None:
    names: dict[str, set[str]] = {}
    for path in EXPORTS.iterdir():
        if path.suffix in (".md", ".ndjson"):
            continue
        for row in folder.rows(path.name):
            if row.external_id:
                names.setdefault(row.external_id, set()).add(f"{row.first_name} {row.last_name}")
    assert [people for people in names.values() if len(people) > 1] == []


def test_every_example_is_described() -> None:
    told = (EXPORTS / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in EXPORTS.iterdir() if f"`{path.name}`" not in told] == [
        "README.md"
    ]
