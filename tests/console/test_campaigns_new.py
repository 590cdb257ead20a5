"""A new campaign in the console: a segment, a plan, its terms, a last look, and the start."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from clinic.accounts import Role
from clinic.attempt import AttemptState
from clinic.tables import Attempt, AuditEntry, Campaign, Event
from console.campaigns import background, looks
from tests.console.at_work import AtWork, Signed

if TYPE_CHECKING:
    from tests.console.conftest import Desk

SEGMENT = "/campaigns/new/price-was-the-reason"
PLAN = f"{SEGMENT}/plans/standard"

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
async def ops(signed: Signed, monkeypatch: pytest.MonkeyPatch) -> AtWork:
    # on a busy machine, too, a page is looked at once its count is done
    monkeypatch.setattr(looks, "PATIENCE", 60.0)
    monkeypatch.setattr(background, "LONG", 60.0)
    return await signed("Olga", Role.OPS)


def terms(page: str, **given: str) -> dict[str, str]:
    """Return what the form of a page sends, filled in."""
    found = re.search(r'name="campaign" value="(ca-[0-9a-f]{16})"', page)
    assert found is not None
    return {"campaign": found[1], "name": "spring", "do": "check"} | given


def without_tags(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


async def rows_by_table(desk: "Desk") -> Mapping[str, int]:
    tables = (Campaign, Attempt, Event, AuditEntry)
    return {table.__tablename__: len(await desk.all(table)) for table in tables}


async def test_staff_who_may_not_steer_campaigns_see_none_of_it(
    desk: "Desk", signed: Signed
) -> None:
    staff = await signed("Lucía", Role.STAFF)
    assert "/campaigns" not in await staff.page("/calls")
    for path in ("/campaigns", "/campaigns/new", SEGMENT, PLAN, f"{PLAN}/messages"):
        await staff.page(path, status=403)
    assert (await staff.press(PLAN, name="spring", do="start")).status_code == 403
    assert await desk.all(Campaign) == []


async def test_every_segment_has_its_live_count(desk: "Desk", ops: AtWork) -> None:
    for _ in range(2):
        await desk.patient(loss_reason="price")
    page = without_tags(await ops.page("/campaigns/new"))
    assert (
        "Left because of the price "
        "Patients who told us that they left because of the price 2 patients" in page
    )
    assert "Children up to 17 whose last visit is over six months ago 0 patients" in page


async def test_a_segment_says_whom_it_asks_for_and_who_is_left_out_and_why(
    desk: "Desk", ops: AtWork
) -> None:
    await desk.patient(loss_reason="price")
    await desk.patient(loss_reason="price", opted_out_at=desk.now)
    await desk.patient(loss_reason="price", status="moved")
    await desk.patient(loss_reason="price", email=None, phone=None)
    page = without_tags(await ops.page(SEGMENT))
    assert "left because of: the price" in page
    assert "Would be contacted 1 " in page
    assert "Would be left out: asked not to be contacted 1 " in page
    assert "Would be left out: have moved away 1 " in page
    assert (
        "Would be left out: can&#39;t be reached (no address that may be used, or no consent) 1 "
        in page
    )
    assert "In the segment 4 " in page


async def test_a_segment_is_counted_again_when_somebody_asks_for_it(
    desk: "Desk", ops: AtWork
) -> None:
    await desk.patient(loss_reason="price")
    await ops.page(SEGMENT)
    await desk.patient(loss_reason="price")
    assert "In the segment 1 " in without_tags(await ops.page(SEGMENT))
    assert (await ops.press(f"{SEGMENT}/count")).headers["location"] == SEGMENT
    assert "In the segment 2 " in without_tags(await ops.page(SEGMENT))


async def test_patients_are_named_only_where_that_is_noted(desk: "Desk", ops: AtWork) -> None:
    patient = await desk.patient(loss_reason="price", first_name="Elena")
    assert "Elena" not in await ops.page(SEGMENT)
    assert await desk.all(AuditEntry) == []
    assert "Elena" in await ops.page(f"{SEGMENT}/patients")
    [entry] = await desk.all(AuditEntry)
    assert (entry.who, entry.action, entry.patient_id) == ("Olga", "viewed", patient.id)


async def test_a_count_from_before_names_nobody_who_was_forgotten_since(
    desk: "Desk", ops: AtWork
) -> None:
    patient = await desk.patient(loss_reason="price", first_name="Elena")
    assert "Elena" in await ops.page(f"{SEGMENT}/patients")
    await desk.change(patient, first_name="", erased_at=desk.now)
    assert "Elena" not in await ops.page(f"{SEGMENT}/patients")


async def test_a_plan_is_drawn_with_its_waits_and_who_would_get_what_when(
    desk: "Desk", ops: AtWork
) -> None:
    await desk.patient(loss_reason="price")
    await desk.patient(loss_reason="price", email=None)
    page = without_tags(await ops.page(PLAN))
    steps = (" Email ", " SMS ", " Call script: A greeting ")
    email, sms, call = (page.index(step) for step in steps)
    assert email < sms < call
    assert "1 would get it, Tue, Mar 2, 12:00 1 would be skipped: no address" in page[email:sms]
    assert "no answer for 3 days: on to the next step" in page[email:sms]
    assert "2 would get it, Tue, Mar 2, 12:00 to Fri, Mar 5, 12:00" in page[sms:call]
    assert "2 would be called" in page[call:]
    assert "2 days to make the call · 3 tries, a day apart" in page[call:]


async def test_the_messages_are_read_as_a_patient_would_get_them_and_that_is_noted(
    desk: "Desk", ops: AtWork
) -> None:
    first = await desk.patient(loss_reason="price", first_name="Elena", external_id="A-1001")
    await desk.patient(loss_reason="price", first_name="Ольга", language="ru", external_id="A-1002")
    answer = await ops.web.get(f"{PLAN}/messages")
    assert answer.headers["location"] == f"{PLAN}/messages/{first.id}"
    page = await ops.page(answer.headers["location"])
    assert "Un saludo de Clínica Dental Aurora" in page
    assert "Hola, Elena:" in page
    assert "¿hablo con Elena?" in page
    assert "1 SMS part" in page
    assert "Previous patient" not in page
    onward = re.search(r'href="([^"]+)">Next patient', page)
    assert onward is not None
    assert "Здравствуйте, Ольга!" in await ops.page(onward[1])
    seen = [entry.patient_id for entry in await desk.all(AuditEntry) if entry.action == "viewed"]
    assert len(seen) == 2
    assert seen[0] == first.id


async def test_a_mail_is_shown_as_a_mail_program_does_and_nothing_in_it_runs(
    desk: "Desk", ops: AtWork
) -> None:
    patient = await desk.patient(loss_reason="price", first_name="<script>Elena")
    path = f"{PLAN}/messages/{patient.id}"
    assert f"{path}/0/mail" in await ops.page(path)
    answer = await ops.web.get(f"{path}/0/mail")
    assert "Hola, &lt;script&gt;Elena:" in answer.text
    policy = answer.headers["content-security-policy"]
    assert {"default-src 'none'", "sandbox"} <= {each.strip() for each in policy.split(";")}
    assert answer.headers["x-frame-options"] == "DENY"
    for what in ("1/mail", "7/mail", "-1/mail"):
        assert (await ops.web.get(f"{path}/{what}")).status_code in {404, 422}
    assert {entry.patient_id for entry in await desk.all(AuditEntry)} == {patient.id}


async def test_a_preview_of_nobody_is_no_page_and_of_an_empty_segment_says_so(
    desk: "Desk", ops: AtWork
) -> None:
    forgotten = await desk.patient(erased_at=desk.now)
    for nobody in ("pt-0000000000000000", forgotten.id):
        await ops.page(f"{PLAN}/messages/{nobody}", status=404)
    assert await desk.all(AuditEntry) == []
    assert "Nobody in this segment would be contacted now." in await ops.page(f"{PLAN}/messages")


async def test_the_form_begins_with_the_clinics_own_number_of_open_calls(ops: AtWork) -> None:
    assert 'name="open_calls" value="40"' in await ops.page(PLAN)


async def test_the_form_begins_with_a_name_that_no_campaign_has(
    desk: "Desk", ops: AtWork, signed: Signed
) -> None:
    await desk.patient(loss_reason="price")
    spanish, name = await signed("Inés", Role.OPS, "es"), "Se fueron por el precio, 2 mar 2027"
    page = await spanish.page(PLAN)
    assert f'name="name" value="{name}"' in page
    assert (await ops.press(PLAN, **terms(page, do="start", name=name))).status_code == 303
    assert f'name="name" value="{name} (2)"' in await spanish.page(PLAN)


@pytest.mark.usefixtures("clinic_folder")  # which it changes
async def test_a_file_says_what_it_is_called_else_its_name_is_shown(
    desk: "Desk", ops: AtWork, signed: Signed
) -> None:
    folder = desk.clinic.folder.path / "segments"
    (folder / "first.yaml").write_text("where: {loss_reason: price}\n", encoding="utf-8")
    written = "title: {es: Otoño, ru: Осень}\nwhere: {loss_reason: price}\n"
    (folder / "second.yaml").write_text(written, encoding="utf-8")
    page = await ops.page("/campaigns/new")
    assert '<span lang="">first</span>' in page
    # the clinic's own language comes before any other
    assert '<span lang="es">Otoño</span>' in page
    russian = await signed("Ольга", Role.OPS, "ru")
    assert "<span>Осень</span>" in await russian.page("/campaigns/new")


async def test_a_plan_says_how_long_it_takes_and_a_demonstration_begins_with_the_shortest(
    desk: "Desk", ops: AtWork
) -> None:
    page = without_tags(await ops.page(SEGMENT))
    assert page.index("Demonstration ") < page.index("Call only ") < page.index("Gentle ")
    assert "All steps within about 2 minutes, if nobody answers" in page
    assert "This is a demonstration, so the shortest plan comes first." in page
    desk.clinic.policy = desk.clinic.folder.policy("daytime")
    page = without_tags(await ops.page(SEGMENT))
    assert page.index("Call only ") < page.index("Demonstration ")
    assert "All steps within about 9 days, if nobody answers" in page
    assert "This is a demonstration" not in page


async def test_a_last_look_says_with_numbers_what_will_happen(desk: "Desk", ops: AtWork) -> None:
    for _ in range(3):
        await desk.patient(loss_reason="price")
    await desk.patient(loss_reason="price", opted_out_at=desk.now)
    form = terms(await ops.page(PLAN), goal="50", pace="2", until="2027-04-30", open_calls="30")
    page = without_tags((await ops.press(PLAN, **form)).text)
    assert "3 patients will be contacted" in page
    assert "1 of the segment is left out." in page
    assert "Up to 2 are started in an hour. The last one is started after about 2 hours." in page
    assert "While 30 calls are open, nobody new is started." in page
    assert "After Apr 30, 2027 nobody new is started" in page
    assert "The goal is 50% of the segment: 2 appointments." in page
    assert await desk.all(Campaign) == []


async def test_a_campaign_starts_on_its_terms_and_that_is_noted(desk: "Desk", ops: AtWork) -> None:
    patients = {(await desk.patient(loss_reason="price")).id for _ in range(2)}
    await desk.patient()
    form = terms(
        await ops.page(PLAN),
        do="start",
        name="  Primavera ",
        goal="12,5",
        pace="60",
        until="2027-04-30",
        open_calls="30",
    )
    answer = await ops.press(PLAN, **form)
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        f"/campaigns/{form['campaign']}",
    )
    [campaign] = await desk.all(Campaign)
    assert (campaign.id, campaign.name) == (form["campaign"], "Primavera")
    assert (campaign.segment, campaign.plan["name"]) == ("price-was-the-reason", "standard")
    assert (campaign.goal, campaign.pace_per_hour, campaign.open_calls_at_most) == (0.125, 60, 30)
    # by the clinic's clock, four hours behind UTC
    assert campaign.until.isoformat() == "2027-05-01T03:59:59.999999+00:00"
    attempts = await desk.all(Attempt)
    assert {attempt.patient_id for attempt in attempts} == patients
    assert {attempt.state for attempt in attempts} == {AttemptState.PLANNED.value}
    assert [event.kind for event in await desk.all(Event)] == ["campaign_started"]
    assert [(entry.who, entry.action, entry.subject) for entry in await desk.all(AuditEntry)] == [
        ("Olga", "campaign_started", campaign.id)
    ]


async def test_a_last_look_says_how_long_the_call_list_may_grow_all_the_same(
    desk: "Desk", ops: AtWork
) -> None:
    for _ in range(3):
        await desk.patient(loss_reason="price")
    grows = "Whoever has been started goes on, so the call list can grow longer than that."
    come = "If nobody answers, 3 calls come onto it, the first ones Tue, Mar 9, 12:00."

    async def last_look(path: str, most: str) -> str:
        form = terms(await ops.page(path), open_calls=most)
        return without_tags((await ops.press(path, **form)).text)

    page = await last_look(PLAN, "2")
    assert f"nobody new is started. Open now: 0. {grows} {come} A slower pace spreads them." in page
    page = await last_look(PLAN, "3")
    assert grows in page
    assert "If nobody answers" not in page
    # nothing goes before the call: it counts from the start
    page = await last_look(f"{SEGMENT}/plans/call-first", "2")
    assert "While 2 calls are open, nobody new is started." in page
    assert grows not in page


async def test_where_the_call_list_is_too_long_already_the_last_look_says_so(
    desk: "Desk", ops: AtWork
) -> None:
    for _ in range(3):
        await desk.patient(loss_reason="price")
    for _ in range(2):
        await desk.task_for(await desk.patient())

    async def last_look(most: str) -> str:
        form = terms(await ops.page(PLAN), open_calls=most, pace="2")
        return without_tags((await ops.press(PLAN, **form)).text)

    nobody = "Nobody is started for now. Open calls: 2, at most 2 may be. The campaign is saved"
    page = await last_look("3")
    assert "While 3 calls are open, nobody new is started. Open now: 2." in page
    assert nobody not in page
    assert "The last one is started after about 2 hours." in page
    page = await last_look("2")
    assert nobody in page
    assert "The last one is started" not in page
    assert "the first ones Tue" not in page
    # whoever goes back to the form sees it beside the times there
    form = terms(await ops.page(PLAN), do="change", open_calls="2")
    assert nobody in without_tags((await ops.press(PLAN, **form)).text)
    page = without_tags(await ops.page(PLAN))
    assert nobody not in page
    assert "Open now: 2." in page
    # nobody is kept from starting it
    assert (await ops.press(PLAN, **form | {"do": "start"})).status_code == 303


async def test_a_button_that_is_pressed_twice_starts_one_campaign(
    desk: "Desk", ops: AtWork
) -> None:
    await desk.patient(loss_reason="price")
    form = terms(await ops.page(PLAN), do="start")
    first, second = await ops.press(PLAN, **form), await ops.press(PLAN, **form)
    assert first.headers["location"] == second.headers["location"]
    assert await rows_by_table(desk) == {
        "campaigns": 1,
        "attempts": 1,
        "events": 1,
        "audit_entries": 1,
    }


async def test_what_was_filled_in_is_kept_when_something_is_changed(ops: AtWork) -> None:
    form = terms(await ops.page(PLAN), do="change", name="Otoño & más", pace="60")
    page = (await ops.press(PLAN, **form)).text
    assert 'value="Otoño &amp; más"' in page
    assert 'name="pace" value="60"' in page
    assert form["campaign"] in page


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param({"name": "  "}, "Give the campaign a name", id="no name"),
        pytest.param({"name": "x" * 101}, "Give the campaign a name", id="too long a name"),
        pytest.param({"goal": "0"}, "A goal is a percentage", id="no goal at all"),
        pytest.param({"goal": "101"}, "A goal is a percentage", id="more than everybody"),
        pytest.param({"goal": "nan"}, "A goal is a percentage", id="no number"),
        pytest.param({"pace": "0"}, "A pace is a whole number", id="nobody an hour"),
        pytest.param({"pace": "9" * 400}, "A pace is a whole number", id="a pace without end"),
        pytest.param({"until": "30.04.2027"}, "That is no day.", id="no day"),
        pytest.param({"until": "2027-03-01"}, "That day is over.", id="yesterday"),
        pytest.param({"until": "9999-12-31"}, "That is no day.", id="the end of time"),
        pytest.param({"open_calls": "0"}, "Write how many calls", id="no call"),
        pytest.param({"open_calls": "viele"}, "Write how many calls", id="no number of calls"),
    ],
)
@pytest.mark.parametrize("do", ["check", "start"])
async def test_what_can_not_be_taken_is_said_beside_its_field_and_nothing_starts(
    desk: "Desk", ops: AtWork, given: dict[str, str], said: str, do: str
) -> None:
    await desk.patient(loss_reason="price")
    form = terms(await ops.page(PLAN), do=do, **given)
    answer = await ops.press(PLAN, **form)
    [field] = given
    assert answer.status_code == 422
    beside = answer.text.partition(f'id="{field}-problem">')[2]
    assert beside.startswith(said)
    assert f'value="{given[field]}"' in answer.text
    assert await desk.all(Campaign) == []


@pytest.mark.parametrize("do", ["check", "start"])
async def test_a_name_in_use_is_said_and_nothing_starts(desk: "Desk", ops: AtWork, do: str) -> None:
    attempt = await desk.attempt(await desk.patient(loss_reason="price"))
    [campaign] = await desk.all(Campaign)
    answer = await ops.press(PLAN, **terms(await ops.page(PLAN), do=do, name=campaign.name))
    assert answer.status_code == 422
    assert "There is a campaign of this name already." in answer.text
    assert [row.id for row in await desk.all(Attempt)] == [attempt.id]


async def test_nobody_in_the_segment_starts_nothing(desk: "Desk", ops: AtWork) -> None:
    answer = await ops.press(PLAN, **terms(await ops.page(PLAN), do="start"))
    assert answer.status_code == 422
    assert "Nobody is in this segment now, so nothing was started." in answer.text
    assert await desk.all(Campaign) == []


@pytest.mark.parametrize(
    "path",
    [
        "/campaigns/new/no-such-segment",
        "/campaigns/new/..%2Fplans%2Fstandard",
        "/campaigns/new/%00",
        f"{SEGMENT}/plans/no-such-plan",
        "/campaigns/new/x/plans/standard",
    ],
)
async def test_what_is_not_in_the_clinics_folder_is_no_page(ops: AtWork, path: str) -> None:
    assert (await ops.web.get(path)).status_code == 404


async def test_a_file_that_is_wrong_is_named_and_hides_no_other(
    clinic_folder: Path, ops: AtWork
) -> None:
    (clinic_folder / "segments" / "children.yaml").write_text("where: {age: {to: 170}}")
    (clinic_folder / "plans" / "gentle.yaml").write_text("steps: []")
    page = await ops.page("/campaigns/new")
    assert "children.yaml" in page
    assert "over-60" in page
    page = await ops.page(SEGMENT)
    assert "gentle.yaml" in page
    assert f'href="{PLAN}"' in page
