"""The pages that staff see: rendered for their language, with what they may do and no more."""

from functools import cache
from pathlib import Path
from typing import NamedTuple

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from clinic.accounts import Role
from console.doors.sessions import Visitor
from console.patient.texts import LANGUAGE_NAMES
from console.reader import Reader
from console.staff_formats import formats
from console.staff_words import N_
from console.translations import translations

_PAGES = Path(__file__).with_name("pages") / "staff"


class Section(NamedTuple):
    """A part of the console that the top of every page leads to.

    Attributes:
        path: Where it begins.
        title: To be translated.
        role: Who may go there, and whoever may more.
    """

    path: str
    title: str
    role: Role


SECTIONS = (
    Section("/calls", N_("Call list"), Role.STAFF),
    Section("/campaigns", N_("Campaigns"), Role.OPS),
    Section("/results", N_("Results"), Role.OPS),
    Section("/register", N_("Register"), Role.STAFF),
)
"""In the order in which they are shown."""

_SAYS = {
    400: N_("We could not read what was sent. Please go back and try again."),
    401: N_("You are signed out. Sign in, then do it again: nothing was changed."),
    403: N_(
        "This is not open to you. If you have just signed in or out in another window, open "
        "the page again. If you should see it, ask whoever runs the console."
    ),
    404: N_("There is no such page. The address may be incomplete, or the page may be gone."),
    405: N_("A page can't be opened in this way. Please go back and use its buttons."),
    408: N_("What was sent did not arrive in time. Please try again."),
    413: N_("What was sent is too large for us. Please try again with less."),
    422: N_("We could not read what was sent. Please go back and try again."),
    429: N_("That was too often in a short time. Please wait a few minutes and try again."),
}
_BROKEN = N_("Something broke on our side. Please try again in a while.")


def render(reader: Reader, name: str, /, *, status: int = 200, **values: object) -> HTMLResponse:
    """Return a page.

    A page knows, besides its own values: `reader`, `visitor` (None where nobody is
    signed in), `sections` (those that the visitor may see), `language` and
    `language_names`.

    Args:
        reader: Who sees it.
        name: Of a template in `pages/staff`.
        status: Of the answer.
        values: What the template needs.
    """
    visitor = reader if isinstance(reader, Visitor) else None
    html = (
        _pages(reader.language)
        .get_template(name)
        .render(
            reader=reader,
            visitor=visitor,
            sections=[each for each in SECTIONS if visitor and visitor.may(each.role)],
            language=reader.language,
            language_names=LANGUAGE_NAMES,
            **values,
        )
    )
    return HTMLResponse(html, status)


def refusal_page(reader: Reader, status: int) -> HTMLResponse:
    """Return a refusal in words.

    Args:
        reader: Who asked.
        status: Of the answer.
    """
    broken = status >= 500  # noqa: PLR2004 - the server's own faults begin there
    said = _BROKEN if broken else _SAYS.get(status, _SAYS[400])
    return render(reader, "message.html", status=status, said=translated(reader, said))


def translated(reader: Reader, message: str) -> str:
    """Return a text, marked with `N_` where it stands, in its reader's language."""
    return translations(reader.language).gettext(message)


@cache
def _pages(language: str) -> Environment:
    pages = Environment(
        loader=FileSystemLoader(_PAGES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
        auto_reload=False,  # else each page looks for a change of each of its files
    )
    pages.policies["ext.i18n.trimmed"] = True
    pages.filters |= formats(language)
    # added by the extension, which mypy can't see
    pages.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
    return pages
