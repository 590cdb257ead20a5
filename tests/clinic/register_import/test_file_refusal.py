"""Why a whole file can't be imported is one of a closed list, for whoever says it in words."""

from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from clinic.register_import.file_refusal import FileProblem, FileRefusal
from clinic.register_import.source_file import open_source

HEADER = "patient_id,name,phone,birth_date,status\n"
ROW = "1,Elena Ruiz,3055550101,{},{}\n"
OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""How old Excel files begin, and new ones with a password."""
TORN = HEADER.encode() + "1,Núñez,ñ ñ ñ\n".encode() + b"\xff"
LISTS = [
    pytest.param(b"", FileProblem.EMPTY, id="nothing"),
    pytest.param(b" \n\n", FileProblem.EMPTY, id="blank lines"),
    pytest.param(HEADER.encode(), FileProblem.NO_ROWS, id="a header alone"),
    pytest.param(
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" * 9, FileProblem.OLD_OR_LOCKED_EXCEL, id="xls"
    ),
    pytest.param(b"%PDF-1.7", FileProblem.ANOTHER_FORMAT, id="pdf"),
    pytest.param(b"<!doctype html><table>", FileProblem.MARKUP, id="a web page"),
    pytest.param(b'[{"a": 1}]', FileProblem.JSON_IN_ONE_PIECE, id="json"),
    pytest.param(b"PK\x03\x04nothing more", FileProblem.DAMAGED_WORKBOOK, id="half a workbook"),
    pytest.param(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", FileProblem.NO_TEXT, id="a picture"),
    pytest.param(
        HEADER.encode() + "1,Núñez,ñ ñ ñ\n".encode() + b"\xff",
        FileProblem.NOT_IN_ENCODING,
        id="torn",
    ),
    pytest.param(
        (HEADER + '1,"Elena"x Ruiz,3055550101,,\n').encode(), FileProblem.BROKEN_ROW, id="quotes"
    ),
    pytest.param(
        f"{HEADER}1,{'x' * 70_000},,,\n".encode(), FileProblem.CELL_TOO_LONG, id="a long cell"
    ),
    pytest.param(b"a,b\n1,2\n", FileProblem.NO_COLUMN, id="no column"),
    pytest.param(
        (HEADER + ROW.format("03/04/1980", "")).encode(), FileProblem.UNCLEAR_DATES, id="dates"
    ),
    pytest.param(
        (HEADER + ROW.format("", "zurückgestellt")).encode(),
        FileProblem.UNKNOWN_STATUSES,
        id="statuses",
    ),
    pytest.param(b'{"resourceType": "Observation"}', FileProblem.NO_PATIENTS, id="other fhir"),
]


def refused(path: Path, **given: object) -> FileRefusal:
    with pytest.raises(FileRefusal) as refusal:
        open_source(
            path,
            country="US",
            language="es",
            zone=ZoneInfo("America/New_York"),
            today=date(2027, 3, 2),
            **given,  # type: ignore[arg-type]
        )
    return refusal.value


@pytest.mark.parametrize(("content", "why"), LISTS)
def test_a_file_is_refused_for_one_of_the_reasons(
    tmp_path: Path, content: bytes, why: FileProblem
) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    assert refused(path).why is why


def test_a_refusal_names_what_it_is_about(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("a,b\n1,2\n")
    missing = refused(path)
    assert (missing.line, missing.named) == (
        1,
        ["the patient's number", "the patient's name", "an email or a phone"],
    )
    path.write_text(HEADER + ROW.format("03/04/1980", ""))
    assert refused(path).named == ["03/04/1980"]


def test_what_its_reader_was_told_may_be_wrong_as_well(tmp_path: Path) -> None:
    path, mapping = tmp_path / "list.csv", tmp_path / "mapping.yaml"
    path.write_text(HEADER + ROW.format("", ""))
    mapping.write_text("columns:\n  name: nombre\n")
    refusal = refused(path, mapping=mapping)
    assert refusal.why is FileProblem.MAPPING
    assert "mapping.yaml:2: columns.name" in refusal.problem
    assert refused(path, encoding="klingon").why is FileProblem.UNKNOWN_ENCODING


def test_every_reason_has_its_example() -> None:
    shown = {case.values[1] for case in LISTS}
    told = {FileProblem.MAPPING, FileProblem.UNKNOWN_ENCODING}
    assert shown | told == set(FileProblem)
