"""The patient's own page, from the link in a message: book, be called, say why, stop messages."""

from typing import Annotated, NamedTuple

from fastapi import APIRouter, Form, HTTPException, Query
from fastapi.responses import HTMLResponse
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic import inbox
from clinic.clinic import Clinic
from clinic.folder import LANGUAGES
from clinic.link import LinkedMessage
from clinic.register import household
from clinic.register.standing import contacts_of
from clinic.tables import Attempt, Message, Patient
from clinic.wording import language_for
from console.clock import Clock
from console.patient import answer
from console.patient.answer import Answer, Draft
from console.patient.call_times import CallTime, call_times
from console.patient.texts import REASONS, TEXTS
from console.patient.view import patient_page, spoken_time, thanks_page

_Lang = Annotated[str, Query()]
_Text = Annotated[str, Form()]


class _Visit(NamedTuple):
    """Somebody who followed a link.

    Attributes:
        token: The link's.
        linked: The message that it stands in.
        language: To speak: what was chosen, else the patient's.
        times: When they may ask to be called.
    """

    token: str
    linked: LinkedMessage
    language: str
    times: list[CallTime]


def router(clinic: Clinic, clock: Clock) -> APIRouter:
    """Build the doors under /p/<token>: a GET shows, only a POST changes anything."""
    routes = APIRouter(prefix="/p", default_response_class=HTMLResponse)

    # mail scanners follow every link: looking at any of these changes nothing
    @routes.get("/{token}")
    @routes.get("/{token}/call")
    @routes.get("/{token}/why")
    @routes.get("/{token}/stop")
    async def show(token: str, lang: _Lang = "") -> HTMLResponse:
        visit = await _visit(clinic, clock, token, lang)
        return patient_page(clinic.profile, visit.language, token, visit.times)

    @routes.post("/{token}/call")
    async def ask_for_call(
        token: str, lang: _Lang = "", at: _Text = "", words: _Text = "", nonce: _Text = ""
    ) -> HTMLResponse:
        visit = await _visit(clinic, clock, token, lang)
        said = answer.call(at, words, nonce, visit.times)
        return await _hear(clinic, clock, visit, said, "call")

    @routes.post("/{token}/why")
    async def say_why(
        token: str, lang: _Lang = "", reason: _Text = "", words: _Text = "", nonce: _Text = ""
    ) -> HTMLResponse:
        visit = await _visit(clinic, clock, token, lang)
        said = answer.why(reason, words, nonce)
        return await _hear(clinic, clock, visit, said, "why")

    # one click in a mail reader (RFC 8058) sends a body, the page's button none: neither is read
    @routes.post("/{token}/stop")
    async def stop(token: str, lang: _Lang = "") -> HTMLResponse:
        visit = await _visit(clinic, clock, token, lang)
        return await _hear(clinic, clock, visit, answer.stop(), "stop")

    return routes


async def _visit(clinic: Clinic, clock: Clock, token: str, lang: str) -> _Visit:
    linked = clinic.links.read(token)
    if linked is None:
        raise HTTPException(404, "no such page")
    now = clock()
    async with clinic.database.reading() as session:
        patient = await _patient(session, linked)
        contacts = await contacts_of(session, [patient], now, clinic.profile.zone)
    phone = contacts[patient.id].phone
    return _Visit(
        token=token,
        linked=linked,
        language=lang if lang in LANGUAGES else language_for(patient.language, clinic.profile),
        times=call_times(clinic.policy, clinic.calendar, phone, now),
    )


async def _patient(session: AsyncSession, linked: LinkedMessage) -> Patient:
    # a message that came back is set aside, and its row's number with it: its link stays
    of_step = Message.attempt_id == linked.attempt_id, Message.step == linked.step
    if await session.scalar(select(Message.attempt_id).where(*of_step).limit(1)) is None:
        raise HTTPException(404, "no such page")
    attempt = await session.get_one(Attempt, linked.attempt_id)
    patient = await session.get_one(Patient, attempt.patient_id)
    # of a person who was forgotten nothing is held again; a household may have no other link
    if patient.erased_at is not None and not await household.carried_by(session, *linked):
        raise HTTPException(404, "no such page")
    return patient


async def _hear(
    clinic: Clinic, clock: Clock, visit: _Visit, said: Answer | Draft, wish: str
) -> HTMLResponse:
    if isinstance(said, Draft):
        return patient_page(clinic.profile, visit.language, visit.token, visit.times, said)
    received = said.received(visit.linked, _for_staff(said, wish, clinic.profile.language))
    async with clinic.database.writing() as session:
        # what one of a household says counts for each whom the message names
        for concerned in await household.for_each(session, received, visit.linked.step):
            await inbox.store(session, concerned, now=clock(), key=clinic.key)
    return thanks_page(
        clinic.profile,
        visit.language,
        visit.token,
        _thanks(said, wish, visit.language),
        incentive=wish == "why",
    )


def _for_staff(said: Answer, wish: str, language: str) -> str:
    """Say an answer in the clinic's language, and the patient's words as they were written."""
    texts = TEXTS[language]
    if said.time is not None:
        asks = texts["asks_call_at"].format(time=spoken_time(said.time, language))
    elif said.reason is not None:
        asks = texts["asks_why"].format(reason=REASONS[language][said.reason])
    else:
        asks = texts["asks_why_words" if wish == "why" else f"asks_{wish}"]
    return f"{asks} {said.words}".strip()


def _thanks(said: Answer, wish: str, language: str) -> str:
    texts = TEXTS[language]
    if said.time is None:
        return texts[f"done_{wish}"]
    return texts["done_call_at"].format(time=spoken_time(said.time, language))
