"""A link in a message works until thirty days after the attempt's end; a stop counts for ever."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

from channels.protocol import Channel
from clinic import ledger
from clinic.clinic import Clinic
from clinic.event import EventKind
from clinic.outcome import LossReason
from clinic.register.address import address_hash
from clinic.tables import Event, Message, Suppression
from console.app import build_app
from console.patient.visit import is_over
from tests.console.conftest import SMS, Written

if TYPE_CHECKING:
    from tests.console.conftest import Desk

ONE_KIND = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what the database has no part in."""

ENDED = datetime(2027, 3, 2, 17, 0, tzinfo=UTC)
THIRTY_DAYS_ON = datetime(2027, 4, 1, 17, 0, tzinfo=UTC)
LONG_AFTER = datetime(2029, 3, 2, tzinfo=UTC)
EXPIRED = {
    "es": "Este enlace ya venció",
    "ru": "Срок действия этой ссылки истёк",
    "en": "This link has expired",
}

WebAt = Callable[[datetime], httpx.AsyncClient]


@pytest.fixture
def web_at(clinic: Clinic, channels: Mapping[str, Channel]) -> WebAt:
    """Return a client at the console's doors at a time."""

    def at(moment: datetime) -> httpx.AsyncClient:
        app = build_app(clinic, channels, clock=lambda: moment)
        transport = httpx.ASGITransport(app=app)
        return httpx.AsyncClient(transport=transport, base_url="http://console")

    return at


async def ended(desk: "Desk", **given: object) -> Written:
    written = await desk.written_to(**given)
    await desk.change(written.attempt, state="ended", outcome="exhausted", ended_at=ENDED)
    return written


@pytest.mark.parametrize(
    ("ends", "now", "over"),
    [
        pytest.param([None], LONG_AFTER, False, id="an attempt under way: never"),
        pytest.param([ENDED], THIRTY_DAYS_ON - timedelta(microseconds=1), False, id="just before"),
        pytest.param([ENDED], THIRTY_DAYS_ON, True, id="thirty days on"),
        pytest.param([ENDED, None], LONG_AFTER, False, id="another of the household is under way"),
        pytest.param(
            [ENDED, ENDED + timedelta(days=1)], THIRTY_DAYS_ON, False, id="another ended later"
        ),
        pytest.param([ENDED, ENDED], THIRTY_DAYS_ON, True, id="all of a household"),
    ],
)
def test_it_lasts_until_thirty_days_after_the_last_end(
    ends: list[datetime | None], now: datetime, *, over: bool
) -> None:
    assert is_over(ends, now) is over


@ONE_KIND
async def test_the_page_is_there_to_the_last_moment_and_not_a_moment_longer(
    desk: "Desk", web_at: WebAt
) -> None:
    path = f"/p/{desk.token(await ended(desk))}"
    before = await web_at(THIRTY_DAYS_ON - timedelta(microseconds=1)).get(path)
    assert (before.status_code, "Prefiero que me llamen" in before.text) == (200, True)
    after = await web_at(THIRTY_DAYS_ON).get(path)
    assert (after.status_code, "Prefiero que me llamen" in after.text) == (410, False)


@ONE_KIND
@pytest.mark.parametrize("language", EXPIRED)
@pytest.mark.parametrize("door", ["", "/call", "/why", "/stop"])
async def test_afterwards_it_says_so_in_the_patients_language_and_whom_to_turn_to(
    desk: "Desk", web_at: WebAt, clinic: Clinic, language: str, door: str
) -> None:
    token = desk.token(await ended(desk, language=language))
    answer = await web_at(LONG_AFTER).get(f"/p/{token}{door}")
    assert answer.status_code == 410
    for part in (
        f'<html lang="{language}">',
        f"<h1>{clinic.profile.name}</h1>",
        EXPIRED[language],
        f'href="tel:{clinic.profile.phone}"',
        f'href="{clinic.profile.booking_url}"',
        f'method="post" action="/p/{token}/stop?lang={language}"',
    ):
        assert part in answer.text
    assert answer.text.count("<form") == 1
    assert await desk.all(Event) == []


