"""Addresses: how a patient's email and phone are read, hashed and compared."""

import hashlib
import hmac
import re
from functools import lru_cache
from typing import Literal, NamedTuple

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import PhoneNumberType
from pydantic import SecretStr

from clinic.register.numbering_plan import plan_of

PhoneKind = Literal["mobile", "landline", "unknown"]


class Phone(NamedTuple):
    """A phone number.

    Attributes:
        number: E.164, which has no place for an extension.
        kind: `landline` gets no SMS; `unknown` where the country's plan does not tell mobiles
            from landlines, as in the United States, may get one.
        extension: To dial once the switchboard has answered; None without one.
    """

    number: str
    kind: PhoneKind
    extension: str | None = None


def read_email(written: str) -> str:
    """Return an email address in its normal form.

    Raises:
        ValueError: It is not an address mail could be sent to (syntax only; no DNS).
    """
    local_part, _, domain = written.partition("@")
    try:
        if _PLAIN_LOCAL_PART.fullmatch(local_part) and len(written) <= _LONGEST_EMAIL:
            return f"{local_part}@{_domain(domain)}"
        return validate_email(written, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise ValueError(str(error)) from None


def read_phone(written: str, country: str) -> Phone:
    """Read a phone number.

    Args:
        written: As the front desk wrote it.
        country: ISO 3166 code, for numbers without a country prefix.

    Raises:
        ValueError: It is no number that exists in its country's plan, or one at a premium rate.
    """
    plan = plan_of(country)
    if plan and (planned := plan.find(written)):
        return Phone(planned.e164, _KINDS.get(planned.number_type, "unknown"))
    if country == "MX" or "52" in written[:4]:
        written = _OLD_MEXICAN_PREFIX.sub(r"\1", written)
    try:
        number = phonenumbers.parse(written, country)
    except phonenumbers.NumberParseException:
        raise ValueError("not a phone number") from None
    number_type = phonenumbers.number_type(number)  # of a number that is not valid: UNKNOWN
    if number_type == PhoneNumberType.UNKNOWN:
        raise ValueError(f"not a phone number that exists (read as one of {country})")
    if number_type in _DEAR:
        raise ValueError("a number at a premium rate is nobody's own")
    kind = "landline" if number.extension else _KINDS.get(number_type, "unknown")
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return Phone(e164, kind, number.extension)


def address_hash(key: SecretStr, address: str) -> str:
    """Return the keyed hash under which an address is suppressed or claimed.

    Without the key, nobody can find out which address stands behind it.
    """
    secret = key.get_secret_value().encode()
    return hmac.new(secret, address.casefold().encode(), hashlib.sha256).hexdigest()


_LONGEST_EMAIL = 254
"""RFC 5321, 4.5.3.1.3, as corrected by erratum 1690."""

_PLAIN_LOCAL_PART = re.compile(r"(?=.{1,64}$)[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*")
"""What is certainly right and its own normal form, so that only the domain has to be checked."""


@lru_cache(maxsize=4096)
def _domain(written: str) -> str:
    """Check a domain once: a register has thousands of addresses at a few of them."""
    return validate_email(f"a@{written}", check_deliverability=False).domain


_OLD_MEXICAN_PREFIX = re.compile(
    r"^\s*(?:(\+?52)[\s(-]*1[\s)-]*|04[45][\s-]*)(?=(?:\D*\d){10}\D*$)"
)
"""What was dialled before a Mexican mobile until August 2019; the numbering plan has no such 1."""

_DEAR = frozenset({PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST})
_KINDS: dict[int, PhoneKind] = {
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE: "landline",
    PhoneNumberType.TOLL_FREE: "landline",
    PhoneNumberType.UAN: "landline",
    PhoneNumberType.VOICEMAIL: "landline",
}
