"""The patient's page on a phone: everything by a tap, in three languages, for everybody to read."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import Page, Response, expect

from clinic import call_opening
from clinic.call_task import REPLY_TRIES, TaskKind
from clinic.clinic import Clinic
from clinic.tables import Event
from tests.browser import A_PHONE, Open, too_wide, violations

if TYPE_CHECKING:
    from tests.console.conftest import Desk

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

PHONE: dict[str, Any] = {"viewport": A_PHONE, "has_touch": True, "is_mobile": True}
MOST_BYTES = 50_000
"""Of the page with all that it loads (issue of the console, point 5)."""
ENDED = datetime(2027, 1, 2, 17, 0, tzinfo=UTC)
INCENTIVE = {
    "es": "Por contárnoslo, una limpieza gratis.",
    "ru": "За ответ — бесплатная чистка зубов.",
    "en": "For telling us, a free cleaning.",
}
WORDS = {
    "es": {
        "book": "Reservar una hora",
        "when": "¿Cuándo le conviene?",
        "time": "miércoles, 3 de marzo, por la mañana (antes de las 12)",
        "call": "Llámenme, por favor",
        "called": "Le llamaremos: miércoles, 3 de marzo",
        "back": "Volver a la página",
        "why_title": "No volveré por ahora",
        "reason": "Me queda lejos",
        "why": "Enviar mi respuesta",
        "thanks": "Gracias por contárnoslo",
        "stop": "No me escriban más",
        "stopped": "no le enviaremos más mensajes",
    },
    "ru": {
        "book": "Записаться на приём",
        "when": "Когда вам удобно?",
        "time": "среда, 3 марта, утром (до 12)",
        "call": "Позвоните мне, пожалуйста",
        "called": "Мы позвоним вам: среда, 3 марта",
        "back": "Вернуться на страницу",
        "why_title": "Пока не приду",
        "reason": "Далеко добираться",
        "why": "Отправить ответ",
        "thanks": "Спасибо, что рассказали",
        "stop": "Больше не пишите мне",
        "stopped": "мы больше не будем вам писать",
    },
    "en": {
        "book": "Book a visit",
        "when": "When suits you?",
        "time": "Wednesday, March 3, in the morning (before 12)",
        "call": "Please call me",
        "called": "We will call you: Wednesday, March 3",
        "back": "Back to the page",
        "why_title": "I will not come for now",
        "reason": "It is far for me",
        "why": "Send my answer",
        "thanks": "Thank you for telling us",
        "stop": "No more messages, please",
        "stopped": "we will not write to you again",
    },
}


@pytest.fixture(autouse=True)
def _incentive(clinic: Clinic) -> None:
    clinic.folder.profile = clinic.profile.model_copy(update={"feedback_incentive": INCENTIVE})


@pytest.mark.parametrize("language", WORDS)
async def test_a_patient_asks_for_a_call_says_why_and_stops(
    desk: "Desk", open_page: Open, clinic: Clinic, language: str
) -> None:
    says = WORDS[language]
    token = desk.token(await desk.written_to(language=language))
    # the browser's language is another: the patient's own counts
    page = await open_page(f"/p/{token}", None, "de", java_script_enabled=False, **PHONE)
    book = page.get_by_role("link", name=says["book"])
    assert await book.get_attribute("href") == clinic.profile.booking_url
    await page.get_by_label(says["when"]).select_option(label=says["time"])
    await page.get_by_role("button", name=says["call"]).tap()
    await expect(page.get_by_role("status")).to_contain_text(says["called"])
    await page.get_by_role("link", name=says["back"]).tap()
    await page.get_by_text(says["why_title"]).tap()
    await expect(page.get_by_text(INCENTIVE[language])).to_be_visible()
    await page.get_by_label(says["reason"]).tap()
    await page.get_by_role("button", name=says["why"]).tap()
    await expect(page.get_by_role("status")).to_contain_text(says["thanks"])
    await page.get_by_role("link", name=says["back"]).tap()
    await page.get_by_role("button", name=says["stop"]).tap()
    await expect(page.get_by_role("status")).to_contain_text(says["stopped"])
    assert [event.kind for event in await desk.all(Event)] == ["reply", "declined", "opted_out"]


async def test_a_call_that_is_asked_for_stands_on_the_staffs_list_at_its_time(
    desk: "Desk", open_page: Open, clinic: Clinic
) -> None:
    written = await desk.written_to(first_name="Elena")
    page = await open_page(f"/p/{desk.token(written)}", None, "es", **PHONE)
    await page.get_by_label("¿Cuándo le conviene?").select_option("2027-03-03.morning")
    await page.get_by_label("¿Algo que debamos saber?").fill("Mejor por el fijo")
    await page.get_by_role("button", name="Llámenme").tap()
    await expect(page.get_by_role("status")).to_contain_text("Le llamaremos")
    # what the attempt's workflow asks for when it hears of it
    [event] = await desk.all(Event)
    async with clinic.database.writing() as session:
        await call_opening.open_task(
            session,
            attempt_id=written.attempt.id,
            step=1,
            kind=TaskKind.REPLY,
            due_at=desk.now,
            tries=REPLY_TRIES,
            event_id=event.id,
            now=desk.now,
        )
    staff = await open_page("/calls", await desk.account(), "en")
    row = staff.get_by_role("listitem").filter(has_text="Elena")
    await expect(row).to_contain_text("Mejor por el fijo")
    await expect(row).to_contain_text("Wed, Mar 3, 08:00")


async def opened(desk: "Desk", open_page: Open, name: str, language: str, **given: Any) -> Page:
    """Open one of the pages that a patient may see."""
    written = await desk.written_to(language=language)
    path = f"/p/{desk.token(written)}"
    if name == "a link that has expired":
        await desk.change(written.attempt, state="ended", outcome="exhausted", ended_at=ENDED)
    page = await open_page(
        path + ("x" if name == "a link that is not ours" else ""), None, language, **given
    )
    says = WORDS[language]
    if name in ("the page", "a form shown again"):
        await page.get_by_text(says["why_title"]).tap()
    if name == "a form shown again":
        await page.get_by_role("button", name=says["why"]).tap()
        await expect(page.get_by_role("alert")).to_be_visible()
    if name == "thanks":
        await page.get_by_role("button", name=says["call"]).tap()
        await expect(page.get_by_role("status")).to_be_visible()
    return page


PAGES = [
    "the page",
    "a form shown again",
    "thanks",
    "a link that is not ours",
    "a link that has expired",
]


@pytest.mark.parametrize(
    ("language", "scheme"),
    [("es", "light"), pytest.param("ru", "dark", marks=pytest.mark.long)],
)
async def test_every_page_can_be_read_and_tapped_by_everybody(
    desk: "Desk", open_page: Open, language: str, scheme: str
) -> None:
    # axe brings its own script, which our pages refuse to run
    given = {**PHONE, "color_scheme": scheme, "bypass_csp": True}
    for name in PAGES:
        page = await opened(desk, open_page, name, language, **given)
        assert await violations(page) == [], name
        assert await too_wide(page) == 0, name
        assert await too_small(page) == [], name
        await page.context.close()


async def too_small(page: Page) -> list[str]:
    """Name the buttons and fields that are less than 44 CSS pixels high."""
    tapped = page.locator("button:visible, a.button:visible, select:visible, label.choice:visible")
    return [
        await each.inner_text()
        for each in await tapped.all()
        if ((await each.bounding_box()) or {"height": 0})["height"] < 44
    ]


async def test_it_is_small_with_all_that_it_loads_and_loads_nothing_from_elsewhere(
    desk: "Desk", open_page: Open
) -> None:
    token = desk.token(await desk.written_to(language="ru"))
    page = await open_page("about:blank", None, "ru", **PHONE)
    answers: list[Response] = []

    def keep(answer: Response) -> None:
        answers.append(answer)

    page.on("response", keep)
    await page.goto(f"/p/{token}", wait_until="networkidle")
    here = page.url.removesuffix(f"/p/{token}")
    assert {answer.url for answer in answers} >= {page.url, f"{here}/assets/patient.css"}
    assert all(answer.url.startswith(f"{here}/") for answer in answers)
    sizes = [await answer.request.sizes() for answer in answers]
    sent = sum(size["responseBodySize"] + size["responseHeadersSize"] for size in sizes)
    assert 5_000 < sent < MOST_BYTES
    assert await page.locator("script, img, iframe").count() == 0