@ONE_KIND
async def test_a_clinic_without_a_booking_address_names_its_telephone_alone(
    desk: "Desk", web_at: WebAt, clinic: Clinic
) -> None:
    clinic.folder.profile = clinic.profile.model_copy(update={"booking_url": ""})
    answer = await web_at(LONG_AFTER).get(f"/p/{desk.token(await ended(desk))}")
    assert 'class="button"' not in answer.text
    assert f'Llámenos cuando quiera: <a href="tel:{clinic.profile.phone}">' in answer.text


@ONE_KIND
@pytest.mark.parametrize(
    "form",
    [
        pytest.param({}, id="by the button"),
        pytest.param({"List-Unsubscribe": "One-Click"}, id="by one click in the mail reader"),
    ],
)
async def test_a_stop_counts_for_ever(
    desk: "Desk", web_at: WebAt, clinic: Clinic, form: dict[str, str]
) -> None:
    written = await ended(desk)
    answer = await web_at(LONG_AFTER).post(f"/p/{desk.token(written)}/stop", data=form)
    assert (answer.status_code, "no le enviaremos más mensajes" in answer.text) == (200, True)
    # there is no page any more to go back to
    assert "/p/" not in answer.text
    [event] = await desk.all(Event)
    assert (event.kind, event.attempt_id) == (EventKind.OPTED_OUT.value, written.attempt.id)
    assert (await desk.again(written.patient)).opted_out_at == LONG_AFTER
    assert {row.address_hash for row in await desk.all(Suppression)} == {
        address_hash(clinic.key, str(address))
        for address in (written.patient.email, written.patient.phone)
    }


@ONE_KIND
@pytest.mark.parametrize(
    ("door", "form", "kind"),
    [
        ("call", {"words": "¿Me llaman?"}, EventKind.REPLY),
        ("why", {"reason": LossReason.PRICE.value}, EventKind.DECLINED),
        ("why", {"words": "Me mudé"}, EventKind.REPLY),
    ],
)
async def test_what_is_sent_from_a_page_opened_before_is_heard(
    desk: "Desk", web_at: WebAt, door: str, form: dict[str, str], kind: EventKind
) -> None:
    written = await ended(desk)
    answer = await web_at(THIRTY_DAYS_ON).post(f"/p/{desk.token(written)}/{door}", data=form)
    assert answer.status_code == 200
    [event] = await desk.all(Event)
    assert (event.kind, event.attempt_id) == (kind.value, written.attempt.id)
    assert event.body.endswith(form.get("words", "."))


@ONE_KIND
async def test_what_has_to_be_changed_in_such_a_page_is_shown_again(
    desk: "Desk", web_at: WebAt
) -> None:
    token = desk.token(await ended(desk))
    form = {"at": "2027-03-03.morning", "words": "soy Sofía"}
    answer = await web_at(THIRTY_DAYS_ON).post(f"/p/{token}/call", data=form)
    assert (answer.status_code, "soy Sofía" in answer.text) == (422, True)
    assert "Esa hora ya no está disponible" in answer.text


@ONE_KIND
async def test_a_households_link_lasts_as_long_as_anybody_named_is_under_way(
    desk: "Desk", web_at: WebAt, clinic: Clinic
) -> None:
    ana = await desk.write_to(await desk.patient(phone="+13055550123"), recorded=False)
    eva = await desk.attempt(await desk.patient(phone="+13055550123"))
    async with clinic.database.writing() as session:
        row = await session.get_one(Message, (ana.attempt.id, SMS, 1))
        await ledger.carry(session, row, [eva.id])
    await desk.change(ana.attempt, state="ended", outcome="declined", ended_at=ENDED)
    path = f"/p/{desk.token(ana)}"
    assert (await web_at(LONG_AFTER).get(path)).status_code == 200
    await desk.change(eva, state="ended", outcome="exhausted", ended_at=ENDED)
    assert (await web_at(LONG_AFTER).get(path)).status_code == 410
