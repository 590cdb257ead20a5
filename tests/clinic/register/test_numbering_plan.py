"""The short way of reading phone numbers: the same answer as the long one, or none."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from clinic.register.numbering_plan import plan_of

COUNTRIES = [
    "AR",
    "BR",
    "CL",
    "CO",
    "DE",
    "DO",
    "ES",
    "GB",
    "GG",
    "IT",
    "KZ",
    "MX",
    "PE",
    "RU",
    "US",
]


def by_phonenumbers(written: str, country: str) -> tuple[str, int] | None:
    try:
        number = phonenumbers.parse(written, country)
    except phonenumbers.NumberParseException:
        return None
    number_type = phonenumbers.number_type(number)
    if number_type == PhoneNumberType.UNKNOWN:
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164), number_type


@st.composite
def written_numbers(draw: st.DrawFn) -> tuple[str, str]:
    """A number of a country, at times with wrong digits, a prefix, or a digit too many."""
    country = draw(st.sampled_from(COUNTRIES))
    kind = draw(
        st.sampled_from(
            [PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE, PhoneNumberType.TOLL_FREE]
        )
    )
    example = phonenumbers.example_number_for_type(country, kind)
    digits = list(phonenumbers.national_significant_number(example)) if example else list("12345")
    for at, digit in draw(
        st.dictionaries(st.integers(0, len(digits) - 1), st.sampled_from("0123456789"), max_size=4)
    ).items():
        digits[at] = digit
    prefixes = [
        "",
        "",
        "+1",
        "+7 ",
        "+34",
        "0",
        "1",
        "8",
        "00",
        f"+{phonenumbers.country_code_for_region(country)} ",
    ]
    prefix, suffix = draw(st.sampled_from(prefixes)), draw(st.sampled_from(["", "", "", "0", "-5"]))
    mark = draw(st.sampled_from(["", " ", "-", ".", "/"]))
    return f"{prefix}{''.join(digits[:3])}{mark}{''.join(digits[3:])}{suffix}", country


@given(written_numbers())
def test_what_is_found_the_short_way_is_what_phonenumbers_finds(number: tuple[str, str]) -> None:
    written, country = number
    plan = plan_of(country)
    assert plan is not None
    found = plan.find(written)
    assert found is None or tuple(found) == by_phonenumbers(written, country)


@pytest.mark.parametrize(
    ("written", "country", "e164", "number_type"),
    [
        ("(305) 555-0144", "US", "+13055550144", PhoneNumberType.FIXED_LINE_OR_MOBILE),
        ("1-305-555-0144", "US", "+13055550144", PhoneNumberType.FIXED_LINE_OR_MOBILE),
        ("+7 912 345-67-89", "RU", "+79123456789", PhoneNumberType.MOBILE),
        ("8 (499) 123-45-67", "RU", "+74991234567", PhoneNumberType.FIXED_LINE),
        ("612 345 678", "ES", "+34612345678", PhoneNumberType.MOBILE),
        ("300 1234567", "CO", "+573001234567", PhoneNumberType.MOBILE),
    ],
)
def test_the_usual_ways_of_writing_are_short_ways(
    written: str, country: str, e164: str, number_type: int
) -> None:
    plan = plan_of(country)
    assert plan is not None
    assert plan.find(written) == (e164, number_type)


@pytest.mark.parametrize(
    "written", ["", "+", "12", "800-555-0144", "+34 612 345 678", "305-555-0144 x1", "³" * 10]
)
def test_the_rest_is_left_to_phonenumbers(written: str) -> None:
    plan = plan_of("US")
    assert plan is not None
    assert plan.find(written) is None


def test_no_country_has_no_plan() -> None:
    assert plan_of("XX") is None
