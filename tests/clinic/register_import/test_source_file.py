"""A text file: every encoding and delimiter, and every file that is none."""

import csv
import io
from datetime import date
from typing import TYPE_CHECKING

import pytest

from clinic.refusal import Refusal
from clinic.register_import.register_row import BadCell

if TYPE_CHECKING:
    from tests.clinic.register_import.conftest import Export

SPANISH = [
    ["# Paciente", "Nombre", "Apellidos", "Teléfono", "Última cita", "Motivo de Atención"],
    ["7", "Begoña", "Núñez; Ríos, hija", "305-555-0101", "13/04/2026", "Prótesis\n| control"],
    ["8", "Raúl", 'Ibáñez "el\tViejo"', "305-555-0102", "-", ""],
]
RUSSIAN = [
    ["№ карты", "Имя", "Фамилия", "Телефон", "Последний визит", "Услуга"],
    ["7", "Алёна", "Ежова; Быкова, дочь", "305-555-0101", "13.04.2026", "Гигиена\n| осмотр"],
    ["8", "Пётр", 'Щукин "стар\tший"', "305-555-0102", "-", ""],
]
ENGLISH = [
    ["PatNum", "FName", "LName", "HmPhone", "Last Visit", "Procedure"],
    ["7", "Ann", "Lee; Ray, jr", "305-555-0101", "2026-04-13", "Cleaning\n| exam"],
    ["8", "Bob", 'Fox "the\tElder"', "305-555-0102", "-", ""],
]
HEADER = "patient_id,first_name,last_name,email\n"


def written(rows: list[list[str]], delimiter: str) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    ("rows", "encoding"),
    [
        pytest.param(rows, encoding, id=f"{name} in {encoding}")
        for name, rows, encodings in (
            ("Spanish", SPANISH, ("utf-8", "utf-8-sig", "utf-16", "cp1252")),
            ("Russian", RUSSIAN, ("utf-8", "utf-8-sig", "utf-16", "cp1251")),
            ("English", ENGLISH, ("utf-8", "utf-8-sig", "utf-16", "cp1252", "cp1251")),
        )
        for encoding in encodings
    ],
)
@pytest.mark.parametrize("clinic", [("US", "es"), ("RU", "ru")], ids="-".join)
def test_a_list_is_read_whatever_its_encoding_and_delimiter(
    export: "Export", rows: list[list[str]], encoding: str, delimiter: str, clinic: tuple[str, str]
) -> None:
    country, language = clinic
    export.holding(written(rows, delimiter), encoding)
    source = export.opened(country=country, language=language)
    assert rows[0] == source.header
    assert [(2, rows[1]), (4, rows[2])] == [(row.line, row.cells) for row in source.rows()]
    first = export.rows(country="US")[0]
    assert (first.external_id, first.first_name, first.phone, first.last_visit) == (
        "7",
        rows[1][1],
        "+13055550101",
        date(2026, 4, 13),
    )


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["Unix", "Windows", "old Mac"])
def test_lines_are_counted_whatever_ends_them(export: "Export", end: str) -> None:
    source = export.holding(written(ENGLISH, ",").replace("\r\n", end)).opened()
    assert [row.line for row in source.rows()] == [2, 4]


@pytest.mark.parametrize(
    ("text", "encoding", "clinic", "name"),
    [
        pytest.param("Muñoz", "cp1252", ("RU", "ru"), "Windows-1252", id="Spanish in Russia"),
        pytest.param("Ежов", "cp1251", ("ES", "es"), "Windows-1251", id="Russian in Spain"),
        pytest.param("Ё", "cp1251", ("RU", "ru"), "Windows-1251", id="one letter, in Russia"),
        pytest.param("Ñ", "cp1252", ("ES", "es"), "Windows-1252", id="one letter, in Spain"),
    ],
)
def test_under_an_english_header_the_letters_tell_the_code_page(
    export: "Export", text: str, encoding: str, clinic: tuple[str, str], name: str
) -> None:
    export.holding(f"{HEADER}1,Ann,{text},a@example.com\n", encoding)
    source = export.opened(country=clinic[0], language=clinic[1])
    assert f"text in {name}, separated by `,`, header in line 1" == source.description
    assert [text] == [row.cells[2] for row in source.rows()]


def test_letters_beyond_ascii_may_come_late(export: "Export") -> None:
    many = "".join(f"{number},Ann,Lee,a{number}@example.com\n" for number in range(40_000))
    export.holding(f"{HEADER}{many}x,Íñigo,Núñez,i@example.com\n", "cp1252")
    *_, last = export.opened(country="RU", language="ru").rows()
    assert (last.line, last.cells[1:3]) == (40_002, ["Íñigo", "Núñez"])


def test_an_encoding_can_be_said(export: "Export") -> None:
    export.holding(f"{HEADER}1,Zoë,Straße,z@example.com\n", "cp850")
    [row] = export.rows(encoding="cp850")
    assert (row.first_name, row.last_name) == ("Zoë", "Straße")
    assert "--encoding: `cp9999` is no encoding" in str(export.refusal(encoding="cp9999"))


