"""The patient's own page, from the link in a message: book, be called, say why, stop messages."""

from typing import Annotated

from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse

from clinic import inbox
from clinic.clinic import Clinic
from clinic.pressed import Wish
from clinic.register import household
from console.clock import Clock
from console.patient import answer
from console.patient.answer import Answer, Draft
from console.patient.spoken import spoken_time, spoken_wish
from console.patient.texts import TEXTS
from console.patient.view import over_page, patient_page, thanks_page
from console.patient.visit import Visit, followed

_Lang = Annotated[str, Query()]
_Text = Annotated[str, Form()]


def router(clinic: Clinic, clock: Clock) -> APIRouter:
    """Build the doors under /p/<token>: a GET shows, only a POST changes anything.

    An expired link shows a plain page, whichever door it leads to. What a patient sends is heard
    all the same: their page may be open since long before, and of all that could be lost, a stop
    is the worst and a reply comes next.
    """
    routes = APIRouter(prefix="/p", default_response_class=HTMLResponse)

    # mail scanners follow every link: looking at any of these changes nothing
    @routes.get("/{token}")
    @routes.get("/{token}/call")
    @routes.get("/{token}/why")
    @routes.get("/{token}/stop")
    async def show(token: str, lang: _Lang = "") -> HTMLResponse:
        visit = await followed(clinic, token, lang, clock())
        if visit.over:
            return over_page(clinic.profile, visit)
        return patient_page(clinic.profile, visit)

    @routes.post("/{token}/call")
    async def ask_for_call(
        token: str, lang: _Lang = "", at: _Text = "", words: _Text = "", nonce: _Text = ""
    ) -> HTMLResponse:
        visit = await followed(clinic, token, lang, clock())
        said = answer.call(at, words, nonce, visit.times)
        return await _hear(clinic, clock, visit, said)

    @routes.post("/{token}/why")
    async def say_why(
        token: str, lang: _Lang = "", reason: _Text = "", words: _Text = "", nonce: _Text = ""
    ) -> HTMLResponse:
        visit = await followed(clinic, token, lang, clock())
        said = answer.why(reason, words, nonce)
        return await _hear(clinic, clock, visit, said)

    # one click in a mail reader (RFC 8058) sends a body, the page's button none: neither is read;
    # a stop counts for ever, also from a mail whose link has expired
    @routes.post("/{token}/stop")
    async def stop(token: str, lang: _Lang = "") -> HTMLResponse:
        visit = await followed(clinic, token, lang, clock())
        return await _hear(clinic, clock, visit, answer.stop())

    return routes


async def _hear(clinic: Clinic, clock: Clock, visit: Visit, said: Answer | Draft) -> HTMLResponse:
    if isinstance(said, Draft):
        return patient_page(clinic.profile, visit, said)
    profile = clinic.profile
    pressed = said.pressed(visit.language)
    # as an export and a command say it; the console says it anew in its reader's language
    asked = spoken_wish(pressed, profile.language, profile.zone)
    received = said.received(visit.linked, pressed, asked)
    async with clinic.database.writing() as session:
        # what one of a household says counts for each whom the message names
        for concerned in await household.for_each(session, received, visit.linked.step):
            await inbox.store(session, concerned, now=clock(), key=clinic.key)
    return thanks_page(
        profile,
        visit.language,
        None if visit.over else visit.token,
        _thanks(said, visit.language),
        incentive=said.wish is Wish.WHY,
    )


def _thanks(said: Answer, language: str) -> str:
    texts = TEXTS[language]
    if said.time is None:
        return texts[f"done_{said.wish}"]
    return texts["done_call_at"].format(time=spoken_time(said.time, language))
