"""A patient says why they left: a reason alone ends the attempt, words go to a person."""

from typing import TYPE_CHECKING

import httpx
import pytest

from clinic.clinic import Clinic
from clinic.event import EventKind
from clinic.multilingual import LANGUAGES
from clinic.outcome import LossReason
from clinic.tables import Event
from console.patient.call_times import DayPart
from console.patient.texts import DAY, DAY_PARTS, LANGUAGE_NAMES, REASONS, TEXTS

if TYPE_CHECKING:
    from tests.console.conftest import Desk

ONE_KIND = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what the database has no part in."""
INCENTIVE = {"es": "Un cepillo de regalo.", "ru": "Щётка в подарок.", "en": "A brush, as a gift."}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_words_for_everything(language: str) -> None:
    assert TEXTS[language].keys() == TEXTS["en"].keys()
    assert all(TEXTS[language].values())
    assert list(REASONS[language]) == list(LossReason)
    assert list(DAY_PARTS[language]) == list(DayPart)
    assert language in DAY
    assert language in LANGUAGE_NAMES


async def test_a_reason_alone_declines(desk: "Desk", web: httpx.AsyncClient) -> None:
    written = await desk.written_to()
    for _ in range(2):  # pressed twice
        answer = await web.post(f"/p/{desk.token(written)}/why", data={"reason": "price"})
        assert answer.status_code == 200
        assert "Gracias por contárnoslo." in answer.text
    [event] = await desk.all(Event)
    assert (event.kind, event.attempt_id) == (EventKind.DECLINED.value, written.attempt.id)
    assert event.details["loss_reason"] == "price"
    assert event.body == "Dice por qué no vuelve: El precio era alto para mí."
    assert (await desk.again(written.patient)).loss_reason == "price"


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        pytest.param("price", "Dice por qué no vuelve: El precio era alto para mí.", id="both"),
        pytest.param("", "Dice por qué no vuelve.", id="words alone"),
    ],
)
async def test_words_are_a_reply_that_a_person_reads(
    desk: "Desk", web: httpx.AsyncClient, reason: str, said: str
) -> None:
    written = await desk.written_to()
    form = {"reason": reason, "words": " ¿Tienen\0 cuotas? ", "nonce": "a1"}
    for _ in range(2):  # pressed twice
        answer = await web.post(f"/p/{desk.token(written)}/why", data=form)
        assert answer.status_code == 200
    [event] = await desk.all(Event)
    assert (event.kind, event.body) == (EventKind.REPLY.value, f"{said} ¿Tienen cuotas?")
    assert event.details.get("loss_reason", "") == reason
    assert (await desk.again(written.patient)).loss_reason == (reason or None)


@ONE_KIND
@pytest.mark.parametrize(
    "form",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"words": " \n\t "}, id="no words"),
        pytest.param({"reason": "bored"}, id="no reason of the list"),
        pytest.param({"reason": "bored", "words": "x"}, id="no reason of the list, with words"),
    ],
)
async def test_an_empty_answer_is_asked_for_again(
    desk: "Desk", web: httpx.AsyncClient, form: dict[str, str]
) -> None:
    token = desk.token(await desk.written_to())
    answer = await web.post(f"/p/{token}/why", data=form)
    assert answer.status_code == 422
    assert "Elija un motivo" in answer.text
    assert "<details open>" in answer.text
    assert await desk.all(Event) == []


@ONE_KIND
async def test_the_reason_that_was_chosen_stays_chosen(
    desk: "Desk", web: httpx.AsyncClient
) -> None:
    token = desk.token(await desk.written_to())
    form = {"reason": "hours", "words": "a" * 501}
    page = (await web.post(f"/p/{token}/why", data=form)).text
    assert 'value="hours" checked>' in page
    assert page.count(" checked>") == 1


@ONE_KIND
@pytest.mark.parametrize("language", LANGUAGES)
async def test_what_the_clinic_gives_for_an_answer_is_said_before_and_after(
    desk: "Desk", web: httpx.AsyncClient, clinic: Clinic, language: str
) -> None:
    clinic.folder.profile = clinic.profile.model_copy(update={"feedback_incentive": INCENTIVE})
    token = desk.token(await desk.written_to(language=language))
    said = f'<p class="incentive">{INCENTIVE[language]}</p>'
    assert said in (await web.get(f"/p/{token}")).text
    assert said in (await web.post(f"/p/{token}/why", data={"reason": "price"})).text
    assert said not in (await web.post(f"/p/{token}/call")).text


@ONE_KIND
async def test_without_an_incentive_none_is_promised(desk: "Desk", web: httpx.AsyncClient) -> None:
    page = (await web.get(f"/p/{desk.token(await desk.written_to())}")).text
    assert "incentive" not in page
