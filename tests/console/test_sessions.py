"""Sessions: whom they let in, when they are over, and which doors ask for one."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, UploadFile
from fastapi.routing import APIRoute
from pydantic import SecretStr
from starlette.routing import BaseRoute, Mount

from channels.protocol import Channel
from clinic import accounts
from clinic.accounts import Role
from clinic.clinic import Clinic
from clinic.tables import Account
from console import staff_view
from console.app import build_app
from console.doors import csrf
from console.doors.session_cookie import COOKIE, SessionClaim, SessionCookies
from console.doors.sessions import Doors, Visitor

ONE_KIND = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what the database has no part in."""
PASSWORD = "a long and pleasant evening"
WITHOUT_LOGIN = (
    "/p/{token}",
    "/webhooks/{name}",
    "/bookings",
    "/healthz",
    "/readyz",
    "/metrics",
    "/login",
)


@dataclass
class Clock:
    """Stands still until a test moves it."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **given: float) -> None:
        self.now += timedelta(**given)


@pytest.fixture
def clock(now: datetime) -> Clock:
    return Clock(now)


@pytest.fixture
def app(clinic: Clinic, channels: Mapping[str, Channel], clock: Clock) -> FastAPI:
    """The console, and pages that say who sees them."""
    app = build_app(clinic, channels, clock=clock)
    doors = Doors(clinic, clock)
    routes = APIRouter()
    anybody, ops, admin = (doors.signed_in(*roles) for roles in ((), (Role.OPS,), (Role.ADMIN,)))

    @routes.get("/tried/page")
    def page(visitor: Annotated[Visitor, Depends(anybody)]) -> str:
        return f"{visitor.account.name} {visitor.language} {visitor.csrf}"

    @routes.post("/tried/page")
    def post(visitor: Annotated[Visitor, Depends(anybody)]) -> str:
        return visitor.account.name

    @routes.post("/tried/upload")
    async def upload(visitor: Annotated[Visitor, Depends(anybody)], file: UploadFile) -> str:
        return f"{visitor.account.name}: {(await file.read()).decode()}"

    @routes.get("/tried/ops")
    def for_ops(visitor: Annotated[Visitor, Depends(ops)]) -> str:
        return visitor.account.role

    @routes.get("/tried/admin")
    def for_admin(visitor: Annotated[Visitor, Depends(admin)]) -> str:
        return visitor.account.role

    app.include_router(routes)
    return app


async def account_of(clinic: Clinic, now: datetime, role: Role = Role.STAFF) -> Account:
    async with clinic.database.writing() as session:
        return await accounts.create(session, f"vera {role}", role, PASSWORD, now=now)


@pytest.fixture
async def vera(clinic: Clinic, now: datetime) -> Account:
    return await account_of(clinic, now)


def sign_in(web: httpx.AsyncClient, clinic: Clinic, account: Account, at: datetime) -> SessionClaim:
    """Give a browser a session that we began."""
    claim = SessionClaim.new(account.id, at)
    web.cookies.set(COOKIE, SessionCookies(clinic.key).write(claim))
    return claim


async def test_whoever_is_signed_in_comes_in(
    web: httpx.AsyncClient, clinic: Clinic, clock: Clock, vera: Account
) -> None:
    claim = sign_in(web, clinic, vera, clock.now)
    answer = await web.get("/tried/page")
    assert answer.status_code == 200
    assert answer.json() == f"vera staff es {csrf.token_of(clinic.key, claim.session_id)}"


@ONE_KIND
async def test_whoever_is_not_is_asked_to_sign_in_and_comes_back(web: httpx.AsyncClient) -> None:
    answer = await web.get("/tried/page?words=secret")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login?next=/tried/page")


@ONE_KIND
async def test_a_form_of_somebody_who_is_signed_out_is_refused_in_words(
    web: httpx.AsyncClient,
) -> None:
    answer = await web.post("/tried/page", headers={"Accept-Language": "en"})
    assert answer.status_code == 401
    assert "You are signed out." in answer.text
    assert "WWW-Authenticate" in answer.headers


@ONE_KIND
@pytest.mark.parametrize(
    ("role", "opens"),
    [(Role.STAFF, []), (Role.OPS, ["ops"]), (Role.ADMIN, ["ops", "admin"])],
)
async def test_a_role_opens_its_own_doors_and_those_of_the_roles_below(
    web: httpx.AsyncClient, clinic: Clinic, clock: Clock, role: Role, opens: list[str]
) -> None:
    sign_in(web, clinic, await account_of(clinic, clock.now, role), clock.now)
    statuses = {name: (await web.get(f"/tried/{name}")).status_code for name in ("ops", "admin")}
    assert statuses == {name: 200 if name in opens else 403 for name in ("ops", "admin")}


@ONE_KIND
@pytest.mark.parametrize(
    ("spoilt", "because"),
    [
        pytest.param("", "nothing", id="empty"),
        pytest.param("x", "no signature", id="made up"),
        pytest.param("{value}x", "its end was changed", id="longer"),
        pytest.param("A{value}", "its beginning was changed", id="changed"),
        pytest.param("{other_key}", "another clinic's", id="of another key"),
        pytest.param("{link}", "signed for another purpose", id="a patient's link"),
    ],
)
async def test_a_cookie_that_we_did_not_write_means_signed_out(
    web: httpx.AsyncClient,
    clinic: Clinic,
    clock: Clock,
    vera: Account,
    spoilt: str,
    because: str,
) -> None:
    claim = SessionClaim.new(vera.id, clock.now)
    value = spoilt.format(
        value=SessionCookies(clinic.key).write(claim),
        other_key=SessionCookies(SecretStr("another-key-of-32-characters-or-so")).write(claim),
        link=clinic.links.link_to(vera.id, 1).rpartition("/")[2],
    )
    web.cookies.set(COOKIE, value)
    assert (await web.get("/tried/page")).status_code == 303, because


async def test_a_session_is_over_after_half_a_day(
    web: httpx.AsyncClient, clinic: Clinic, clock: Clock, vera: Account
) -> None:
    sign_in(web, clinic, vera, clock.now)
    clock.pass_(hours=11, minutes=59)
    assert (await web.get("/tried/page")).status_code == 200
    clock.pass_(minutes=1)
    assert (await web.get("/tried/page")).status_code == 303


async def test_signing_an_account_out_everywhere_ends_what_began_before(
    web: httpx.AsyncClient, clinic: Clinic, clock: Clock, vera: Account
) -> None:
    sign_in(web, clinic, vera, clock.now)
    clock.pass_(minutes=1)
    async with clinic.database.writing() as session:
        account = await accounts.find(session, vera.id)
        assert account is not None
        await accounts.sign_out_everywhere(session, account, now=clock.now)
    assert (await web.get("/tried/page")).status_code == 303
    sign_in(web, clinic, vera, clock.now)
    assert (await web.get("/tried/page")).status_code == 200


async def test_a_disabled_account_has_no_session(
    web: httpx.AsyncClient, clinic: Clinic, clock: Clock, vera: Account
) -> None:
    async with clinic.database.writing() as session:
        account = await accounts.find(session, vera.id)
        assert account is not None
        await accounts.disable(session, account, now=clock.now)
    clock.pass_(minutes=1)
    sign_in(web, clinic, vera, clock.now)
    assert (await web.get("/tried/page")).status_code == 303


@ONE_KIND
async def test_a_form_needs_the_token_of_its_session(
    web: httpx.AsyncClient, clinic: Clinic, clock: Clock, vera: Account
) -> None:
    claim = sign_in(web, clinic, vera, clock.now)
    token = csrf.token_of(clinic.key, claim.session_id)
    of_another = csrf.token_of(clinic.key, SessionClaim.new(vera.id, clock.now).session_id)
    statuses = [
        (await web.post("/tried/page", data=form, headers=headers)).status_code
        for form, headers in (
            ({"csrf": token}, {}),
            ({}, {"X-CSRF-Token": token}),
            ({}, {}),
            ({"csrf": ""}, {}),
            ({"csrf": of_another}, {}),
            ({"csrf": "ñ" + token}, {}),
        )
    ]
    assert statuses == [200, 200, 403, 403, 403, 403]
    answer = await web.post("/tried/page", files={"csrf": token.encode()})
    assert answer.status_code == 400


@ONE_KIND
@pytest.mark.parametrize(
    ("site", "status"),
    [("same-origin", 200), ("none", 200), ("cross-site", 403), ("same-site", 403)],
)
async def test_a_form_on_another_site_is_refused_even_with_the_token(
    web: httpx.AsyncClient, clinic: Clinic, clock: Clock, vera: Account, site: str, status: int
) -> None:
    claim = sign_in(web, clinic, vera, clock.now)
    token = csrf.token_of(clinic.key, claim.session_id)
    answer = await web.post("/tried/page", data={"csrf": token}, headers={"Sec-Fetch-Site": site})
    assert answer.status_code == status


@ONE_KIND
async def test_a_door_that_takes_files_gets_them(
    web: httpx.AsyncClient, clinic: Clinic, clock: Clock, vera: Account
) -> None:
    claim = sign_in(web, clinic, vera, clock.now)
    form = {"csrf": csrf.token_of(clinic.key, claim.session_id)}
    answer = await web.post("/tried/upload", data=form, files={"file": b"a list"})
    assert (answer.status_code, answer.json()) == (200, "vera staff: a list")


@ONE_KIND
@pytest.mark.parametrize(
    ("role", "titles"),
    [
        (Role.STAFF, ["Call list"]),
        (Role.OPS, ["Call list", "Campaigns"]),
        (Role.ADMIN, ["Call list", "Campaigns", "Accounts"]),
    ],
)
async def test_a_page_leads_to_what_its_reader_may_open(
    web: httpx.AsyncClient,
    clinic: Clinic,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    role: Role,
    titles: list[str],
) -> None:
    sections = (
        staff_view.Section("/calls", "Call list", Role.STAFF),
        staff_view.Section("/campaigns", "Campaigns", Role.OPS),
        staff_view.Section("/accounts", "Accounts", Role.ADMIN),
    )
    monkeypatch.setattr(staff_view, "SECTIONS", sections)
    sign_in(web, clinic, await account_of(clinic, clock.now, role), clock.now)
    web.cookies.set("regresa_language", "en")
    page = (await web.get("/calls")).text
    named = {"/calls": "Call list", "/campaigns": "Campaigns", "/accounts": "Accounts"}
    links = re.findall(r'<li><a href="([^"]*)"(?: aria-current="page")?>([^<]*)</a></li>', page)
    assert [title for path, title in links if named.get(path) == title] == titles
    assert 'href="/calls" aria-current="page"' in page


def routes_of(routes: list[BaseRoute], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Give the method and path of every door."""
    for route in routes:
        included = getattr(route, "original_router", None)
        if included is not None:
            yield from routes_of(included.routes, prefix)
        elif isinstance(route, APIRoute):
            yield from ((method, prefix + route.path) for method in sorted(route.methods or ()))
        else:
            assert isinstance(route, Mount), route
            yield "GET", f"{route.path}/staff.css"


