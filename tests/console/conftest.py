"""The console's doors, and a clinic whose patients have been written to."""

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from playwright.async_api import Browser, BrowserContext, Page
from sqlalchemy import select
from twilio.request_validator import RequestValidator

from channels.protocol import Channel
from clinic import ledger
from clinic.accounts import Role
from clinic.attempt import AttemptState
from clinic.clinic import Clinic
from clinic.identifiers import new_id
from clinic.plan import Plan
from clinic.register.address import address_hash
from clinic.tables import Account, Attempt, CallTask, Campaign, Message, Patient
from console.app import build_app
from console.doors.session_cookie import COOKIE, SessionClaim, SessionCookies
from sandbox.stand_ins import Sandbox
from tests.browser import Open, listen_for_complaints
from tests.console.at_work import AtWork, Signed, at_work
from tests.console.marked_texts import marked_catalog
from tests.console.marked_texts import untranslated as untranslated_in
from tests.console.serving import serving

Row = TypeVar("Row")

STEPS = (
    {"channel": "email", "template": "come-back", "wait": "3 days"},
    {"channel": "sms", "template": "come-back", "wait": "4 days"},
)
SMS = 1


@dataclass
class Written:
    """A patient, the attempt to reach them, and what Twilio calls the SMS they were sent."""

    patient: Patient
    attempt: Attempt
    sid: str


@dataclass
class Desk:
    """Writes what the worker would have written, and reads what became of it."""

    clinic: Clinic
    now: datetime
    numbers: Any = field(default_factory=count)

    async def patient(self, **given: object) -> Patient:
        own = uuid4()
        fields: dict[str, object] = {
            "id": new_id("pt"),
            "external_id": f"A-{next(self.numbers)}",
            "first_name": "Sofía",
            "last_name": "Muñoz",
            "language": "es",
            "email": f"p{own.hex[:12]}@example.com",
            "phone": f"+1305{own.int % 10**9:09}",
        }
        return await self.add(Patient(**(fields | given)))

    async def attempt(self, patient: Patient, **given: object) -> Attempt:
        plan = Plan.model_validate({"name": "ladder", "steps": STEPS})
        campaign = await self.add(
            Campaign(
                id=new_id("ca"),
                name=f"campaign {next(self.numbers)}",
                segment="everybody",
                plan=plan.model_dump(mode="json"),
                started_at=self.now,
            )
        )
        fields: dict[str, object] = {
            "id": new_id("at"),
            "campaign_id": campaign.id,
            "patient_id": patient.id,
            "state": AttemptState.OPEN.value,
            "started_at": self.now,
        }
        return await self.add(Attempt(**(fields | given)))

    async def written_to(self, **given: object) -> Written:
        """Add a patient whose open attempt has sent them an SMS."""
        return await self.write_to(await self.patient(**given))

    async def write_to(self, patient: Patient, *, recorded: bool = True) -> Written:
        """Open an attempt of a patient and let it send an SMS, whose id is recorded or not yet."""
        attempt = await self.attempt(patient)
        sid = f"SM{uuid4().hex}"
        async with self.clinic.database.writing() as session:
            await ledger.claim(
                session,
                attempt_id=attempt.id,
                step=SMS,
                channel="sms",
                address_hash=address_hash(self.clinic.key, str(patient.phone)),
                now=self.now,
            )
            if recorded:
                await ledger.record_sent(
                    session, attempt_id=attempt.id, step=SMS, provider_id=sid, now=self.now
                )
        return Written(patient, attempt, sid)

    def token(self, written: Written) -> str:
        """Return the token of the patient's own page, as in the SMS."""
        return self.clinic.links.link_to(written.attempt.id, SMS).rpartition("/")[2]

    async def task_for(self, patient: Patient, **given: object) -> CallTask:
        """Open a patient's attempt, and put it on the call list; it is due since an hour."""
        attempt = await self.attempt(patient)
        fields: dict[str, object] = {
            "id": new_id("ct"),
            "attempt_id": attempt.id,
            "patient_id": patient.id,
            "step": 0,
            "kind": "call",
            "priority": 3,
            "due_at": self.now - timedelta(hours=1),
            "opened_at": self.now - timedelta(days=1),
            "tries_allowed": 3,
        }
        return await self.add(CallTask(**(fields | given)))

    async def account(self, name: str = "Lucía", role: Role = Role.STAFF) -> Account:
        """Add an account with whose password nobody signs in."""
        return await self.add(
            Account(
                id=new_id("ac"),
                name=name,
                name_key=name.casefold(),
                role=role.value,
                password_hash="nobody signs in by a password here",
                created_at=self.now,
            )
        )

    def session(self, account: Account) -> SessionClaim:
        """Return a session of an account that begins now."""
        return SessionClaim.new(account.id, self.now)

    async def change(self, row: Any, **values: object) -> None:
        async with self.clinic.database.writing() as session:
            found = await session.get_one(type(row), row.id)
            for name, value in values.items():
                setattr(found, name, value)

    async def again(self, row: Any) -> Any:
        async with self.clinic.database.reading() as session:
            return await session.get_one(type(row), row.id)

    async def message(self, written: Written) -> Message:
        async with self.clinic.database.reading() as session:
            return await session.get_one(Message, (written.attempt.id, SMS, 1))

    async def all(self, table: Any) -> list[Any]:
        async with self.clinic.database.reading() as session:
            return list(await session.scalars(select(table)))

    async def add(self, row: Row) -> Row:
        async with self.clinic.database.writing() as session:
            session.add(row)
        return row


