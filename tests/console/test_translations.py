"""Every text that staff read is in every catalog, whole, and no other is."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages import Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po
from babel.support import Translations

from clinic.multilingual import LANGUAGES
from console import staff_view
from console.translations import CATALOGS, SOURCE_LANGUAGE, catalog_file, translations

CONSOLE = Path(staff_view.__file__).parent
OTHERS = sorted(set(LANGUAGES) - {SOURCE_LANGUAGE})
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[^ (%]|\{\w*\}")
TAG = re.compile(r"</?\w+>")
SAME_EVERYWHERE = {"SMS", "WhatsApp", "Email", "OK", "Enter", "Temporal", "normal"}
"""What a language may take as it is: names of things, of a key, and a word that Spanish has too."""
IN_FILES = {
    *("CSV", "TSV", "XLSX", "xls", "Excel", "FHIR", "NDJSON", "JSON", "XML", "PDF", "UTF", "YAML"),
    *("Patient", "Appointment", "date", "order", "dmy", "mdy", "values", "ignore"),
    *("clinic", "yaml", "costs"),
}
"""Kinds of files, and the words that stand in them, which are the same in every language."""


def extracted() -> set[str | tuple[str, ...]]:
    """Return what `make messages` finds in the code and the pages."""
    with (CONSOLE / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    found = extract_from_dir(CONSOLE, methods, options)
    return {message if isinstance(message, str) else tuple(message) for _, _, message, *_ in found}


def catalog(language: str) -> dict[str | tuple[str, ...], Message]:
    with catalog_file(language).open("rb") as file:
        messages = read_po(file, locale=language, abort_invalid=True)
    return {
        message.id if isinstance(message.id, str) else tuple(message.id): message
        for message in messages
        if message.id
    }


def forms(text: object) -> Iterator[str]:
    """Give a text, or its singular and plurals."""
    if isinstance(text, str):
        yield text
    else:
        assert isinstance(text, list | tuple)
        yield from text


def test_there_is_a_catalog_for_every_language() -> None:
    assert sorted(folder.name for folder in CATALOGS.iterdir()) == OTHERS


def test_texts_are_found_in_code_pages_and_plurals() -> None:
    found = extracted()
    assert {"Sign in", "Call list"} <= found
    assert any(isinstance(message, tuple) for message in found)


@pytest.mark.parametrize("language", OTHERS)
def test_a_catalog_has_every_text_and_none_left_over(language: str) -> None:
    held, found = set(catalog(language)), extracted()
    assert (found - held, held - found) == (set(), set()), "run `make messages` and translate"


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_translated_and_nobody_has_to_look_at_it_again(language: str) -> None:
    for text, message in catalog(language).items():
        assert not message.fuzzy, text
        assert all(each.strip() for each in forms(message.string)), text
        same = set(forms(text)) & set(forms(message.string))
        assert same <= SAME_EVERYWHERE, text


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_has_the_places_of_its_text_and_its_edges(language: str) -> None:
    for text, message in catalog(language).items():
        first = next(forms(text))
        for each in forms(message.string):
            assert sorted(PLACEHOLDER.findall(each)) == sorted(PLACEHOLDER.findall(first)), text
            assert each == each.strip(), text
            assert each[-1:] in ".:?!…" or first[-1:] not in ".:?!…", text


@pytest.mark.parametrize(("language", "plurals"), [("es", 2), ("ru", 3)])
def test_a_language_has_all_its_plurals(language: str, plurals: int) -> None:
    counted = [message for text, message in catalog(language).items() if isinstance(text, tuple)]
    assert counted
    assert {len(list(forms(message.string))) for message in counted} == {plurals}


@pytest.mark.parametrize(
    "page", sorted((CONSOLE / "pages" / "staff").glob("*.html")), ids=lambda page: page.name
)
def test_no_page_says_a_word_that_is_not_to_be_translated(page: Path) -> None:
    html = page.read_text(encoding="utf-8")
    translated = re.compile(r"{%-? *trans\b.*?endtrans *-?%}|{{.*?}}|{%.*?%}|{#.*?#}", re.DOTALL)
    left = translated.sub("", html)
    said = re.sub(r"<kbd\b.*?</kbd>|<[^>]*>", " ", left, flags=re.DOTALL)
    attributes = re.findall(r'\b(?:aria-label|title|placeholder|alt)="([^"]*)"', left)
    assert re.findall(r"[^\W\d_]+", f"{said} {' '.join(attributes)}") == []


def test_the_catalogs_are_what_pages_are_shown_in() -> None:
    spoken = {language: translations(language).gettext("Sign out") for language in LANGUAGES}
    assert spoken == {"es": "Salir", "ru": "Выйти", "en": "Sign out"}
    assert isinstance(translations("ru"), Translations)


def test_russian_is_written_in_russian() -> None:
    latin = re.compile(r"[A-Za-z]{2,}")
    for text, message in catalog("ru").items():
        for each in forms(message.string):
            left = latin.findall(TAG.sub("", PLACEHOLDER.sub("", each)))
            assert set(left) <= SAME_EVERYWHERE | IN_FILES, text
