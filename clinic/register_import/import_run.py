"""The import of a clinic's patient list: every row ends as new, updated, unchanged or rejected."""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.conflict_free_insert import insert_if_new
from clinic.refusal import Refusal
from clinic.register_import.row import BadCell, RegisterRow, known_headers, read_header, read_row
from clinic.standing import PatientStatus
from clinic.tables import Appointment, Patient, Visit

_BATCH = 500
_DELIMITERS = ",;\t"


class _Rows(Protocol):
    """What `csv.reader` returns."""

    @property
    def line_num(self) -> int: ...
    def __iter__(self) -> Iterator[list[str]]: ...
    def __next__(self) -> list[str]: ...


@dataclass(frozen=True)
class Reject:
    """A row, or a cell of it, that could not be used.

    Attributes:
        line: The row's line in the file; the header is line 1.
        column: The register's column.
        reason: What is wrong with it.
        imported: Whether the rest of the row was imported.
        cells: The row as it stood.
    """

    line: int
    column: str
    reason: str
    imported: bool
    cells: list[str]


@dataclass
class ImportResult:
    """What became of the rows; every row counts in exactly one of the four."""

    new: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    rejects: list[Reject] = field(default_factory=list)
    header: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Rows read."""
        return self.new + self.updated + self.unchanged + self.rejected


async def import_register(
    session: AsyncSession,
    path: Path,
    *,
    country: str,
    zone: ZoneInfo,
    now: datetime,
    on_progress: Callable[[int], None] = lambda _: None,
) -> ImportResult:
    """Import a CSV file into the register, in the caller's transaction.

    A row updates the patient with the same number; what it does not say stays as it was.

    Args:
        session: A writing transaction: the file is imported whole or not at all.
        path: The file; UTF-8, separated by comma, semicolon or tab.
        country: ISO 3166 code, for phone numbers without a prefix.
        zone: The clinic's time zone.
        now: Aware UTC.
        on_progress: Called now and then with the number of the line that was reached.

    Raises:
        Refusal: The file can't be used; nothing was changed.
    """
    text = _read_text(path)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    result = ImportResult(header=_header(rows, path))
    columns = _columns(result.header, path)
    today = now.astimezone(zone).date()
    batch: dict[str, RegisterRow] = {}
    for line, cells in _numbered(rows, path):
        if not any(cell.strip() for cell in cells):
            continue
        named = {column: cells[at] for at, column in columns.items() if at < len(cells)}
        try:
            row = read_row(named, country=country, zone=zone, today=today)
        except BadCell as bad:
            result.rejected += 1
            result.rejects.append(Reject(line, bad.column, bad.reason, imported=False, cells=cells))
            continue
        result.rejects += [
            Reject(line, column, reason, imported=True, cells=cells)
            for column, reason in row.unusable.items()
        ]
        if row.external_id in batch or len(batch) >= _BATCH:
            await _write(session, batch, result)
            batch = {}
            on_progress(line)
        batch[row.external_id] = row
    await _write(session, batch, result)
    return result


def write_rejects(result: ImportResult, path: Path) -> None:
    """Write what could not be used: line, column, reason, what was done, the original row."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        header = [_as_text(name) for name in result.header]
        writer.writerow(["line", "column", "reason", "done", *header])
        for reject in result.rejects:
            done = "row imported without it" if reject.imported else "row rejected"
            cells = [_as_text(cell) for cell in reject.cells]
            writer.writerow([reject.line, reject.column, reject.reason, done, *cells])


def _read_text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise Refusal(f"{path}: {error.strerror}") from None
    if not raw.strip():
        raise Refusal(f"{path}: the file is empty")
    if b"\0" in raw:
        line = raw[: raw.index(b"\0")].count(b"\n") + 1
        raise Refusal(f"{path}:{line}: not a text file: it has a NUL byte")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise Refusal(
            f"{path}:{line}: not UTF-8 text", "Export the list again as CSV with encoding UTF-8."
        ) from None


def _delimiter(text: str) -> str:
    header = text.partition("\n")[0]
    return max(_DELIMITERS, key=header.count)


