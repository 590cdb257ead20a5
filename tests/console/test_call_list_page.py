"""The call list in the console: who sees what, who gets a call, and what becomes of it."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fastapi import FastAPI

from clinic import inbox
from clinic.accounts import Role
from clinic.event import EventKind
from clinic.tables import AuditEntry, Call
from console.doors import csrf
from console.doors.session_cookie import COOKIE, SessionCookies

if TYPE_CHECKING:
    from tests.console.conftest import Desk


class Browser:
    """Somebody at work: keeps the session, and sends its token with every form."""

    def __init__(self, web: httpx.AsyncClient, csrf: str) -> None:
        self.web = web
        self.csrf = csrf

    async def page(self, path: str, *, status: int = 200) -> str:
        answer = await self.web.get(path)
        assert answer.status_code == status, answer.text
        return answer.text

    async def press(self, path: str, **fields: str) -> httpx.Response:
        return await self.web.post(path, data={"csrf": self.csrf} | fields)


Signed = Callable[..., Coroutine[Any, Any, Browser]]


@pytest.fixture
async def signed(app: FastAPI, desk: "Desk") -> AsyncIterator[Signed]:
    """Sign somebody in, each in a browser of their own."""
    async with AsyncExitStack() as browsers:

        async def sign_in(name: str = "Lucía", role: Role = Role.STAFF) -> Browser:
            claim = desk.session(await desk.account(name, role))
            key = desk.clinic.key
            web = await browsers.enter_async_context(
                httpx.AsyncClient(
                    transport=httpx.ASGITransport(app=app),
                    base_url="http://console",
                    cookies={COOKIE: SessionCookies(key).write(claim)},
                    headers={"Accept-Language": "en"},
                )
            )
            return Browser(web, csrf.token_of(key, claim.session_id))

        yield sign_in


async def test_who_is_due_stands_first_and_the_most_urgent_of_them(
    desk: "Desk", signed: Signed
) -> None:
    later = await desk.task_for(
        await desk.patient(first_name="Olga"), due_at=desk.now + timedelta(days=1), priority=0
    )
    due = await desk.task_for(await desk.patient(first_name="Bruno"))
    urgent = await desk.task_for(await desk.patient(first_name="Elena"), priority=1)
    page = await (await signed()).page("/calls")
    assert page.index(urgent.id) < page.index(due.id) < page.index(later.id)
    assert "2 due now" in page
    assert "3 open" in page


async def test_a_row_says_why_which_number_what_time_it_is_there_and_the_language(
    desk: "Desk", signed: Signed
) -> None:
    patient = await desk.patient(phone="+14155550123", language="ru")
    task = await desk.task_for(patient, kind="reply", priority=1)
    received = inbox.Received(
        source="sms",
        source_key="1",
        kind=EventKind.REPLY,
        attempt_id=task.attempt_id,
        body="Можно в <четверг>?",
    )
    async with desk.clinic.database.writing() as session:
        await inbox.store(session, received, now=desk.now, key=desk.clinic.key)
    page = await (await signed()).page("/calls")
    assert "Wrote to us: read it and answer" in page
    assert "Можно в &lt;четверг&gt;?" in page
    assert "+1 415-555-0123" in page
    assert "09:00" in page  # in San Francisco, while it is noon at the clinic
    assert "Russian" in page


async def test_one_click_takes_a_call_and_others_see_who_has_it(
    desk: "Desk", signed: Signed
) -> None:
    task = await desk.task_for(await desk.patient())
    lucia, bruno = await signed("Lucía"), await signed("Bruno")
    taken = await lucia.press(f"/calls/{task.id}/claim")
    assert (taken.status_code, taken.headers["location"]) == (303, f"/calls/{task.id}")
    assert "Lucía is calling" in await bruno.page("/calls")
    refused = await bruno.press(f"/calls/{task.id}/claim")
    assert refused.status_code == 409
    assert "Lucía is on this call until" in refused.text
    assert [(entry.who, entry.subject) for entry in await desk.all(AuditEntry)] == [
        ("Lucía", task.id)
    ]


async def test_a_claim_lapses_and_may_be_given_back(desk: "Desk", signed: Signed) -> None:
    task = await desk.task_for(await desk.patient())
    lucia, bruno = await signed("Lucía"), await signed("Bruno")
    await lucia.press(f"/calls/{task.id}/claim")
    await bruno.press(f"/calls/{task.id}/release")
    assert (await desk.again(task)).claimed_by == "Lucía"
    await lucia.press(f"/calls/{task.id}/release")
    assert (await bruno.press(f"/calls/{task.id}/claim")).status_code == 303


async def test_the_next_call_is_the_most_urgent_that_nobody_has(
    desk: "Desk", signed: Signed
) -> None:
    first = await desk.task_for(await desk.patient(), priority=1)
    second = await desk.task_for(await desk.patient())
    lucia, bruno = await signed("Lucía"), await signed("Bruno")
    assert (await lucia.press("/calls/next")).headers["location"] == f"/calls/{first.id}"
    assert (await bruno.press("/calls/next")).headers["location"] == f"/calls/{second.id}"
    nothing = await (await signed("Irina")).press("/calls/next")
    assert "Nobody is waiting for a call just now." in nothing.text


async def test_the_card_shows_the_script_and_the_outcomes_to_whoever_has_the_call(
    desk: "Desk", signed: Signed
) -> None:
    task = await desk.task_for(await desk.patient(first_name="Elena"))
    lucia, bruno = await signed("Lucía"), await signed("Bruno")
    await lucia.press(f"/calls/{task.id}/claim")
    card = await lucia.page(f"/calls/{task.id}")
    assert "Elena" in card.partition("What to say")[2]
    assert 'value="no_answer"' in card
    watched = await bruno.page(f"/calls/{task.id}")
    assert "Lucía is calling" in watched
    assert 'value="no_answer"' not in watched


async def test_an_outcome_is_recorded_once_and_the_second_is_told_by_whom(
    desk: "Desk", signed: Signed
) -> None:
    task = await desk.task_for(await desk.patient())
    lucia, bruno = await signed("Lucía"), await signed("Bruno")
    await lucia.press(f"/calls/{task.id}/claim")
    done = await lucia.press(
        f"/calls/{task.id}/complete", outcome="declined", reason="price", at="", note="quizás"
    )
    assert (done.status_code, done.headers["location"]) == (303, "/calls")
    [call] = await desk.all(Call)
    assert (call.made_by, call.outcome, call.loss_reason) == ("Lucía", "declined", "price")
    late = await bruno.press(f"/calls/{task.id}/complete", outcome="booked", reason="", at="")
    assert late.status_code == 409
    assert "Lucía has completed this task" in late.text
    assert len(await desk.all(Call)) == 1


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        pytest.param({"outcome": "declined"}, "Choose a reason", id="no reason"),
        pytest.param({"outcome": "call_back"}, "Choose a time", id="no time"),
        pytest.param(
            {"outcome": "call_back", "at": "2027-03-01T10:00"}, "has passed", id="in the past"
        ),
        pytest.param(
            {"outcome": "booked", "reason": "price"}, "reason goes with", id="reason misplaced"
        ),
    ],
)
async def test_a_report_that_does_not_fit_together_is_shown_again_as_it_was_filled_in(
    desk: "Desk", signed: Signed, fields: dict[str, str], said: str
) -> None:
    task = await desk.task_for(await desk.patient())
    lucia = await signed()
    await lucia.press(f"/calls/{task.id}/claim")
    empty = {"reason": "", "at": "", "note": "llamar por la tarde"}
    answer = await lucia.press(f"/calls/{task.id}/complete", **(empty | fields))
    assert answer.status_code == 422
    assert said in answer.text
    assert "llamar por la tarde" in answer.text
    assert await desk.all(Call) == []


async def test_a_call_back_is_by_the_clinics_clock(desk: "Desk", signed: Signed) -> None:
    task = await desk.task_for(await desk.patient())
    lucia = await signed()
    await lucia.press(f"/calls/{task.id}/claim")
    await lucia.press(f"/calls/{task.id}/complete", outcome="call_back", at="2027-03-03T10:30")
    # New York in winter
    assert (await desk.again(task)).due_at == datetime(2027, 3, 3, 15, 30, tzinfo=UTC)


async def test_a_task_that_is_gone_is_a_page_that_is_gone(desk: "Desk", signed: Signed) -> None:
    task = await desk.task_for(await desk.patient(), closed_at=desk.now, closed_by="Bruno")
    lucia = await signed()
    assert "no such page" in (await lucia.page(f"/calls/{task.id}", status=404)).lower()
    await lucia.page("/calls/ct-0000000000000000", status=404)
