"""FHIR R4 as NDJSON: a `Patient` or an `Appointment` on each line, as a bulk export has them."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import IO, Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ValidationError

from clinic.refusal import Refusal
from clinic.register_import import fhir_appointment, fhir_patient
from clinic.register_import.cell_problem import CellProblem, Reason
from clinic.register_import.file_format import FileFormat
from clinic.register_import.file_refusal import FileProblem, FileRefusal
from clinic.register_import.reading import Layout, Reading
from clinic.register_import.register_row import BadCell, ReadRow, RegisterRow

_LONGEST_LINE = 4 * 1024 * 1024
"""Bytes. A patient's photo may stand within a line; what is longer is no list of patients."""

_EXPORT_AS = "Export it as NDJSON: one FHIR resource (Patient, Appointment) on each line."

_ABOUT_ITSELF = ("resourceType", "id", "meta", "text")
"""The elements of a resource that say nothing about a patient."""

_Resource = Mapping[str, Any]


class FhirSource:
    """A FHIR export that was looked through once; see `register_row.Source`.

    Patients come before appointments, wherever they stand in the file: an appointment is
    imported only for a patient who is on the register. Other resources are left, and counted.

    Args:
        path: The file, UTF-8.
        country: ISO 3166 code of the clinic, for phones without a prefix and national ids.
        zone: The clinic's time zone: days are its days.
        today: The clinic's day.

    Raises:
        Refusal: A line is no JSON object, or there is neither a patient nor an appointment.
    """

    def __init__(self, path: Path, *, country: str, zone: ZoneInfo, today: date) -> None:
        self._path = path
        self._readers: dict[str, Callable[[_Resource], RegisterRow]] = {
            "Patient": fhir_patient.PatientReader(country=country, today=today).read,
            "Appointment": fhir_appointment.AppointmentReader(zone=zone, today=today).read,
        }
        self._position = 0
        self._elements: dict[str, None] = {}
        self._counts: Counter[str] = Counter()
        self._stamp = _stamp(path)
        for _, resource, _ in self._resources():
            kind = resource["resourceType"]
            self._counts[kind] += 1
            if kind in self._readers:
                self._elements |= dict.fromkeys(f"{kind}.{element}" for element in resource)
        if not self._passes():
            found = ", ".join(self._counts) or "nothing"
            raise FileRefusal(
                FileProblem.NO_PATIENTS,
                f"{path}: there is no Patient and no Appointment in it (found: {found})",
                _EXPORT_AS,
                named=list(self._counts),
            )
        self._position = 0

    @property
    def name(self) -> str:
        """The file's name."""
        return self._path.name

    @property
    def header(self) -> Sequence[str]:
        """One column: a row of the file is a resource."""
        return ["resource"]

    @property
    def reading(self) -> Reading:
        """The format, and how many there are of what is read."""
        counts = {kind: self._counts[kind] for kind in self._passes()}
        return Reading(layout=Layout(format=FileFormat.NDJSON, resources=counts))

    @property
    def description(self) -> str:
        """The same as a line."""
        return self.reading.in_words

    @property
    def understood(self) -> dict[str, str]:
        """The elements that stand in the file and are read: element to the register's column."""
        known = fhir_patient.COLUMNS | fhir_appointment.COLUMNS
        return {element: known[element] for element in self._elements if element in known}

    @property
    def ignored(self) -> Sequence[str]:
        """The elements that nothing is read from, and the other resources with their number."""
        silent = {f"{kind}.{each}" for kind in self._readers for each in _ABOUT_ITSELF}
        elements = [each for each in self._elements if each not in {*self.understood, *silent}]
        others = [
            f"{kind} ({count:,})"
            for kind, count in self._counts.items()
            if kind not in self._readers
        ]
        return [*elements, *others]

    @property
    def size(self) -> int:
        """Bytes, once for each kind of resource that is read."""
        return self._stamp[0] * len(self._passes())

    @property
    def position(self) -> int:
        """Bytes that have been read."""
        return self._position

    def rows(self) -> Iterator[ReadRow]:
        """Yield the patients, then the appointments; memory stays flat.

        Raises:
            Refusal: The file has changed since it was looked through.
        """
        if _stamp(self._path) != self._stamp:
            raise Refusal(f"{self._path}: it was changed meanwhile", "Run the import again.")
        self._position = 0
        for kind in self._passes():
            for line, resource, text in self._resources():
                if resource["resourceType"] == kind:
                    yield ReadRow(line, [text], self._said(kind, resource))

    def _passes(self) -> list[str]:
        return [kind for kind in self._readers if self._counts[kind]]

    def _said(self, kind: str, resource: _Resource) -> RegisterRow | BadCell:
        try:
            _check(kind, resource)
            return self._readers[kind](resource)
        except BadCell as bad:
            return bad

    def _resources(self) -> Iterator[tuple[int, _Resource, str]]:
        with self._path.open("rb") as file:
            for line, raw in enumerate(_lines(file, self._path), start=1):
                self._position += len(raw)
                try:
                    text = raw.decode("utf-8-sig" if line == 1 else "utf-8").strip()
                except UnicodeDecodeError:
                    raise FileRefusal(
                        FileProblem.NOT_IN_ENCODING,
                        f"{self._path}:{line}: not UTF-8 text",
                        _EXPORT_AS,
                        line=line,
                        named=["UTF-8"],
                    ) from None
                if text:
                    yield line, _resource(text, self._path, line), text


