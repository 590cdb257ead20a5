"""Whoever opens their link again reads what they said, and what is known, instead of a greeting."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

from clinic import ledger
from clinic.clinic import Clinic
from clinic.tables import Appointment, Attempt, CallTask, Message, Patient
from console.patient.call_times import DayPart, time_of
from tests.console.conftest import SMS, Written

if TYPE_CHECKING:
    from tests.console.conftest import Desk

ONE_KIND = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

GREETING = "¡Qué bueno saber de usted!"
WEDNESDAY = "Pidió que le llamemos. Lo haremos: miércoles, 3 de marzo, por la mañana"
SOON = "Pidió que le llamemos: lo haremos pronto."
STOPPED = "Ya no recibe mensajes nuestros."
TOLD = "Ya nos dijo por qué no vuelve por ahora."
BOOKED = "Usted tiene una cita con nosotros."
EVERYTHING = {GREETING, WEDNESDAY, SOON, STOPPED, TOLD, BOOKED}


async def said_on(web: httpx.AsyncClient, path: str) -> set[str]:
    page = (await web.get(path)).text
    return {each for each in EVERYTHING if each in page}


@pytest.mark.parametrize(
    ("pressed", "said"),
    [
        pytest.param([("call", {"at": "2027-03-03.morning"})], {WEDNESDAY}, id="a call, when"),
        pytest.param([("call", {})], {SOON}, id="a call at any time"),
        pytest.param(
            [("call", {}), ("call", {"at": "2027-03-03.morning"})], {WEDNESDAY}, id="the last word"
        ),
        pytest.param([("why", {"reason": "price"})], {TOLD}, id="why, as a reason"),
        pytest.param([("why", {"words": "Me mudé"})], {TOLD}, id="why, in words"),
        pytest.param([("stop", {})], {STOPPED}, id="no more messages"),
        pytest.param([("call", {}), ("stop", {})], {STOPPED}, id="a stop ends what came before"),
    ],
)
async def test_it_says_what_was_said_last(
    desk: "Desk", web: httpx.AsyncClient, pressed: list[tuple[str, dict[str, str]]], said: set[str]
) -> None:
    path = f"/p/{desk.token(await desk.written_to())}"
    assert await said_on(web, path) == {GREETING}
    for door, form in pressed:
        assert (await web.post(f"{path}/{door}", data=form)).status_code == 200
    assert await said_on(web, path) == said


@ONE_KIND
async def test_a_call_can_still_be_asked_for_and_a_stop_is_not_offered_again(
    desk: "Desk", web: httpx.AsyncClient, clinic: Clinic
) -> None:
    path = f"/p/{desk.token(await desk.written_to())}"
    await web.post(f"{path}/stop")
    page = (await web.get(path)).text
    assert (f'action="{path}/call' in page, f'action="{path}/stop' in page) == (True, False)
    again = f'Si cambia de opinión, llámenos: <a href="tel:{clinic.profile.phone}">'
    assert again in page


@ONE_KIND
async def test_a_stop_that_was_lifted_is_not_said_any_more(
    desk: "Desk", web: httpx.AsyncClient
) -> None:
    written = await desk.written_to()
    path = f"/p/{desk.token(written)}"
    await web.post(f"{path}/stop")
    await desk.change(written.patient, opted_out_at=None)
    assert await said_on(web, path) == {GREETING}


@ONE_KIND
async def test_a_call_that_was_made_is_not_promised_again(
    desk: "Desk", web: httpx.AsyncClient
) -> None:
    written = await desk.written_to()
    task = CallTask(
        id="ct-1",
        attempt_id=written.attempt.id,
        patient_id=written.patient.id,
        step=SMS,
        kind="reply",
        priority=1,
        due_at=desk.now,
        opened_at=desk.now,
        tries_allowed=3,
    )
    await desk.add(task)
    path = f"/p/{desk.token(written)}"
    await web.post(f"{path}/call")
    assert await said_on(web, path) == {SOON}
    await desk.change(task, closed_at=desk.now + timedelta(minutes=5))
    assert await said_on(web, path) == {GREETING}


@ONE_KIND
async def test_an_appointment_is_known_and_neither_its_day_nor_its_hour_is_told(
    desk: "Desk", web: httpx.AsyncClient, clinic: Clinic
) -> None:
    written = await desk.written_to()
    path = f"/p/{desk.token(written)}"
    past = desk.now - timedelta(days=1)
    await desk.add(Appointment(patient_id=written.patient.id, at=past, source="bookings"))
    assert await said_on(web, path) == {GREETING}
    at = datetime.fromisoformat("2027-09-14T13:45:00+00:00")
    await desk.add(Appointment(patient_id=written.patient.id, at=at, source="bookings"))
    assert await said_on(web, path) == {BOOKED}
    page = (await web.get(path)).text
    assert all(told not in page for told in ("septiembre", "2027-09", ":45"))
    assert clinic.profile.booking_url not in page


@ONE_KIND
async def test_of_a_household_it_says_what_holds_for_everybody(
    desk: "Desk", web: httpx.AsyncClient
) -> None:
    ana, _ = await two_at_one_number(desk)
    path = f"/p/{desk.token(ana)}"
    await desk.change(ana.patient, opted_out_at=desk.now)
    at = desk.now + timedelta(days=7)
    await desk.add(Appointment(patient_id=ana.patient.id, at=at, source="bookings"))
    assert await said_on(web, path) == {GREETING}
    await web.post(f"{path}/call")
    assert await said_on(web, path) == {SOON}
    await web.post(f"{path}/stop")
    assert await said_on(web, path) == {STOPPED}


async def two_at_one_number(desk: "Desk") -> tuple[Written, Attempt]:
    """Return the one whose SMS names both, and the other's attempt."""
    ana = await desk.write_to(await desk.patient(phone="+13055550123"), recorded=False)
    eva = await desk.attempt(await desk.patient(phone="+13055550123"))
    async with desk.clinic.database.writing() as session:
        row = await session.get_one(Message, (ana.attempt.id, SMS, 1))
        await ledger.carry(session, row, [eva.id])
    return ana, eva


