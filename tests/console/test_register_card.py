"""A patient's card on the register: everything in words, for whoever may see it."""

from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import TYPE_CHECKING

import pytest

from clinic.accounts import Role
from clinic.register import erasure
from clinic.tables import (
    Appointment,
    AuditEntry,
    Consent,
    Duplicate,
    Event,
    Patient,
    Suppression,
    Visit,
)

if TYPE_CHECKING:
    from tests.console.at_work import Signed
    from tests.console.conftest import Desk

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def test_a_card_says_who_it_is_and_how_they_are_reached_in_words(
    desk: "Desk", signed: "Signed"
) -> None:
    ana = await desk.patient(
        external_id="A-0042",
        birth_date=date(1984, 5, 17),
        status="inactive",
        loss_reason="price",
        preferred_channel="sms",
        phone="+13055550142",
        other_phone="+13055550143",
        email="ana@example.com",
        email_bad_at=desk.now,
        phone_kind="landline",
    )
    son = await desk.patient(first_name="Tomás", phone="+13055550142")
    said = Consent(
        patient_id=ana.id,
        channel="sms",
        content="advertising",
        given=False,
        source="paper form",
        at=desk.now,
    )
    await desk.add(said)
    await desk.add(Visit(patient_id=ana.id, day=date(2025, 3, 1), treatment="cleaning"))
    await desk.add(
        Duplicate(patient_id=ana.id, other_id=son.id, reason="name and phone", found_at=desk.now)
    )
    page = unescape(await (await signed()).page(f"/register/{ana.id}"))
    for words in (
        "A-0042",
        "May 17, 1984",
        "Former patient",
        "The price",
        "+1 305-555-0142",
        "takes calls, no SMS",
        "+1 305-555-0143",
        "does not work",
        "SMS, Advertising",
        "paper form",
        "cleaning",
        "the same name and phone",
        "Nobody has settled it.",
    ):
        assert words in page
    assert page.count(f'href="/register/{son.id}"') == 2  # at the same phone, and perhaps the same


async def twins(desk: "Desk") -> tuple[Patient, Patient]:
    """Two rows that may be one person: the one that was there before, and the later one."""
    kept = await desk.patient(external_id="M-1", phone="+13055550142")
    later = await desk.patient(external_id="M-2", phone="+13055550142")
    await desk.add(
        Duplicate(patient_id=later.id, other_id=kept.id, reason="name and phone", found_at=desk.now)
    )
    return kept, later


async def test_ops_compare_two_rows_and_say_that_it_is_one_person(
    desk: "Desk", signed: "Signed"
) -> None:
    kept, later = await twins(desk)
    await desk.add(Visit(patient_id=later.id, day=date(2025, 3, 1), treatment="cleaning"))
    lucia, vera = await signed("Lucía"), await signed("Vera", Role.OPS)
    at = f"/register/{later.id}/same/{kept.id}"
    assert at not in await lucia.page(f"/register/{later.id}")
    assert (await lucia.press(at, verdict="same")).status_code == 403
    assert f'href="{at}"' in await vera.page(f"/register/{later.id}")
    page = await vera.page(at)
    assert "M-1 is kept and takes over the visits, appointments and consents of M-2" in page
    assert (await vera.press(at, verdict="perhaps")).status_code == 422
    done = await vera.press(at, verdict="same")
    assert done.headers["location"] == f"/register/{later.id}?said=same"
    assert (await desk.again(later)).duplicate_of == kept.id
    assert [visit.patient_id for visit in await desk.all(Visit)] == [kept.id]
    changed = [entry for entry in await desk.all(AuditEntry) if entry.action == "changed"]
    assert {entry.patient_id for entry in changed} == {kept.id, later.id}
    assert all(entry.details == {"what": "same_person", "verdict": "same"} for entry in changed)


async def test_two_people_stay_two_and_who_comes_later_is_told_so(
    desk: "Desk", signed: "Signed"
) -> None:
    kept, later = await twins(desk)
    vera, olga = await signed("Vera", Role.OPS), await signed("Olga", Role.ADMIN)
    at = f"/register/{kept.id}/same/{later.id}"
    assert (await vera.press(at, verdict="different")).headers["location"].endswith("different")
    late = await olga.press(at, verdict="same")
    assert late.headers["location"].endswith("said=settled-before")
    assert (await desk.again(later)).duplicate_of is None
    await olga.page(at, status=404)
    assert "They are two people." in await olga.page(f"/register/{kept.id}")


async def test_a_minors_card_says_who_reads_in_their_stead(desk: "Desk", signed: "Signed") -> None:
    mother = await desk.patient(external_id="M-1", first_name="Ana", last_name="Rojas")
    child = await desk.patient(birth_date=date(2016, 1, 3), guardian_number=mother.external_id)
    page = unescape(await (await signed()).page(f"/register/{child.id}"))
    assert "By the guardian, Ana Rojas (M-1): the patient is a minor." in page
    assert str(mother.email) in page


