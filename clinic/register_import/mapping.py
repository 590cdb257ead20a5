"""A mapping file: how an export is read that the aliases do not understand."""

import codecs
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, field_validator

from clinic.refusal import Refusal
from clinic.register_import.closed_lists import listed, listed_values
from clinic.register_import.columns import IGNORE, known_columns
from clinic.register_import.file_refusal import FileProblem, FileRefusal
from clinic.register_import.listed_columns import ANSWERS
from clinic.yaml_document import read_yaml

_CLOSED_LISTS = ("sex", "status", "language", "preferred_channel", "loss_reason")
_DELIMITERS = {"tab": "\t", "comma": ",", "semicolon": ";"}
_YAML_WORDS = {
    "True": ("yes", "true", "on"),
    "False": ("no", "false", "off"),
    "None": ("null", "~"),
}
"""What an unquoted word became in YAML, with what may have stood in the file."""


def _as_written(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if isinstance(value, int) else value


def _known(column: str) -> str:
    if column not in (*known_columns(), IGNORE):
        raise ValueError(f"{_unknown(column)}, {IGNORE})")
    return column


_Column = Annotated[str, AfterValidator(_known)]
_Written = Annotated[str, BeforeValidator(_as_written)]


class ExportMapping(BaseModel):
    """How to read one kind of export.

    Attributes:
        columns: The file's header to the register's column, or to `ignore`. A header that does
            not stand here is read by the aliases.
        encoding: As Python names it, such as `cp1251`; None: found out.
        delimiter: One character, or `tab`; None: found out.
        date_order: Of day, month and year in dates such as 03/04/2026; None: found out from the
            whole file.
        values: What the file writes in a column, to what the register understands.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: dict[str, _Column] = {}
    encoding: str | None = None
    delimiter: str | None = None
    date_order: Literal["dmy", "mdy", "ymd"] | None = None
    values: dict[str, dict[str, _Written]] = {}

    @field_validator("encoding")
    @classmethod
    def _is_an_encoding(cls, encoding: str | None) -> str | None:
        return encoding and checked_encoding(encoding)

    @field_validator("delimiter")
    @classmethod
    def _is_one_character(cls, delimiter: str | None) -> str | None:
        delimiter = _DELIMITERS.get(delimiter or "", delimiter)
        if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
            raise ValueError("expected one character, such as `;`, or `tab`")
        return delimiter

    @field_validator("values")
    @classmethod
    def _are_of_known_columns(cls, values: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        for column, said in values.items():
            if column not in known_columns():
                raise ValueError(f"{_unknown(column)})")
            for written, meant in said.items():
                if not _means_something(column, meant):
                    raise ValueError(
                        f"{column}: `{written}`: `{meant}` is not known "
                        f"(expected {', '.join(listed_values(_list_of(column)))})"
                    )
        return {column: _with_yaml_words(said) for column, said in values.items()}


def read_mapping(path: Path) -> ExportMapping:
    """Read a mapping file.

    Raises:
        FileRefusal: It can't be used; says file, line and field.
    """
    try:
        return read_yaml(path, ExportMapping)
    except Refusal as refusal:
        raise FileRefusal(FileProblem.MAPPING, refusal.problem, refusal.remedy) from None


def checked_encoding(name: str) -> str:
    """Return the name of a text encoding.

    Raises:
        ValueError: There is none of this name.
    """
    try:
        "á".encode(name, "ignore").decode(name, "ignore")
        found = codecs.lookup(name).name
    except (LookupError, UnicodeError, ValueError):
        raise ValueError(
            f"`{name}` is no encoding that is known (expected utf-8, cp1252, cp1251, utf-16, ...)"
        ) from None
    return "utf-8-sig" if found == "utf-8" else found  # which reads both


def _means_something(column: str, meant: str) -> bool:
    return column not in (*_CLOSED_LISTS, *ANSWERS) or listed(_list_of(column), meant) is not None


def _list_of(column: str) -> str:
    return "answer" if column in ANSWERS else column


def _unknown(column: str) -> str:
    return f"`{column}` is no column of the register (expected {', '.join(known_columns())}"


def _with_yaml_words(said: dict[str, str]) -> dict[str, str]:
    return {
        word: meant
        for written, meant in said.items()
        for word in _YAML_WORDS.get(written, (written,))
    }
