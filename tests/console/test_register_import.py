"""A patient list is imported by upload: what its owner sees of it, and what becomes of it."""

import asyncio
import stat
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

from clinic.accounts import Role
from clinic.clinic import Clinic
from clinic.register_import.rows_ahead import LONG_FILE
from clinic.tables import Account, AuditEntry, ImportRun, Patient
from console.doors import csrf
from console.doors.session_cookie import COOKIE, SessionClaim, SessionCookies
from console.register_import.uploads import KEPT, Uploads
from tests.console.list_keeper import LIST, Keeper, Keeping, RunningConsole, shown

if TYPE_CHECKING:
    from tests.console.conftest import Desk

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
async def console(clinic: Clinic, now: datetime) -> AsyncIterator[RunningConsole]:
    """A console that does by itself what it does; it may be stopped and started."""
    running = RunningConsole(clinic, now)
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def keeping(console: RunningConsole, desk: "Desk") -> AsyncIterator[Keeping]:
    """Sign somebody in who may import, each in a browser of their own."""
    async with AsyncExitStack() as browsers:

        async def sign_in(who: str | Account = "Olga", role: Role = Role.OPS) -> Keeper:
            account = await desk.account(who, role) if isinstance(who, str) else who
            claim = SessionClaim.new(account.id, console.now)
            key = desk.clinic.key
            web = httpx.AsyncClient(
                transport=httpx.ASGITransport(app=console),
                base_url="http://console",
                cookies={COOKIE: SessionCookies(key).write(claim)},
                headers={"Accept-Language": "en"},
            )
            await browsers.enter_async_context(web)
            return Keeper(web, csrf.token_of(key, claim.session_id))

        yield sign_in


async def test_a_list_is_shown_as_it_would_be_imported_and_nothing_is_written(
    desk: "Desk", keeping: Keeping
) -> None:
    olga = await keeping()
    address = await olga.looked_at(LIST)
    page = shown(await olga.page(address))
    assert "New patients 3" in page
    assert "Rejected rows 1" in page
    assert "Import 3 rows" in page
    assert "4 rows were read." in page
    assert "day/month/year" in page
    assert "a semicolon" in page
    assert "birth date Fecha nacimiento" in page
    assert "Nothing is read from Color" in page
    assert "The first new or changed rows, as they would be on the register" in page
    assert "birth date Mar 2, 1980 Dec 31, 1975" in page
    assert "4 name: is missing is rejected" in page
    assert "is taken without it" in page
    assert await desk.all(Patient) == []
    assert await desk.all(ImportRun) == []
    # what could not be used is to be had, and runs nothing in a spreadsheet
    answer = await olga.web.get(f"{address}/rejects.csv")
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert lines[0].startswith(
        "line of the list,column with an error,what is wrong,what was done,Nº paciente"
    )
    assert lines[1].startswith("4,name,is missing,row rejected,A-3")
    assert lines[2].startswith("5,phone,")
    assert ",'=1+1," in lines[2]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-disposition"] == 'attachment; filename="rejects.csv"'
    [entry] = await desk.all(AuditEntry)
    assert (entry.who, entry.action, entry.details) == ("Olga", "exported", {"what": "rejects"})


async def test_a_list_is_imported_once_however_often_it_is_confirmed(
    desk: "Desk", keeping: Keeping
) -> None:
    olga = await keeping()
    address = await olga.looked_at(LIST, "Juana Pérez.csv")
    for _ in range(2):
        assert (await olga.press(f"{address}/import")).status_code == 303
    page = shown(await olga.until_read(address))
    assert "The list is imported" in page
    assert "New patients 3" in page
    assert (await olga.press(f"{address}/import")).status_code == 303
    assert "data-work" not in await olga.page(address)
    assert len(await desk.all(Patient)) == 3
    assert [run.finished_at is not None for run in await desk.all(ImportRun)] == [True]
    # who did it is noted, and nobody's name from the file's
    counts = {"new": 3, "updated": 0, "unchanged": 0, "rejected": 1}
    noted = [(each.who, each.action, each.details) for each in await desk.all(AuditEntry)]
    assert noted == [
        ("Olga", "imported", {"step": "began"}),
        ("Olga", "imported", {"step": "done"} | counts),
    ]
    # nobody else on the machine reads along
    root = desk.clinic.uploads
    everything = [root, *root.rglob("*")]
    assert {stat.S_IMODE(each.stat().st_mode) for each in everything if each.is_dir()} == {0o700}
    assert {stat.S_IMODE(each.stat().st_mode) for each in everything if each.is_file()} == {0o600}
    assert len([each for each in everything if each.name.endswith("rejects.jsonl")]) == 2


