"""The card of a call: what was written and said, and whose call it is."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import TYPE_CHECKING

import httpx
import pytest

from clinic import call_opening, inbox
from clinic.event import EventKind
from clinic.tables import Appointment, Attempt, Call, CallTask, Event, Message
from console.calls.form import LONGEST_NOTE

if TYPE_CHECKING:
    from tests.console.at_work import Signed
    from tests.console.conftest import Desk

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

PRESSED = {
    "en": (
        "Asks for a call: Thursday, March 4, in the evening (after 5 pm).",
        "Says why they do not come back: The price was hard for me.",
        "Wants no more messages.",
    ),
    "ru": (
        "Просит позвонить: четверг, 4 марта, вечером (после 17).",
        "Говорит, почему не придёт: Для меня это было дорого.",
        "Не хочет больше получать сообщения.",
    ),
    "es": (
        "Pide que le llamen: jueves, 4 de marzo, a última hora (después de las 17).",
        "Dice por qué no vuelve: El precio era alto para mí.",
        "No quiere más mensajes.",
    ),
}


async def call_of(desk: "Desk", task: CallTask, **given: object) -> None:
    fields = {"made_at": desk.now, "made_by": "Bruno", "outcome": "no_answer", "note": ""}
    await desk.add(Call(**({"task_id": task.id} | fields | given)))


def hidden(page: str) -> dict[str, str]:
    """Return what a page's form of a call sends unseen."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page)
    names = {"calls_made", "called", "outcome", "reason"}
    return {name: value for name, value in found if name in names}


async def test_the_card_shows_what_each_message_said_without_a_link_that_works(
    desk: "Desk", signed: "Signed"
) -> None:
    written = await desk.written_to(first_name="Elena")
    task = await desk.add(
        CallTask(
            attempt_id=written.attempt.id,
            patient_id=written.patient.id,
            step=1,
            kind="call",
            priority=3,
            due_at=desk.now,
            opened_at=desk.now,
            tries_allowed=3,
        )
    )
    page = unescape(await (await signed()).page(f"/calls/{task.id}"))
    history = page.partition("History")[2]
    assert "Hola, Elena" in history
    assert "(the patient's personal link)" in history
    assert "this is how the text reads today" in history
    assert desk.clinic.links.link_to(written.attempt.id, 1) not in page
    assert "/p/" not in page


@pytest.mark.usefixtures("clinic_folder")  # which it changes
async def test_the_card_says_where_a_messages_text_is_gone(desk: "Desk", signed: "Signed") -> None:
    task = await desk.task_for(await desk.patient())
    await desk.add(
        Message(
            attempt_id=task.attempt_id,
            step=0,
            channel="email",
            address_hash="of-somebody",
            claimed_at=desk.now,
            sent_at=desk.now,
        )
    )
    (desk.clinic.folder.path / "templates" / "come-back.yaml").unlink()
    page = await (await signed()).page(f"/calls/{task.id}")
    assert "not among the clinic" in page
    # its script is gone with it
    assert "say it in your own words" in page


async def test_what_was_noted_on_earlier_calls_stands_near_the_top_the_latest_first(
    desk: "Desk", signed: "Signed"
) -> None:
    patient = await desk.patient()
    earlier = await desk.task_for(patient, closed_at=desk.now, closed_by="Bruno", outcome="moved")
    [attempt] = await desk.all(Attempt)
    await desk.change(attempt, state="ended", outcome="exhausted", ended_at=desk.now)
    await call_of(desk, earlier, note="Prefiere las tardes", made_at=desk.now - timedelta(days=90))
    task = await desk.task_for(patient)
    await call_of(desk, task, note="Está de viaje", made_at=desk.now - timedelta(days=1))
    await call_of(desk, task)
    page = await (await signed()).page(f"/calls/{task.id}")
    noted, _, rest = page.partition("Noted on earlier calls")[2].partition("</section>")
    assert noted.index("Está de viaje") < noted.index("Prefiere las tardes")
    assert noted.count("<li>") == 2
    assert "What to say" in rest


