"""The links to the other languages lead to the page that somebody looks at, whatever answered."""

import re
from html import unescape
from typing import TYPE_CHECKING

import pytest
from fastapi import FastAPI, Request

from clinic.accounts import Role
from console.doors.page_behind import page_behind
from tests.console.at_work import Signed
from tests.console.test_campaigns import campaign_of

if TYPE_CHECKING:
    from tests.console.conftest import Desk

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def languages(page: str) -> dict[str, str]:
    """Return where the footer of an English page leads, by language."""
    found = re.findall(r'<a href="([^"]*)" lang="(es|ru)" hreflang', page)
    return {language: unescape(address) for address, language in found}


async def test_a_form_that_was_refused_leads_to_its_own_page(desk: "Desk", signed: Signed) -> None:
    ops = await signed("Olga", Role.OPS)
    campaign = await campaign_of(desk)
    answer = await ops.press(f"/campaigns/{campaign.id}/limits", pace="fast")
    assert answer.status_code == 422
    assert languages(answer.text) == {
        "es": f"/campaigns/{campaign.id}?lang=es",
        "ru": f"/campaigns/{campaign.id}?lang=ru",
    }
    plan = "/campaigns/new/price-was-the-reason/plans/standard"
    answer = await ops.press(plan, campaign=campaign.id, name="", do="check")
    assert languages(answer.text)["ru"] == f"{plan}?lang=ru"


async def test_a_search_leads_to_the_search(signed: Signed) -> None:
    staff = await signed("Lucía", Role.STAFF)
    answer = await staff.press("/register/search", written="Sofía")
    assert languages(answer.text)["es"] == "/register/search?lang=es"


async def test_a_form_below_a_card_leads_to_the_card(desk: "Desk", signed: Signed) -> None:
    staff = await signed("Lucía", Role.STAFF)
    path = f"/register/{(await desk.patient()).id}"
    answer = await staff.press(f"{path}/booked", at="soon")
    assert answer.status_code == 422
    assert languages(answer.text)["ru"] == f"{path}?lang=ru"


@pytest.mark.parametrize(
    ("posted_to", "leads_to"),
    [
        ("/register/import/im-1/look", "/register/import/im-1"),
        ("/results/figures.csv", "/results"),
        ("/campaigns/new/niños/plans/standard/count", "/campaigns/new/ni%C3%B1os/plans/standard"),
        ("//example.com/x", "/"),
        ("/no/such/page", "/"),
    ],
)
async def test_it_is_what_was_posted_to_or_the_nearest_page_above(
    app: FastAPI, posted_to: str, leads_to: str
) -> None:
    scope = {"type": "http", "method": "POST", "path": posted_to, "headers": [], "app": app}
    assert page_behind(Request(scope)) == leads_to
