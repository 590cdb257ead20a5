"""Who reads a page of the console, and in which language."""

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from clinic.clinic import Clinic
from clinic.folder import ClinicProfile
from clinic.multilingual import LANGUAGES
from clinic.tables import Account
from console.doors.own_path import own_path
from console.doors.page_behind import page_behind
from console.patient.view import language_accepted

_COOKIE = "regresa_language"
_KEPT = 365 * 24 * 3600
"""Seconds."""
_CHOICE = "lang"


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Somebody who looks at a page, signed in or not.

    Attributes:
        profile: The clinic's.
        language: `es`, `ru` or `en`.
        path: Of the page.
        page: Where a link leads that only adds a query: empty for a page that a GET opened,
            else the page whose form was sent.
    """

    profile: ClinicProfile
    language: str
    path: str
    page: str


class AnsweredAlready(Exception):
    """A request was answered before it came to its door.

    Args:
        answer: What it is answered.
    """

    def __init__(self, answer: Response) -> None:
        super().__init__()
        self.answer = answer


def reader_of(request: Request, profile: ClinicProfile) -> Reader:
    """Return who reads, where nobody has signed in."""
    return Reader(
        profile=profile,
        language=language_of(request, profile),
        path=request.scope["path"],
        page=page_of(request),
    )


def page_of(request: Request) -> str:
    """Return where a link leads that only adds a query; see `Reader.page`."""
    return "" if request.method == "GET" else page_behind(request)


def language_of(request: Request, profile: ClinicProfile, account: Account | None = None) -> str:
    """Return the language to speak.

    It is the one that was chosen in this browser, else the account's, else the one that the
    browser likes best, else the clinic's.
    """
    wished = (request.cookies.get(_COOKIE), account.language if account else None)
    chosen = next((each for each in wished if each in LANGUAGES), None)
    accepted = request.headers.get("accept-language", "")
    return chosen or language_accepted(accepted) or profile.language


def heed_choice(request: Request, clinic: Clinic) -> None:
    """Keep the language that a reader chooses by `?lang=`, and lead back to the same page.

    Raises:
        AnsweredAlready: One was chosen.
    """
    chosen = request.query_params.get(_CHOICE)
    if request.method != "GET" or chosen not in LANGUAGES:
        return
    rest = [pair for pair in request.query_params.multi_items() if pair[0] != _CHOICE]
    path = own_path(quote(request.scope["path"]))
    answer = RedirectResponse(f"{path}?{urlencode(rest)}" if rest else path, 303)
    answer.set_cookie(
        _COOKIE,
        chosen,
        max_age=_KEPT,
        path="/",
        secure=is_secure(clinic),
        httponly=True,
        samesite="lax",
    )
    raise AnsweredAlready(answer)


def is_secure(clinic: Clinic) -> bool:
    """Say whether the console is reached by HTTPS alone, so that cookies travel by no other way."""
    return clinic.settings.public_url.startswith("https:")
