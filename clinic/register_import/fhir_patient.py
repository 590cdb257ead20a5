"""A FHIR `Patient`, read into what the register knows."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from clinic.plain_text import legible
from clinic.register.address import Phone, read_email
from clinic.register.standing import PatientStatus
from clinic.register_import.cell import quoted
from clinic.register_import.cell_problem import CellProblem, Reason
from clinic.register_import.closed_lists import UNKNOWN, listed
from clinic.register_import.dates import DateReader
from clinic.register_import.national_id import read_national_id
from clinic.register_import.person_name import read_full_name
from clinic.register_import.phone_cell import read_phone_cell
from clinic.register_import.register_row import BadCell, RegisterRow

COLUMNS = {
    "Patient.id": "patient_id",
    "Patient.identifier": "patient_id, national_id",
    "Patient.name": "name",
    "Patient.telecom": "email, phone",
    "Patient.gender": "sex",
    "Patient.birthDate": "birth_date",
    "Patient.deceasedBoolean": "status",
    "Patient.deceasedDateTime": "status",
    "Patient.active": "status",
    "Patient.link": "status",
    "Patient.address": "district",
    "Patient.communication": "language",
    "Patient.contact": "guardian",
    "Patient.generalPractitioner": "provider",
}
"""The elements that are read, with the register's column."""

_NATIONAL = frozenset({"NI", "NNxxx", "SS", "TAX"})
"""Identifier types of persons (HL7 v2 table 0203); NN with a country's code is one too."""

_GUARDIANS = frozenset(
    {"GUARD", "PRN", "PRNFOST", "PRNINLAW", "STPPRN", "MTH", "FTH", "NMTH", "NFTH"}
)
"""Relationships (HL7 v3 RoleCode) of those who answer for a child."""

_NO_FAMILY = frozenset({"E", "I", "F", "S", "BP"})
"""Contacts who are an employer, an insurer, an authority or a payer (HL7 v2 table 0131)."""

_OF_AGE = 18  # years
_LAST = 1_000_000
"""The rank of an address that has none: behind all that have one."""

_Element = Mapping[str, Any]