async def test_an_open_call_is_one_click_away(desk: "Desk", signed: "Signed") -> None:
    patient = await desk.patient()
    task = await desk.task_for(patient)
    assert f'href="/calls/{task.id}"' in await (await signed()).page(f"/register/{patient.id}")


async def test_staff_ops_and_admins_are_shown_what_each_may_do(
    desk: "Desk", signed: "Signed"
) -> None:
    patient = await desk.patient()
    shown = {}
    for name, role in (("Lucía", Role.STAFF), ("Vera", Role.OPS), ("Olga", Role.ADMIN)):
        page = await (await signed(name, role)).page(f"/register/{patient.id}")
        actions = ("stop", "booked", "edit", "consents", "export", "forget")
        shown[role] = [each for each in actions if f'"/register/{patient.id}/{each}"' in page]
    assert shown == {
        Role.STAFF: ["stop", "booked"],
        Role.OPS: ["stop", "booked", "edit", "consents", "export"],
        Role.ADMIN: ["stop", "booked", "edit", "consents", "export", "forget"],
    }


@pytest.mark.parametrize(
    ("role", "method", "path"),
    [
        (Role.STAFF, "GET", "edit"),
        (Role.STAFF, "POST", "edit"),
        (Role.STAFF, "GET", "consents"),
        (Role.STAFF, "POST", "consents"),
        (Role.STAFF, "GET", "lift"),
        (Role.STAFF, "POST", "lift"),
        (Role.STAFF, "POST", "export"),
        (Role.OPS, "GET", "forget"),
        (Role.OPS, "POST", "forget"),
    ],
)
async def test_what_is_not_shown_is_not_open_either(
    desk: "Desk", signed: "Signed", role: Role, method: str, path: str
) -> None:
    patient = await desk.patient()
    web = await signed(role=role)
    at = f"/register/{patient.id}/{path}"
    answer = await (web.web.get(at) if method == "GET" else web.press(at))
    assert answer.status_code == 403
    assert await desk.all(AuditEntry) == []


async def test_who_looked_is_noted_and_shown_to_those_who_answer_for_it(
    desk: "Desk", signed: "Signed"
) -> None:
    patient = await desk.patient()
    other = await desk.patient()
    lucia, vera = await signed("Lucía"), await signed("Vera", Role.OPS)
    assert "Who has seen" not in await lucia.page(f"/register/{patient.id}")
    await lucia.page(f"/register/{other.id}")
    page = await vera.page(f"/register/{patient.id}")
    log = page.partition("Who has seen or changed this")[2]
    assert log.count("Lucía: looked at the card") == 1
    assert log.count("Vera: looked at the card") == 1


async def test_of_two_rows_of_one_person_the_kept_one_is_shown(
    desk: "Desk", signed: "Signed"
) -> None:
    kept = await desk.patient()
    twin = await desk.patient(duplicate_of=kept.id)
    lucia = await signed()
    for path in ("", "/stop"):
        answer = await lucia.web.get(f"/register/{twin.id}{path}")
        place = f"/register/{kept.id}?said=same-person"
        assert (answer.status_code, answer.headers["location"]) == (303, place)
    assert "is of the same person" in await lucia.page(place)


async def test_who_is_on_no_register_has_no_card(desk: "Desk", signed: "Signed") -> None:
    lucia = await signed("Lucía", Role.ADMIN)
    for path in ("", "/edit", "/consents", "/stop", "/lift", "/forget"):
        page = await lucia.page(f"/register/pt-0000000000000000{path}", status=404)
        assert "no such page" in page
    assert await desk.all(AuditEntry) == []


async def test_the_card_of_somebody_forgotten_says_so_and_nothing_can_be_done(
    desk: "Desk", signed: "Signed"
) -> None:
    patient = await desk.patient(external_id="A-0042")
    async with desk.clinic.database.writing() as session:
        await erasure.forget(session, patient.id, now=desk.now, key=desk.clinic.key)
    olga = await signed("Olga", Role.ADMIN)
    page = await olga.page(f"/register/{patient.id}")
    assert "forgotten at their own wish on Mar 2, 2027" in page
    assert "A-0042" not in page
    for path in ("edit", "consents", "stop", "lift", "forget"):
        answer = await olga.press(f"/register/{patient.id}/{path}", number="", who="", how="")
        assert (answer.status_code, answer.text.count("A-0042")) != (200, 1)
    assert (await desk.again(patient)).first_name == ""
    stops = [event for event in await desk.all(Event) if event.kind == "opted_out"]
    assert stops == []


