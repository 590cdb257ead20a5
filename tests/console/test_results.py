"""The manager's results in the console: figures, pictures, a choice, and the file."""

import csv
import re
from datetime import timedelta
from html import unescape
from io import StringIO
from typing import TYPE_CHECKING

import pytest

from clinic.accounts import Role
from clinic.plan import Plan
from clinic.results.costs import Costs
from clinic.tables import Attempt, AuditEntry, Call, CallTask, Campaign, Message
from console.results import page as page_module
from tests.console.at_work import AtWork, Signed
from tests.console.conftest import STEPS

if TYPE_CHECKING:
    from clinic.clinic import Clinic
    from tests.console.conftest import Desk

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
async def manager(signed: Signed, monkeypatch: pytest.MonkeyPatch) -> AtWork:
    monkeypatch.setattr(page_module, "PATIENCE", 60.0)  # also on a busy machine
    return await signed("Marina", Role.OPS)


async def campaign_of(
    desk: "Desk", name: str, *, patients: int, booked: int, goal: float | None = None
) -> Campaign:
    """Add a campaign whose patients got an email each; so many of them booked."""
    plan = Plan.model_validate({"name": "ladder", "steps": STEPS})
    campaign: Campaign = await desk.add(
        Campaign(
            id=f"ca-{name}",
            name=name,
            segment=f"of-{name}",
            plan=plan.model_dump(mode="json"),
            goal=goal,
            started_at=desk.now - timedelta(days=20),
        )
    )
    for number in range(patients):
        patient = await desk.patient()
        ended = {"state": "ended", "ended_at": desk.now}
        came = {"outcome": "booked"} if number < booked else {"outcome": "exhausted"}
        attempt: Attempt = await desk.add(
            Attempt(
                id=f"at-{name}-{number}",
                campaign_id=campaign.id,
                patient_id=patient.id,
                started_at=desk.now - timedelta(days=10),
                **ended,
                **came,
            )
        )
        await desk.add(
            Message(
                attempt_id=attempt.id,
                step=0,
                channel="email",
                address_hash="somebody's",
                claimed_at=desk.now - timedelta(days=9),
                sent_at=desk.now - timedelta(days=9),
            )
        )
    return campaign


async def call_by(desk: "Desk", name: str, campaign: Campaign) -> None:
    attempt = f"at-{campaign.name}-0"
    patient = (await desk.again(Attempt(id=attempt))).patient_id
    task = await desk.add(
        CallTask(
            id=f"ct-{campaign.name}",
            attempt_id=attempt,
            patient_id=patient,
            step=0,
            kind="reply",
            priority=1,
            due_at=desk.now,
            opened_at=desk.now,
            tries_allowed=1,
        )
    )
    await desk.add(Call(task_id=task.id, made_at=desk.now, made_by=name, outcome="booked"))


def words(page: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page)))


async def test_the_page_says_how_many_booked_and_how_sure_that_is(
    desk: "Desk", manager: AtWork
) -> None:
    campaign = await campaign_of(desk, "spring", patients=40, booked=10, goal=0.05)
    await call_by(desk, "Bruno", campaign)
    page = words(await manager.page("/results"))
    assert "10 of 40 have booked: 25% . By chance alone it could as well be 14.2%–40.2%." in page
    assert "spring : goal 5%, above the goal" in page
    assert "25% (14.2%–40.2%) · 10 of 40" in page
    # 40 emails and a call at the example clinic's prices
    assert "In all $1.54" in page
    assert "For each who booked $0.15 by chance $0.096 to $0.27" in page
    assert "few: 1" in page  # Bruno's calls
    assert "How it is counted" in page


async def test_where_no_campaign_has_a_goal_nothing_is_said_of_one(
    desk: "Desk", manager: AtWork
) -> None:
    await campaign_of(desk, "spring", patients=40, booked=10)
    page = words(await manager.page("/results"))
    assert "By campaign The share of the segment that has booked." in page
    assert "goal" not in page.partition("By channel")[0]
    await campaign_of(desk, "autumn", patients=1, booked=1, goal=0.05)
    assert "Against the goal" in words(await manager.page("/results"))


@pytest.mark.parametrize(
    ("name", "day_follows"),
    [
        ("Se fueron, 10 feb 2027", False),
        ("Ушли, 10 февр. 2027\xa0г. (2)", False),
        ("Left, Feb 10, 2027", False),
        ("recall 2027-02-10", False),
        ("Left, Feb 1, 2027", True),
        ("spring", True),
    ],
)
async def test_the_choice_tells_campaigns_days_once(
    desk: "Desk", manager: AtWork, name: str, *, day_follows: bool
) -> None:
    await campaign_of(desk, name, patients=0, booked=0)
    ticks = words((await manager.page("/results")).partition("</fieldset>")[0])
    assert ticks.endswith(f"{name} Feb 10, 2027 ") is day_follows


async def test_small_groups_are_marked_and_stand_apart_from_the_ranking(
    desk: "Desk", manager: AtWork
) -> None:
    await campaign_of(desk, "small", patients=2, booked=2)
    await campaign_of(desk, "large", patients=31, booked=3)
    page = await manager.page("/results")
    drawn = page.partition('aria-labelledby="campaigns-pt')[2].partition("</svg>")[0]
    assert drawn.index("large") < drawn.index("small") < drawn.index("few: 2")
    assert drawn.count('class="bar small"') == 1


