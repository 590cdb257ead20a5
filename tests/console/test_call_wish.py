"""A patient asks to be called at a time: only such are offered as the policy allows."""

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import httpx
import pytest
import yaml

from clinic import call_opening
from clinic.call_task import ANSWER_WITHIN, TaskKind
from clinic.clinic import Clinic
from clinic.contact_policy import ContactCalendar, ContactPolicy
from clinic.contact_policy.rules import TimeZoneRule
from clinic.event import EventKind
from clinic.pressed import Pressed, Wish
from clinic.tables import CallTask, Event
from console.patient.call_times import call_times
from console.patient.spoken import spoken_wish

if TYPE_CHECKING:
    from tests.console.conftest import Desk

ONE_KIND = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what the database has no part in."""
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
POLICIES = Path(__file__).parents[2] / "examples" / "clinic" / "policies"
DAYTIME = ContactPolicy.model_validate(yaml.safe_load((POLICIES / "daytime.yaml").read_text()))
NEW_YORK = ContactCalendar(zone=ZoneInfo("America/New_York"))


@pytest.fixture
def contact_policy() -> str:
    return "daytime"


def names(now: str, policy: ContactPolicy = DAYTIME, phone: str | None = None) -> list[str]:
    moment = datetime.fromisoformat(now).replace(tzinfo=NEW_YORK.zone).astimezone(UTC)
    return [time.name for time in call_times(policy, NEW_YORK, phone, moment)]


def test_what_is_left_of_today_and_seven_open_days_are_offered() -> None:
    found = names("2027-03-02T12:00")  # a Tuesday
    assert found[:3] == ["2027-03-02.afternoon", "2027-03-02.evening", "2027-03-03.morning"]
    days = list(dict.fromkeys(name.partition(".")[0] for name in found))
    # from Tuesday to Tuesday, without the Sunday
    assert days == [f"2027-03-0{day}" for day in (2, 3, 4, 5, 6, 8, 9)]
    # on Saturdays the policy ends at three
    assert [name for name in found if "03-06" in name] == [
        "2027-03-06.morning",
        "2027-03-06.afternoon",
    ]


@pytest.mark.parametrize(
    ("now", "first"),
    [
        pytest.param("2027-03-02T16:29", "2027-03-02.afternoon", id="half an hour is enough"),
        pytest.param("2027-03-02T16:30", "2027-03-02.evening", id="less is not"),
        pytest.param("2027-03-02T19:45", "2027-03-02.evening", id="while the policy allows it"),
        pytest.param("2027-03-02T20:00", "2027-03-03.morning", id="after the policy's hours"),
        pytest.param("2027-03-07T12:00", "2027-03-08.morning", id="on a Sunday"),
    ],
)
def test_a_part_of_a_day_is_offered_while_enough_of_it_is_left(now: str, first: str) -> None:
    assert names(now)[0] == first


def test_each_part_is_due_at_its_first_allowed_moment() -> None:
    now = datetime(2027, 3, 2, 17, 0, 20, tzinfo=UTC)
    due = {time.name: time.at for time in call_times(DAYTIME, NEW_YORK, None, now)}
    assert due["2027-03-02.afternoon"] == datetime(2027, 3, 2, 17, 1, tzinfo=UTC)
    assert due["2027-03-02.evening"] == datetime(2027, 3, 2, 22, 0, tzinfo=UTC)
    assert due["2027-03-03.morning"] == datetime(2027, 3, 3, 14, 0, tzinfo=UTC)  # from nine


def test_a_far_patient_is_offered_only_what_is_daytime_there() -> None:
    rule = TimeZoneRule(source="house rule", since=date(2026, 1, 1), of="patient")
    policy = DAYTIME.model_copy(update={"time_zone": rule})
    # 9:00 to 20:00 in Los Angeles is noon to 23:00 in New York
    found = names("2027-03-02T21:00", policy, "+12135550123")
    assert found[:2] == ["2027-03-03.afternoon", "2027-03-03.evening"]


def test_a_clinic_that_is_closed_for_long_offers_no_time() -> None:
    closed = NEW_YORK.model_copy(
        update={"closing_days": frozenset(date(2027, 3, day) for day in range(1, 32))}
    )
    now = datetime(2027, 3, 1, 17, 0, tzinfo=UTC)
    assert [time.day.month for time in call_times(DAYTIME, closed, None, now)] == []


@ONE_KIND
@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("es", "miércoles, 3 de marzo, por la mañana (antes de las 12)"),
        ("ru", "среда, 3 марта, утром (до 12)"),
        ("en", "Wednesday, March 3, in the morning (before 12)"),
    ],
)
async def test_the_page_offers_the_times_in_words(
    desk: "Desk", web: httpx.AsyncClient, language: str, words: str
) -> None:
    token = desk.token(await desk.written_to(language=language))
    assert (
        f'<option value="2027-03-03.morning">{words}</option>'
        in (await web.get(f"/p/{token}")).text
    )


async def test_who_asks_for_a_time_is_called_then(
    desk: "Desk", web: httpx.AsyncClient, clinic: Clinic
) -> None:
    written = await desk.written_to(language="ru")
    form = {"at": "2027-03-04.evening", "words": "Только не раньше!"}
    answer = await web.post(f"/p/{desk.token(written)}/call", data=form)
    assert answer.status_code == 200
    assert "Мы позвоним вам: четверг, 4 марта, вечером (после 17)." in answer.text
    [event] = await desk.all(Event)
    assert event.kind == EventKind.REPLY.value
    # staff read the clinic's language, and the patient's own words
    assert event.body == (
        "Pide que le llamen: jueves, 4 de marzo, a última hora (después de las 17). "
        "Только не раньше!"
    )
    asked = datetime(2027, 3, 4, 22, 0, tzinfo=UTC)
    assert datetime.fromisoformat(event.details["at"]) == asked
    async with clinic.database.writing() as session:
        await call_opening.keep_late(session, event, desk.now)
    assert [task.due_at for task in await desk.all(CallTask)] == [asked]


def test_a_time_that_another_zone_makes_a_night_of_is_said_by_the_clock() -> None:
    asked = Pressed(wish=Wish.CALL, at=datetime(2027, 3, 4, 22, 0, tzinfo=UTC))
    said = spoken_wish(asked, "en", ZoneInfo("Europe/Moscow"))
    assert said == "Asks for a call: Friday, March 5, 01:00."


async def test_a_time_that_was_asked_for_replaces_what_was_due(
    desk: "Desk", web: httpx.AsyncClient, clinic: Clinic
) -> None:
    written = await desk.written_to()
    await web.post(f"/p/{desk.token(written)}/call", data={"at": "2027-03-04.evening"})
    [event] = await desk.all(Event)

    async def open_task(kind: TaskKind, event_id: str | None, now: datetime) -> None:
        async with clinic.database.writing() as session:
            await call_opening.open_task(
                session,
                attempt_id=written.attempt.id,
                step=0,
                kind=kind,
                due_at=now,
                tries=3,
                event_id=event_id,
                now=now,
            )

    asked = datetime(2027, 3, 4, 22, 0, tzinfo=UTC)
    await open_task(TaskKind.CALL, None, desk.now)
    for _ in range(2):  # the worker tries again
        await open_task(TaskKind.REPLY, event.id, desk.now)
        assert [task.due_at for task in await desk.all(CallTask)] == [asked]


async def test_a_time_that_has_passed_before_it_was_heard_of_is_due_soon(
    desk: "Desk", web: httpx.AsyncClient, clinic: Clinic
) -> None:
    written = await desk.written_to()
    await web.post(f"/p/{desk.token(written)}/call", data={"at": "2027-03-04.evening"})
    [event] = await desk.all(Event)
    late = datetime(2027, 3, 5, 15, 0, tzinfo=UTC)
    async with clinic.database.writing() as session:
        await call_opening.keep_late(session, event, late)
    assert [task.due_at for task in await desk.all(CallTask)] == [late + ANSWER_WITHIN]


@ONE_KIND
@pytest.mark.parametrize(
    "at",
    [
        pytest.param("2027-03-07.morning", id="a day on which the clinic does not call"),
        pytest.param("2027-03-06.evening", id="after hours"),
        pytest.param("2027-03-02.morning", id="over by now"),
        pytest.param("2030-01-01.morning", id="too far ahead"),
        pytest.param("2027-03-03.night", id="no part of a day"),
        pytest.param("<script>", id="nothing of ours"),
        pytest.param("\ud800", id="no text"),
    ],
)
async def test_a_time_that_is_not_offered_is_refused_kindly(
    desk: "Desk", web: httpx.AsyncClient, at: str
) -> None:
    token = desk.token(await desk.written_to())
    sent = {"at": at.encode("utf-8", "surrogatepass"), "words": b"con Ana, por favor"}
    answer = await web.post(f"/p/{token}/call", content=urlencode(sent), headers=FORM)
    assert answer.status_code == 422
    assert "Elija otra, por favor." in answer.text
    # what was written need not be written again
    assert re.search(r"<textarea[^>]*>con Ana, por favor</textarea>", answer.text)
    assert await desk.all(Event) == []


@ONE_KIND
async def test_a_time_that_was_asked_for_twice_is_asked_once(
    desk: "Desk", web: httpx.AsyncClient
) -> None:
    token = desk.token(await desk.written_to())
    form = {"at": "2027-03-03.morning", "nonce": "a1"}
    for _ in range(2):
        await web.post(f"/p/{token}/call", data=form)
    assert len(await desk.all(Event)) == 1
    await web.post(f"/p/{token}/call", data=form | {"at": "2027-03-03.evening"})
    assert len(await desk.all(Event)) == 2


@ONE_KIND
async def test_without_a_place_to_book_a_call_is_offered_instead(
    desk: "Desk", web: httpx.AsyncClient, clinic: Clinic
) -> None:
    clinic.folder.profile = clinic.profile.model_copy(update={"booking_url": ""})
    page = (await web.get(f"/p/{desk.token(await desk.written_to())}")).text
    assert 'class="button"' not in page
    assert '<h2 id="call-title">Reservar una hora</h2>' in page
