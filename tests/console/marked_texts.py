"""Which words of a page no catalog has: they show on a page whose translations are marked.

Spanish stands in for every language: what goes through its catalog goes through all of them, and
`test_translations.py` knows that none has a gap.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from babel import Locale
from babel.messages.pofile import read_po, write_po
from playwright.async_api import Page
from sqlalchemy import select

from clinic.clinic import Clinic
from clinic.tables import Account, Call, Campaign, Event, ImportRun, Patient, Visit
from console import translations
from console.patient.texts import LANGUAGE_NAMES

LANGUAGE = "es"
_OPENS, _CLOSES = "⟦", "⟧"
_INNERMOST = re.compile(f"{_OPENS}[^{_OPENS}{_CLOSES}]*{_CLOSES}")
_WORD = re.compile(r"[^\W\d_]{2,}")

_FREE_WORDS = (
    Account.name,
    Call.note,
    Campaign.name,
    Campaign.segment,
    Event.body,
    ImportRun.file_name,
    Patient.external_id,
    Patient.first_name,
    Patient.last_name,
    Patient.national_id,
    Patient.occupation,
    Patient.district,
    Patient.email,
    Patient.insurance,
    Patient.provider,
    Patient.guardian_name,
    Patient.guardian_email,
    Visit.treatment,
)
"""Columns with words that people wrote, which no catalog can have."""

_SHOWN = """() => {
  const ours = (element) => !element.closest("script, style, template, kbd, body [lang]");
  const said = [document.title];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode())
    if (ours(walker.currentNode.parentElement)) said.push(walker.currentNode.data);
  for (const element of document.body.querySelectorAll("*")) {
    if (!ours(element)) continue;
    for (const name of ["aria-label", "aria-description", "title", "placeholder", "alt"])
      if (element.hasAttribute(name)) said.push(element.getAttribute(name));
    if (element.matches("input[type=submit], input[type=button]")) said.push(element.value);
  }
  return said;
}"""
"""All that a page says itself: what bears a language of its own is for patients, or a name."""


@contextmanager
def marked_catalog(folder: Path) -> Iterator[None]:
    """Show every page in translations that are marked, until the block is left.

    Args:
        folder: An empty one, for the catalog.
    """
    with translations.catalog_file(LANGUAGE).open("rb") as file:
        catalog = read_po(file, locale=LANGUAGE)
    for message in catalog:
        if message.id:
            message.string = _marked(message.string)
    marked = folder / LANGUAGE / "LC_MESSAGES" / f"{translations.DOMAIN}.po"
    marked.parent.mkdir(parents=True)
    with marked.open("wb") as file:
        write_po(file, catalog)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(translations, "CATALOGS", folder)
        _forget_pages()
        yield
    _forget_pages()


async def untranslated(page: Page, clinic: Clinic) -> list[str]:
    """Return the words that a page says by itself: neither a catalog's, nor a date's, nor data.

    Args:
        page: Opened in `LANGUAGE`, with its catalog marked.
        clinic: Whose data it may show.
    """
    assert await page.evaluate("document.documentElement.lang") == LANGUAGE
    data = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, await _data(clinic)))})(?!\w)")
    known = _words_of_dates()
    # a translated text may stand in several elements, so that a number in it is bold
    said = _without_marked("\n".join(await page.evaluate(_SHOWN)))
    return sorted(
        {word for word in _WORD.findall(data.sub(" ", said)) if word.casefold() not in known}
    )


def _marked(text: object) -> Any:
    """Mark a text, or each of its plurals."""
    if isinstance(text, str):
        return f"{_OPENS}{text}{_CLOSES}"
    assert isinstance(text, list | tuple)
    return [_marked(form) for form in text]


def _forget_pages() -> None:
    """Let the console read its catalogs and pages anew."""
    for name, module in list(sys.modules.items()):
        if name.startswith("console."):
            for value in vars(module).values():
                if hasattr(value, "cache_clear"):
                    value.cache_clear()


def _without_marked(said: str) -> str:
    # a translated text may hold another
    while (left := _INNERMOST.sub(" ", said)) != said:
        said = left
    return said


async def _data(clinic: Clinic) -> list[str]:
    """Return what people wrote and the clinic named, the longest first: one may hold another."""
    folder, profile = clinic.folder, clinic.profile
    found = {profile.name, profile.sms_name, profile.phone, *profile.feedback_incentive.values()}
    for kind in ("segments", "plans", "templates", "policies"):
        found |= set(folder.names(kind))
        headings = [folder.heading(kind, name) for name in folder.names(kind)]
        found |= {said.said(LANGUAGE).text for each in headings for _, said in each}
    found |= set(LANGUAGE_NAMES.values())
    async with clinic.database.reading() as session:
        for column in _FREE_WORDS:
            found |= set(await session.scalars(select(column).distinct()))
    return sorted((words for words in found if words), key=len, reverse=True)


def _words_of_dates() -> frozenset[str]:
    """Return the words by which Babel writes days, months and money."""
    locale = Locale.parse(LANGUAGE)
    names = (
        name
        for table in (locale.days, locale.months)
        for widths in table.values()
        for names in widths.values()
        for name in names.values()
    )
    said = (*names, *locale.currency_symbols.values())
    return frozenset(word.casefold() for name in said for word in _WORD.findall(str(name)))