async def own_message(desk: "Desk", written: Written) -> str:
    """Write to somebody alone, by a later step, and return the path of that message's page."""
    about = {"attempt_id": written.attempt.id, "step": SMS + 1, "channel": "email"}
    await desk.add(Message(**about, address_hash="theirs", claimed_at=desk.now))
    link = desk.clinic.links.link_to(written.attempt.id, SMS + 1)
    return f"/p/{link.rpartition('/')[2]}"


@ONE_KIND
async def test_what_one_of_a_household_said_is_not_told_to_another_on_their_own_page(
    desk: "Desk", web: httpx.AsyncClient
) -> None:
    ana, _ = await two_at_one_number(desk)
    shared, own = f"/p/{desk.token(ana)}", await own_message(desk, ana)
    await web.post(f"{shared}/why", data={"reason": "price"})
    await web.post(f"{shared}/call")
    assert await said_on(web, shared) == {TOLD, SOON}
    assert await said_on(web, own) == {GREETING}


@ONE_KIND
async def test_what_one_said_alone_is_not_told_on_the_page_of_all_though_one_was_forgotten(
    desk: "Desk", web: httpx.AsyncClient
) -> None:
    ana, eva = await two_at_one_number(desk)
    shared, own = f"/p/{desk.token(ana)}", await own_message(desk, ana)
    await web.post(f"{own}/call")
    assert await said_on(web, own) == {SOON}
    async with desk.clinic.database.writing() as session:
        other = await session.get_one(Patient, eva.patient_id)
        other.erased_at = desk.now
    assert await said_on(web, shared) == {GREETING}


@ONE_KIND
@pytest.mark.parametrize("first", [0, 1])
async def test_a_household_is_promised_a_call_until_each_ones_is_dealt_with(
    desk: "Desk", web: httpx.AsyncClient, first: int
) -> None:
    ana, eva = await two_at_one_number(desk)
    path = f"/p/{desk.token(ana)}"
    await web.post(f"{path}/call")
    closed = {"kind": "reply", "step": SMS, "priority": 1, "due_at": desk.now, "tries_allowed": 3}
    closed |= {"opened_at": desk.now, "closed_at": desk.now + timedelta(minutes=5)}
    both = [ana.attempt, eva]
    for attempt, said in ((both[first], SOON), (both[1 - first], GREETING)):
        about = {"attempt_id": attempt.id, "patient_id": attempt.patient_id}
        await desk.add(CallTask(**about, **closed))
        assert await said_on(web, path) == {said}


@ONE_KIND
@pytest.mark.parametrize(
    ("hour", "part"),
    [("08:00", DayPart.MORNING), ("11:59", DayPart.MORNING), ("12:00", DayPart.AFTERNOON)],
)
async def test_a_moment_lies_in_a_part_of_the_clinics_day(
    clinic: Clinic, hour: str, part: DayPart
) -> None:
    local = datetime.fromisoformat(f"2027-03-03T{hour}").replace(tzinfo=clinic.profile.zone)
    found = time_of(local, clinic.profile.zone)
    assert found is not None
    assert (found.day.isoformat(), found.part) == ("2027-03-03", part)


@ONE_KIND
async def test_the_night_is_no_part_of_it(clinic: Clinic) -> None:
    night = datetime.fromisoformat("2027-03-03T23:00").replace(tzinfo=clinic.profile.zone)
    assert time_of(night, clinic.profile.zone) is None
