"""What could not be used is listed in a file: line, column, reason, the row as it stood."""

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest

from clinic.register_import.rejects import Reject, RejectsFile

HEADER = ["patient_id", "first_name", "=1+1"]


def write(path: Path, *rejects: Reject, header: Sequence[str] = HEADER) -> None:
    with RejectsFile(path, header) as file:
        for reject in rejects:
            file.add(reject)


def cells_of(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def test_each_reject_is_a_line_with_what_was_done_and_the_row(tmp_path: Path) -> None:
    path = tmp_path / "rejects.csv"
    write(
        path,
        Reject(2, "last_visit", "no date", imported=False, cells=["A-1", "Ana\nLuz", ""]),
        Reject(3, "phone", "not a number", imported=True, cells=["A-2", "Eva", ""]),
    )
    assert cells_of(path) == [
        ["line", "column", "reason", "done", "patient_id", "first_name", "'=1+1"],
        ["2", "last_visit", "no date", "row rejected", "A-1", "Ana\nLuz", ""],
        ["3", "phone", "not a number", "row imported without it", "A-2", "Eva", ""],
    ]


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_run_as_a_formula(tmp_path: Path, formula: str) -> None:
    path = tmp_path / "rejects.csv"
    reject = Reject(2, formula, formula, imported=False, cells=[formula, "Ana"])
    write(path, reject, header=[formula, "name"])
    cells = [cell for line in cells_of(path) for cell in line]
    assert cells.count(f"'{formula}") == 4
    assert not [cell for cell in cells if cell[:1] in ("=", "+", "-", "@", "\t", "\r")]


def test_a_list_without_rejects_leaves_no_file_and_removes_that_of_an_earlier_run(
    tmp_path: Path,
) -> None:
    path = tmp_path / "rejects.csv"
    write(path)
    assert not path.exists()
    write(path, Reject(2, "phone", "not a number", imported=True, cells=[]))
    write(path)
    assert not path.exists()


def test_a_file_that_holds_something_else_is_never_removed(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("line up the chairs")
    write(path)
    assert path.read_text() == "line up the chairs"


def test_rejects_of_a_run_that_failed_stay(tmp_path: Path) -> None:
    path = tmp_path / "rejects.csv"
    write(path, Reject(2, "phone", "not a number", imported=True, cells=[]))
    with pytest.raises(OSError, match="gone"), RejectsFile(path, HEADER):
        raise OSError("gone")
    assert path.exists()