def test_a_byte_that_is_no_text_is_found_however_late_it_stands(export: "Export") -> None:
    many = b"1,\xcd\xf1igo,Lee,a@example.com\n" * 60_000
    export.holding(HEADER.encode() + many + b"2,\x81,,\n")
    assert export.refusal().problem == f"{export.path}:60002: not text in Windows-1252"
    export.holding(HEADER.encode() + b"1,Ann,,\n" * 60_000 + b"2,\xf1,,\n")
    assert export.refusal(encoding="utf8").problem == f"{export.path}:60002: not text in UTF-8"
    export.holding(f"{HEADER}1,Ann,,\n2,Bob,,\n".encode("utf-16") + b"x")
    assert export.refusal().problem == f"{export.path}:4: not text in UTF-16"


def test_the_line_that_excel_writes_for_the_delimiter_is_honoured(export: "Export") -> None:
    export.holding("sep=^\r\n# Paciente^Nombre^Casa; trabajo, otra^Correo\r\n1^Ana^x^a@example.com")
    source = export.opened()
    assert source.header == ["# Paciente", "Nombre", "Casa; trabajo, otra", "Correo"]
    assert [row.line for row in source.rows()] == [3]


def test_title_lines_above_the_header_are_skipped(export: "Export") -> None:
    export.holding(
        'Clínica Aurora;;\n"Pacientes\nal día";;\n\n# Paciente;Nombre;Email\n\n1;Ana;-\n'
    )
    source = export.opened()
    assert "header in line 5" in source.description
    assert [(row.line, row.cells) for row in source.rows()] == [(7, ["1", "Ana", "-"])]


def test_what_was_understood_and_what_was_not_is_said(export: "Export") -> None:
    export.holding("ID,Nombre,Celular,Móvil,Zapatos,Celular,,\n1,Ana,-,305-555-0101,38,,x,\n")
    source = export.opened()
    assert source.understood == {
        "ID": "patient_id",
        "Nombre": "name",
        "Celular": "phone",
        "Móvil": "phone",
        "Celular (2)": "phone",
    }
    assert source.ignored == ["Zapatos", "(columns without a name)"]
    [row] = export.rows()
    assert row.phone == "+13055550101", "the first that is filled"


def test_empty_rows_and_a_repeated_header_are_no_rows(export: "Export") -> None:
    export.holding(f"{HEADER}1,Ann,Lee,a@example.com\n,,,\n\n   \n{HEADER}2,Bob,Fox,\n")
    assert [row.line for row in export.opened().rows()] == [2, 7]


def test_a_row_with_more_cells_than_the_header_is_rejected(export: "Export") -> None:
    export.holding(f"{HEADER}1,Ann,Lee, Ray,a@example.com\n2,Bob,Fox,b@example.com,\n3,Eve\n")
    wide, trailing, short = (row.said for row in export.opened().rows())
    assert isinstance(wide, BadCell)
    assert "5 cells where the header has 4" in wide.reason
    assert not isinstance(trailing, BadCell)
    assert not isinstance(short, BadCell)
    assert short.first_name == "Eve"


def test_a_file_says_how_far_it_was_read(export: "Export") -> None:
    many = "".join(f"{number},Ann,Lee,a{number}@example.com\n" for number in range(5_000))
    source = export.holding(HEADER + many).opened()
    assert source.size == export.path.stat().st_size
    reached = [source.position for _ in source.rows()]
    assert reached == sorted(reached)
    assert 0 < reached[0] < reached[-1] <= source.size == source.position


def test_a_file_can_be_read_twice(export: "Export") -> None:
    source = export.holding(f"{HEADER}1,Ann,Lee,a@example.com\n2,Bob,Fox,\n").opened()
    assert next(source.rows()).line == 2
    assert [row.line for row in source.rows()] == [2, 3]


def test_a_file_that_changed_since_it_was_looked_through_is_refused(export: "Export") -> None:
    source = export.holding(f"{HEADER}1,Ann,Lee,a@example.com\n").opened()
    export.holding(f"{HEADER}1,Ann,Lee,a@example.com\n2,Bob,Fox,\n")
    with pytest.raises(Refusal, match="has changed since it was looked through"):
        list(source.rows())


def test_day_and_month_are_told_apart_by_the_whole_file(export: "Export") -> None:
    header = "patient_id,first_name,last_name,email,birth_date\n"
    unclear = f"{header}1,Ann,Lee,a@example.com,03/04/1980\n"
    export.holding(f"{unclear}2,Bob,Fox,b@example.com,12/25/1980\n")
    assert [row.birth_date for row in export.rows()] == [date(1980, 3, 4), date(1980, 12, 25)]
    assert "dates as month/day/year" in export.opened().description
    refusal = export.holding(unclear).refusal()
    assert "nothing tells whether `03/04/1980` begins with day or month" in refusal.problem
    assert "list.mapping.yaml (say `date_order` in it)" in refusal.remedy
    assert export.rows(country="CL")[0].birth_date == date(1980, 4, 3)


