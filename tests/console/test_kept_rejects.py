"""What a list's import could not use, in the words and signs of whoever takes it along."""

import csv
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from clinic.multilingual import LANGUAGES
from clinic.register_import.cell_problem import CellProblem, Reason
from clinic.register_import.columns import read_header
from clinic.register_import.rejects import Reject
from console.register_import.kept_rejects import KeptRejects
from console.register_import.reject_words import CELL_PROBLEMS, reason_in
from console.register_import.rejects_csv import HEADER, rejects_csv
from console.register_import.report import Wrong
from console.staff_view import translated

DATE = Reason(CellProblem.NO_DATE, "`x` is no date", "x", "28/02/2026")
PHONE = Reason(CellProblem.NO_PHONE, "not a phone number", "12")


def reader(language: str) -> Any:
    return SimpleNamespace(language=language)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    path = tmp_path / "trial.rejects.jsonl"
    with KeptRejects(path, ["Nº", "Nombre"]) as rejects:
        row = ["A-1", "=1+1"]
        rejects.add(
            Reject(2, "birth_date", DATE, imported=False, cells=row, also=[("phone", PHONE)])
        )
        rejects.add(Reject(3, "Patient.x", "extra fields", imported=True, cells=row))
    return path


@pytest.mark.parametrize(
    ("language", "delimiter", "rows"),
    [
        (
            "es",
            ";",
            [
                "línea de la lista|columna con error|qué está mal|qué se hizo|Nº|Nombre",
                (
                    "2|fecha de nacimiento|«x» no es una fecha; escríbala así: "
                    "2026-02-28 o 28/02/2026; teléfono: «12» no es un teléfono al que se pueda "
                    "llamar|fila rechazada|A-1|'=1+1"
                ),
                "3|Patient.x|extra fields|fila importada sin esa celda|A-1|'=1+1",
            ],
        ),
        (
            "en",
            ",",
            [
                "line of the list|column with an error|what is wrong|what was done|Nº|Nombre",
                (
                    "2|birth date|“x” is no date; write it as 2026-02-28 or 28/02/2026; "
                    "phone: “12” is no phone number that can be called|row rejected|A-1|'=1+1"
                ),
                "3|Patient.x|extra fields|row imported without it|A-1|'=1+1",
            ],
        ),
    ],
)
def test_it_is_written_for_the_readers_spreadsheet(
    kept: Path, language: str, delimiter: str, rows: list[str]
) -> None:
    text = b"".join(rejects_csv(kept, reader(language))).decode("utf-8")
    assert text.startswith("\ufeff")
    found = csv.reader(text.removeprefix("\ufeff").splitlines(), delimiter=delimiter)
    assert ["|".join(row) for row in found] == rows


def test_a_list_without_rejects_leaves_no_file(tmp_path: Path) -> None:
    with KeptRejects(tmp_path / "none", ["Nº"]):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_import_takes_its_own_columns_for_a_patients(language: str) -> None:
    ours = [translated(reader(language), name) for name in HEADER]
    assert set(read_header(ours)) == set()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("why", CellProblem)
def test_every_problem_has_words(why: CellProblem, language: str) -> None:
    named = ["N1", "N2"][: len(set(re.findall(r"%\((\w+)\)s", CELL_PROBLEMS[why])))]
    said = reason_in(reader(language), Wrong(column="c", reason="?", why=why, shown=named))
    assert all(name in said for name in named)
    assert language == "en" or said != CELL_PROBLEMS[why] % {"one": "N1", "two": "N2"}