@pytest.mark.usefixtures("clinic_folder")  # which it changes
async def test_segments_are_called_by_their_titles_those_that_are_alike_by_their_names_too(
    desk: "Desk", manager: AtWork
) -> None:
    for name, title in (("spring", "Abril"), ("summer", "Playa"), ("autumn", "Playa")):
        await campaign_of(desk, name, patients=1, booked=0)
        file = desk.clinic.folder.path / "segments" / f"of-{name}.yaml"
        file.write_text(f"title: {{es: {title}}}\nwhere: {{visits: {{at_least: 1}}}}\n", "utf-8")
    page = await manager.page("/results?segment=of-spring")
    assert '<option value="of-spring" lang="es" selected>Abril</option>' in page
    assert page.index(">Playa (of-autumn)</option>") < page.index(">Playa (of-summer)</option>")
    drawn = page.partition('aria-labelledby="segments-pt')[2].partition("</svg>")[0]
    assert "Abril" in drawn
    assert "Playa" not in drawn


async def test_campaigns_and_days_are_chosen_by_the_address_alone(
    desk: "Desk", manager: AtWork
) -> None:
    spring = await campaign_of(desk, "spring", patients=3, booked=1)
    await campaign_of(desk, "autumn", patients=2, booked=0)
    assert "1 of 5 have booked" in words(await manager.page("/results"))
    chosen = await manager.page(f"/results?campaign={spring.id}")
    assert "1 of 3 have booked" in words(chosen)
    assert f'value="{spring.id}" checked' in chosen
    assert f"/results?campaign={spring.id}&amp;lang=es" in chosen
    assert "0 of 2 have booked" in words(await manager.page("/results?segment=of-autumn"))
    day = (desk.now - timedelta(days=10)).date()
    assert "of 5 have" in words(await manager.page(f"/results?from={day}&to={day}"))
    later = await manager.page(f"/results?from={day + timedelta(days=1)}")
    assert "No attempt fits this choice" in later


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        pytest.param("from=yesterday", "no day that we can read", id="no day"),
        pytest.param("to=0001-01-01", "no day that we can read", id="a day before all time"),
        pytest.param("from=2027-03-02&to=2027-03-01", "after the last one", id="wrong way round"),
        pytest.param("campaign=ca-gone", "not there any more", id="no such campaign"),
        pytest.param("segment=nobody", "No campaign was started on that", id="no such segment"),
    ],
)
async def test_a_choice_that_can_not_be_read_is_shown_again_with_what_is_wrong(
    desk: "Desk", manager: AtWork, asked: str, said: str
) -> None:
    await campaign_of(desk, "spring", patients=1, booked=0)
    page = await manager.page(f"/results?{asked}", status=422)
    assert said in page
    assert 'role="img"' not in page
    if "2027" in asked:
        assert 'value="2027-03-02"' in page
    answer = await manager.press("/results/figures.csv", chosen=asked)
    assert answer.status_code == 422


async def test_before_the_first_campaign_the_page_leads_to_the_campaigns(manager: AtWork) -> None:
    page = await manager.page("/results")
    assert "no campaign has been started" in page
    assert 'class="button" href="/campaigns"' in page


@pytest.mark.parametrize("costs", [None, {"currency": "USD", "call": 1}])
async def test_without_a_price_no_cost_is_shown_but_how_to_set_it(
    desk: "Desk",
    clinic: "Clinic",
    manager: AtWork,
    signed: Signed,
    costs: object,
) -> None:
    given = Costs.model_validate(costs) if costs else None
    clinic.folder.profile = clinic.profile.model_copy(update={"costs": given})
    await campaign_of(desk, "spring", patients=1, booked=1)
    page = words(await manager.page("/results"))
    assert "Ask whoever runs the console" in page.partition("What it cost")[2]
    assert "clinic.yaml" not in page
    assert "For each who booked" not in page
    assert ("no price yet for: Email" in page) == (costs is not None)
    page = words(await (await signed("Ada", Role.ADMIN)).page("/results"))
    assert "clinic.yaml" in page.partition("What it cost")[2].partition("Calls by person")[0]


async def test_staff_neither_see_the_results_nor_the_way_to_them(signed: Signed) -> None:
    staff = await signed("Lucía", Role.STAFF)
    await staff.page("/results", status=403)
    assert (await staff.press("/results/figures.csv")).status_code == 403
    assert 'href="/results"' not in await staff.page("/calls")


async def test_the_file_is_a_download_and_taking_it_is_noted(desk: "Desk", manager: AtWork) -> None:
    spring = await campaign_of(desk, "spring", patients=3, booked=1)
    await campaign_of(desk, "autumn", patients=2, booked=0)
    answer = await manager.press("/results/figures.csv", chosen=f"campaign={spring.id}")
    assert answer.headers["content-disposition"] == 'attachment; filename="results-2027-03-02.csv"'
    assert answer.content.startswith(b"\xef\xbb\xbf")
    lines = list(csv.DictReader(StringIO(answer.content.decode("utf-8-sig"))))
    booked = next(line for line in lines if line["figure"] == "Booked")
    assert (booked["number"], booked["of"], booked["share"]) == ("1", "3", "0.33333")
    assert booked["small group"] == "few"
    assert not any(line["group"] == "autumn" for line in lines)
    [entry] = await desk.all(AuditEntry)
    assert (entry.who, entry.action) == ("Marina", "exported")
    assert entry.details == {"what": "results", "campaigns": 1}


async def test_what_takes_long_is_counted_beside_and_the_page_says_so(
    desk: "Desk", manager: AtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    await campaign_of(desk, "spring", patients=3, booked=1)
    monkeypatch.setattr(page_module, "PATIENCE", 0.0)
    page = await manager.page("/results")
    assert "Counting…" in page
    assert 'data-every="1500"' in page
    monkeypatch.setattr(page_module, "PATIENCE", 60.0)
    assert "1 of 3 have booked" in words(await manager.page("/results"))