@pytest.fixture
def desk(clinic: Clinic, now: datetime) -> Desk:
    return Desk(clinic, now)


@pytest.fixture
def app(clinic: Clinic, channels: Mapping[str, Channel], now: datetime) -> FastAPI:
    return build_app(clinic, channels, clock=lambda: now)


@pytest.fixture
async def web(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client at the console's doors; `test_app.py` opens them on a real port."""
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://console") as client:
        yield client


@pytest.fixture
async def signed(app: FastAPI, desk: Desk) -> AsyncIterator[Signed]:
    """Sign somebody in, each in a browser of their own: `signed(name, role, language="en")`."""
    async with AsyncExitStack() as browsers:

        async def sign_in(
            name: str = "Lucía", role: Role = Role.STAFF, language: str = "en"
        ) -> AtWork:
            claim = desk.session(await desk.account(name, role))
            return await browsers.enter_async_context(
                at_work(app, claim, desk.clinic.key, language)
            )

        yield sign_in


@pytest.fixture
async def open_page(
    chromium: Browser, desk: Desk, clinic: Clinic, channels: Mapping[str, Channel], now: datetime
) -> AsyncIterator[Open]:
    """Open a page of the console in a window of its own, signed in where an account is given.

    `open_page(path, account=None, language="en", **given)`: the language is the browser's, what
    else is given goes to Playwright's `new_context`, such as `viewport=A_PHONE`. In the end no
    page may have had an error of a script, or asked for what the CSP refuses.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []
    async with serving(clinic, channels, now) as address:

        async def open_one(
            path: str, account: Account | None = None, language: str = "en", **given: Any
        ) -> Page:
            context = await chromium.new_context(base_url=address, locale=language, **given)
            contexts.append(context)
            if account is not None:
                value = SessionCookies(clinic.key).write(desk.session(account))
                await context.add_cookies([{"name": COOKIE, "value": value, "url": address}])
            page = await context.new_page()
            listen_for_complaints(page, complaints)
            await page.goto(path)
            return page

        yield open_one
        for context in contexts:
            await context.close()
    assert complaints == []


Untranslated = Callable[[Page], Coroutine[Any, Any, list[str]]]


@pytest.fixture
def untranslated(clinic: Clinic, tmp_path: Path) -> Iterator[Untranslated]:
    """Name the words of a page, opened in Spanish, that no catalog has.

    Every text of a catalog is shown as ⟦...⟧ meanwhile.
    """
    with marked_catalog(tmp_path / "marked"):
        yield lambda page: untranslated_in(page, clinic)


Post = Callable[..., Coroutine[Any, Any, httpx.Response]]


@pytest.fixture
def twilio_posts(web: httpx.AsyncClient, clinic: Clinic, sandbox: Sandbox) -> Post:
    """Post a form to the SMS webhook as Twilio does: signed over the public address."""
    token = sandbox.settings.twilio_auth_token.get_secret_value()

    async def post(query: str = "", /, **form: str) -> httpx.Response:
        path = f"/webhooks/sms{query}"
        url = f"{clinic.settings.public_url}{path}"
        signature = RequestValidator(token).compute_signature(url, form)
        return await web.post(path, data=form, headers={"X-Twilio-Signature": signature})

    return post


@pytest.fixture
def patient_writes(twilio_posts: Post) -> Post:
    """Let Twilio report what a patient wrote, and return the answer."""

    async def post(from_: str | None, words: str, sid: str = "") -> httpx.Response:
        return await twilio_posts(
            MessageSid=sid or f"SM{uuid4().hex}", From=str(from_), To="+13055550100", Body=words
        )

    return post
