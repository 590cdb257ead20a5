"""Cells with phone numbers: several in one, remarks, extensions."""

import pytest

from clinic.register_import.phone_cell import read_phone_cell


def numbers(written: str, country: str) -> list[str]:
    return [phone.number for phone in read_phone_cell(written, country).phones]


@pytest.mark.parametrize(
    ("written", "country", "expected"),
    [
        ("305-555-0101", "US", ["+13055550101"]),
        ("305-555-0101 / 305-555-0102", "US", ["+13055550101", "+13055550102"]),
        ("305-555-0101; 305-555-0102", "US", ["+13055550101", "+13055550102"]),
        ("305-555-0101 305-555-0102", "US", ["+13055550101", "+13055550102"]),
        ("305-555-0101 y 305-555-0102", "US", ["+13055550101", "+13055550102"]),
        ("305-555-0101, 305-555-0101", "US", ["+13055550101"]),
        ("8 (912) 345-67-89, 8 (499) 123-45-67", "RU", ["+79123456789", "+74991234567"]),
        ("305-555-0144 (mamá)", "US", ["+13055550144"]),
        ("casa 305-555-0144", "US", ["+13055550144"]),
        ("305-555-0144 call her husband", "US", ["+13055550144"]),
        ("+7 912 345-67-89 мама", "RU", ["+79123456789"]),
    ],
)
def test_every_number_of_a_cell_is_found(written: str, country: str, expected: list[str]) -> None:
    assert numbers(written, country) == expected
    assert read_phone_cell(written, country).problem == ""


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("12345", "not a phone number that exists"),
        ("husband", "not a phone number"),
        ("3.05555E+09", "a spreadsheet rounded it to `3.05555E+09`"),
        ("900-555-0199", "a number at a premium rate is nobody's own"),
        ("1" * 251, "too long for a phone number"),
    ],
)
def test_a_cell_without_a_usable_number_says_why(written: str, said: str) -> None:
    cell = read_phone_cell(written, "US")
    assert cell.phones == ()
    assert cell.problem.startswith(said)


def test_digits_that_are_no_number_are_not_lost_silently() -> None:
    cell = read_phone_cell("305-555-0101/2", "US")
    assert [phone.number for phone in cell.phones] == ["+13055550101"]
    assert cell.problem == "`/2` is not a phone number; +13055550101 was kept"


def test_an_extension_is_of_a_switchboard_which_takes_no_messages() -> None:
    [phone], problem = read_phone_cell("305-555-0144 ext 12", "US")
    assert (phone.number, phone.kind) == ("+13055550144", "landline")
    assert problem == "extension 12 was left out: whoever calls has to ask for it"
