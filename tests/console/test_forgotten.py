"""A person who was forgotten: their link leads nowhere, and nothing they did is held again."""

from typing import TYPE_CHECKING

import httpx
import pytest

from clinic.clinic import Clinic
from clinic.event import EventKind
from clinic.register import erasure
from clinic.tables import Event, Suppression

if TYPE_CHECKING:
    from tests.console.conftest import Desk, Post, Written

SMS = 1


async def forget(clinic: Clinic, desk: "Desk", written: "Written") -> None:
    async with clinic.database.writing() as session:
        await erasure.forget(session, written.patient.id, now=desk.now, key=clinic.key)


async def events(desk: "Desk") -> list[tuple[str, str]]:
    """Return what happened besides the end of the attempt that forgetting brought."""
    return [
        (row.kind, row.attempt_id)
        for row in await desk.all(Event)
        if row.kind != EventKind.STOPPED.value
    ]


@pytest.mark.parametrize(("method", "door"), [("GET", ""), ("POST", "/call"), ("POST", "/stop")])
async def test_their_link_leads_nowhere(
    desk: "Desk", web: httpx.AsyncClient, clinic: Clinic, method: str, door: str
) -> None:
    written = await desk.written_to()
    await forget(clinic, desk, written)
    answer = await web.request(method, f"/p/{desk.token(written)}{door}", data={"when": "Sofía"})
    assert answer.status_code == 404
    assert await events(desk) == []


async def test_the_household_keeps_the_only_link_it_has(
    desk: "Desk", web: httpx.AsyncClient, clinic: Clinic
) -> None:
    carrier = await desk.written_to()
    child = await desk.written_to(phone=carrier.patient.phone)
    row = await desk.message(child)
    async with clinic.database.writing() as session:
        (await session.merge(row)).carried_by = carrier.attempt.id
    await forget(clinic, desk, carrier)
    answer = await web.post(f"/p/{desk.token(carrier)}/stop")
    assert answer.status_code == 200
    assert await events(desk) == [("opted_out", child.attempt.id)]


async def test_what_the_provider_reports_later_is_about_nobody(
    desk: "Desk", clinic: Clinic, twilio_posts: "Post"
) -> None:
    written = await desk.written_to()
    await forget(clinic, desk, written)
    named = f"?message={written.attempt.id}.{SMS}"
    answer = await twilio_posts(named, MessageSid=written.sid, MessageStatus="delivered")
    assert answer.status_code == 204
    assert await events(desk) == []


async def test_their_stop_still_counts_for_the_number(
    desk: "Desk", clinic: Clinic, patient_writes: "Post"
) -> None:
    written = await desk.written_to()
    await forget(clinic, desk, written)
    before = {row.address_hash for row in await desk.all(Suppression)}
    assert (await patient_writes(written.patient.phone, "STOP")).status_code == 204
    assert {row.address_hash for row in await desk.all(Suppression)} == before
