"""Signing in and out: who gets in, how often somebody may try, and where they land."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from channels.protocol import Channel
from clinic import accounts
from clinic.accounts import Role
from clinic.clinic import Clinic
from clinic.tables import Account, AuditEntry
from console import staff_view
from console.app import build_app
from console.doors import csrf
from console.doors.login_limit import TRIES_OF_ADDRESS, TRIES_OF_NAME, LoginLimit, TooMany, Try
from console.doors.own_path import own_path
from console.doors.session_cookie import COOKIE, SessionCookies
from tests.console.odd_requests import urlencoded

ONE_KIND = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what the database has no part in."""
PAGES = Path(staff_view.__file__).parent / "pages" / "staff"
FEW = 3
FEW_TRIES = pytest.mark.usefixtures("_few_tries")
KNOWS_VERA = pytest.mark.usefixtures("vera")
PASSWORD = "a long and pleasant evening"


@dataclass
class Clock:
    """Stands still until a test moves it."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock(now: datetime) -> Clock:
    return Clock(now)


@pytest.fixture
def app(clinic: Clinic, channels: Mapping[str, Channel], clock: Clock) -> FastAPI:
    return build_app(clinic, channels, clock=clock)


@pytest.fixture
def _few_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords take long to look at, by design."""
    monkeypatch.setattr("console.doors.login_limit.TRIES_OF_NAME", FEW)


@pytest.fixture
async def vera(clinic: Clinic, now: datetime) -> Account:
    async with clinic.database.writing() as session:
        return await accounts.create(session, "Vera Ruiz", Role.STAFF, PASSWORD, now=now)


async def sign_in(
    web: httpx.AsyncClient, name: str = "Vera Ruiz", password: str = PASSWORD, **given: str
) -> httpx.Response:
    return await web.post("/login", data={"name": name, "password": password, **given})


async def audited(clinic: Clinic) -> list[tuple[str, str, str | None, object]]:
    """Return the audit log: what, who, about what, and why."""
    async with clinic.database.reading() as session:
        entries = await session.scalars(select(AuditEntry).order_by(AuditEntry.number))
        return [(row.action, row.who, row.subject, row.details.get("because")) for row in entries]


def token_in(page: str) -> str:
    """Return what a page's forms carry."""
    found = re.search(r'name="csrf" value="(\w+)"', page)
    assert found is not None
    return found[1]


async def test_whoever_knows_the_password_gets_in(
    web: httpx.AsyncClient, clinic: Clinic, vera: Account
) -> None:
    answer = await sign_in(web, " vera  RUIZ ")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert (await web.get("/")).headers["Location"] == "/calls"
    assert (await web.get("/calls")).status_code == 200
    assert await audited(clinic) == [("signed_in", vera.name, None, None)]


@KNOWS_VERA
@ONE_KIND
async def test_the_cookie_is_kept_from_scripts_other_sites_and_the_next_day(
    web: httpx.AsyncClient,
) -> None:
    session, browser = (await sign_in(web)).headers.get_list("Set-Cookie")
    assert session.startswith(f"{COOKIE}=")
    assert set(session.split("; ")[1:]) == {"HttpOnly", "Max-Age=43200", "Path=/", "SameSite=lax"}
    assert {"HttpOnly", "Path=/login", "SameSite=lax"} <= set(browser.split("; "))


@KNOWS_VERA
@ONE_KIND
async def test_by_https_the_cookie_travels_by_nothing_else(
    web: httpx.AsyncClient, clinic: Clinic
) -> None:
    clinic.settings.public_url = "https://come-back.example.com"
    cookies = (await sign_in(web)).headers.get_list("Set-Cookie")
    assert [("Secure" in cookie.split("; ")) for cookie in cookies] == [True, True]


async def test_a_wrong_name_is_told_the_same_as_a_wrong_password(
    web: httpx.AsyncClient, clinic: Clinic, vera: Account
) -> None:
    wrong = await sign_in(web, password="a long and dreary evening")
    unknown = await sign_in(web, name="Vera Ruis")
    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert wrong.text.replace("Vera Ruiz", "") == unknown.text.replace("Vera Ruis", "")
    assert COOKIE not in web.cookies
    (one, *_), (two, _, alias, _) = await audited(clinic), (await audited(clinic))[1]
    assert one == ("sign_in_refused", "", vera.id, "wrong")
    assert two == "sign_in_refused"
    # some write their password where the name belongs
    assert re.fullmatch(r"nm-[0-9a-f]{16}", str(alias))