async def test_stop_is_asked_about_and_then_ends_the_attempt_and_silences_every_address(
    desk: "Desk", signed: "Signed"
) -> None:
    patient = await desk.patient()
    attempt = await desk.attempt(patient)
    lucia = await signed("Lucía")
    assert "wants no more messages?" in await lucia.page(f"/register/{patient.id}/stop")
    done = await lucia.press(f"/register/{patient.id}/stop")
    assert (done.status_code, done.headers["location"]) == (
        303,
        f"/register/{patient.id}?said=stopped",
    )
    assert (await desk.again(patient)).opted_out_at == desk.now
    assert len(await desk.all(Suppression)) == 2
    [event] = await desk.all(Event)
    assert (event.kind, event.attempt_id, event.source) == ("opted_out", attempt.id, "staff")
    card = await lucia.page(f"/register/{patient.id}?said=stopped")
    assert "Nobody writes to them any more." in card
    assert f"/register/{patient.id}/stop" not in card
    again = await lucia.press(f"/register/{patient.id}/stop")
    assert again.headers["location"].endswith("stopped-before")
    changes = [entry for entry in await desk.all(AuditEntry) if entry.action == "changed"]
    assert [(entry.who, entry.details) for entry in changes] == [("Lucía", {"what": "stop"})] * 2


async def test_a_stop_is_taken_back_only_where_somebody_says_who_wished_it(
    desk: "Desk", signed: "Signed"
) -> None:
    patient = await desk.patient()
    vera = await signed("Vera", Role.OPS)
    at = f"/register/{patient.id}/lift"
    await vera.press(f"/register/{patient.id}/stop")
    for fields in ({}, {"who": "patient"}, {"who": "me", "how": "by_phone"}):
        refused = await vera.press(at, **fields)
        assert refused.status_code == 422
        assert "Who said so, and how?" in refused.text
    assert (await desk.again(patient)).opted_out_at is not None
    done = await vera.press(at, who="patient", how="by_phone")
    assert done.headers["location"].endswith("said=lifted")
    assert (await desk.again(patient)).opted_out_at is None
    assert await desk.all(Suppression) == []
    last = (await desk.all(AuditEntry))[-1]
    assert last.details == {"what": "lift", "said_by": "patient", "heard": "by_phone"}
    again = await vera.press(at, who="patient", how="by_phone")
    assert again.headers["location"].endswith("said=not-stopped")


async def test_an_appointment_that_the_desk_makes_ends_the_attempt(
    desk: "Desk", signed: "Signed"
) -> None:
    patient = await desk.patient()
    attempt = await desk.attempt(patient)
    lucia = await signed()
    at = f"/register/{patient.id}/booked"
    done = await lucia.press(at, at="2027-03-05T10:30")
    assert done.headers["location"].endswith("said=booked")
    [appointment] = await desk.all(Appointment)
    # New York in winter
    assert appointment.at == datetime(2027, 3, 5, 15, 30, tzinfo=UTC)
    [event] = await desk.all(Event)
    assert (event.kind, event.attempt_id) == ("booked", attempt.id)
    again = await lucia.press(at, at="2027-03-05T10:30")
    assert again.headers["location"].endswith("said=booked-before")
    assert len(await desk.all(Event)) == 1


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("", "Choose the day and the time"),
        ("mañana", "Choose the day and the time"),
        ("2027-03-02T11:59", "has passed"),
        ("0001-01-01T00:00", "has passed"),
        ("2207-03-02T10:00", "more than ten years ahead"),
        ("9999-12-31T23:59", "more than ten years ahead"),
    ],
)
async def test_an_appointment_that_can_not_be_is_asked_for_again(
    desk: "Desk", signed: "Signed", at: str, said: str
) -> None:
    patient = await desk.patient()
    answer = await (await signed()).press(f"/register/{patient.id}/booked", at=at)
    assert answer.status_code == 422
    assert said in answer.text
    assert f'value="{at}"' in unescape(answer.text)
    assert await desk.all(Appointment) == []


async def test_a_card_shows_the_years_of_what_was_long_ago(desk: "Desk", signed: "Signed") -> None:
    long_ago = desk.now - timedelta(days=800)
    patient = await desk.patient(opted_out_at=long_ago)
    page = await (await signed()).page(f"/register/{patient.id}")
    assert "Wants no messages since Dec 22, 2024" in page


@pytest.mark.parametrize(
    ("role", "language", "later", "said"),
    [
        (Role.STAFF, "en", "", "an imported list"),
        (Role.STAFF, "ru", "", "загруженный список"),
        (Role.OPS, "en", "", "an imported list: berta-ruiz.csv"),
        (
            Role.STAFF,
            "es",
            " (said on 2026-05-01)",
            "una lista importada (lo dijo el 1 may 2026)",
        ),
    ],
)
async def test_the_name_of_a_list_may_be_a_persons_so_staff_see_that_there_was_one(
    desk: "Desk", signed: "Signed", role: Role, language: str, later: str, said: str
) -> None:
    ana = await desk.patient()
    fields = {"channel": "sms", "content": "advertising", "given": True, "at": desk.now}
    await desk.add(Consent(patient_id=ana.id, source=f"import berta-ruiz.csv{later}", **fields))
    page = await (await signed("Nuria", role, language)).page(f"/register/{ana.id}")
    assert f", {said}</span>" in page
    assert ("berta-ruiz" in page) == (role is Role.OPS)
