"""Addresses, patients' links, opaque ids, and the words that mean stop."""

import re

import pytest
from pydantic import SecretStr

from clinic.address import address_hash, read_email, read_phone
from clinic.identifiers import new_id
from clinic.link import LinkedMessage, PatientLinks
from clinic.opt_out_words import means_stop

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


@pytest.mark.parametrize(
    ("written", "country", "expected"),
    [
        pytest.param("(305) 555-0144", "US", "+13055550144", id="United States"),
        pytest.param("8 (912) 345-67-89", "RU", "+79123456789", id="Russia, by its 8"),
        pytest.param("612 345 678", "ES", "+34612345678", id="Spain"),
        pytest.param("+34 612 345 678", "US", "+34612345678", id="a prefix wins"),
        pytest.param("300 1234567", "CO", "+573001234567", id="Colombia"),
    ],
)
def test_a_phone_is_read_in_its_country(written: str, country: str, expected: str) -> None:
    assert expected == read_phone(written, country)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        pytest.param("ask Ana", "not a phone number", id="words"),
        pytest.param("12", "exists (read as one of US)", id="too short"),
        pytest.param("+1 305 555", "exists (read as one of US)", id="half a number"),
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


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        "stop",
        " Stop. ",
        "¡BAJA!",
        "Baja",
        "Cancelar suscripción",
        "NO MAS MENSAJES",
        "no más mensajes",
        "СТОП",
        "стоп!!!",
        "Не пишите мне больше",
        "отписаться",
        "Unsubscribe",
        "opt-out",
        "STOP ALL",
        "end",
        "revoke",
    ],
)
def test_one_of_the_words_alone_means_stop(text: str) -> None:
    assert means_stop(text)


@pytest.mark.parametrize(
    "text",
    [
        "Can you stop by?",
        "I can't stop thinking about it",
        "non-stop",
        "unstoppable",
        "restart",
        "start",
        "Baja California",
        "trabaja",
        "Estoy de baja, llámeme mañana",
        "the weekend",
        "Please cancel my Tuesday and book Friday",
        "стоп, а сколько стоит?",
        "",
        "   ",
        "?",
        "👍",
    ],
    ids=lambda text: text or "empty",
)
def test_a_word_within_a_sentence_does_not_mean_stop(text: str) -> None:
    assert not means_stop(text)