def _lines(file: IO[bytes], path: Path) -> Iterator[bytes]:
    line = 1
    while raw := file.readline(_LONGEST_LINE + 1):
        if len(raw) > _LONGEST_LINE:
            raise FileRefusal(
                FileProblem.BROKEN_ROW,
                f"{path}:{line}: a line of more than 4 MiB",
                _EXPORT_AS,
                line=line,
            )
        yield raw
        line += 1


def _resource(text: str, path: Path, line: int) -> _Resource:
    def refusal(problem: str) -> FileRefusal:
        return FileRefusal(
            FileProblem.BROKEN_ROW, f"{path}:{line}: {problem}", _EXPORT_AS, line=line
        )

    try:
        resource = json.loads(text, object_pairs_hook=_without_nulls)
    except (ValueError, RecursionError) as error:
        problem = error.msg if isinstance(error, json.JSONDecodeError) else "it can't be read"
        raise refusal(f"not a line of JSON: {problem}") from None
    if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
        raise refusal("not a FHIR resource: it has no `resourceType`")
    return resource


def _without_nulls(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """FHIR has no null but in lists (json.html#null); an element that has one says nothing."""
    return {name: value for name, value in pairs if value is not None}


def _check(kind: str, resource: _Resource) -> None:
    """Check a resource against the standard.

    Raises:
        BadCell: Its first element that is wrong, and why.
    """
    try:
        _model(kind).model_validate(resource)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        path = "".join(f"[{at}]" if isinstance(at, int) else f".{at}" for at in first["loc"])
        raise BadCell(f"{kind}{path}", _forbidden(first["type"], first["msg"])) from None


def _forbidden(rule: str, message: str) -> Reason:
    """Return a reason for what pydantic reports: the rule that was broken, and its words."""
    said = message.removeprefix("Value error, ")
    match rule:
        case "missing":
            return Reason(CellProblem.MISSING, said)
        case "extra_forbidden":
            return Reason(CellProblem.NO_ELEMENT, said)
        case _:
            return Reason(CellProblem.NOT_FHIR, said, said)


def _model(kind: str) -> type[BaseModel]:
    # these two are the same in R4 and R4B; loaded only by those who import FHIR: it takes a while
    if kind == "Patient":
        from fhir.resources.R4B.patient import Patient  # noqa: PLC0415

        return Patient
    from fhir.resources.R4B.appointment import Appointment  # noqa: PLC0415

    return Appointment


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError as error:
        raise Refusal(f"{path}: {error.strerror}") from None
    return found.st_size, found.st_mtime_ns
