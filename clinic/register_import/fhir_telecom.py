"""FHIR's contact points: where somebody is written to and called."""

from collections.abc import Iterable
from datetime import date

from clinic.plain_text import legible
from clinic.register.address import Phone, read_email
from clinic.register_import.cell_problem import CellProblem, Reason
from clinic.register_import.fhir_element import Element, in_use, place
from clinic.register_import.phone_cell import read_phone_cell

_LAST = 1_000_000
"""The rank of an address that has none: behind all that have one."""


class TelecomReader:
    """Reads the contact points of patients, and of those who answer for them.

    Args:
        country: ISO 3166 code of the clinic, for phones without a prefix.
        today: The clinic's day.
    """

    def __init__(self, *, country: str, today: date) -> None:
        self._country = country
        self._today = today

    def read(
        self, telecom: Iterable[Element], unusable: dict[str, str], prefix: str
    ) -> tuple[str | None, list[Phone]]:
        """Return the best email and the phones, the best to write to first.

        Args:
            telecom: The contact points.
            unusable: Takes the columns that could not be used, and why.
            prefix: Of those columns: empty for the patient's own.
        """
        email: str | None = None
        phones: list[tuple[bool, Phone]] = []
        points = sorted(in_use(telecom, self._today), key=lambda point: point.get("rank", _LAST))
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
        known.sort(key=lambda phone: place(phone.kind, ("mobile", "unknown", "landline")))
        return email, known
