"""XLSX: what a spreadsheet's cells become, and which of its sheets is the list."""

import zipfile
from datetime import UTC, date, datetime, time
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from openpyxl.worksheet.formula import ArrayFormula

from clinic.register_import.register_row import RegisterRow

if TYPE_CHECKING:
    from tests.clinic.register_import.conftest import Export


def day(*parts: int) -> datetime:
    """Return a date cell's value: spreadsheets know no zones."""
    return datetime(*parts, tzinfo=UTC).replace(tzinfo=None)  # type: ignore[arg-type,misc]


HEADER = ["# Paciente", "Nombre", "Apellidos", "Celular", "Última visita", "Tratamiento"]
ANA = [7, "Ana", "Gil", "305-555-0101", day(2026, 4, 3), "Limpieza"]


def workbook(path: Path, **sheets: list[list[Any]]) -> None:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)


def repack(path: Path, part: str, old: bytes, new: bytes) -> None:
    """Change a workbook as no program of ours would write it."""
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    assert old in parts[part]
    parts[part] = parts[part].replace(old, new)
    with zipfile.ZipFile(path, "w") as book:
        for name, content in parts.items():
            book.writestr(name, content)


def only_row(export: "Export") -> RegisterRow:
    [row] = export.rows()
    return row


def test_a_workbook_is_read_under_any_name(export: "Export") -> None:
    workbook(export.path, Lista=[HEADER, ANA])
    source = export.opened()
    assert source.description.startswith("XLSX, sheet `Lista`, header in line 1")
    row = only_row(export)
    assert (row.external_id, row.first_name, row.last_visit) == ("7", "Ana", date(2026, 4, 3))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(305555.0, "305555", id="a whole number"),
        pytest.param(3055550101, "3055550101", id="a phone as a number"),
        pytest.param(1.5, "1.5", id="a fraction"),
        pytest.param(day(2026, 4, 3), "2026-04-03", id="a day"),
        pytest.param(day(2026, 4, 3, 10, 30), "2026-04-03 10:30:00", id="a moment"),
        pytest.param(time(0, 0), "", id="0 in a date cell"),
        pytest.param(time(9, 5), "09:05:00", id="a time of day"),
        pytest.param(True, "yes", id="true"),
        pytest.param(False, "no", id="false"),
        pytest.param(
            '=HYPERLINK("http://example.com")', '=HYPERLINK("http://example.com")', id="="
        ),
        pytest.param(ArrayFormula("F2", "=A1:A2"), "=A1:A2", id="an array formula"),
        pytest.param(None, "", id="nothing"),
        pytest.param("a\nb ", "a\nb ", id="text as it stands"),
    ],
)
def test_a_cell_is_the_text_a_person_would_write(
    export: "Export", value: object, text: str
) -> None:
    workbook(export.path, Lista=[[*HEADER, "x", "y"], [*ANA, value, "end"]])
    assert text == next(iter(export.opened().rows())).cells[6]


def test_the_list_is_found_under_titles_on_another_sheet(export: "Export") -> None:
    title: list[list[Any]] = [["Clínica Aurora"], ["Pacientes", 3], []]
    workbook(export.path, Leer=[["Nada"]], Lista=[*title, HEADER, ANA, [], [*ANA[:5], "Corona"]])
    source = export.opened()
    assert "sheet `Lista`, header in line 4" in source.description
    assert [row.line for row in source.rows()] == [5, 7]
    assert [row.line for row in source.rows()] == [5, 7], "a second time too"


def test_another_sheet_that_looks_like_a_list_is_named(export: "Export") -> None:
    workbook(export.path, Enero=[HEADER, ANA], Notas=[["Nada"]], Febrero=[HEADER, ANA])
    assert "(not read, though it looks like a list too: `Febrero`)" in export.opened().description


def test_a_workbook_says_how_far_it_was_read(export: "Export") -> None:
    workbook(export.path, Lista=[HEADER, *[[*ANA] for _ in range(30)]])
    source = export.opened()
    reached = [source.position for _ in source.rows()]
    assert reached == sorted(set(reached))
    assert reached[-1] == source.size


def test_a_hidden_sheet_is_left(export: "Export") -> None:
    workbook(export.path, Vieja=[HEADER, ANA], Lista=[HEADER, [8, *ANA[1:]]])
    book = openpyxl.load_workbook(BytesIO(export.path.read_bytes()))
    book["Vieja"].sheet_state = "hidden"
    book.save(export.path)
    assert only_row(export).external_id == "8"


def test_cells_beyond_the_size_that_the_file_claims_are_read(export: "Export") -> None:
    workbook(export.path, Lista=[HEADER, ANA])
    repack(export.path, "xl/worksheets/sheet1.xml", b'ref="A1:F2"', b'ref="A1"')
    assert only_row(export).treatment == "Limpieza"


def test_a_date_that_no_calendar_has_is_a_word(export: "Export") -> None:
    workbook(export.path, Lista=[[*HEADER, "x"], [*ANA, 99_999_999]])
    book = openpyxl.load_workbook(BytesIO(export.path.read_bytes()))
    book["Lista"]["G2"].number_format = "DD/MM/YYYY"
    book.save(export.path)
    assert next(iter(export.opened().rows())).cells[6] == "#VALUE!"


def test_a_workbook_that_is_no_list_is_refused(export: "Export") -> None:
    workbook(export.path, Lista=[], Otra=[])
    assert export.refusal().problem == f"{export.path}: the file is empty"
    workbook(export.path, Lista=[HEADER])
    assert export.refusal().problem == f"{export.path}:1: the list has a header and no rows"
    workbook(export.path, Lista=[["Hola"], ["a", "b", "c"], [1, 2, 3]])
    assert f"{export.path}:2: no column for the patient's number" in export.refusal().problem


def test_a_workbook_that_breaks_off_is_refused(export: "Export") -> None:
    workbook(export.path, Lista=[HEADER, *[[*ANA] for _ in range(500)]])
    whole = export.path.read_bytes()
    for length in (len(whole) // 2, len(whole) - 10):
        export.path.write_bytes(whole[:length])
        assert "a workbook that is damaged, or no workbook" in export.refusal().problem
    with zipfile.ZipFile(export.path, "w") as book:
        book.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    assert "save it as XLSX or CSV" in export.refusal().remedy


def test_a_cell_that_is_too_long_is_refused(export: "Export") -> None:
    workbook(export.path, Lista=[HEADER, ANA])
    repack(export.path, "xl/worksheets/sheet1.xml", b"Limpieza", b"x" * 70_000)
    assert f"{export.path}:2: column 6 of sheet `Lista`: the cell is longer" in str(
        export.refusal()
    )