async def test_whoever_comes_second_is_told_by_whom_it_was_done_and_keeps_their_words(
    desk: "Desk", signed: "Signed"
) -> None:
    task = await desk.task_for(await desk.patient())
    lucia, bruno = await signed("Lucía"), await signed("Bruno")
    await lucia.press(f"/calls/{task.id}/claim")
    await lucia.press(f"/calls/{task.id}/complete", outcome="declined", reason="price")
    late = await bruno.press(f"/calls/{task.id}/complete", outcome="booked", note="Viene <hoy>")
    assert late.status_code == 409
    assert "Lucía has completed this call" in late.text
    assert "Does not want to come" in late.text
    assert "Viene &lt;hoy&gt;</textarea>" in late.text
    assert len(await desk.all(Call)) == 1
    for _ in range(2):  # also by a second click
        kept = await bruno.press(f"/calls/{task.id}/keep", outcome="booked", note="Viene <hoy>")
        assert (kept.status_code, kept.headers["location"]) == (303, f"/calls?done={task.id}")
    calls = [(call.made_by, call.outcome, call.note) for call in await desk.all(Call)]
    assert calls == [("Lucía", "declined", ""), ("Bruno", "booked", "Viene <hoy>")]
    assert await desk.all(Appointment) == []
    assert (await desk.again(task)).outcome == "declined"


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("corrected", [False, True])
async def test_the_number_that_was_called_is_bad_and_not_one_that_was_noted_since(
    desk: "Desk", signed: "Signed", *, late: bool, corrected: bool
) -> None:
    patient = await desk.patient(phone="+13055550123")
    task = await desk.task_for(patient)
    lucia, bruno = await signed("Lucía"), await signed("Bruno")
    await lucia.press(f"/calls/{task.id}/claim")
    filled = hidden(await lucia.page(f"/calls/{task.id}"))
    if late:
        await desk.change(task, claimed_by=None, claimed_until=None)
        await bruno.press(f"/calls/{task.id}/complete", outcome="no_answer")
    if corrected:
        await desk.change(patient, phone="+13055550124")
    answer = await lucia.press(f"/calls/{task.id}/complete", outcome="wrong_number", **filled)
    if late:
        assert answer.status_code == 409
        await lucia.press(f"/calls/{task.id}/keep", **hidden(answer.text))
    bad_at = (await desk.again(patient)).phone_bad_at
    assert bad_at == (None if corrected else desk.now)


async def test_the_list_says_what_was_kept_last_and_not_what_was_recorded_before(
    desk: "Desk", signed: "Signed"
) -> None:
    task = await desk.task_for(await desk.patient())
    lucia = await signed("Lucía")
    await lucia.press(f"/calls/{task.id}/claim")
    await lucia.press(f"/calls/{task.id}/complete", outcome="moved", calls_made="0")
    # back in the browser, and another button
    answer = await lucia.press(f"/calls/{task.id}/complete", outcome="no_answer", calls_made="0")
    assert answer.status_code == 409
    await lucia.press(f"/calls/{task.id}/keep", **hidden(answer.text))
    assert "Sofía Muñoz – No answer" in await lucia.page(f"/calls?done={task.id}")


async def test_a_call_that_its_attempts_end_took_off_the_list_is_nobodys(
    desk: "Desk", signed: "Signed"
) -> None:
    task = await desk.task_for(
        await desk.patient(),
        closed_at=desk.now,
        closed_by="the attempt's end",
        outcome="booked",
    )
    late = await (await signed()).press(f"/calls/{task.id}/complete", outcome="no_answer")
    assert late.status_code == 409
    assert "not needed any more" in late.text
    assert "Booked" in late.text


async def test_of_a_task_that_never_was_the_words_are_given_back_to_be_copied(
    signed: "Signed",
) -> None:
    late = await (await signed()).press(
        "/calls/ct-0000000000000000/complete", outcome="booked", note="Viene el martes"
    )
    assert late.status_code == 409
    assert "Viene el martes</textarea>" in late.text
    assert "/keep" not in late.text