@ONE_KIND
async def test_a_disabled_account_is_told_nothing_else(
    web: httpx.AsyncClient, clinic: Clinic, vera: Account, now: datetime
) -> None:
    wrong = await sign_in(web, password="a long and dreary evening")
    async with clinic.database.writing() as session:
        account = await accounts.find(session, vera.id)
        assert account is not None
        await accounts.disable(session, account, now=now)
    disabled = await sign_in(web)
    assert (disabled.status_code, disabled.text) == (401, wrong.text)


@KNOWS_VERA
@ONE_KIND
@pytest.mark.parametrize(
    ("name", "password"),
    [("", ""), ("Vera\0 Ruiz", "x\0"), ("x" * 5000, "y" * 5000), ("\ud800", "\udfff")],
)
async def test_odd_names_and_passwords_are_wrong_ones(
    web: httpx.AsyncClient, name: str, password: str
) -> None:
    answer = await web.post(
        "/login",
        content=urlencoded({"name": name, "password": password}),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 401


@KNOWS_VERA
@ONE_KIND
async def test_signing_in_begins_a_new_session(web: httpx.AsyncClient, clinic: Clinic) -> None:
    await sign_in(web)
    before = SessionCookies(clinic.key).read(web.cookies[COOKIE])
    await sign_in(web)
    after = SessionCookies(clinic.key).read(web.cookies[COOKIE])
    assert before is not None
    assert after is not None
    assert before.session_id != after.session_id


async def test_signing_out_ends_this_session_wherever_its_cookie_was_copied_to(
    web: httpx.AsyncClient, clinic: Clinic, vera: Account
) -> None:
    await sign_in(web)
    on_the_phone = web.cookies[COOKIE]
    await sign_in(web)
    here = web.cookies[COOKIE]
    token = token_in((await web.get("/calls")).text)
    answer = await web.post("/logout", data={"csrf": token})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
    assert COOKIE not in web.cookies
    statuses = [
        (await web.get("/calls", headers={"Cookie": f"{COOKIE}={value}"})).status_code
        for value in (here, on_the_phone)
    ]
    assert statuses == [303, 200]
    assert [each[:2] for each in await audited(clinic)][2] == ("signed_out", vera.name)


@KNOWS_VERA
@ONE_KIND
async def test_nobody_is_signed_out_by_a_link_or_a_strangers_form(web: httpx.AsyncClient) -> None:
    await sign_in(web)
    assert (await web.get("/logout")).status_code == 405
    assert (await web.post("/logout")).status_code == 403
    assert (await web.get("/calls")).status_code == 200


@KNOWS_VERA
@ONE_KIND
async def test_nobody_is_signed_in_by_a_strangers_form(web: httpx.AsyncClient) -> None:
    answer = await web.post(
        "/login",
        data={"name": "Vera Ruiz", "password": PASSWORD},
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert (answer.status_code, COOKIE in web.cookies) == (403, False)


@KNOWS_VERA
@ONE_KIND
async def test_whoever_signs_in_comes_to_the_page_they_wanted(web: httpx.AsyncClient) -> None:
    asked = await web.get("/calls/ct-1", follow_redirects=True)
    assert '<input type="hidden" name="next" value="/calls/ct-1">' in asked.text
    answer = await sign_in(web, next="/calls/ct-1")
    assert answer.headers["Location"] == "/calls/ct-1"
    assert (await web.get("/login?next=/calls/ct-1")).headers["Location"] == "/calls/ct-1"


@KNOWS_VERA
@ONE_KIND
@pytest.mark.parametrize(
    "elsewhere",
    [
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "https://evil.example/calls",
        "https:evil.example",
        "javascript:alert(1)",
        "evil.example",
        "/calls?next=//evil.example",
        "/@evil.example",
        " /calls",
        "/" + "a" * 400,
    ],
)
async def test_nobody_is_led_to_another_host(web: httpx.AsyncClient, elsewhere: str) -> None:
    assert own_path(elsewhere) == "/"
    asked = await web.get("/login", params={"next": elsewhere})
    assert 'name="next" value="/"' in asked.text
    assert "evil" not in asked.text
    assert (await sign_in(web, next=elsewhere)).headers["Location"] == "/"
    signed_in = await web.get("/login", params={"next": elsewhere})
    assert signed_in.headers["Location"] == "/"


@FEW_TRIES
async def test_too_many_wrong_passwords_of_a_name_have_to_wait(
    web: httpx.AsyncClient, clinic: Clinic, clock: Clock, vera: Account
) -> None:
    for name in ("Vera Ruiz", "Nobody Here"):
        for _ in range(FEW):
            assert (await sign_in(web, name, "a wrong password")).status_code == 401
    clock.now += timedelta(minutes=4, seconds=30)
    refused = await sign_in(web, "vera\u00a0\u2009RUIZ")
    unknown = await sign_in(web, "Nobody Here")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "630")
    assert "Espere 11 minutos" in refused.text
    assert refused.headers["Content-Type"] == "text/html; charset=utf-8"
    assert unknown.status_code == 429
    assert re.sub(r'name="name" value="[^"]*"', "", refused.text) == re.sub(
        r'name="name" value="[^"]*"', "", unknown.text
    )
    assert COOKIE not in web.cookies
    assert (await sign_in(web)).status_code == 429
    *_, first, other = await audited(clinic)
    assert first == ("sign_in_refused", "", vera.id, "too_often")
    assert other[3] == "too_often"
    clock.now += timedelta(minutes=10, seconds=30)
    assert (await sign_in(web)).status_code == 303


@ONE_KIND
@FEW_TRIES
async def test_the_wait_is_said_in_the_readers_language(
    web: httpx.AsyncClient, clock: Clock
) -> None:
    for _ in range(FEW):
        await sign_in(web, "x", "a wrong password")
    free_at = clock.now + timedelta(minutes=15)
    said = []
    for left in (5, 2, 1):
        clock.now = free_at - timedelta(minutes=left)
        answer = await web.post("/login", data={"name": "x"}, headers={"Accept-Language": "ru"})
        said.append(re.findall(r"подождите ([^.]*) и", answer.text))
    assert said == [["5 минут"], ["2 минуты"], ["1 минуту"]]


@KNOWS_VERA
@FEW_TRIES
async def test_many_wrong_passwords_at_once_are_no_way_round(web: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(
        *(sign_in(web, password=f"a wrong password {number}") for number in range(8))
    )
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [401] * FEW + [429] * (8 - FEW)


@ONE_KIND
@KNOWS_VERA
@FEW_TRIES
async def test_strangers_guesses_keep_nobody_out_of_a_browser_they_have_used(
    app: FastAPI, web: httpx.AsyncClient
) -> None:
    await sign_in(web)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app, client=("192.0.2.1", 1)), base_url="http://console"
    ) as stranger:
        for _ in range(FEW):
            await sign_in(stranger, password="a wrong password")
        assert (await sign_in(stranger)).status_code == 429
    assert (await sign_in(web)).status_code == 303
    for _ in range(FEW):
        assert (await sign_in(web, password="a wrong password")).status_code == 401
    assert (await sign_in(web)).status_code == 429


