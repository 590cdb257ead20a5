"""Addresses, patients' links, opaque ids, and the words that mean stop."""

import re

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import SecretStr

from clinic.identifiers import new_id
from clinic.link import LinkedMessage, PatientLinks
from clinic.register.address import address_hash, read_email, read_phone

KEY = SecretStr("a-secret-that-is-32-characters-long")
LINKS = PatientLinks(KEY, "https://aurora.example/")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param("Ana@EXAMPLE.com", "Ana@example.com", id="the host in small letters"),
        pytest.param("ana+teeth@example.com", "ana+teeth@example.com", id="a plus"),
    ],
)
def test_an_email_is_brought_to_its_normal_form(written: str, expected: str) -> None:
    assert expected == read_email(written)


@pytest.mark.parametrize("written", ["", "ana", "ana@", "@example.com", "a b@example.com", "a@b@c"])
def test_what_is_no_email_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_email(written)


@given(
    local_part=st.text("abzAZ09._+-@ é", max_size=70),
    domain=st.sampled_from(["example.com", "EXAMPLE.net", "münchen.example.org", "x", "a..b", ""]),
)
@example(local_part="a" * 64, domain="example.com")
@example(local_part="a" * 65, domain="example.com")
@example(local_part="a" * 60, domain=f"{'b' * 60}.{'c' * 60}.{'d' * 60}.example.com")
@example(local_part="postmaster", domain="example.com")
def test_the_short_way_of_reading_an_email_changes_nothing(local_part: str, domain: str) -> None:
    written = f"{local_part}@{domain}"
    try:
        expected = validate_email(written, check_deliverability=False).normalized
    except EmailNotValidError:
        with pytest.raises(ValueError, match=r".+"):
            read_email(written)
    else:
        assert expected == read_email(written)


@pytest.mark.parametrize(
    ("written", "country", "expected", "kind"),
    [
        pytest.param("(305) 555-0144", "US", "+13055550144", "unknown", id="United States"),
        pytest.param("8 (912) 345-67-89", "RU", "+79123456789", "mobile", id="Russia, by its 8"),
        pytest.param("8 (499) 123-45-67", "RU", "+74991234567", "landline", id="a landline"),
        pytest.param("612 345 678", "ES", "+34612345678", "mobile", id="Spain"),
        pytest.param("+34 612 345 678", "US", "+34612345678", "mobile", id="a prefix wins"),
        pytest.param("300 1234567", "CO", "+573001234567", "mobile", id="Colombia"),
        pytest.param(
            "11 15 2345-6789", "AR", "+5491123456789", "mobile", id="Argentina, by its 15"
        ),
        pytest.param("8 800 555 35 35", "RU", "+78005553535", "landline", id="free of charge"),
        pytest.param("+52 1 55 1234 5678", "MX", "+525512345678", "unknown", id="Mexico, old"),
        pytest.param("+521 55 1234 5678", "US", "+525512345678", "unknown", id="Mexico, abroad"),
        pytest.param("52 1 (55) 1234-5678", "MX", "+525512345678", "unknown", id="Mexico, no plus"),
        pytest.param("044 55 1234 5678", "MX", "+525512345678", "unknown", id="Mexico, by its 044"),
        pytest.param("55 1234 5678", "MX", "+525512345678", "unknown", id="Mexico"),
    ],
)
def test_a_phone_is_read_in_its_country(
    written: str, country: str, expected: str, kind: str
) -> None:
    assert read_phone(written, country) == (expected, kind, None)


def test_an_extension_is_kept_apart_and_its_switchboard_takes_no_messages() -> None:
    assert read_phone("305-555-0144 ext. 12", "US") == ("+13055550144", "landline", "12")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        pytest.param("ask Ana", "not a phone number", id="words"),
        pytest.param("12", "exists (read as one of US)", id="too short"),
        pytest.param("+1 305 555", "exists (read as one of US)", id="half a number"),
        pytest.param("+52 1 33 1234", "exists (read as one of US)", id="half a Mexican number"),
        pytest.param("900-555-0144", "premium rate", id="a premium rate"),
    ],
)
def test_what_is_no_phone_is_refused(written: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        read_phone(written, "US")


def test_an_address_hash_knows_no_case_and_tells_nothing_without_the_key() -> None:
    hashed = address_hash(KEY, "Ana@Example.com")
    assert hashed == address_hash(KEY, "ana@example.com")
    assert hashed != address_hash(SecretStr("another-secret-of-32-characters!"), "ana@example.com")
    assert hashed != address_hash(KEY, "eva@example.com")
    assert re.fullmatch(r"[0-9a-f]{64}", hashed)


def test_a_link_leads_back_to_its_message() -> None:
    link = LINKS.link_to("at-5f0c9a3e1b7d2c48", 12)
    assert link.startswith("https://aurora.example/p/at-5f0c9a3e1b7d2c48.12.")
    token = link.removeprefix("https://aurora.example/p/")
    assert LinkedMessage("at-5f0c9a3e1b7d2c48", 12) == LINKS.read(token)
    assert f"{link}/stop" == LINKS.stop_url("at-5f0c9a3e1b7d2c48", 12)


def test_every_message_has_its_own_link() -> None:
    links = {LINKS.link_to(f"at-{attempt}", step) for attempt in "ab" for step in range(3)}
    assert len(links) == 6


@pytest.mark.parametrize(
    "made_up",
    ["", "at-1.0", "at-1.0.signature", "at-1", "....", "at-1.0.x.y", "ж", "a" * 5000],
    ids=lambda token: token[:12] or "empty",
)
def test_a_link_nobody_made_leads_nowhere(made_up: str) -> None:
    assert LINKS.read(made_up) is None


def test_a_link_that_was_changed_leads_nowhere() -> None:
    token = LINKS.link_to("at-1", 0).removeprefix("https://aurora.example/p/")
    assert LINKS.read(token.replace("at-1", "at-2")) is None
    assert LINKS.read(token.replace(".0.", ".1.")) is None
    assert LINKS.read(token[:-1]) is None


def test_a_link_of_another_key_leads_nowhere() -> None:
    other = PatientLinks(SecretStr("another-secret-of-32-characters!"), "https://aurora.example")
    assert LINKS.read(other.link_to("at-1", 0).removeprefix("https://aurora.example/p/")) is None


def test_ids_are_opaque_and_never_the_same() -> None:
    ids = {new_id("pt") for _ in range(1000)}
    assert len(ids) == 1000
    assert all(re.fullmatch(r"pt-[0-9a-f]{16}", each) for each in ids)
