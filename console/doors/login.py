"""Signing in and out."""

import asyncio
import hmac
from datetime import datetime
from math import ceil
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from clinic import accounts, audit
from clinic.audit import Action
from clinic.clinic import Clinic
from clinic.storable_text import storable
from clinic.tables import Account
from console.clock import Clock
from console.doors import csrf
from console.doors.known_browser import KnownBrowsers
from console.doors.login_limit import LoginLimit, TooMany, name_key
from console.doors.own_path import own_path
from console.doors.sessions import Doors, Visitor
from console.reader import heed_choice, reader_of
from console.staff_view import render, translated
from console.staff_words import N_
from console.translations import translations

_START = "/calls"
_WRONG = N_("Name and password do not match. Please try again.")
_LONGEST_NAME = 200
"""Characters; no account has a longer one."""
_AT_ONCE = 2
"""Passwords that are looked at: each takes memory and time by design, and on SQLite the turn of
all who write; a flood of tries waits for itself alone."""
_MINUTE = 60
_Text = Annotated[str, Form()]


class _Sent(NamedTuple):
    """What the form brought.

    Attributes:
        name: As it was written, without what no name has.
        password: As it was written.
        next: Where to go then; a path of our own.
    """

    name: str
    password: str
    next: str


def router(clinic: Clinic, clock: Clock, doors: Doors) -> APIRouter:
    """Build the doors /login, /logout and /, which leads to one of the others."""
    routes = APIRouter(default_response_class=HTMLResponse)
    limit = LoginLimit()
    browsers = KnownBrowsers(clinic)
    turn = asyncio.Semaphore(_AT_ONCE)
    anybody = doors.signed_in()

    @routes.get("/")
    async def start(request: Request) -> Response:
        heed_choice(request, clinic)
        signed = await doors.whoever(request)
        return RedirectResponse("/login" if signed is None else _START, 303)

    @routes.get("/login")
    async def ask(request: Request) -> Response:
        to = own_path(request.query_params.get("next", ""))
        if await doors.whoever(request) is not None:
            return RedirectResponse(to, 303)
        heed_choice(request, clinic)
        return _form(request, clinic, _Sent("", "", to))

    @routes.post("/login")
    async def sign_in(
        request: Request,
        name: _Text = "",
        password: _Text = "",
        next: _Text = "",  # noqa: A002 - the field's name, as everywhere on the web
    ) -> Response:
        if csrf.comes_from_elsewhere(request):
            raise HTTPException(403, "from another site")
        sent = _Sent(storable(name)[:_LONGEST_NAME], password, own_path(next))
        now = clock()
        address = request.client.host if request.client else ""
        browser = browsers.mark_of(request, sent.name)
        begun = limit.begin(sent.name, address, now, browser=browser)
        if isinstance(begun, TooMany):
            return await _refused_too_often(request, clinic, sent, begun, now)
        async with turn:
            account = await _account(clinic, sent, now)
        if account is None:
            return _form(request, clinic, sent, status=401, problem=_WRONG)
        limit.succeeded(begun)
        answer = RedirectResponse(sent.next, 303)
        doors.begin(answer, account, now=now)
        browsers.remember(answer, sent.name)
        return answer

    @routes.post("/logout")
    async def sign_out(
        request: Request, _visitor: Annotated[Visitor, Depends(anybody)]
    ) -> Response:
        answer = RedirectResponse("/login", 303)
        await doors.end(request, answer)
        return answer

    return routes


async def _account(clinic: Clinic, sent: _Sent, now: datetime) -> Account | None:
    """Return whose name and password these are, and note in the audit log how it went."""
    async with clinic.database.writing() as session:
        account = await accounts.sign_in(session, sent.name, sent.password, now=now)
        if account is None:
            await _note_refusal(session, clinic, sent.name, now, because="wrong")
        else:
            await audit.note(session, who=account, action=Action.SIGNED_IN, now=now)
    return account


async def _note_refusal(
    session: AsyncSession, clinic: Clinic, name: str, now: datetime, *, because: str
) -> None:
    meant = await accounts.named(session, name)
    await audit.note(
        session,
        who=None,
        action=Action.SIGN_IN_REFUSED,
        now=now,
        subject=_alias(clinic, name) if meant is None else meant.id,
        details={"because": because},
    )


async def _refused_too_often(
    request: Request, clinic: Clinic, sent: _Sent, refused: TooMany, now: datetime
) -> Response:
    # once: the log takes nothing back, and a stranger could fill the disk with it
    if refused.is_first:
        async with clinic.database.writing() as session:
            await _note_refusal(session, clinic, sent.name, now, because="too_often")
    seconds = ceil(refused.wait.total_seconds())
    reader = reader_of(request, clinic.profile)
    minutes = ceil(seconds / _MINUTE)
    said = translations(reader.language).ngettext(
        "There were too many tries. Please wait %(minutes)d minute and try again.",
        "There were too many tries. Please wait %(minutes)d minutes and try again.",
        minutes,
    )
    page = _form(request, clinic, sent, status=429, problem=said % {"minutes": minutes})
    page.headers["Retry-After"] = str(seconds)
    return page


def _form(
    request: Request, clinic: Clinic, sent: _Sent, *, status: int = 200, problem: str = ""
) -> HTMLResponse:
    reader = reader_of(request, clinic.profile)
    said = translated(reader, problem) if problem else ""
    return render(reader, "login.html", status=status, name=sent.name, next=sent.next, problem=said)


def _alias(clinic: Clinic, name: str) -> str:
    """Return what stands in the log for a name that nobody has: it may be somebody's password."""
    key = clinic.key.get_secret_value().encode()
    said = f"regresa.login-name:{name_key(name)}".encode()
    return f"nm-{hmac.new(key, said, 'sha256').hexdigest()[:16]}"