async def test_without_login_nothing_answers_but_what_is_meant_for_others(
    app: FastAPI, web: httpx.AsyncClient
) -> None:
    doors = list(routes_of(app.routes))
    closed = [
        (method, path)
        for method, path in doors
        if not path.startswith((*WITHOUT_LOGIN, "/assets/"))
    ]
    assert {("GET", "/"), ("POST", "/logout"), ("GET", "/tried/page")} <= set(closed)
    for method, path in closed:
        somewhere = re.sub(r"\{[^}]*:patient\}", "pt-0123456789abcdef", path)
        answer = await web.request(method, re.sub(r"\{[^}]*\}", "x", somewhere))
        if method == "GET":
            assert answer.status_code == 303, path
            assert answer.headers["Location"].split("?")[0] == "/login"
        else:
            assert (answer.status_code, method) == (401, "POST"), path


async def test_what_is_meant_for_others_answers_without_login(
    app: FastAPI, web: httpx.AsyncClient
) -> None:
    for method, path in routes_of(app.routes):
        if path.startswith((*WITHOUT_LOGIN, "/assets/")):
            answer = await web.request(method, re.sub(r"\{[^}]*\}", "x", path))
            assert answer.status_code != 303, path
            assert "/login" not in answer.headers.get("Location", "")