def test_a_woman_is_m_where_men_are_h(export: "Export") -> None:
    header = "patient_id,first_name,last_name,email,sex\n"
    women = f"{header}1,Ana,Gil,a@example.com,M\n"
    assert [row.sex for row in export.holding(women).rows()] == ["male"]
    export.holding(f"{women}2,Blas,Paz,b@example.com,H\n")
    assert [row.sex for row in export.rows()] == ["female", "male"]


def test_a_status_column_of_which_no_word_is_known_is_refused(export: "Export") -> None:
    header = "patient_id,first_name,last_name,email,Estado\n"
    export.holding(f"{header}1,Ana,Gil,a@example.com,Jalisco\n2,Blas,Paz,,Sonora\n3,Eva,Sol,,-\n")
    refusal = export.refusal()
    assert "no word in the column of statuses is known: Jalisco, Sonora" in refusal.problem
    assert "under `values`, or `ignore` the column" in refusal.remedy
    assert export.holding(f"{header}1,Ana,Gil,a@example.com,\n").rows()[0].status is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"", "list.csv: the file is empty", id="empty"),
        pytest.param(b" \r\n\t\r\n", "list.csv: the file is empty", id="blank"),
        pytest.param(b"\xef\xbb\xbf", "list.csv: the file is empty", id="a mark and nothing else"),
        pytest.param(HEADER.encode(), "list.csv:1: the list has a header and no rows", id="header"),
        pytest.param(b"a,b,c\n1,2,3\n", "list.csv:1: no column for the patient's number", id="abc"),
        pytest.param(
            f"{HEADER}1,A\0nn,Lee,\n".encode(),
            "list.csv:2: not a text file: it has a NUL",
            id="NUL",
        ),
        pytest.param(
            f"{HEADER}1,A\0nn,Lee,\n".encode("utf-16"),
            "list.csv:2: not CSV: it has a NUL",
            id="NUL16",
        ),
        pytest.param(
            f"{HEADER}1,Ann,{'x' * 10_000_000},\n".encode(),
            "list.csv:2: column 3 (`last_name`): the cell is longer than 65,536 characters",
            id="a cell of 10 MB",
        ),
        pytest.param(
            f"{HEADER}1,Ann,{'x' * 70_000},\n".encode(),
            "list.csv:2: column 3 (`last_name`): the cell is longer",
            id="a cell just too long",
        ),
        pytest.param(
            f'{HEADER}1,Ann,Lee,\n2,"Bob,Fox,\n'.encode() + b"3,Eve,Gil,\n" * 20_000,
            "list.csv:3: column 2 (`first_name`): the cell is longer",
            id="a quote that is never closed",
        ),
        pytest.param(
            f"{HEADER}{',' * 2_000_000}\n".encode(), "list.csv:2: the line is longer", id="no cells"
        ),
        pytest.param(
            f'{HEADER}1,Ann,Lee,\n2,"Bob'.encode(), "list.csv:3: not CSV: unexpected end", id="cut"
        ),
        pytest.param(
            f'{HEADER}1,"Ann" Lee,x,\n'.encode(), "list.csv:2: not CSV", id="a stray quote"
        ),
        pytest.param(
            f"{HEADER}1,Íñigo,Núñez,\n2,Ñu\xffñez,,\n".encode().replace(b"\xc3\xbf", b"\xff"),
            "list.csv:3: UTF-8 text that was damaged here",
            id="damaged UTF-8",
        ),
        pytest.param(
            f"{HEADER}1,Ann,Lee,\n2,".encode() + b"\x98\x81,Fox,\n",
            "list.csv:3: not text in Windows-125",
            id="in no code page",
        ),
        pytest.param(
            HEADER.encode("utf-16") + b"\x00\xd8x\x00,\x00",
            "list.csv:2: not text in UTF-16",
            id="utf16",
        ),
        pytest.param(
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1..", "list.csv: an old Excel file", id="xls"
        ),
        pytest.param(b" <HTML><table>", "list.csv: a web page or XML", id="HTML as xls"),
        pytest.param(b"\xef\xbb\xbf<?xml?>", "list.csv: a web page or XML", id="XML, marked"),
        pytest.param(b"%PDF-1.7", "list.csv: a PDF document", id="PDF"),
        pytest.param(b"\x1f\x8b\x08", "list.csv: a compressed file (gzip)", id="gzip"),
        pytest.param(b'[{"resourceType": "Patient"}]', "list.csv: JSON in one piece", id="JSON"),
        pytest.param(b"PK\x03\x04\x14\x00\x06", "list.csv: a workbook that is damaged", id="zip"),
    ],
)
def test_a_file_that_is_no_list_is_refused(export: "Export", content: bytes, said: str) -> None:
    problem = export.holding(content).refusal().problem
    assert problem.startswith(f"{export.path.parent}/{said}")


def test_a_missing_file_and_a_folder_are_refused(export: "Export") -> None:
    assert str(export.refusal()) == f"{export.path}: No such file or directory"
    export.path.mkdir()
    assert str(export.refusal()) == f"{export.path}: not a file"
