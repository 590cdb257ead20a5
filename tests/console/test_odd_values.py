"""What no browser sends: it is refused in words, and is no reason to break."""

from typing import TYPE_CHECKING

import pytest

from clinic.accounts import Role
from clinic.tables import Call

if TYPE_CHECKING:
    from tests.console.at_work import Signed
    from tests.console.conftest import Desk

# SQLite takes what PostgreSQL does not
ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@ON_POSTGRESQL
@pytest.mark.parametrize(
    "door",
    [
        "/calls/%00",
        "/calls?done=%00",
        "/campaigns/%00",
        "/campaigns/new/%00",
        "/register/pt-%00",
        "/register/pt-%00/edit",
        "/register/pt-%00/same/pt-%00",
        "/register/import/%00",
        "/results?campaign=%00",
    ],
)
async def test_an_id_that_no_database_can_hold_is_nobodys(signed: "Signed", door: str) -> None:
    vera = await signed("Vera", Role.OPS)
    assert "There is no such page." in await vera.page(door, status=404)


@ON_POSTGRESQL
@pytest.mark.parametrize("door", ["complete", "keep"])
async def test_a_note_loses_what_no_database_can_hold_and_nothing_else(
    desk: "Desk", signed: "Signed", door: str
) -> None:
    task = await desk.task_for(await desk.patient())
    lucia = await signed()
    await lucia.press(f"/calls/{task.id}/claim")
    answer = await lucia.press(f"/calls/{task.id}/{door}", outcome="no_answer", note="at \0noon")
    assert answer.status_code == 303
    assert [call.note for call in await desk.all(Call)] == ["at noon"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("outcome", ["booked", "call_back"])
@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("9999-12-31T23:59", "more than ten years ahead"),
        ("9999-12-31T23:59:59-23:59", "more than ten years ahead"),
        ("2207-03-02T17:00", "more than ten years ahead"),
        ("0001-01-01T00:00", "That time has passed."),
        ("0001-01-01T00:00+23:59", "That time has passed."),
    ],
)
async def test_a_time_at_the_calendars_end_is_refused_in_words(
    desk: "Desk", signed: "Signed", outcome: str, written: str, said: str
) -> None:
    task = await desk.task_for(await desk.patient())
    lucia = await signed()
    await lucia.press(f"/calls/{task.id}/claim")
    times = {"appointment" if outcome == "booked" else "at": written}
    answer = await lucia.press(f"/calls/{task.id}/complete", outcome=outcome, note="noted", **times)
    assert (answer.status_code, said in answer.text) == (422, True), answer.text
    assert "noted" in answer.text
    assert (await desk.again(task)).closed_at is None
    assert await desk.all(Call) == []