async def test_a_note_may_be_as_long_as_the_browser_lets_it_be(
    desk: "Desk", signed: "Signed"
) -> None:
    task = await desk.task_for(await desk.patient())
    lucia = await signed()
    await lucia.press(f"/calls/{task.id}/claim")
    # a line's end is one character where it is typed, and two on its way
    note = "a\r\n" * (LONGEST_NOTE // 2)
    await lucia.press(f"/calls/{task.id}/complete", outcome="voicemail", note=note)
    [call] = await desk.all(Call)
    assert call.note == "a\n" * (LONGEST_NOTE // 2)


async def test_a_report_that_is_too_long_is_refused(desk: "Desk", signed: "Signed") -> None:
    task = await desk.task_for(await desk.patient())
    lucia = await signed()
    await lucia.press(f"/calls/{task.id}/claim")
    note = "x" * (LONGEST_NOTE + 1)
    answer = await lucia.press(f"/calls/{task.id}/complete", outcome="booked", note=note)
    assert answer.status_code == 422
    assert await desk.all(Call) == []


async def test_what_a_patient_wrote_and_what_staff_noted_stand_in_their_order(
    desk: "Desk", signed: "Signed"
) -> None:
    task = await desk.task_for(await desk.patient())
    await call_of(desk, task, note="Llamar otro día", made_at=desk.now - timedelta(days=2))
    received = inbox.Received(
        source="sms",
        source_key="1",
        kind=EventKind.REPLY,
        attempt_id=task.attempt_id,
        body="Mejor el jueves",
    )
    async with desk.clinic.database.writing() as session:
        await inbox.store(session, received, now=desk.now, key=desk.clinic.key)
    history = (await (await signed()).page(f"/calls/{task.id}")).partition("History")[2]
    assert history.index("Llamar otro día") < history.index("Mejor el jueves")
    assert len(await desk.all(Event)) == 1


async def keep_on_the_list(desk: "Desk", event: Event) -> CallTask:
    async with desk.clinic.database.writing() as session:
        await call_opening.keep_late(session, event, desk.now)
    tasks: list[CallTask] = await desk.all(CallTask)
    [task] = tasks
    return task


@pytest.mark.parametrize("language", PRESSED)
async def test_what_was_pressed_is_read_in_the_readers_language_and_only_own_words_are_quoted(
    desk: "Desk", signed: "Signed", web: httpx.AsyncClient, language: str
) -> None:
    written = await desk.written_to(language="es")
    # who has chosen another language on their page writes in that one
    path = f"/p/{desk.token(written)}"
    form = {"at": "2027-03-04.evening", "words": "Только <не> раньше!"}
    await web.post(f"{path}/call?lang=ru", data=form)
    await web.post(f"{path}/why?lang=ru", data={"reason": "price", "words": "Очень дорого"})
    task = await keep_on_the_list(desk, (await desk.all(Event))[0])
    await web.post(f"{path}/stop?lang=ru")
    lucia = await signed(language=language)
    card, _, history = (await lucia.page(f"/calls/{task.id}")).partition('class="history"')
    shown = (await lucia.page("/calls"), card, history)
    for page in (*shown, await lucia.page(f"/register/{written.patient.id}")):
        for said in PRESSED[language][:2]:
            assert f'class="pressed">{said}</' in page
        assert ' lang="ru">Только &lt;не&gt; раньше!</' in page
        assert ' lang="ru">Очень дорого</' in page
        assert ("Pide que" in page) == (language == "es")
    assert PRESSED[language][2] in history


async def test_a_press_without_words_quotes_nothing(
    desk: "Desk", signed: "Signed", web: httpx.AsyncClient
) -> None:
    written = await desk.written_to()
    await web.post(f"/p/{desk.token(written)}/call")
    task = await keep_on_the_list(desk, (await desk.all(Event))[0])
    lucia = await signed()
    for path in ("/calls", f"/calls/{task.id}", f"/register/{written.patient.id}"):
        page = await lucia.page(path)
        assert 'class="pressed">Asks for a call.</' in page
        assert "<q" not in page
        assert 'class="words"' not in page


async def test_what_an_older_event_does_not_tell_is_read_as_it_was_stored(
    desk: "Desk", signed: "Signed"
) -> None:
    written = await desk.written_to(language="ru")
    asked = "Pide que le llamen."
    received = inbox.Received(
        source="link",
        source_key=f"{written.attempt.id}.1.call.1",
        kind=EventKind.REPLY,
        attempt_id=written.attempt.id,
        body=f"{asked} После обеда",
        details={"asked_length": len(asked)},
    )
    async with desk.clinic.database.writing() as session:
        await inbox.store(session, received, now=desk.now, key=desk.clinic.key)
    task = await keep_on_the_list(desk, (await desk.all(Event))[0])
    lucia = await signed()
    said = '<span lang="es">Pide que le llamen.</span> <span lang="ru">После обеда</span>'
    for path in ("/calls", f"/calls/{task.id}", f"/register/{written.patient.id}"):
        assert said in await lucia.page(path)


async def test_why_a_message_failed_and_why_somebody_was_left_out_stand_in_words(
    desk: "Desk", signed: "Signed"
) -> None:
    patient = await desk.patient()
    await desk.attempt(patient, state="left_out", left_out_reason="cool_down", started_at=None)
    task = await desk.task_for(patient)
    failed = {"address_hash": "of-somebody", "claimed_at": desk.now, "failed_at": desk.now}
    of_attempt = {"attempt_id": task.attempt_id, "channel": "sms"} | failed
    await desk.add(Message(step=0, failure="30006", **of_attempt))
    await desk.add(Message(step=1, failure="bounced", **of_attempt))
    page = await (await signed()).page(f"/calls/{task.id}")
    assert "could not be delivered, code 30006" in page
    assert "(it came back)" in page
    assert "had been in a campaign not long before" in page


async def test_what_is_filled_in_beside_another_button_is_not_recorded_silently(
    desk: "Desk", signed: "Signed"
) -> None:
    task = await desk.task_for(await desk.patient())
    lucia = await signed()
    await lucia.press(f"/calls/{task.id}/claim")
    report = f"/calls/{task.id}/complete"
    refused = await lucia.press(report, outcome="no_answer", appointment="2027-03-09T10:00")
    assert refused.status_code == 422
    assert "A time goes with a booking or a later call only." in refused.text
    await lucia.press(report, outcome="booked", appointment="2027-03-09T10:00", later="")
    [appointment] = await desk.all(Appointment)
    assert appointment.at == datetime(2027, 3, 9, 15, 0, tzinfo=UTC)


async def test_a_refused_report_marks_its_field_and_offers_the_reason_that_was_given_before(
    desk: "Desk", signed: "Signed"
) -> None:
    task = await desk.task_for(await desk.patient(loss_reason="price"))
    lucia = await signed()
    await lucia.press(f"/calls/{task.id}/claim")
    assert "selected" not in await lucia.page(f"/calls/{task.id}")
    report = f"/calls/{task.id}/complete"
    refused = (await lucia.press(report, outcome="declined")).text
    wrong = 'aria-invalid="true" aria-describedby="problem" autofocus'
    assert f'name="reason" {wrong}' in refused
    assert '<option value="price" selected>' in refused
    refused = (await lucia.press(report, outcome="call_back")).text
    assert f'name="later" {wrong}' in refused
    assert "selected" not in refused
    sooner = (await lucia.press(report, outcome="booked", appointment="2020-01-01T10:00")).text
    assert f'value="2020-01-01T10:00" {wrong}' in sooner
    assert sooner.count("aria-invalid") == 1


@pytest.mark.parametrize("ended", ["signed out", "signed in anew"])
async def test_a_note_is_given_back_to_whose_session_has_ended(
    desk: "Desk", signed: "Signed", ended: str
) -> None:
    task = await desk.task_for(await desk.patient())
    lucia = await signed()
    await lucia.press(f"/calls/{task.id}/claim")
    if ended == "signed out":
        lucia.web.cookies.clear()
    lucia.csrf = "of the session before"
    report = f"/calls/{task.id}/complete"
    answer = await lucia.press(report, outcome="booked", note="Viene <hoy>")
    assert answer.status_code == (401 if ended == "signed out" else 403)
    assert "Viene &lt;hoy&gt;</textarea>" in answer.text
    assert f'href="/calls/{task.id}"' in answer.text
    assert await desk.all(Call) == []
    lucia.web.headers["Sec-Fetch-Site"] = "cross-site"
    assert "Viene" not in (await lucia.press(report, outcome="booked", note="Viene")).text


async def test_a_report_on_a_call_that_a_colleague_made_since_says_so_before_all_else(
    desk: "Desk", signed: "Signed"
) -> None:
    task = await desk.task_for(await desk.patient())
    lucia, bruno = await signed("Lucía"), await signed("Bruno")
    await lucia.press(f"/calls/{task.id}/claim")
    await lucia.press(f"/calls/{task.id}/complete", outcome="voicemail")
    # his claim had lapsed; the reason that he did not choose is not what is wrong
    late = await bruno.press(f"/calls/{task.id}/complete", outcome="declined", note="otro día")
    assert late.status_code == 409
    assert "Lucía has called meanwhile" in late.text
    assert "otro día</textarea>" in late.text
    assert [call.made_by for call in await desk.all(Call)] == ["Lucía"]


async def test_a_time_that_the_patient_was_told_is_not_lost_with_the_call(
    desk: "Desk", signed: "Signed"
) -> None:
    closed = {"closed_at": desk.now, "closed_by": "Bruno", "outcome": "moved"}
    task = await desk.task_for(await desk.patient(), **closed)
    lucia, there = await signed(), f"/calls/{task.id}/complete"
    booked = await lucia.press(there, outcome="booked", appointment="2027-03-04T10:30", note="Trae")
    [said] = re.findall(r"<textarea[^>]*>([^<]*)</textarea>", booked.text)
    assert re.fullmatch(r"Appointment agreed with the patient: 3/4/27, 10:30\sAM\nTrae", said)
    later = await lucia.press(there, outcome="call_back", at="2027-03-05T11:00")
    assert "Agreed to call again: 3/5/27, 11:00" in later.text
    await lucia.press(f"/calls/{task.id}/keep", outcome="booked", note=said)
    assert [call.note for call in await desk.all(Call)] == [said]


async def test_an_open_card_hears_what_comes_in_meanwhile(desk: "Desk", signed: "Signed") -> None:
    patient = await desk.patient()
    task = await desk.task_for(patient)
    lucia, bruno = await signed("Lucía"), await signed("Bruno")
    await lucia.press(f"/calls/{task.id}/claim")
    news = f"/calls/{task.id}/news"
    assert (await lucia.page(news)).strip() == ""
    assert "Lucía is on this call" in await bruno.page(news)
    await desk.change(patient, opted_out_at=desk.now)
    assert "The patient asked not to be contacted." in await lucia.page(news)
    await desk.change(task, closed_at=desk.now, closed_by="Bruno", outcome="booked")
    assert "Bruno has completed this call" in await lucia.page(news)


async def test_the_card_names_nobody_in_its_title_and_leads_to_the_register(
    desk: "Desk", signed: "Signed"
) -> None:
    patient = await desk.patient(first_name="Elena", external_id="A-77")
    task = await desk.task_for(patient)
    lucia, bruno = await signed("Lucía"), await signed("Bruno")
    await lucia.press(f"/calls/{task.id}/claim")
    page = await bruno.page(f"/calls/{task.id}")
    assert "<title>Call A-77 – " in page
    assert f'href="/register/{patient.id}"' in page
    assert page.index("Lucía is calling") < page.index("<h1>")


@pytest.mark.parametrize(
    ("outcome", "tries"), [("no_answer", 1), ("booked", 1), ("do_not_contact", 1)]
)
async def test_a_button_that_is_pressed_twice_reports_one_call(
    desk: "Desk", signed: "Signed", outcome: str, tries: int
) -> None:
    task = await desk.task_for(await desk.patient())
    lucia = await signed()
    await lucia.press(f"/calls/{task.id}/claim")
    page = await lucia.page(f"/calls/{task.id}")
    [shown] = re.findall('name="calls_made" value="([^"]*)"', page)
    for _ in range(2):
        answer = await lucia.press(f"/calls/{task.id}/complete", outcome=outcome, calls_made=shown)
        assert answer.headers["Location"] == f"/calls?done={task.id}"
    assert [call.outcome for call in await desk.all(Call)] == [outcome]
    assert (await desk.again(task)).tries_made == tries


async def test_who_goes_back_to_set_an_outcome_right_reports_anew(
    desk: "Desk", signed: "Signed"
) -> None:
    task = await desk.task_for(await desk.patient())
    lucia = await signed()
    for outcome in ("no_answer", "booked"):
        await lucia.press(f"/calls/{task.id}/complete", outcome=outcome, calls_made="0")
    assert [call.outcome for call in await desk.all(Call)] == ["no_answer", "booked"]


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({"outcome": "call_back", "at": "2027-03-03T10:00"}, {"at": "2027-03-04T10:00"}),
        ({"outcome": "declined", "reason": "price"}, {"reason": "distance"}),
        (
            {"outcome": "booked", "appointment": "2027-03-10T10:00"},
            {"appointment": "2027-03-11T10:00"},
        ),
    ],
)
async def test_nor_is_another_time_or_reason_taken_for_the_same_report(
    desk: "Desk", signed: "Signed", first: dict[str, str], then: dict[str, str]
) -> None:
    task = await desk.task_for(await desk.patient())
    lucia = await signed()
    answers = []
    for given in (first, first, first | then):
        page = f"/calls/{task.id}/complete"
        answers.append((await lucia.press(page, **given, calls_made="0")).status_code)
    # a task that is closed by then is told of, with what was filled in
    assert answers == [303, 303, 303 if first["outcome"] == "call_back" else 409]
    calls = await desk.all(Call)
    assert len(calls) == (2 if first["outcome"] == "call_back" else 1)


async def test_a_time_at_the_calendars_end_is_no_part_of_a_late_note(
    desk: "Desk", signed: "Signed"
) -> None:
    task = await desk.task_for(
        await desk.patient(), closed_at=desk.now, closed_by="Bruno", outcome="moved"
    )
    late = await (await signed()).press(
        f"/calls/{task.id}/complete",
        outcome="call_back",
        later="0001-01-01T00:00:00+14:00",
        note="Prefiere las tardes",
    )
    assert late.status_code == 409
    assert "Prefiere las tardes" in late.text