class PatientReader:
    """Reads patients that are valid FHIR.

    Args:
        country: ISO 3166 code of the clinic, for phones without a prefix and national ids.
        today: The clinic's day.
    """

    def __init__(self, *, country: str, today: date) -> None:
        self._country = country
        self._today = today
        # a birth date has no zone
        self._dates = DateReader(zone=ZoneInfo("UTC"), today=today, order="ymd")

    def read(self, resource: _Element) -> RegisterRow:
        """Read a patient; appointments refer to them by `id`, so this is their number.

        Raises:
            BadCell: They have no name, or were born in the future.
        """
        row = RegisterRow()
        self._read_identifiers(row, resource)
        self._read_name(row, resource)
        self._read_birth_date(row, resource)
        self._read_addresses(row, resource.get("telecom", []))
        sex = listed("sex", resource.get("gender", UNKNOWN))
        row.sex = None if sex == UNKNOWN else sex
        row.status = _status(resource)
        row.district = _district(self._in_use(resource.get("address", [])))
        self._read_language(row, resource.get("communication", []))
        row.provider = _provider(resource.get("generalPractitioner", []))
        self._read_guardian(row, resource.get("contact", []))
        return row

    def _read_identifiers(self, row: RegisterRow, resource: _Element) -> None:
        own: list[str] = []
        for identifier in self._in_use(resource.get("identifier", [])):
            value = legible(identifier.get("value", ""))
            if not value:
                continue
            codes = _codes([identifier.get("type") or {}])
            if codes & _NATIONAL or any(code.startswith("NN") for code in codes):
                try:
                    row.national_id = read_national_id(value, self._country)
                except ValueError as error:
                    row.unusable["national_id"] = Reason.of(error)
            else:
                own.append(value)
        row.external_id = resource.get("id") or next(iter(own), None)

    def _read_name(self, row: RegisterRow, resource: _Element) -> None:
        names = [
            name for name in self._in_use(resource.get("name", [])) if name.get("use") != "maiden"
        ]
        names.sort(key=lambda name: _place(name.get("use"), ("official", "usual", None)))
        for name in names:
            first = legible(" ".join(filter(None, name.get("given", []))))
            last = legible(name.get("family", ""))
            if not first and (text := legible(name.get("text", ""))):
                first, last = read_full_name(text)
            if first or last:
                row.first_name, row.last_name = (first, last) if first else (last, "")
                return
        raise BadCell("Patient.name", Reason(CellProblem.MISSING, "is missing"))

    def _read_birth_date(self, row: RegisterRow, resource: _Element) -> None:
        if "birthDate" not in resource:
            return
        written = resource["birthDate"]
        if not isinstance(written, str):  # pydantic takes a number for a date too
            no_date = Reason(CellProblem.NO_DATE, f"`{written}` is no date", written, "1980-02-28")
            raise BadCell("Patient.birthDate", no_date)
        if len(written) < len("2026-02-28"):
            said = f"`{written}` is no whole date"
            row.unusable["birth_date"] = Reason(CellProblem.NO_WHOLE_DATE, said, written)
            return
        try:
            row.birth_date = self._dates.birth_date(written)
        except ValueError as error:
            raise BadCell("Patient.birthDate", Reason.of(error)) from None

    def _read_addresses(self, row: RegisterRow, telecom: Iterable[_Element]) -> None:
        email, phones = self._addresses(telecom, row.unusable, "")
        row.email = email
        if phones:
            row.phone, row.phone_kind = phones[0].number, phones[0].kind
        if others := [phone.number for phone in phones if phone.number != row.phone]:
            row.other_phone = others[0]

    def _read_language(self, row: RegisterRow, communication: list[_Element]) -> None:
        words: list[str] = []
        for spoken in sorted(communication, key=lambda each: not each.get("preferred")):
            concept = spoken.get("language", {})
            tags = [coding.get("code", "") for coding in concept.get("coding", [])]
            words += filter(None, [*tags, concept.get("text")])
        known = (listed("language", word.partition("-")[0]) for word in words)
        row.language = next(filter(None, known), None)
        if words and row.language is None:
            said = f"{quoted(words[0])} is not known"
            row.unusable["language"] = Reason(CellProblem.UNKNOWN_WORD, said, words[0])

    def _read_guardian(self, row: RegisterRow, contacts: list[_Element]) -> None:
        contact = _guardian(self._in_use(contacts), is_minor=_is_minor(row.birth_date, self._today))
        if contact is None:
            return
        name = contact.get("name") or {}
        full = " ".join([*filter(None, name.get("given", [])), name.get("family", "")])
        row.guardian_name = legible(full) or legible(name.get("text", "")) or None
        row.guardian_email, phones = self._addresses(
            contact.get("telecom", []), row.unusable, "guardian_"
        )
        row.guardian_phone = phones[0].number if phones else None

    def _addresses(
        self, telecom: Iterable[_Element], unusable: dict[str, str], prefix: str
    ) -> tuple[str | None, list[Phone]]:
        """Return the best email and the phones, the best to write to first."""
        email: str | None = None
        phones: list[tuple[bool, Phone]] = []
        points = sorted(self._in_use(telecom), key=lambda point: point.get("rank", _LAST))
        for point in points:
            value = legible(point.get("value", ""))
            if not value:
                continue
            if point.get("system") == "email" and email is None:
                try:
                    email = read_email(value.removeprefix("mailto:"))
                except ValueError as error:
                    unusable[f"{prefix}email"] = Reason(CellProblem.NO_EMAIL, str(error), value)
            elif point.get("system") in ("phone", "sms"):
                found, problem = read_phone_cell(value.removeprefix("tel:"), self._country)
                is_mobile = point.get("use") == "mobile" or point["system"] == "sms"
                phones += [(is_mobile, phone) for phone in found]
                if problem:
                    unusable[f"{prefix}phone"] = problem
        known = [
            phone._replace(kind="mobile") if is_mobile and phone.kind == "unknown" else phone
            for is_mobile, phone in phones
        ]
        known.sort(key=lambda phone: _place(phone.kind, ("mobile", "unknown", "landline")))
        return email, known

    def _in_use(self, elements: Iterable[_Element]) -> list[_Element]:
        return [
            element
            for element in elements
            if element.get("use") != "old" and not self._has_ended(element.get("period") or {})
        ]

    def _has_ended(self, period: _Element) -> bool:
        end = str(period.get("end", ""))
        return bool(end) and end[:10] < self._today.isoformat()[: len(end[:10])]


def _status(resource: _Element) -> str | None:
    if resource.get("deceasedBoolean") or resource.get("deceasedDateTime"):
        return PatientStatus.DECEASED.value
    replaced = any(link.get("type") == "replaced-by" for link in resource.get("link", []))
    if replaced or resource.get("active") is False:
        return PatientStatus.INACTIVE.value
    return PatientStatus.ACTIVE.value if resource.get("active") else None


def _district(addresses: list[_Element]) -> str | None:
    addresses.sort(key=lambda address: _place(address.get("use"), ("home", None)))
    for address in addresses:
        if district := legible(address.get("district") or address.get("city") or ""):
            return district
    return None


def _provider(practitioners: list[_Element]) -> str | None:
    shown = (legible(practitioner.get("display", "")) for practitioner in practitioners)
    return next(filter(None, shown), None)


def _guardian(contacts: list[_Element], *, is_minor: bool) -> _Element | None:
    """Return who answers for a child: a parent or guardian, else whoever may be family."""
    for contact in contacts:
        if _codes(contact.get("relationship", [])) & _GUARDIANS:
            return contact
    if is_minor:
        for contact in contacts:
            if not _codes(contact.get("relationship", [])) & _NO_FAMILY:
                return contact
    return None


def _is_minor(born: date | None, today: date) -> bool:
    if born is None:
        return False
    had_birthday = (today.month, today.day) >= (born.month, born.day)
    return today.year - born.year - (0 if had_birthday else 1) < _OF_AGE


def _codes(concepts: Iterable[_Element]) -> set[str]:
    return {
        coding["code"]
        for concept in concepts
        for coding in concept.get("coding", [])
        if "code" in coding
    }


def _place(value: str | None, order: tuple[str | None, ...]) -> int:
    return order.index(value) if value in order else len(order)
