"""Addresses: how a patient's email and phone are read, hashed and compared."""

import hashlib
import hmac

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from pydantic import SecretStr


def read_email(written: str) -> str:
    """Return an email address in its normal form.

    Raises:
        ValueError: It is not an address mail could be sent to (syntax only; no DNS).
    """
    try:
        return validate_email(written, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise ValueError(str(error)) from None


def read_phone(written: str, country: str) -> str:
    """Return a phone number as E.164.

    Args:
        written: As the front desk wrote it.
        country: ISO 3166 code, for numbers without a country prefix.

    Raises:
        ValueError: It is no number that exists in its country's plan.
    """
    try:
        number = phonenumbers.parse(written, country)
    except phonenumbers.NumberParseException:
        raise ValueError("not a phone number") from None
    if not phonenumbers.is_valid_number(number):
        raise ValueError(f"not a phone number that exists (read as one of {country})")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def address_hash(key: SecretStr, address: str) -> str:
    """Return the keyed hash under which an address is suppressed or claimed.

    Without the key, nobody can find out which address stands behind it.
    """
    secret = key.get_secret_value().encode()
    return hmac.new(secret, address.casefold().encode(), hashlib.sha256).hexdigest()
