"""The patient's own page, from the link in a message: ask for a call, or stop messages."""

import hmac
import re
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy.ext.asyncio import AsyncSession

from clinic import inbox
from clinic.clinic import Clinic
from clinic.event import EventKind
from clinic.link import LinkedMessage
from clinic.register import household
from clinic.tables import Attempt, Message, Patient
from clinic.wording import language_for
from console.patient_texts import TEXTS

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}
_LINK = "link"
"""The source of events that come from a patient's own page."""
_NONCE = re.compile(r"[0-9a-f]{1,32}")
"""Of each showing of the form: the button pressed twice is one wish, another visit is another."""

_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("pages")),
    autoescape=True,
    undefined=StrictUndefined,
)


def router(clinic: Clinic) -> APIRouter:
    """Build the doors under /p/<token>: a GET shows, only a POST changes anything."""
    routes = APIRouter(prefix="/p")

    @routes.get("/{token}")
    async def show(token: str) -> HTMLResponse:
        linked = _read(clinic, token)
        async with clinic.database.reading() as session:
            language = await _language(session, clinic, linked)
        return _page(clinic, language, "patient.html", token=token, nonce=_new_nonce())

    # mail scanners follow every link: looking at these changes nothing either
    @routes.get("/{token}/call")
    @routes.get("/{token}/stop")
    async def look(token: str) -> HTMLResponse:
        return await show(token)

    @routes.post("/{token}/call")
    async def ask_for_call(
        token: str,
        when: Annotated[str, Form(max_length=200)] = "",
        nonce: Annotated[str, Form()] = "",
    ) -> HTMLResponse:
        linked = _read(clinic, token)
        wish = when.replace("\0", "").strip()  # PostgreSQL takes no such character
        shown = nonce if _NONCE.fullmatch(nonce) else _new_nonce()
        # the nonce is not kept, so that nobody can guess the patient's words from the key
        key = hmac.new(shown.encode(), wish.encode(), "sha256").hexdigest()
        return await _answer(clinic, linked, EventKind.REPLY, "call", key=key, words=wish)

    @routes.post("/{token}/stop")
    async def stop(token: str) -> HTMLResponse:
        linked = _read(clinic, token)
        return await _answer(clinic, linked, EventKind.OPTED_OUT, "stop")

    return routes


def _new_nonce() -> str:
    return secrets.token_hex(16)


async def _answer(
    clinic: Clinic,
    linked: LinkedMessage,
    kind: EventKind,
    wish: str,
    *,
    key: str = "",
    words: str = "",
) -> HTMLResponse:
    async with clinic.database.writing() as session:
        language = await _language(session, clinic, linked)
        body = " ".join(part for part in (TEXTS[language]["asks_" + wish], words) if part)
        received = inbox.Received(
            source=_LINK,
            source_key=f"{linked.attempt_id}.{linked.step}.{wish}.{key}",
            kind=kind,
            attempt_id=linked.attempt_id,
            body=body,
            details={"step": linked.step},
        )
        # what one of a household says counts for each whom the message names
        for concerned in await household.for_each(session, received, linked.step):
            await inbox.store(session, concerned, now=datetime.now(UTC), key=clinic.key)
    return _page(clinic, language, "thanks.html", said=TEXTS[language]["done_" + wish])


def _read(clinic: Clinic, token: str) -> LinkedMessage:
    linked = clinic.links.read(token)
    if linked is None:
        raise HTTPException(404, "no such page")
    return linked


async def _language(session: AsyncSession, clinic: Clinic, linked: LinkedMessage) -> str:
    message = await session.get(Message, (linked.attempt_id, linked.step, 1))
    if message is None:
        raise HTTPException(404, "no such page")
    attempt = await session.get_one(Attempt, linked.attempt_id)
    patient = await session.get_one(Patient, attempt.patient_id)
    # of a person who was forgotten nothing is held again; a household may have no other link
    if patient.erased_at is not None and not await household.carried_by(session, *linked):
        raise HTTPException(404, "no such page")
    return language_for(patient.language, clinic.profile)


def _page(clinic: Clinic, language: str, name: str, **values: str) -> HTMLResponse:
    html = _PAGES.get_template(name).render(
        clinic=clinic.profile, language=language, texts=TEXTS[language], **values
    )
    return HTMLResponse(html, headers=_HEADERS)
