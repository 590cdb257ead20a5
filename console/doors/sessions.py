"""Who is signed in, and which doors open for them.

A door asks by a dependency, and gets a `Visitor` or is never reached::

    staff = doors.signed_in(Role.STAFF)

    @routes.post("/calls/{task_id}/claim")
    async def take(task_id: str, visitor: Annotated[Visitor, Depends(staff)]) -> Response: ...

A session ends after half a day, when the account is signed out everywhere or disabled, and when
its holder signs out. That last end stands in the audit log, which every process of the console
reads and nobody can change: a copied cookie is worth nothing after it, nor after a restart, and
the holder's other sessions go on.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote

from fastapi import HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic import accounts, audit
from clinic.accounts import Role
from clinic.audit import Action
from clinic.clinic import Clinic
from clinic.tables import Account, AuditEntry
from console.clock import Clock
from console.doors import csrf
from console.doors.own_path import own_path
from console.doors.session_cookie import COOKIE, LONGEST, SessionClaim, SessionCookies
from console.engine import Engine
from console.reader import (
    AnsweredAlready,
    Reader,
    heed_choice,
    is_secure,
    language_of,
    page_of,
)

_RANKS = (Role.STAFF, Role.OPS, Role.ADMIN)
"""Each may all that those before it may."""
_CHALLENGE = {"WWW-Authenticate": 'Form realm="console"'}


class Signed(NamedTuple):
    """A session that holds.

    Attributes:
        account: Whose it is.
        session_id: Its opaque name.
        csrf: What its forms carry.
    """

    account: Account
    session_id: str
    csrf: str


@dataclass(frozen=True, kw_only=True)
class Visitor(Reader):
    """Somebody who is signed in.

    Attributes:
        account: Theirs.
        csrf: What every form that they are shown carries, in the hidden field `csrf`.
        engine: What pages know of Temporal.
    """

    account: Account
    csrf: str
    engine: Engine

    def may(self, role: Role) -> bool:
        """Say whether they may what a role may."""
        return _RANKS.index(Role(self.account.role)) >= _RANKS.index(role)


class Doors:
    """Opens the staff's doors to whoever may pass.

    Args:
        clinic: Whose accounts, and whose key signs sessions.
        clock: What time it is.
        engine: What pages know of Temporal.
    """

    def __init__(self, clinic: Clinic, clock: Clock, engine: Engine | None = None) -> None:
        self._clinic = clinic
        self._clock = clock
        self._engine = engine or Engine()
        self._cookies = SessionCookies(clinic.key)

    def signed_in(
        self, *roles: Role, reads_form: bool = True
    ) -> Callable[[Request], Awaitable[Visitor]]:
        """Return the dependency of a door for those who are signed in.

        What is no GET is let in with the session's token only, in the field `csrf` or in the
        header X-CSRF-Token. It answers by itself: 303 to the login for a GET and 401 for all else
        where nobody is signed in; 403 for a role that may not, and for a form that is
        not ours or of another session.

        Args:
            roles: Who may pass; a role that may more than one of these passes as well. None
                named: everybody who is signed in.
            reads_form: False for a door that takes files: nothing of the body is read before
                it, and it looks for the token itself (`csrf.is_token`).
        """

        async def visit(request: Request) -> Visitor:
            changes = request.method != "GET"
            if changes and csrf.comes_from_elsewhere(request):
                raise HTTPException(403, "from another site")
            signed = await self.whoever(request)
            if signed is None:
                raise _to_login(request)
            visitor = self._visitor(request, signed)
            keep_visitor(request, visitor)
            if changes and reads_form and not await csrf.carries(request, signed.csrf):
                raise HTTPException(403, "not a form of this session")
            heed_choice(request, self._clinic)
            if roles and not any(visitor.may(role) for role in roles):
                raise HTTPException(403, "not with this role")
            if _names_nothing(request):
                raise HTTPException(404, "no such page")
            return visitor

        return visit

    async def whoever(self, request: Request) -> Signed | None:
        """Return who is signed in; None: nobody, or their session is over."""
        claim = self._claim(request)
        if claim is None:
            return None
        async with self._clinic.database.reading() as session:
            account = await accounts.find(session, claim.account_id)
            if account is None or accounts.is_over(account, claim.begun_at):
                return None
            if await _has_ended(session, claim):
                return None
        return Signed(account, claim.session_id, csrf.token_of(self._clinic.key, claim.session_id))

    def begin(self, answer: Response, account: Account, *, now: datetime) -> None:
        """Begin a new session with an answer; whatever session the browser had is not gone on.

        Args:
            answer: What brings the cookie.
            account: Who signed in.
            now: Aware UTC, from before the password was looked at: one that is changed meanwhile
                ends this session as well.
        """
        claim = SessionClaim.new(account.id, now)
        answer.set_cookie(
            COOKIE,
            self._cookies.write(claim),
            max_age=int(LONGEST.total_seconds()),
            path="/",
            secure=is_secure(self._clinic),
            httponly=True,
            samesite="lax",
        )

    async def end(self, request: Request, answer: Response) -> None:
        """End the session of a request, on our side as well as in the browser."""
        signed = await self.whoever(request)
        if signed is not None:
            async with self._clinic.database.writing() as session:
                await audit.note(
                    session,
                    who=signed.account,
                    action=Action.SIGNED_OUT,
                    now=self._clock(),
                    subject=signed.session_id,
                )
        answer.delete_cookie(
            COOKIE, path="/", secure=is_secure(self._clinic), httponly=True, samesite="lax"
        )

    def _claim(self, request: Request) -> SessionClaim | None:
        claim = self._cookies.read(request.cookies.get(COOKIE, ""))
        return None if claim is None or claim.is_too_old(self._clock()) else claim

    def _visitor(self, request: Request, signed: Signed) -> Visitor:
        profile = self._clinic.profile
        return Visitor(
            profile=profile,
            language=language_of(request, profile, signed.account),
            path=request.scope["path"],
            page=page_of(request),
            account=signed.account,
            csrf=signed.csrf,
            engine=self._engine,
        )


def keep_visitor(request: Request, visitor: Visitor) -> None:
    """Keep with a request who is signed in: a refusal is a page of theirs, too."""
    request.state.visitor = visitor


def visitor_of(request: Request) -> Visitor | None:
    """Return who is signed in, as far as a door has asked; None: nobody knows."""
    visitor = getattr(request.state, "visitor", None)
    return visitor if isinstance(visitor, Visitor) else None


async def _has_ended(session: AsyncSession, claim: SessionClaim) -> bool:
    ended = select(AuditEntry.number).where(
        AuditEntry.subject == claim.session_id, AuditEntry.action == Action.SIGNED_OUT
    )
    return await session.scalar(ended.limit(1)) is not None


def _names_nothing(request: Request) -> bool:
    """Say whether an address holds NUL: PostgreSQL can't even be asked for an id with one."""
    said = (request.scope["path"], *request.query_params.values())
    return any("\0" in each for each in said)


def _to_login(request: Request) -> Exception:
    if request.method != "GET":
        return HTTPException(401, "not signed in", _CHALLENGE)
    here = own_path(quote(request.scope["path"]))
    return AnsweredAlready(
        RedirectResponse("/login" if here == "/" else f"/login?next={quote(here, safe='/')}", 303)
    )
