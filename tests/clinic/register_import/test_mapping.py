"""A mapping: the one that is proposed for an export nobody knows, and one that a person wrote."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from clinic.refusal import Refusal
from clinic.register_import.mapping import ExportMapping, read_mapping
from clinic.register_import.proposal import likely_header, write_proposal

if TYPE_CHECKING:
    from tests.clinic.register_import.conftest import Export

UNKNOWN = (
    "Liste: Kunden;;;;;;\n"
    "Kundennr;Vorname;Zuname;Geb;Handy;Post;Zuletzt\n"
    "K-1;Ana;Gil;14/05/1960;305-555-0101;ana@example.com;10/01/2026\n"
    "K-2;Blas;Paz;01/02/1971;305-555-0102;blas@example.net;28/02/2025\n"
)
PROPOSED = Path("list.mapping.yaml")


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    return tmp_path / "own.yaml"


def columns_of(path: Path) -> dict[str, str]:
    columns: dict[str, str] = yaml.safe_load(path.read_text(encoding="utf-8"))["columns"]
    return columns


def test_an_unknown_export_is_refused_with_a_mapping_to_edit(export: "Export") -> None:
    refusal = export.holding(UNKNOWN).refusal()
    assert f"{export.path}:2: no column for the patient's number, nor " in refusal.problem
    assert "edit list.mapping.yaml" in refusal.remedy
    assert f"regresa import {export.path} --mapping list.mapping.yaml" in refusal.remedy
    assert "\n  phone: phone, " in refusal.remedy
    assert columns_of(PROPOSED) == {
        "Kundennr": "ignore",
        "Vorname": "ignore",
        "Zuname": "ignore",
        "Geb": "birth_date",
        "Handy": "phone",
        "Post": "email",
        "Zuletzt": "last_visit",
    }


def test_the_proposed_mapping_once_edited_reads_the_export(export: "Export") -> None:
    export.holding(UNKNOWN).refusal()
    text = PROPOSED.read_text(encoding="utf-8")
    for name, column in (
        ("Kundennr", "patient_id"),
        ("Vorname", "first_name"),
        ("Zuname", "last_name"),
    ):
        text = text.replace(f'"{name}": ignore', f'"{name}": {column}')
    PROPOSED.write_text(text, encoding="utf-8")
    ana, blas = export.rows(mapping=PROPOSED)
    assert (ana.external_id, ana.first_name, ana.last_name) == ("K-1", "Ana", "Gil")
    assert (blas.birth_date, blas.last_visit) == (date(1971, 2, 1), date(2025, 2, 28))
    assert export.opened(mapping=PROPOSED).header[0] == "Kundennr"


def test_a_proposal_holds_nobody_s_data(export: "Export") -> None:
    export.holding(UNKNOWN).refusal()
    text = PROPOSED.read_text(encoding="utf-8")
    assert [word for word in ("Ana", "Gil", "0101", "1960", "example") if word in text] == []
    assert '"Post": email  # aaa@aaaaaaa.aaa, aaaa@aaaaaaa.aaa' in text
    assert '"Geb": birth_date  # 99/99/9999\n' in text


def test_a_mapping_that_somebody_may_have_edited_is_not_overwritten(export: "Export") -> None:
    PROPOSED.write_text("columns: {Kundennr: patient_id}\n", encoding="utf-8")
    refusal = export.holding(UNKNOWN).refusal()
    assert "A mapping is there already: edit list.mapping.yaml" in refusal.remedy
    assert columns_of(PROPOSED) == {"Kundennr": "patient_id"}


def test_a_header_cannot_play_with_the_terminal(export: "Export") -> None:
    export.path = export.path.with_name("a list.csv")
    refusal = export.holding("\x1b[31mVor\x9bname;\x07Handy\n1;2\n").refusal()
    assert not set("\x1b\x9b\x07") & set(str(refusal))
    assert f"regresa import '{export.path}' --mapping 'a list.mapping.yaml'" in refusal.remedy
    proposed = Path("a list.mapping.yaml")
    text = proposed.read_text(encoding="utf-8").replace("ignore", "name", 1)
    proposed.write_text(text.replace("ignore", "phone", 1), encoding="utf-8")
    assert export.opened(mapping=proposed).understood == columns_of(proposed)


def test_a_folder_that_takes_no_file_is_said(
    export: "Export", monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    refusal = export.holding(UNKNOWN).refusal()
    assert "list.mapping.yaml: No such file or directory" in refusal.remedy


@pytest.mark.parametrize(
    ("header", "cells", "guessed"),
    [
        pytest.param("Numero de pacientee", ["1"], "patient_id", id="misspelt"),
        pytest.param(
            "Telefonno", ["x"], "other_phone", id="misspelt, and not a phone by its cells"
        ),
        pytest.param("x", ["a@example.com", "-", ""], "email", id="emails"),
        pytest.param("x", ["+1 (305) 555-0101"], "phone", id="phones"),
        pytest.param("x", ["12", "13", "7"], "ignore", id="numbers too short for a phone"),
        pytest.param("x", ["01/02/50", "03.04.61"], "birth_date", id="days long ago"),
        pytest.param("x", ["2026-02-03", "03/04/25"], "last_visit", id="days lately"),
        pytest.param("x", ["Ana", "a@example.com", "Gil"], "ignore", id="an email among words"),
        pytest.param('"a": #', [""], "ignore", id="a header that is YAML"),
    ],
)
def test_a_column_is_guessed_by_its_header_and_its_cells(
    header: str, cells: list[str], guessed: str, tmp_path: Path
) -> None:
    path = tmp_path / "guess.yaml"
    rows = [[header, "other"], *([cell, "x y"] for cell in cells)]
    assert write_proposal(path, rows, today=date(2027, 3, 2))
    assert columns_of(path) == {header: guessed, "other": "ignore"}
    assert read_mapping(path).columns[header] == guessed


def test_the_likely_header_is_the_one_with_known_names_else_the_first_wide_row() -> None:
    assert likely_header([["t"], ["a", "b", "c"], ["Email", "Celular", ""], ["x", "y", "z"]]) == 2
    assert likely_header([["title", ""], ["a", "b", "c"], ["x", "y", "z"]]) == 1
    assert likely_header([["one"]]) == 0


def test_a_mapping_adds_to_the_aliases(export: "Export", mapping: Path) -> None:
    export.holding("Ficha,Nombre,Celular,Mail 2\n1,Ana Gil,305-555-0101,ana@example.com\n")
    mapping.write_text("columns: {Mail 3: email, Celular: ignore}\n", encoding="utf-8")
    [refused] = [export.refusal(mapping=mapping)]
    assert "columns: `Mail 3` is no column of" in refused.problem
    mapping.write_text("columns: {mail  2: email, Celular: ignore}\n", encoding="utf-8")
    [row] = export.rows(mapping=mapping)
    assert (row.external_id, row.email, row.phone) == ("1", "ana@example.com", None)
    assert export.opened(mapping=mapping).ignored == ["Celular"]


def test_a_mapping_says_encoding_delimiter_date_order_and_values(
    export: "Export", mapping: Path
) -> None:
    text = (
        "Ficha~Nombre~Email~Nacimiento~Estado~Acepta SMS\n1~Begoña~b@example.com~80/03/02~Alta~no\n"
    )
    export.holding(text, "mac-roman")
    mapping.write_text(
        "encoding: mac-roman\ndelimiter: '~'\ndate_order: ymd\n"
        "values: {status: {alta: inactive}, consent_sms: {no: yes}}\n",
        encoding="utf-8",
    )
    [row] = export.rows(mapping=mapping)
    assert (row.first_name, row.birth_date) == ("Begoña", date(1980, 3, 2))
    assert (row.status, row.consents) == ("inactive", {"sms": True})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "columns:\n  A: name\n  B: nombre\n",
            "own.yaml:3: columns.B: `nombre` is no column of",
        ),
        ("columns: {}\nencoding: cp9999\n", "own.yaml:2: encoding: `cp9999` is no encoding"),
        ("encoding: base64\n", "own.yaml:1: encoding: `base64` is no encoding"),
        ("delimiter: ;;\n", "own.yaml:1: delimiter: expected one character"),
        ("date_order: mmm\n", "own.yaml:1: date_order: "),
        ("values: {estado: {a: b}}\n", "own.yaml:1: values: `estado` is no column"),
        (
            "values: {sex: {x: ella}}\n",
            "own.yaml:1: values: sex: `x`: `ella` is not known (expected f",
        ),
        ("values: {consent_sms: {x: a}}\n", "`x`: `a` is not known (expected yes, no)"),
        ("colums: {}\n", "own.yaml:1: colums: is no field that is known here"),
        ("- a\n", "own.yaml:1: expected fields"),
    ],
)
def test_a_mapping_that_cannot_be_used_is_refused(mapping: Path, text: str, said: str) -> None:
    mapping.write_text(text, encoding="utf-8")
    with pytest.raises(Refusal) as refused:
        read_mapping(mapping)
    assert said in refused.value.problem


def test_words_that_yaml_takes_for_something_else_are_what_was_written(mapping: Path) -> None:
    mapping.write_text(
        "delimiter: tab\nvalues: {district: {no: 1, 2: yes, ~: x}}\n", encoding="utf-8"
    )
    read = read_mapping(mapping)
    assert read.delimiter == "\t"
    words = {"no": "1", "false": "1", "off": "1", "2": "yes", "null": "x", "~": "x"}
    assert read.values == {"district": words}


def test_without_a_mapping_everything_is_found_out() -> None:
    assert ExportMapping() == ExportMapping(columns={}, encoding=None, values={})


def test_a_mapping_that_leaves_something_out_is_the_one_to_mend(
    export: "Export", mapping: Path
) -> None:
    mapping.write_text("columns: {Vorname: first_name}\n", encoding="utf-8")
    refusal = export.holding(UNKNOWN).refusal(mapping=mapping)
    assert f"Mend {mapping}: say there what its columns are." in refusal.remedy
    assert not PROPOSED.exists()