async def test_a_list_is_its_owners_alone_until_they_throw_it_away(
    desk: "Desk", keeping: Keeping
) -> None:
    olga, irina = await keeping(), await keeping("Irina", Role.ADMIN)
    address = await olga.looked_at(LIST)
    assert "pacientes.csv" in await olga.page("/register/import")
    assert "pacientes.csv" not in await irina.page("/register/import")
    await irina.page(address, status=404)
    await irina.page(f"{address}/rejects.csv", status=404)
    for verb in ("import", "discard", "look"):
        assert (await irina.press(f"{address}/{verb}")).status_code == 404
    assert "Import 3 rows" in shown(await olga.page(address))
    assert (await olga.press(f"{address}/discard")).headers["location"] == "/register/import"
    await olga.page(address, status=404)
    assert list(desk.clinic.uploads.iterdir()) == []


async def test_the_call_lists_staff_may_not_import(keeping: Keeping) -> None:
    lucia = await keeping("Lucía", Role.STAFF)
    await lucia.page("/register/import", status=403)
    assert (await lucia.bring(LIST)).status_code == 403


async def test_a_list_goes_by_itself_a_day_after_it_was_brought_or_imported(
    desk: "Desk", console: RunningConsole, keeping: Keeping
) -> None:
    account, uploads = await desk.account("Olga", Role.OPS), Uploads(desk.clinic.uploads)
    lists: list[str] = []
    for _ in range(2):
        async with uploads.coming() as new:
            new.open("a.csv").close()
            upload = new.keep(account, mapping=None, encoding="", now=desk.now)
        lists.append(f"/register/import/{upload.id}")
    upload.note_beginning(desk.now + timedelta(hours=11))
    for later, statuses in (
        (KEPT - timedelta(seconds=1), (200, 200)),
        (KEPT, (404, 200)),
        (KEPT + timedelta(hours=11), (404, 404)),
    ):
        console.now = desk.now + later
        await console.restart()
        olga = await keeping(account)
        for address, status in zip(lists, statuses, strict=True):
            await olga.page(address, status=status)


async def test_how_many_may_be_on_the_register_twice_is_told(
    desk: "Desk", keeping: Keeping
) -> None:
    await desk.patient(
        external_id="B-1",
        first_name="Elena",
        last_name="Ruiz",
        name_key="elena ruiz",
        birth_date=date(1980, 3, 2),
    )
    olga = await keeping()
    address = await olga.looked_at(LIST)
    page = shown(await olga.page(address))
    assert "1 patient of the list may be on the register already" in page
    await olga.press(f"{address}/import")
    assert "1 patient may be on the register twice." in shown(await olga.until_read(address))


async def test_one_list_is_read_at_a_time_and_the_next_is_told_whose(keeping: Keeping) -> None:
    olga, irina = await keeping(), await keeping("Irina")
    first = (await olga.bring(LIST)).headers["location"]
    await olga.page(first)
    waiting = (await irina.bring(LIST)).headers["location"]
    # the truth: so far nothing is imported
    assert "Olga has a list looked at just now." in shown(await irina.page(waiting))
    assert "Olga has a list" in shown(await irina.page("/register/import"))
    assert "Olga has a list" not in shown(await olga.page("/register/import"))
    assert "Import 3 rows" in shown(await irina.until_read(waiting))
    assert "Import 3 rows" in shown(await olga.until_read(first))


async def test_a_console_that_was_stopped_offers_to_look_again(
    console: RunningConsole, keeping: Keeping
) -> None:
    olga = await keeping()
    address = (await olga.bring(LIST)).headers["location"]
    await console.restart()
    assert "The list was not looked at" in shown(await olga.page(address))
    await olga.press(f"{address}/look")
    assert "Import 3 rows" in shown(await olga.until_read(address))


async def test_an_import_that_was_cut_short_says_how_far_it_came_and_is_finished_later(
    desk: "Desk", console: RunningConsole, keeping: Keeping
) -> None:
    olga = await keeping()
    row = f"C-{{}};Nora;Vega {{}};+1 305 555 0104;01/02/1970;activo;{'rojo ' * 180}\n"
    many = LIST + "".join(row.format(number, number) for number in range(5_000)).encode()
    assert len(many) > LONG_FILE  # so that a process of its own reads it
    address = await olga.looked_at(many)
    await olga.press(f"{address}/import")
    while not (there := len(await desk.all(Patient))):
        await asyncio.sleep(0.01)
    await console.restart()
    there = len(await desk.all(Patient))
    assert 0 < there < 5_003
    page = shown(await olga.page(address))
    assert "The import did not come to its end" in page
    assert "It reached line" in page
    front = shown(await olga.page("/register/import"))
    assert "not imported to its end" in front
    assert "Imports that did not come to their end pacientes.csv begun" in front
    # another keeper learns that there is one, and not of what
    other = shown(await (await keeping("Irina")).page("/register/import"))
    assert "Imports that did not come to their end begun" in other
    assert "pacientes.csv" not in other
    await olga.press(f"{address}/import")
    assert f"Unchanged rows {there:,}" in shown(await olga.until_read(address))
    assert len(await desk.all(Patient)) == 5_003
    assert "did not come to their end" not in shown(await olga.page("/register/import"))
