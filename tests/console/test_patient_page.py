"""The patient's own page: a look changes nothing, a press of a button is heard."""

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import httpx
import pytest
from pydantic import SecretStr

from clinic import ledger
from clinic.clinic import Clinic
from clinic.event import EventKind
from clinic.link import PatientLinks
from clinic.outcome import LossReason
from clinic.register.address import address_hash
from clinic.tables import Event, Message, Suppression
from tests.console.conftest import SMS

if TYPE_CHECKING:
    from tests.console.conftest import Desk

ONE_KIND = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what the database has no part in."""

SECURITY = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}


@ONE_KIND
@pytest.mark.parametrize(
    ("language", "lang", "words"),
    [
        pytest.param("es", "es", ["Prefiero que me llamen", "No me escriban más"], id="es"),
        pytest.param("ru", "ru", ["Позвоните мне, пожалуйста", "Больше не пишите мне"], id="ru"),
        pytest.param("en", "en", ["Please call me", "No more messages, please"], id="en"),
        pytest.param(None, "es", ["Prefiero que me llamen"], id="unknown: the clinic's own"),
    ],
)
async def test_it_speaks_the_patients_language_and_offers_every_way(
    desk: "Desk",
    web: httpx.AsyncClient,
    clinic: Clinic,
    language: str | None,
    lang: str,
    words: list[str],
) -> None:
    token = desk.token(await desk.written_to(language=language))
    answer = await web.get(f"/p/{token}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    for part in (
        f'<html lang="{lang}">',
        f"<h1>{clinic.profile.name}</h1>",
        f'href="{clinic.profile.booking_url}"',
        f'href="tel:{clinic.profile.phone}"',
        f'method="post" action="/p/{token}/call?lang={lang}"',
        f'method="post" action="/p/{token}/why?lang={lang}"',
        f'method="post" action="/p/{token}/stop?lang={lang}"',
        *words,
    ):
        assert part in answer.text


@ONE_KIND
async def test_it_says_nothing_of_the_patient(desk: "Desk", web: httpx.AsyncClient) -> None:
    written = await desk.written_to()
    page = (await web.get(f"/p/{desk.token(written)}")).text
    patient = written.patient
    for personal in (patient.first_name, patient.last_name, patient.email, patient.phone):
        assert str(personal) not in page


@ONE_KIND
async def test_what_the_clinic_is_called_is_text_and_not_markup(
    desk: "Desk", web: httpx.AsyncClient, clinic: Clinic
) -> None:
    profile = clinic.profile.model_copy(update={"name": "<b>Aurora & Co</b>"})
    clinic.folder.profile = profile
    page = (await web.get(f"/p/{desk.token(await desk.written_to())}")).text
    assert "&lt;b&gt;Aurora &amp; Co&lt;/b&gt;" in page
    assert "<b>" not in page


@ONE_KIND
@pytest.mark.parametrize(
    ("method", "door"),
    [("GET", ""), ("HEAD", ""), ("GET", "/stop"), ("POST", "/call"), ("POST", "/stop")],
)
async def test_every_answer_is_for_the_patients_eyes_only(
    desk: "Desk", web: httpx.AsyncClient, method: str, door: str
) -> None:
    answer = await web.request(method, f"/p/{desk.token(await desk.written_to())}{door}")
    assert answer.status_code == 200
    assert {name: answer.headers[name] for name in SECURITY} == SECURITY
    assert "Set-Cookie" not in answer.headers


@ONE_KIND
@pytest.mark.parametrize("door", ["", "/call", "/why", "/stop"])
@pytest.mark.parametrize("query", ["", "?reason=price&words=x&List-Unsubscribe=One-Click"])
async def test_a_scanner_that_follows_every_link_changes_nothing(
    desk: "Desk", web: httpx.AsyncClient, door: str, query: str
) -> None:
    written = await desk.written_to()
    path = f"/p/{desk.token(written)}{door}{query}"
    for method, status in (("GET", 200), ("HEAD", 200), ("OPTIONS", 204), ("PUT", 405)):
        assert (await web.request(method, path)).status_code == status
    assert await desk.all(Event) == []
    assert (await desk.again(written.patient)).opted_out_at is None


@pytest.mark.parametrize(
    "form",
    [
        pytest.param({}, id="by the button"),
        pytest.param({"List-Unsubscribe": "One-Click"}, id="by one click in the mail reader"),
    ],
)
async def test_stop_stops_everything_at_once(
    desk: "Desk", web: httpx.AsyncClient, clinic: Clinic, form: dict[str, str]
) -> None:
    written = await desk.written_to()
    path = clinic.links.stop_url(written.attempt.id, 1).removeprefix(clinic.settings.public_url)
    answer = await web.post(path, data=form)
    assert answer.status_code == 200
    assert "no le enviaremos más mensajes" in answer.text
    (event,) = await desk.all(Event)
    assert (event.kind, event.source) == (EventKind.OPTED_OUT.value, "link")
    assert (event.attempt_id, event.body) == (written.attempt.id, "No quiere más mensajes.")
    patient = await desk.again(written.patient)
    assert patient.opted_out_at is not None
    assert {row.address_hash for row in await desk.all(Suppression)} == {
        address_hash(clinic.key, str(address)) for address in (patient.email, patient.phone)
    }


async def test_a_stop_from_an_old_address_silences_that_address_too(
    desk: "Desk", web: httpx.AsyncClient
) -> None:
    written = await desk.written_to()
    old = (await desk.message(written)).address_hash
    await desk.change(written.patient, phone="+13055550199")
    assert (await web.post(f"/p/{desk.token(written)}/stop")).status_code == 200
    assert old in {row.address_hash for row in await desk.all(Suppression)}


async def test_stop_pressed_twice_is_said_once(desk: "Desk", web: httpx.AsyncClient) -> None:
    token = desk.token(await desk.written_to())
    answers = [await web.post(f"/p/{token}/stop") for _ in range(2)]
    assert answers[0].text == answers[1].text
    assert len(await desk.all(Event)) == 1


@pytest.mark.parametrize(
    ("wish", "body"),
    [
        pytest.param("", "Pide que le llamen.", id="at any time"),
        pytest.param(" mañana a las 10 ", "Pide que le llamen. mañana a las 10", id="with a wish"),
        pytest.param("ma\0ñana", "Pide que le llamen. mañana", id="what a database refuses"),
        pytest.param("<script>", "Pide que le llamen. <script>", id="kept as it was written"),
    ],
)
async def test_whoever_asks_for_a_call_has_replied(
    desk: "Desk", web: httpx.AsyncClient, wish: str, body: str
) -> None:
    written = await desk.written_to()
    answer = await web.post(f"/p/{desk.token(written)}/call", data={"words": wish})
    assert answer.status_code == 200
    assert "Le llamaremos pronto" in answer.text
    assert "<script>" not in answer.text
    (event,) = await desk.all(Event)
    assert (event.kind, event.body) == (EventKind.REPLY.value, body)
    assert (event.attempt_id, event.patient_id) == (written.attempt.id, written.patient.id)
    assert (await desk.again(written.patient)).opted_out_at is None


async def nonce_shown(web: httpx.AsyncClient, token: str) -> str:
    shown = re.search(r'name="nonce" value="([0-9a-f]{32})"', (await web.get(f"/p/{token}")).text)
    assert shown is not None
    return shown[1]


async def test_the_same_wish_twice_is_one_and_another_wish_is_another(
    desk: "Desk", web: httpx.AsyncClient
) -> None:
    token = desk.token(await desk.written_to())
    nonce = await nonce_shown(web, token)
    for wish in ("mañana", "mañana", "el lunes"):
        await web.post(f"/p/{token}/call", data={"words": wish, "nonce": nonce})
    bodies = [event.body for event in await desk.all(Event)]
    assert bodies == ["Pide que le llamen. mañana", "Pide que le llamen. el lunes"]


async def test_the_same_wish_on_another_visit_is_another(
    desk: "Desk", web: httpx.AsyncClient
) -> None:
    token = desk.token(await desk.written_to())
    for _ in range(2):
        form = {"words": "mañana", "nonce": await nonce_shown(web, token)}
        await web.post(f"/p/{token}/call", data=form)
    assert len(await desk.all(Event)) == 2


@ONE_KIND
@pytest.mark.parametrize(
    "form",
    [
        pytest.param({}, id="without a nonce"),
        pytest.param({"nonce": ""}, id="an empty nonce"),
        pytest.param({"nonce": "mañana"}, id="not hexadecimal"),
        pytest.param({"nonce": "a" * 33}, id="too long"),
    ],
)
async def test_a_wish_from_a_form_that_is_not_ours_is_always_heard(
    desk: "Desk", web: httpx.AsyncClient, form: dict[str, str]
) -> None:
    token = desk.token(await desk.written_to())
    for _ in range(2):
        assert (await web.post(f"/p/{token}/call", data=form)).status_code == 200
    assert len(await desk.all(Event)) == 2


@ONE_KIND
async def test_a_patients_words_stand_in_no_key(desk: "Desk", web: httpx.AsyncClient) -> None:
    token = desk.token(await desk.written_to())
    await web.post(f"/p/{token}/call", data={"words": "mañana", "nonce": "a1"})
    (event,) = await desk.all(Event)
    assert "mañana" not in event.source_key


@ONE_KIND
@pytest.mark.parametrize("door", ["call", "why"])
async def test_words_without_end_are_shown_again_to_be_cut(
    desk: "Desk", web: httpx.AsyncClient, door: str
) -> None:
    token = desk.token(await desk.written_to())
    answer = await web.post(f"/p/{token}/{door}", data={"words": "palabras " * 60})
    assert answer.status_code == 422
    assert "palabras palabras" in answer.text
    # within the form that it is about, where the focus is: on a phone the page's top is far away
    form = answer.text.partition(f"/{door}?lang=")[2].partition("</form>")[0]
    assert "autofocus>El texto es demasiado largo: caben 500 caracteres.</p>" in form
    assert await desk.all(Event) == []


@ONE_KIND
async def test_lines_count_as_the_browser_counts_them(desk: "Desk", web: httpx.AsyncClient) -> None:
    token = desk.token(await desk.written_to())
    answer = await web.post(f"/p/{token}/call", data={"words": "a\r\n" * 249 + "aa"})
    assert answer.status_code == 200


@ONE_KIND
@pytest.mark.parametrize(
    ("method", "door"), [("GET", ""), ("POST", "/call"), ("POST", "/why"), ("POST", "/stop")]
)
@pytest.mark.parametrize(
    "token",
    [
        pytest.param("nonsense", id="no token at all"),
        pytest.param("{attempt}.1", id="unsigned"),
        pytest.param("{token}x", id="with something added"),
        pytest.param("{other_step}", id="another step under this signature"),
        pytest.param("{other_key}", id="signed with another key"),
        pytest.param("{not_sent}", id="of a message that was never sent"),
        pytest.param("ñandú.1.%F0%9F%99%82", id="not ASCII"),
    ],
)
async def test_a_link_that_is_not_ours_leads_nowhere(
    desk: "Desk", web: httpx.AsyncClient, clinic: Clinic, token: str, method: str, door: str
) -> None:
    written = await desk.written_to()
    attempt_id, real = written.attempt.id, desk.token(written)
    stranger = PatientLinks(SecretStr("another key of at least 32 letters"), "http://x")
    path = token.format(
        attempt=attempt_id,
        token=real,
        other_step=real.replace(f"{attempt_id}.1.", f"{attempt_id}.0."),
        other_key=stranger.link_to(attempt_id, 1).rpartition("/")[2],
        not_sent=clinic.links.link_to(attempt_id, 0).rpartition("/")[2],
    )
    answer = await web.request(method, f"/p/{path}{door}", headers={"Accept-Language": "ru"})
    assert (answer.status_code, "Возможно, ссылка неполная" in answer.text) == (404, True)
    assert await desk.all(Event) == []


@ONE_KIND
@pytest.mark.parametrize(
    ("query", "lang"),
    [("", "es"), ("?lang=ru", "ru"), ("?lang=en", "en"), ("?lang=xx", "es"), ("?lang=", "es")],
)
async def test_another_language_is_a_link_away(
    desk: "Desk", web: httpx.AsyncClient, query: str, lang: str
) -> None:
    token = desk.token(await desk.written_to(language="es"))
    page = await web.get(f"/p/{token}{query}")
    assert f'<html lang="{lang}">' in page.text
    others = re.findall(r'<a href="(/p/[^"]+)" lang="(..)" hreflang="(..)">', page.text)
    assert [(href, code) for href, code, _ in others] == [
        (f"/p/{token}?lang={other}", other) for other in ("es", "ru", "en") if other != lang
    ]
    thanks = await web.post(f"/p/{token}/call{query}")
    assert f'<html lang="{lang}">' in thanks.text
    assert "Set-Cookie" not in page.headers


@ONE_KIND
async def test_it_is_small_and_needs_no_script(desk: "Desk", web: httpx.AsyncClient) -> None:
    page = await web.get(f"/p/{desk.token(await desk.written_to(language='ru'))}")
    linked = re.findall(r'(?:src|href)="(/assets/[^"]+)"', page.text)
    assert linked == ["/assets/patient.css"]
    style = await web.get(linked[0])
    assert len(page.content) + len(style.content) < 50_000
    for active in ("<script", " style=", "<style", "onclick", "javascript:", "<img", "<iframe"):
        assert active not in page.text


class Outline(HTMLParser):
    """What a screen reader goes by."""

    def __init__(self) -> None:
        super().__init__()
        self.headings: list[str] = []
        self.named: set[str] = set()
        self.fields: list[tuple[str, dict[str, str | None]]] = []
        self.ids: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids += [str(given["id"])] if "id" in given else []
        if tag in {"h1", "h2", "h3"}:
            self.headings.append(tag)
        if tag == "label" and "for" in given:
            self.named.add(str(given["for"]))
        if tag in {"input", "select", "textarea"} and given.get("type") != "hidden":
            inside = given | ({"wrapped": "yes"} if "label" in self.open else {})
            self.fields.append((tag, inside))
        if tag not in {"input", "meta", "link", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@ONE_KIND
async def test_whoever_can_not_see_it_finds_their_way(desk: "Desk", web: httpx.AsyncClient) -> None:
    outline = Outline()
    outline.feed((await web.get(f"/p/{desk.token(await desk.written_to())}")).text)
    assert outline.open == []  # every element is closed
    assert outline.headings == ["h1", "h2", "h2", "h2"]
    assert len(outline.ids) == len(set(outline.ids))
    for tag, given in outline.fields:
        assert given.get("id") in outline.named or "wrapped" in given, (tag, given)
    assert len(outline.fields) == len(LossReason) + 3


async def test_the_link_of_a_message_that_came_back_still_stops(
    desk: "Desk", web: httpx.AsyncClient, clinic: Clinic
) -> None:
    written = await desk.written_to()
    async with clinic.database.writing() as session:
        row = await session.get_one(Message, (written.attempt.id, SMS, 1))
        await ledger.set_aside(session, row, "30007", desk.now)
    assert (await web.post(f"/p/{desk.token(written)}/stop")).status_code == 200
    assert (await desk.again(written.patient)).opted_out_at is not None