FOR_STAFF = (
    *("GET /calls", "GET /calls/rows", "POST /calls/next", "GET /calls/{task_id}"),
    *("GET /calls/next", "GET /calls/{task_id}/news"),
    *(
        f"{method} /calls/{{task_id}}/{door}"
        for door in ("claim", "release", "complete", "keep", "close")
        for method in ("GET", "POST")
    ),
    *("GET /register", "GET /register/search", "POST /register/search"),
    "GET /register/{patient_id:patient}",
    *(f"{method} /register/{{patient_id:patient}}/stop" for method in ("GET", "POST")),
    "POST /register/{patient_id:patient}/booked",
)
FOR_ADMINS = tuple(
    f"{method} /register/{{patient_id:patient}}/forget" for method in ("GET", "POST")
)


@ONE_KIND
async def test_each_door_of_the_console_opens_for_whom_it_is_meant(
    clinic: Clinic, channels: Mapping[str, Channel], clock: Clock
) -> None:
    app = build_app(clinic, channels, clock=clock)
    doors = {
        f"{method} {path}"
        for method, path in routes_of(app.routes)
        if not path.startswith((*WITHOUT_LOGIN, "/assets/", "/logout")) and path != "/"
    }
    closed: dict[Role, set[str]] = {}
    for role in (Role.STAFF, Role.OPS):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://console") as web:
            claim = sign_in(web, clinic, await account_of(clinic, clock.now, role), clock.now)
            token = {csrf.HEADER: csrf.token_of(clinic.key, claim.session_id)}
            closed[role] = set()
            for door in doors:
                method, _, path = door.partition(" ")
                somewhere = re.sub(r"\{[^}]*:patient\}", "pt-0123456789abcdef", path)
                somewhere = re.sub(r"\{number\}", "0", somewhere)
                answer = await web.request(
                    method, re.sub(r"\{[^}]*\}", "x", somewhere), headers=token
                )
                if answer.status_code == 403:
                    closed[role].add(door)
    assert closed == {Role.STAFF: doors - {*FOR_STAFF}, Role.OPS: {*FOR_ADMINS}}
