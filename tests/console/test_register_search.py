"""Staff find a patient on the register; what they searched for stands in no address and no log."""

from typing import TYPE_CHECKING

import pytest

from clinic.accounts import Role
from clinic.plain_text import name_key
from clinic.register import erasure
from clinic.tables import AuditEntry, Patient

if TYPE_CHECKING:
    from tests.console.at_work import Signed
    from tests.console.conftest import Desk

# what databases differ in is tested with the clinic's own search
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def named(desk: "Desk", first: str, last: str, **given: object) -> Patient:
    key = name_key(first, last)
    return await desk.patient(first_name=first, last_name=last, name_key=key, **given)


async def test_all_staff_may_search_and_ops_are_led_to_what_they_may_besides(
    signed: "Signed",
) -> None:
    staff = await (await signed("Lucía")).page("/register")
    ops = await (await signed("Vera", Role.OPS)).page("/register")
    assert 'action="/register/search"' in staff
    for path in ("/register/import", "/register/addresses"):
        assert path not in staff
        assert path in ops


async def test_whoever_may_be_meant_is_listed_with_what_tells_them_apart(
    desk: "Desk", signed: "Signed"
) -> None:
    ana = await named(desk, "Ana", "Rojas", external_id="A-0042", opted_out_at=desk.now)
    await named(desk, "Bruno", "Rojas", status="moved")
    await named(desk, "Irina", "Soto")
    answer = await (await signed()).press("/register/search", written="ROJ")
    assert answer.status_code == 200
    page = answer.text
    assert f'<a href="/register/{ana.id}">Ana Rojas</a>' in page
    assert all(word in page for word in ("A-0042", "wants no messages", "Moved to another place"))
    assert "2 patients" in page
    assert "Soto" not in page
    assert 'value="ROJ"' in page


async def test_the_one_whose_number_it_is_is_shown_at_once(desk: "Desk", signed: "Signed") -> None:
    ana = await named(desk, "Ana", "Rojas", phone="+13055550142")
    lucia = await signed()
    for written in (ana.external_id, "305 555 0142", str(ana.email)):
        answer = await lucia.press("/register/search", written=written)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/register/{ana.id}")


async def test_nobody_found_and_somebody_forgotten_are_said(desk: "Desk", signed: "Signed") -> None:
    ana = await named(desk, "Ana", "Rojas", external_id="A-0042")
    lucia = await signed()
    assert "Nobody was found." in (await lucia.press("/register/search", written="zoe")).text
    async with desk.clinic.database.writing() as session:
        await erasure.forget(session, ana.id, now=desk.now, key=desk.clinic.key)
    told = (await lucia.press("/register/search", written="A-0042")).text
    assert "forgotten at their own wish on Mar 2, 2027" in told


async def test_that_somebody_searched_is_noted_and_whom_they_saw_but_not_what_for(
    desk: "Desk", signed: "Signed"
) -> None:
    ana = await named(desk, "Ana", "Rojas")
    bea = await named(desk, "Bea", "Rojas")
    await named(desk, "Zoe", "Vega")
    lucia = await signed("Lucía")
    await lucia.press("/register/search", written="rojas")
    searched, *saw = await desk.all(AuditEntry)
    assert (searched.who, searched.action, searched.patient_id) == ("Lucía", "searched", None)
    assert searched.details == {"hits": 2, "more": False}
    assert {(each.who, each.action, each.patient_id) for each in saw} == {
        ("Lucía", "viewed", ana.id),
        ("Lucía", "viewed", bea.id),
    }
    vera = await signed("Vera", Role.OPS)
    assert "Lucía: looked at the card: in the results of a search" in " ".join(
        (await vera.page(f"/register/{ana.id}")).split()
    )


async def test_a_search_is_a_form_of_this_session(signed: "Signed") -> None:
    lucia = await signed()
    assert (await lucia.press("/register/search", csrf="", written="ana")).status_code == 403
    too_long = await lucia.press("/register/search", written="a" * 201)
    assert too_long.status_code == 422
    assert "/register" in await lucia.page("/register/search")
