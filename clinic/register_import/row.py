"""One row of a clinic's export, read into what the register knows."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ConfigDict

from clinic.address import read_email, read_phone
from clinic.outcome import LossReason
from clinic.plain_text import plain

_PLACEHOLDERS = frozenset({"", "-", "--", "n/a", "none", "null", "0001-01-01"})
"""What exports write where they know nothing."""

_DATE_FORMATS = ("%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y")
_MOMENT_FORMATS = tuple(
    f"{day}{mark}{clock}"
    for day in _DATE_FORMATS
    for mark in (" ", "T")
    for clock in ("%H:%M", "%H:%M:%S")
)
_EARLIEST = date(1890, 1, 1)
_LATEST_YEAR = 9000
"""Exports write 9999-12-31 for "never"; in another zone that is past the end of time."""
_MOST_DIGITS = 5


class BadCell(ValueError):
    """A cell that can't be read: its column, and why."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(f"{column}: {reason}")
        self.column = column
        self.reason = reason


class RegisterRow(BaseModel):
    """What one row says about a patient; None where it says nothing.

    Attributes:
        unusable: Addresses that were written but can't be used, by column, with the reason.
    """

    model_config = ConfigDict(frozen=True)

    external_id: str
    first_name: str
    last_name: str = ""
    birth_date: date | None = None
    sex: str | None = None
    occupation: str | None = None
    district: str | None = None
    language: str | None = None
    email: str | None = None
    phone: str | None = None
    treatment: str = ""
    last_visit: date | None = None
    visits: int | None = None
    next_appointment: datetime | None = None
    status: str | None = None
    loss_reason: str | None = None
    unusable: dict[str, str] = {}


def read_header(names: list[str]) -> dict[int, str]:
    """Match a header's names to the register's columns.

    Returns:
        Position to column; names that are not known are left out.
    """
    known = _header_aliases()
    columns: dict[int, str] = {}
    for position, name in enumerate(names):
        column = known.get(plain(name))
        if column is not None and column not in columns.values():
            columns[position] = column
    return columns


def known_headers() -> dict[str, list[str]]:
    """Return the table of aliases: column to the names it is known by."""
    return _load("header_aliases.yaml")


def read_row(cells: Mapping[str, str], *, country: str, zone: ZoneInfo, today: date) -> RegisterRow:
    """Read a row.

    Args:
        cells: Column to what stands in it.
        country: ISO 3166 code, for phone numbers without a prefix.
        zone: The clinic's time zone, in which appointments are written.
        today: The clinic's day; nobody was born or seen after it.

    Raises:
        BadCell: A cell that can't be read; the row is rejected for it.
    """
    said = {column: text for column, raw in cells.items() if (text := _said(raw))}
    first_name, last_name = _name(said)
    unusable: dict[str, str] = {}
    return RegisterRow(
        external_id=_required(said, "patient_id"),
        first_name=first_name,
        last_name=last_name,
        birth_date=_past_day(said, "birth_date", today),
        sex=_listed(said, "sex"),
        occupation=said.get("occupation"),
        district=said.get("district"),
        language=_language(said),
        email=_address(said, "email", country, unusable),
        phone=_address(said, "phone", country, unusable),
        treatment=said.get("treatment", ""),
        last_visit=_past_day(said, "last_visit", today),
        visits=_count(said, "visits"),
        next_appointment=_moment(said, "next_appointment", zone),
        status=_listed(said, "status"),
        loss_reason=_loss_reason(said),
        unusable=unusable,
    )


def _said(raw: str) -> str:
    text = " ".join(raw.split())  # a line break in a name would break an email's subject
    return "" if text.casefold() in _PLACEHOLDERS else text


def _name(said: Mapping[str, str]) -> tuple[str, str]:
    if "first_name" in said:
        return said["first_name"], said.get("last_name", "")
    if "name" in said:
        if "," in said["name"]:
            last, _, first = (part.strip() for part in said["name"].partition(","))
            return (first, last) if first else (last, "")
        first, _, last = said["name"].partition(" ")
        return first, last.strip()
    raise BadCell("name", "is missing")


def _required(said: Mapping[str, str], column: str) -> str:
    if column not in said:
        raise BadCell(column, "is missing")
    return said[column]


def _past_day(said: Mapping[str, str], column: str, today: date) -> date | None:
    text = said.get(column)
    if text is None:
        return None
    day = _day(column, text)
    if day > today:
        raise BadCell(column, f"`{text}` lies in the future")
    return day


def _day(column: str, text: str) -> date:
    for written in (*_DATE_FORMATS, *_MOMENT_FORMATS):
        try:
            day = datetime.strptime(text, written).replace(tzinfo=UTC).date()
        except ValueError:
            continue
        if day < _EARLIEST:
            raise BadCell(column, f"`{text}` is too long ago")
        return day
    raise BadCell(column, f"`{text}` is no date (expected 2026-02-28 or 28/02/2026)")


def _moment(said: Mapping[str, str], column: str, zone: ZoneInfo) -> datetime | None:
    text = said.get(column)
    if text is None:
        return None
    day = _day(column, text)
    if day.year > _LATEST_YEAR:
        raise BadCell(column, f"`{text}` is too far ahead")
    for written in _MOMENT_FORMATS:
        try:
            return datetime.strptime(text, written).replace(tzinfo=zone).astimezone(UTC)
        except ValueError:
            continue
    # a day without a time: the patient is expected until its end
    return datetime(day.year, day.month, day.day, 23, 59, tzinfo=zone).astimezone(UTC)


def _count(said: Mapping[str, str], column: str) -> int | None:
    text = said.get(column)
    if text is None:
        return None
    if not text.isdecimal() or len(text) > _MOST_DIGITS:
        raise BadCell(column, f"`{text}` is no number of visits")
    return int(text)


def _listed(said: Mapping[str, str], column: str) -> str | None:
    text = said.get(column)
    if text is None:
        return None
    known = _value_aliases(column)
    if plain(text) not in known:
        raise BadCell(
            column, f"`{text}` is not known (expected {', '.join(sorted(set(known.values())))})"
        )
    return known[plain(text)]


def _language(said: Mapping[str, str]) -> str | None:
    text = said.get("language")
    # a language the clinic has no texts in is no reason to lose the patient
    return _value_aliases("language").get(plain(text)) if text else None


def _loss_reason(said: Mapping[str, str]) -> str | None:
    text = said.get("loss_reason")
    if text is None:
        return None
    try:
        return LossReason(plain(text).replace(" ", "_")).value
    except ValueError:
        known = ", ".join(reason.value for reason in LossReason)
        raise BadCell("loss_reason", f"`{text}` is not known (expected {known})") from None


def _address(
    said: Mapping[str, str], column: str, country: str, unusable: dict[str, str]
) -> str | None:
    text = said.get(column)
    if text is None:
        return None
    try:
        return read_email(text) if column == "email" else read_phone(text, country)
    except ValueError as error:
        unusable[column] = str(error)
        return None


@cache
def _header_aliases() -> dict[str, str]:
    return {
        plain(alias): column for column, aliases in known_headers().items() for alias in aliases
    } | {plain(column): column for column in known_headers()}


@cache
def _value_aliases(column: str) -> dict[str, str]:
    values: dict[str, list[str]] = _load("value_aliases.yaml")[column]
    return {plain(alias): value for value, aliases in values.items() for alias in aliases}


@cache
def _load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(
        Path(__file__).with_name(name).read_text(encoding="utf-8")
    )
    return loaded
