"""How a patient can be reached: at their own addresses, or a minor at the guardian's."""

from datetime import date, datetime
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from clinic.plain_text import name_key
from clinic.register.address import read_phone
from clinic.tables import Patient

_OF_AGE = 18
_NO_COUNTRY = "ZZ"  # E.164 says its own
LANDLINE = "landline"


class Contact(BaseModel):
    """How a patient can be reached, as the channels see it: a minor by the guardian's addresses.

    Attributes:
        email: Normal form; None where there is none.
        phone: E.164; None where there is none.
        phone_kind: `mobile`, `landline` or `unknown`.
        email_bad: The address is known not to work.
        phone_bad: The number is known not to be the patient's.
        sms_bad: The number takes no text messages; it may be called.
        for_guardian: The name of a minor's guardian, who reads in the patient's stead; empty
            where the register does not know it. None: the patient reads.
    """

    model_config = ConfigDict(frozen=True)

    email: str | None
    phone: str | None
    phone_kind: str | None = None
    email_bad: bool = False
    phone_bad: bool = False
    sms_bad: bool = False
    for_guardian: str | None = None


class Guardian(NamedTuple):
    """A patient whose number a minor's row names as the guardian's.

    Attributes:
        row: Of the register.
        silent: Nobody may write to them: they died, or want no message.
    """

    row: Patient
    silent: bool = False


def is_minor(patient: Patient, today: date) -> bool:
    """Whether a patient is under 18; who was born on 29 February comes of age on 1 March."""
    born = patient.birth_date
    if born is None:
        return False
    birthday_is_ahead = (today.month, today.day) < (born.month, born.day)
    return today.year - born.year - birthday_is_ahead < _OF_AGE


def contact_of(patient: Patient, guardian: Guardian | None, today: date) -> Contact:
    """Return how a patient can be reached.

    A minor's guardian is reached at the addresses that the minor's row gives for them, else at
    those of the guardian's own row, else at the minor's, where families write a parent's. What
    is refused is marked on the minor's row, whose attempt it is: the mark counts wherever the
    address stands. No address of a guardian is used to whom nobody may write, wherever it stands:
    those that the minor's row gives are theirs unless it names somebody else.

    Args:
        patient: The patient's row.
        guardian: The patient whose number the minor names as the guardian's; None: there is none.
        today: The clinic's day.
    """
    if not is_minor(patient, today):
        return _contact(patient)
    if guardian is None or not guardian.silent:
        return _of_minor(patient, guardian.row if guardian is not None else None)
    reads = _names_another(patient, guardian.row)
    contact = _of_minor(patient, None) if reads else _contact(patient)
    return _without(contact, guardian.row)


def _of_minor(patient: Patient, guardian: Patient | None) -> Contact:
    guardian_reads = patient.guardian_name or patient.guardian_email or patient.guardian_phone
    if guardian is None and not guardian_reads:
        return _contact(patient)
    email_of = guardian if guardian is not None and guardian.email else patient
    phone_of = guardian if guardian is not None and guardian.phone else patient
    contact = _contact(patient, email_of=email_of, phone_of=phone_of)
    name = patient.guardian_name or (_name(guardian) if guardian is not None else "")
    given: dict[str, object] = {"for_guardian": name}
    if patient.guardian_email:
        bad = patient.email_bad_at is not None
        given |= {"email": patient.guardian_email, "email_bad": bad}
    if patient.guardian_phone:
        kind = _kind(patient.guardian_phone)
        given |= {
            "phone": patient.guardian_phone,
            "phone_kind": kind,
            "phone_bad": patient.phone_bad_at is not None,
            "sms_bad": kind == LANDLINE or patient.sms_bad_at is not None,
        }
    return contact.model_copy(update=given)


def _names_another(patient: Patient, guardian: Patient) -> bool:
    """Whether a minor's row names a guardian who is not the patient whose number it gives."""
    named = name_key(patient.guardian_name or "", "")
    return named not in ("", name_key(guardian.first_name, guardian.last_name))


def _without(contact: Contact, guardian: Patient) -> Contact:
    """Take away the addresses that stand on a guardian's row."""
    theirs = {guardian.email, guardian.phone, guardian.other_phone}
    return contact.model_copy(
        update={
            name: None
            for name in ("email", "phone")
            if getattr(contact, name) is not None and getattr(contact, name) in theirs
        }
    )


def _contact(
    patient: Patient, *, email_of: Patient | None = None, phone_of: Patient | None = None
) -> Contact:
    by_email, by_phone = email_of or patient, phone_of or patient
    takes_no_sms = by_phone.phone_kind == LANDLINE or _any(patient.sms_bad_at, by_phone.sms_bad_at)
    return Contact(
        email=by_email.email,
        phone=by_phone.phone,
        phone_kind=by_phone.phone_kind,
        email_bad=_any(patient.email_bad_at, by_email.email_bad_at),
        phone_bad=_any(patient.phone_bad_at, by_phone.phone_bad_at),
        sms_bad=takes_no_sms,
    )


def _kind(phone: str) -> str:
    try:
        return read_phone(phone, _NO_COUNTRY).kind
    except ValueError:  # the country's plan has changed since it was imported
        return "unknown"


def _name(person: Patient) -> str:
    return f"{person.first_name} {person.last_name}".strip()


def _any(*marks: datetime | None) -> bool:
    return any(mark is not None for mark in marks)