@ONE_KIND
@KNOWS_VERA
@FEW_TRIES
async def test_a_browser_is_known_for_one_name_alone(web: httpx.AsyncClient) -> None:
    for _ in range(FEW):
        await sign_in(web, "Olga", "a wrong password")
    await sign_in(web)
    assert (await sign_in(web, "Olga", "a wrong password")).status_code == 429
    web.cookies.set("regresa_browser", "made-up", domain="console.local", path="/login")
    assert (await sign_in(web, "Olga", "a wrong password")).status_code == 429


def begin(limit: LoginLimit, at: datetime, name: str, address: str = "192.0.2.1") -> bool:
    return isinstance(limit.begin(name, address, at), Try)


def test_many_names_from_one_address_have_to_wait(now: datetime) -> None:
    limit = LoginLimit()
    assert all(begin(limit, now, f"name {number}") for number in range(TRIES_OF_ADDRESS))
    assert not begin(limit, now, "another")
    assert begin(limit, now, "another", "192.0.2.2")
    assert begin(limit, now + timedelta(minutes=15), "another")


def test_one_line_has_all_the_addresses_it_can_make_up(now: datetime) -> None:
    limit = LoginLimit()
    for number in range(TRIES_OF_ADDRESS):
        assert begin(limit, now, f"name {number}", f"2001:db8::{number:x}")
    assert not begin(limit, now, "another", "2001:db8::ffff:1")
    assert begin(limit, now, "another", "2001:db8:0:1::1")


