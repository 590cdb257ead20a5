"""A FHIR `Patient`, read into what the register knows."""

from collections.abc import Iterable
from datetime import date
from zoneinfo import ZoneInfo

from clinic.plain_text import legible
from clinic.register.standing import PatientStatus
from clinic.register_import.cell import quoted
from clinic.register_import.cell_problem import CellProblem, Reason
from clinic.register_import.closed_lists import UNKNOWN, listed
from clinic.register_import.dates import DateReader
from clinic.register_import.fhir_element import Element, codes, in_use, place
from clinic.register_import.fhir_telecom import TelecomReader
from clinic.register_import.national_id import read_national_id
from clinic.register_import.person_name import read_full_name
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


class PatientReader:
    """Reads patients that are valid FHIR.

    Args:
        country: ISO 3166 code of the clinic, for phones without a prefix and national ids.
        today: The clinic's day.
    """

    def __init__(self, *, country: str, today: date) -> None:
        self._country = country
        self._today = today
        self._telecom = TelecomReader(country=country, today=today)
        # a birth date has no zone
        self._dates = DateReader(zone=ZoneInfo("UTC"), today=today, order="ymd")

    def read(self, resource: Element) -> RegisterRow:
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
        row.district = _district(in_use(resource.get("address", []), self._today))
        self._read_language(row, resource.get("communication", []))
        row.provider = _provider(resource.get("generalPractitioner", []))
        self._read_guardian(row, resource.get("contact", []))
        return row

    def _read_identifiers(self, row: RegisterRow, resource: Element) -> None:
        own: list[str] = []
        for identifier in in_use(resource.get("identifier", []), self._today):
            value = legible(identifier.get("value", ""))
            if not value:
                continue
            types = codes([identifier.get("type") or {}])
            if types & _NATIONAL or any(code.startswith("NN") for code in types):
                try:
                    row.national_id = read_national_id(value, self._country)
                except ValueError as error:
                    row.unusable["national_id"] = Reason.of(error)
            else:
                own.append(value)
        row.external_id = resource.get("id") or next(iter(own), None)

    def _read_name(self, row: RegisterRow, resource: Element) -> None:
        names = [
            name
            for name in in_use(resource.get("name", []), self._today)
            if name.get("use") != "maiden"
        ]
        names.sort(key=lambda name: place(name.get("use"), ("official", "usual", None)))
        for name in names:
            first = legible(" ".join(filter(None, name.get("given", []))))
            last = legible(name.get("family", ""))
            if not first and (text := legible(name.get("text", ""))):
                first, last = read_full_name(text)
            if first or last:
                row.first_name, row.last_name = (first, last) if first else (last, "")
                return
        raise BadCell("Patient.name", Reason(CellProblem.MISSING, "is missing"))

    def _read_birth_date(self, row: RegisterRow, resource: Element) -> None:
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

    def _read_addresses(self, row: RegisterRow, telecom: Iterable[Element]) -> None:
        email, phones = self._telecom.read(telecom, row.unusable, "")
        row.email = email
        if phones:
            row.phone, row.phone_kind = phones[0].number, phones[0].kind
        if others := [phone.number for phone in phones if phone.number != row.phone]:
            row.other_phone = others[0]

    def _read_language(self, row: RegisterRow, communication: list[Element]) -> None:
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

    def _read_guardian(self, row: RegisterRow, contacts: list[Element]) -> None:
        contact = _guardian(
            in_use(contacts, self._today), is_minor=_is_minor(row.birth_date, self._today)
        )
        if contact is None:
            return
        name = contact.get("name") or {}
        full = " ".join([*filter(None, name.get("given", [])), name.get("family", "")])
        row.guardian_name = legible(full) or legible(name.get("text", "")) or None
        row.guardian_email, phones = self._telecom.read(
            contact.get("telecom", []), row.unusable, "guardian_"
        )
        row.guardian_phone = phones[0].number if phones else None


def _status(resource: Element) -> str | None:
    if resource.get("deceasedBoolean") or resource.get("deceasedDateTime"):
        return PatientStatus.DECEASED.value
    replaced = any(link.get("type") == "replaced-by" for link in resource.get("link", []))
    if replaced or resource.get("active") is False:
        return PatientStatus.INACTIVE.value
    return PatientStatus.ACTIVE.value if resource.get("active") else None


def _district(addresses: list[Element]) -> str | None:
    addresses.sort(key=lambda address: place(address.get("use"), ("home", None)))
    for address in addresses:
        if district := legible(address.get("district") or address.get("city") or ""):
            return district
    return None


def _provider(practitioners: list[Element]) -> str | None:
    shown = (legible(practitioner.get("display", "")) for practitioner in practitioners)
    return next(filter(None, shown), None)


def _guardian(contacts: list[Element], *, is_minor: bool) -> Element | None:
    """Return who answers for a child: a parent or guardian, else whoever may be family."""
    for contact in contacts:
        if codes(contact.get("relationship", [])) & _GUARDIANS:
            return contact
    if is_minor:
        for contact in contacts:
            if not codes(contact.get("relationship", [])) & _NO_FAMILY:
                return contact
    return None


def _is_minor(born: date | None, today: date) -> bool:
    if born is None:
        return False
    had_birthday = (today.month, today.day) >= (born.month, born.day)
    return today.year - born.year - (0 if had_birthday else 1) < _OF_AGE
