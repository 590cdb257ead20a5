"""A country's numbering plan, compiled once, for the many numbers written in the usual way."""

import re
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from phonenumbers import PhoneMetadata, PhoneNumberDesc, PhoneNumberType

_PUNCTUATION = str.maketrans("", "", " -.()")


class PlannedNumber(NamedTuple):
    """A number that exists in its country's plan: E.164, and a `PhoneNumberType`."""

    e164: str
    number_type: int


class NumberingPlan:
    """Answers what `phonenumbers` would, several times as fast, or nothing.

    `phonenumbers` reads any number that people write anywhere, and takes its time. Nearly all
    numbers of a clinic are of its own country, written with or without the prefix, and are a
    person's landline or mobile. For these the same patterns are tried here, and for nothing
    else: the caller asks `phonenumbers` where this gives None.

    Args:
        metadata: Of the country, from `phonenumbers`.
    """

    def __init__(self, metadata: PhoneMetadata) -> None:
        self._prefix = f"+{metadata.country_code}"
        self._any = _Pattern(metadata.general_desc)
        self._fixed_line = _Pattern(metadata.fixed_line)
        self._mobile = _Pattern(metadata.mobile)
        # whatever may be one of these needs a closer look
        self._is_special = _any_of(
            each.national_number_pattern if each else None
            for each in (
                metadata.premium_rate,
                metadata.toll_free,
                metadata.shared_cost,
                metadata.voip,
                metadata.personal_number,
                metadata.pager,
                metadata.uan,
                metadata.voicemail,
            )
        ).fullmatch
        self._is_one_kind = metadata.same_mobile_and_fixed_line_pattern
        self._dialled_first = _any_of(
            (metadata.international_prefix, metadata.national_prefix_for_parsing)
        ).match
        is_plain = metadata.national_prefix == metadata.national_prefix_for_parsing
        self._trunk = (metadata.national_prefix or "") if is_plain else ""

    def find(self, written: str) -> PlannedNumber | None:
        """Return the number, or None if it has to be read with more care."""
        digits = written.translate(_PUNCTUATION)
        if digits.startswith(self._prefix):
            digits = digits[len(self._prefix) :]
        elif self._trunk and digits.startswith(self._trunk):
            digits = digits[len(self._trunk) :]
        if not digits.isdecimal() or not digits.isascii() or self._dialled_first(digits):
            return None
        number_type = self._number_type(digits)
        if number_type is None:
            return None
        return PlannedNumber(f"{self._prefix}{digits}", number_type)

    def _number_type(self, digits: str) -> int | None:
        if self._is_special(digits) or not self._any.has(digits):
            return None
        if self._fixed_line.has(digits):
            if self._is_one_kind or self._mobile.has(digits):
                return PhoneNumberType.FIXED_LINE_OR_MOBILE
            return PhoneNumberType.FIXED_LINE
        return PhoneNumberType.MOBILE if self._mobile.has(digits) else None


@cache
def plan_of(country: str) -> NumberingPlan | None:
    """Return a country's plan; None for a country without one.

    Args:
        country: ISO 3166 code.
    """
    metadata = PhoneMetadata.metadata_for_region(country, None)
    return None if metadata is None else NumberingPlan(metadata)


def _any_of(patterns: Iterable[str | None]) -> "re.Pattern[str]":
    return re.compile("|".join(f"(?:{each})" for each in patterns if each) or r"(?!)")


class _Pattern:
    def __init__(self, described: PhoneNumberDesc | None) -> None:
        pattern = described and described.national_number_pattern
        self._matches = re.compile(pattern or r"(?!)").fullmatch
        self._lengths = frozenset(described.possible_length if described else ())

    def has(self, digits: str) -> bool:
        if self._lengths and len(digits) not in self._lengths:
            return False
        return self._matches(digits) is not None