def _header(rows: "_Rows", path: Path) -> list[str]:
    try:
        return next(rows)
    except (csv.Error, StopIteration) as error:
        raise Refusal(
            f"{path}:1: no header can be read: {str(error) or 'the file is empty'}"
        ) from None


def _columns(header: list[str], path: Path) -> dict[int, str]:
    columns = read_header(header)
    found = set(columns.values())
    lacking: list[str] = []
    if "patient_id" not in found:
        lacking.append("the patient's number")
    if not found & {"name", "first_name"}:
        lacking.append("the patient's name")
    if not found & {"email", "phone"}:
        lacking.append("an email or a phone")
    if lacking:
        known = known_headers()
        hints = [
            f"  {column}: {', '.join(known[column])}"
            for column in ("patient_id", "name", "first_name", "email", "phone")
            if column not in found
        ]
        raise Refusal(
            f"{path}:1: no column for {', nor for '.join(lacking)} (columns: {', '.join(header)})",
            "Headers that are known:\n" + "\n".join(hints),
        )
    return columns


def _numbered(rows: "_Rows", path: Path) -> Iterator[tuple[int, list[str]]]:
    line = rows.line_num + 1
    try:
        for cells in rows:
            yield line, cells
            line = rows.line_num + 1
    except csv.Error as error:
        raise Refusal(f"{path}:{line}: not CSV: {error}", "Nothing was imported.") from None


async def _write(
    session: AsyncSession, batch: dict[str, RegisterRow], result: ImportResult
) -> None:
    known = {
        patient.external_id: patient
        for patient in await session.scalars(
            select(Patient).where(Patient.external_id.in_(list(batch)))
        )
    }
    for external_id, row in batch.items():
        patient = known.get(external_id)
        is_new = patient is None
        if patient is None:
            patient = Patient(external_id=external_id, first_name=row.first_name)
            session.add(patient)
        changed = _update(patient, row)
        await session.flush()
        changed |= await _write_visits(session, patient, row)
        if is_new:
            result.new += 1
        elif changed:
            result.updated += 1
        else:
            result.unchanged += 1


def _update(patient: Patient, row: RegisterRow) -> bool:
    changed = False
    said = {
        "first_name": row.first_name,
        "last_name": row.last_name or None,
        "birth_date": row.birth_date,
        "sex": row.sex,
        "occupation": row.occupation,
        "district": row.district,
        "language": row.language,
        "email": row.email,
        "phone": row.phone,
        "status": row.status,
        "loss_reason": row.loss_reason,
        "reported_visits": row.visits,
    }
    for name, value in said.items():
        if value is None or getattr(patient, name) == value:
            continue
        if _staff_know_better(patient, name, value):
            continue
        setattr(patient, name, value)
        changed = True
        if name in ("email", "phone"):  # a new address has not failed yet
            setattr(patient, f"{name}_bad_at", None)
        if name == "phone":
            patient.sms_bad_at = None
    return changed


def _staff_know_better(patient: Patient, name: str, value: object) -> bool:
    """Whether the register holds what staff heard: an older list does not take it back."""
    if name == "loss_reason":
        return patient.loss_reason is not None
    if name != "status":
        return False
    gone = patient.status == PatientStatus.MOVED.value and value == PatientStatus.ACTIVE.value
    return gone or patient.status == PatientStatus.DECEASED.value


async def _write_visits(session: AsyncSession, patient: Patient, row: RegisterRow) -> bool:
    changed = False
    if row.last_visit is not None:
        visit = {"patient_id": patient.id, "day": row.last_visit, "treatment": row.treatment}
        changed |= await insert_if_new(session, Visit, visit)
    if row.next_appointment is not None:
        booked = {"patient_id": patient.id, "at": row.next_appointment, "source": "import"}
        changed |= await insert_if_new(session, Appointment, booked)
    return changed


def _as_text(cell: str) -> str:
    """Keep a spreadsheet from running a cell as a formula (OWASP, CSV injection)."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
