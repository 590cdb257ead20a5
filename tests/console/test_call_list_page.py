"""The call list in the console: who sees what, who gets a call, and what becomes of it."""

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from clinic import call_page, inbox
from clinic.accounts import Role
from clinic.event import EventKind
from clinic.tables import AuditEntry, Call
from console.calls import list_page

if TYPE_CHECKING:
    from tests.console.at_work import Signed
    from tests.console.conftest import Desk


ONE_KIND = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def audited(desk: "Desk") -> list[tuple[str, str, str | None, str | None]]:
    return [
        (entry.action, entry.who, entry.subject, entry.patient_id)
        for entry in await desk.all(AuditEntry)
    ]


def without_tags(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


async def test_who_is_due_stands_first_and_the_most_urgent_of_them(
    desk: "Desk", signed: "Signed"
) -> None:
    later = await desk.task_for(
        await desk.patient(first_name="Olga"), due_at=desk.now + timedelta(days=1), priority=0
    )
    due = await desk.task_for(await desk.patient(first_name="Bruno"))
    urgent = await desk.task_for(await desk.patient(first_name="Elena"), priority=1)
    page = await (await signed()).page("/calls")
    assert page.index(urgent.id) < page.index(due.id) < page.index(later.id)
    assert "to call now: 3 · overdue: 2 · later: 0" in " ".join(page.split())


async def test_a_row_says_why_which_number_what_time_it_is_there_and_the_language(
    desk: "Desk", signed: "Signed"
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
    desk: "Desk", signed: "Signed"
) -> None:
    task = await desk.task_for(await desk.patient())
    lucia, bruno = await signed("Lucía"), await signed("Bruno")
    taken = await lucia.press(f"/calls/{task.id}/claim")
    assert (taken.status_code, taken.headers["location"]) == (303, f"/calls/{task.id}")
    assert "Lucía is calling" in await bruno.page("/calls")
    refused = await bruno.press(f"/calls/{task.id}/claim")
    assert refused.status_code == 409
    assert "Lucía is on this call until" in refused.text
    assert ("claimed", "Lucía", task.id, task.patient_id) in await audited(desk)


async def test_a_claim_lapses_and_may_be_given_back(desk: "Desk", signed: "Signed") -> None:
    task = await desk.task_for(await desk.patient())
    lucia, bruno = await signed("Lucía"), await signed("Bruno")
    await lucia.press(f"/calls/{task.id}/claim")
    await bruno.press(f"/calls/{task.id}/release")
    assert (await desk.again(task)).claimed_by == "Lucía"
    await lucia.press(f"/calls/{task.id}/release")
    released = [line for line in await audited(desk) if line[0] == "released"]
    assert released == [("released", "Lucía", task.id, task.patient_id)]
    assert (await bruno.press(f"/calls/{task.id}/claim")).status_code == 303


async def test_the_next_call_is_the_most_urgent_that_nobody_has(
    desk: "Desk", signed: "Signed"
) -> None:
    first = await desk.task_for(await desk.patient(), priority=1)
    second = await desk.task_for(await desk.patient())
    lucia, bruno = await signed("Lucía"), await signed("Bruno")
    assert (await lucia.press("/calls/next")).headers["location"] == f"/calls/{first.id}"
    assert (await bruno.press("/calls/next")).headers["location"] == f"/calls/{second.id}"
    nothing = await (await signed("Irina")).press("/calls/next")
    assert "Nobody is waiting for a call just now." in nothing.text


@ONE_KIND
async def test_whoever_has_a_call_is_led_back_to_it_before_they_get_another(
    desk: "Desk", signed: "Signed"
) -> None:
    held = await desk.task_for(await desk.patient())
    urgent = await desk.task_for(await desk.patient(), priority=1)
    lucia, bruno = await signed("Lucía"), await signed("Bruno")
    await lucia.press(f"/calls/{held.id}/claim")
    back = (await lucia.press("/calls/next")).headers["location"]
    assert back == f"/calls/{held.id}?held=1"
    assert "You still have this call" in await lucia.page(back)
    assert "You still have this call" not in await bruno.page(back)
    # what lapsed is theirs no more, and what may not be called by now is none to be led to
    await desk.change(held, claimed_until=desk.now)
    assert (await bruno.press("/calls/next")).headers["location"] == f"/calls/{urgent.id}"
    patient = await desk.patient(opted_out_at=desk.now)
    refused = await desk.task_for(
        patient, claimed_by="Lucía", claimed_until=desk.now + timedelta(minutes=9)
    )
    assert refused.claimed_by == "Lucía"
    assert (await lucia.press("/calls/next")).headers["location"] == f"/calls/{held.id}"


@ONE_KIND
async def test_the_list_says_what_was_given_back_to_whoever_did_it(
    desk: "Desk", signed: "Signed"
) -> None:
    task = await desk.task_for(await desk.patient(first_name="Elena", last_name="Gil"))
    lucia, bruno = await signed("Lucía"), await signed("Bruno")
    await lucia.press(f"/calls/{task.id}/claim")
    given_back = await lucia.press(f"/calls/{task.id}/release")
    there = given_back.headers["location"]
    assert "Given back : Elena Gil" in without_tags(await lucia.page(there))
    assert "Given back" not in await bruno.page(there)
    await bruno.press(f"/calls/{task.id}/claim")
    assert "Given back" not in await lucia.page(there)


@ONE_KIND
async def test_the_card_shows_the_script_and_the_outcomes_to_whoever_has_the_call(
    desk: "Desk", signed: "Signed"
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


async def test_an_outcome_is_recorded_with_its_reason(desk: "Desk", signed: "Signed") -> None:
    task = await desk.task_for(await desk.patient())
    lucia = await signed("Lucía")
    await lucia.press(f"/calls/{task.id}/claim")
    done = await lucia.press(
        f"/calls/{task.id}/complete", outcome="declined", reason="price", at="", note="quizás"
    )
    assert (done.status_code, done.headers["location"]) == (303, f"/calls?done={task.id}")
    [call] = await desk.all(Call)
    assert (call.made_by, call.outcome, call.loss_reason) == ("Lucía", "declined", "price")
    assert ("completed", "Lucía", task.id, task.patient_id) in await audited(desk)


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
    desk: "Desk", signed: "Signed", fields: dict[str, str], said: str
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


@ONE_KIND
async def test_a_call_back_is_by_the_clinics_clock(desk: "Desk", signed: "Signed") -> None:
    task = await desk.task_for(await desk.patient())
    lucia = await signed()
    await lucia.press(f"/calls/{task.id}/claim")
    await lucia.press(f"/calls/{task.id}/complete", outcome="call_back", at="2027-03-03T10:30")
    # New York in winter
    assert (await desk.again(task)).due_at == datetime(2027, 3, 3, 15, 30, tzinfo=UTC)


@ONE_KIND
async def test_of_a_call_that_is_closed_its_page_says_by_whom_and_as_what(
    desk: "Desk", signed: "Signed"
) -> None:
    patient = await desk.patient(first_name="Elena")
    closed = {"closed_at": desk.now, "closed_by": "Bruno", "outcome": "booked"}
    task = await desk.task_for(patient, **closed)
    lucia = await signed()
    page = await lucia.page(f"/calls/{task.id}")
    assert "Bruno has completed this call" in page
    assert ("Booked" in page, f'href="/register/{patient.id}"' in page) == (True, True)
    assert "Elena" not in page
    await lucia.page("/calls/ct-0000000000000000", status=404)


@ONE_KIND
async def test_a_call_back_may_be_one_of_the_times_at_which_the_clinic_calls(
    desk: "Desk", signed: "Signed"
) -> None:
    task = await desk.task_for(await desk.patient())
    lucia = await signed()
    await lucia.press(f"/calls/{task.id}/claim")
    offered = re.findall(r'<option value="(2027-[^"]+)"', await lucia.page(f"/calls/{task.id}"))
    chosen = datetime.fromisoformat(offered[3])
    await lucia.press(f"/calls/{task.id}/complete", outcome="call_back", later=offered[3], at="")
    assert (await desk.again(task)).due_at == chosen
    assert desk.now + timedelta(minutes=30) < datetime.fromisoformat(offered[0])


async def test_whom_somebody_has_seen_on_the_list_is_noted_once_a_day(
    desk: "Desk", signed: "Signed"
) -> None:
    tasks = [await desk.task_for(await desk.patient()) for _ in range(2)]
    lucia, bruno = await signed("Lucía"), await signed("Bruno")
    for _ in range(3):
        await lucia.page("/calls")
        await lucia.page("/calls/rows")
    await bruno.page("/calls")
    seen = [
        ("viewed", who, task.id, task.patient_id) for who in ("Lucía", "Bruno") for task in tasks
    ]
    assert sorted(await audited(desk)) == sorted(seen)


@ONE_KIND
async def test_an_empty_list_says_what_to_do_next(signed: "Signed") -> None:
    assert "leave this page open" in await (await signed("Lucía", Role.STAFF)).page("/calls")
    assert "To the campaigns" in await (await signed("Olga", Role.OPS)).page("/calls")


@ONE_KIND
async def test_a_row_says_how_urgent_it_is_where_it_is_more_than_others(
    desk: "Desk", signed: "Signed"
) -> None:
    await desk.task_for(await desk.patient(), priority=3)
    lucia = await signed()
    assert "Priority" not in await lucia.page("/calls/rows")
    await desk.task_for(await desk.patient(), priority=0)
    assert "Priority: </span>first of all" in await lucia.page("/calls/rows")


@ONE_KIND
async def test_a_row_says_shortly_when_a_call_is_due(desk: "Desk", signed: "Signed") -> None:
    said = {
        timedelta(minutes=-59): 'overdue</strong> <span class="late">by 59 min<',
        timedelta(hours=-23): 'overdue</strong> <span class="late">by 23 h<',
        timedelta(days=-9): 'overdue</strong> <span class="late">by 9 d<',
        timedelta(hours=2): ">14:00<",
        timedelta(days=1): ">Wed, Mar 3, 12:00<",
    }
    for ahead in said:
        await desk.task_for(await desk.patient(), due_at=desk.now + ahead)
    page = await (await signed()).page("/calls/rows")
    assert [words for words in said.values() if words not in page] == []


@ONE_KIND
async def test_the_list_says_what_was_just_recorded_to_whoever_did_it(
    desk: "Desk", signed: "Signed"
) -> None:
    task = await desk.task_for(await desk.patient(first_name="Elena", last_name="Gil"))
    lucia, bruno = await signed("Lucía"), await signed("Bruno")
    await lucia.press(f"/calls/{task.id}/claim")
    done = await lucia.press(f"/calls/{task.id}/complete", outcome="no_answer")
    there = done.headers["location"]
    said = "Elena Gil – No answer, again Wed, Mar 3, 12:00"
    assert said in await lucia.page(there)
    assert "Recorded" not in await bruno.page(there)
    [call] = await desk.all(Call)
    await desk.change(call, made_at=desk.now - timedelta(minutes=6))
    assert "Recorded" not in await lucia.page(there)


@ONE_KIND
async def test_whoever_may_not_see_a_page_is_not_lost_there(signed: "Signed") -> None:
    lucia = await signed("Lucía")
    gone = await lucia.page("/calls/ct-0000000000000000", status=404)
    assert 'href="/calls"' in gone
    lucia.csrf = "of another session"
    refused = await lucia.press("/calls/next")
    assert refused.status_code == 403
    assert 'href="/calls"' in refused.text


async def test_nobody_is_handed_a_call_before_its_time(desk: "Desk", signed: "Signed") -> None:
    ahead = desk.now + timedelta(hours=1)
    agreed = await desk.task_for(
        await desk.patient(), priority=0, due_at=ahead, not_before=ahead, tries_made=1
    )
    sooner = await desk.task_for(
        await desk.patient(), priority=3, not_before=desk.now + timedelta(minutes=5)
    )
    lucia, bruno = await signed("Lucía"), await signed("Bruno")
    assert "Nobody is waiting" in (await lucia.press("/calls/next")).text
    due = await desk.task_for(await desk.patient())
    page = await lucia.page("/calls")
    now, _, later = page.partition(">Later<")
    assert (due.id in now, agreed.id in now, sooner.id in now) == (True, False, False)
    assert later.index(sooner.id) < later.index(agreed.id)
    assert "to call now: 1 · overdue: 1 · later: 2" in " ".join(page.split())
    assert (await lucia.press("/calls/next")).headers["location"] == f"/calls/{due.id}"
    # the patient may call by themselves
    assert (await bruno.press(f"/calls/{agreed.id}/claim")).status_code == 303


async def test_whoever_was_not_reached_is_not_the_next_call(desk: "Desk", signed: "Signed") -> None:
    first = await desk.task_for(await desk.patient(), priority=1)
    second = await desk.task_for(await desk.patient())
    lucia = await signed()
    for task, then in ((first, second), (second, None)):
        assert (await lucia.press("/calls/next")).headers["location"] == f"/calls/{task.id}"
        await lucia.press(f"/calls/{task.id}/complete", outcome="voicemail")
        assert (await desk.again(task)).not_before == datetime(2027, 3, 3, 17, tzinfo=UTC)
        assert then is None or then.id in await lucia.page("/calls")
    assert "Nobody is waiting" in (await lucia.press("/calls/next")).text


@ONE_KIND
async def test_nobody_is_handed_a_patient_whom_the_clinic_may_not_call_at_this_hour(
    desk: "Desk", signed: "Signed"
) -> None:
    desk.clinic.policy = desk.clinic.folder.policy("us")
    # noon in New York is seven in Honolulu
    for _ in range(25):
        far = await desk.task_for(await desk.patient(phone="+18085550142"), priority=0)
    near = await desk.task_for(await desk.patient())
    lucia = await signed()
    assert "not before 08:00" in await lucia.page("/calls")
    assert (await lucia.press("/calls/next")).headers["location"] == f"/calls/{near.id}"
    assert (await lucia.press(f"/calls/{far.id}/claim")).status_code == 303


@ONE_KIND
async def test_who_may_not_be_called_stands_below_with_the_reason_and_is_closed_in_one_press(
    desk: "Desk", signed: "Signed"
) -> None:
    said_stop = await desk.patient(opted_out_at=desk.now)
    task = await desk.task_for(said_stop, priority=0)
    other = await desk.task_for(await desk.patient())
    lucia = await signed()
    above, _, below = (await lucia.page("/calls")).partition("Not to be called")
    assert (other.id in above, task.id in above, task.id in below) == (True, False, True)
    assert "The patient asked not to be contacted." in below
    assert f"/calls/{task.id}/claim" not in below
    # a call that may be made is not closed in that way
    await lucia.press(f"/calls/{other.id}/close")
    assert (await desk.again(other)).closed_at is None
    for _ in range(2):  # a button that is pressed twice
        closed = await lucia.press(f"/calls/{task.id}/close")
        assert closed.headers["location"] == f"/calls?done={task.id}"
    assert (await desk.again(task)).outcome == "do_not_contact"
    assert "Sofía Muñoz – Do not contact" in await lucia.page(f"/calls?done={task.id}")
    assert await desk.all(Call) == []


@ONE_KIND
async def test_those_who_may_not_be_called_push_nobody_out(
    desk: "Desk", signed: "Signed", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_page, "SHOWN", 4)
    refused = [
        await desk.task_for(await desk.patient(opted_out_at=desk.now), priority=number % 2)
        for number in range(12)
    ]
    callable_ = [await desk.task_for(await desk.patient()) for _ in range(5)]
    page = await (await signed()).page("/calls")
    above, _, below = page.partition("Not to be called")
    assert [task.id in above for task in callable_] == [True, True, True, True, False]
    assert sum(f"/calls/{task.id}/close" in below for task in refused) == 10
    assert "they come up here as these are closed" in below
    assert "Of those who may be called, the 4 most urgent are shown." in above
    top = " ".join(page.split())
    assert "to call now: 5 · overdue: 5 · later: 0 · not to be called: 12" in top


@ONE_KIND
async def test_the_next_ones_of_later_are_shown_however_many_are_to_be_called_now(
    desk: "Desk", signed: "Signed", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_page, "SHOWN", 4)
    for _ in range(5):
        await desk.task_for(await desk.patient())
    put_off = [
        await desk.task_for(await desk.patient(), not_before=desk.now + timedelta(hours=hours))
        for hours in range(7, 0, -1)
    ]
    page = await (await signed()).page("/calls")
    now, _, later = page.partition(">Later<")
    assert [task.id in later for task in put_off] == [False, False, True, True, True, True, True]
    assert later.index(put_off[-1].id) < later.index(put_off[-2].id)
    assert now.count("data-task") == 4
    assert "Of those who may be called, the 4 most urgent are shown." in now
    assert "The next ones are shown: 5 of 7." in later
    assert "on the list now: 5 · overdue: 5 · later: 7" in " ".join(page.split())


@ONE_KIND
async def test_of_a_list_that_is_too_long_to_look_through_the_count_says_what_it_counts(
    desk: "Desk", signed: "Signed", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_page, "SHOWN", 4)
    monkeypatch.setattr(call_page, "LOOKED_THROUGH", 6)
    for number in range(8):
        await desk.task_for(await desk.patient(opted_out_at=desk.now), priority=number % 2)
    last = await desk.task_for(await desk.patient())
    lucia = await signed()
    top = " ".join((await lucia.page("/calls")).split())
    assert "on the list now: 9 · overdue: 9 · later: 0 · at least 6 of all these" in top
    # whoever asks for the next call need not close them first
    assert (await lucia.press("/calls/next")).headers["location"] == f"/calls/{last.id}"


@ONE_KIND
async def test_what_a_post_answered_can_be_loaded_again(desk: "Desk", signed: "Signed") -> None:
    task = await desk.task_for(await desk.patient())
    lucia = await signed()
    places = {"/calls/next": "/calls"} | {
        f"/calls/{task.id}/{door}": f"/calls/{task.id}"
        for door in ("claim", "release", "complete", "keep", "close")
    }
    led = {door: (await lucia.web.get(door)).headers["location"] for door in places}
    assert led == places