def test_right_passwords_take_nobodys_turn(now: datetime) -> None:
    limit = LoginLimit()
    for number in range(TRIES_OF_ADDRESS * 2):
        begun = limit.begin(f"name {number}", "192.0.2.1", now)
        assert isinstance(begun, Try)
        limit.succeeded(begun)
    assert begin(limit, now, "another")


def test_only_the_first_of_many_refusals_is_told_as_such(now: datetime) -> None:
    limit = LoginLimit()
    for _ in range(TRIES_OF_NAME):
        assert begin(limit, now, "x")
    refused = [limit.begin("x", "192.0.2.1", now) for _ in range(3)]
    assert [isinstance(each, TooMany) and each.is_first for each in refused] == [True, False, False]


def test_what_has_passed_is_not_held_for_ever(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.doors.login_limit._SWEEP_AT", 50)
    limit = LoginLimit()
    for number in range(500):
        begin(limit, now + timedelta(minutes=number), f"name {number}", f"192.0.2.{number % 256}")
    assert len(limit._tries) < 60  # noqa: SLF001 - memory is what this is about


@ONE_KIND
@pytest.mark.parametrize(
    ("cookie", "account", "accepted", "spoken"),
    [
        ("", "", "", "es"),  # the clinic's
        ("", "", "ru,en;q=0.5", "ru"),
        ("", "en", "ru", "en"),
        ("ru", "en", "es", "ru"),
        ("xx", "", "de", "es"),
    ],
)
async def test_it_speaks_the_language_that_was_chosen_or_else_the_best_known(
    web: httpx.AsyncClient,
    clinic: Clinic,
    now: datetime,
    cookie: str,
    account: str,
    accepted: str,
    spoken: str,
) -> None:
    async with clinic.database.writing() as session:
        await accounts.create(session, "Olga", Role.STAFF, PASSWORD, now=now, language=account)
    await sign_in(web, "Olga")
    if cookie:
        web.cookies.set("regresa_language", cookie)
    page = await web.get("/calls", headers={"Accept-Language": accepted})
    assert f'<html lang="{spoken}">' in page.text


@KNOWS_VERA
@ONE_KIND
async def test_a_language_is_chosen_on_any_page_and_kept(web: httpx.AsyncClient) -> None:
    chosen = await web.get("/login?next=/calls&lang=ru")
    assert (chosen.status_code, chosen.headers["Location"]) == (303, "/login?next=%2Fcalls")
    assert 'lang="ru">' in (await web.get("/login")).text
    await sign_in(web)
    chosen = await web.get("/calls?lang=en")
    assert chosen.headers["Location"] == "/calls"
    assert '<html lang="en">' in (await web.get("/calls")).text
    assert (await web.get("/calls?lang=xx")).status_code == 200
    assert csrf.FIELD in (await web.get("/calls")).text


@ONE_KIND
async def test_refusals_are_in_words_on_staffs_pages_and_data_for_programs(
    web: httpx.AsyncClient,
) -> None:
    page = await web.get("/nowhere", headers={"Accept-Language": "ru"})
    assert (page.status_code, "Такой страницы нет." in page.text) == (404, True)
    assert (await web.get("/webhooks/none")).json() == {"detail": "Method Not Allowed"}


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.html")), ids=lambda page: page.name)
def test_pages_bring_no_script_or_style_but_our_own_files(page: Path) -> None:
    html = page.read_text(encoding="utf-8")
    assert re.findall(r"<script(?![^>]*\bsrc=\"/assets/)|<style|\bstyle=|\bon\w+=", html) == []
    assert re.findall(r"https?://|//[a-z]", html) == []


@ONE_KIND
@pytest.mark.parametrize(
    ("path", "scripts"),
    [("/login", True), ("/calls", True), ("/p/x", False), ("/healthz", False)],
)
async def test_scripts_run_on_staffs_pages_alone_and_are_our_own(
    web: httpx.AsyncClient, path: str, *, scripts: bool
) -> None:
    policy = (await web.get(path)).headers["Content-Security-Policy"]
    assert ("script-src 'self';" in policy, "unsafe" in policy) == (scripts, False)
    assert policy.startswith("default-src 'none'")
