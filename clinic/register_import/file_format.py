"""What kind of file an export is, told by how it begins and not by its name."""

from enum import StrEnum
from pathlib import Path

from clinic.refusal import Refusal
from clinic.register_import.file_refusal import FileProblem, FileRefusal

_START = 4096
_XLSX = b"PK\x03\x04"
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OTHERS = {
    b"%PDF": "a PDF document",
    b"\x1f\x8b": "a compressed file (gzip)",
    b"Rar!": "a compressed file (RAR)",
    b"7z\xbc\xaf": "a compressed file (7-Zip)",
    b"SQLite format 3": "a database",
}
_MARKUP = (b"<html", b"<!doctype", b"<table", b"<?xml", b"<head", b"<meta", b"<workbook")
_SAVE_AS = "Open it in a spreadsheet program and save it as XLSX or CSV."


class FileFormat(StrEnum):
    """The formats that an import reads."""

    TEXT = "text"
    XLSX = "xlsx"
    NDJSON = "ndjson"


def format_of(path: Path) -> FileFormat:
    """Tell a file's format.

    Raises:
        Refusal: There is no such file, it is empty, or its format is none that is read.
    """
    start = _start(path)
    if not start:
        raise FileRefusal(FileProblem.EMPTY, f"{path}: the file is empty", "Export the list again.")
    if start.startswith(_XLSX):
        return FileFormat.XLSX
    if start.startswith(_OLD_OFFICE):
        raise FileRefusal(
            FileProblem.OLD_OR_LOCKED_EXCEL,
            f"{path}: an old Excel file (.xls), or one with a password",
            _SAVE_AS,
        )
    for beginning, name in _OTHERS.items():
        if start.startswith(beginning):
            raise FileRefusal(
                FileProblem.ANOTHER_FORMAT,
                f"{path}: {name}, not a list",
                "Export the list as CSV or XLSX.",
            )
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.lower().startswith(_MARKUP):
        raise FileRefusal(
            FileProblem.MARKUP, f"{path}: a web page or XML, whatever its name says", _SAVE_AS
        )
    if text.startswith(b"{"):
        return FileFormat.NDJSON
    if text.startswith((b"[{", b"[\n", b"[\r")):
        raise FileRefusal(
            FileProblem.JSON_IN_ONE_PIECE,
            f"{path}: JSON in one piece",
            "Export it as NDJSON: a FHIR resource on each line.",
        )
    return FileFormat.TEXT


def _start(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise Refusal(f"{path}: not a file")
        with path.open("rb") as file:
            return file.read(_START)
    except OSError as error:
        raise Refusal(f"{path}: {error.strerror}") from None
