"""A card shows what became of a patient: every step, and the rule that decided."""

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from clinic.attempt import AttemptState
from clinic.event import CallOutcome, EventKind
from clinic.register import consent
from clinic.register.address import address_hash
from clinic.register.attempt_card import StepLine
from clinic.register.card import Card, card_of
from clinic.tables import CallTask, Duplicate, Message, Patient, StepNote

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows, Staff

DAY = timedelta(days=1)


async def card(rows: "Rows", patient: Patient) -> Card:
    clinic = rows.clinic
    async with clinic.database.reading() as session:
        row = await session.get_one(Patient, patient.id)
        return await card_of(session, row, now=rows.now, zone=clinic.profile.zone, key=clinic.key)


async def steps(rows: "Rows", patient: Patient) -> list[tuple[str, str]]:
    [attempt] = (await card(rows, patient)).attempts
    return [(step.channel, step.became) for step in attempt.steps]


def message(attempt_id: str, step: int, at: datetime, **given: object) -> Message:
    channel = ("email", "sms", "call")[step]
    fields = {"attempt_id": attempt_id, "step": step, "channel": channel, "claimed_at": at}
    return Message(**({"address_hash": "of-somebody"} | fields | given))


async def test_each_step_says_what_became_of_it(rows: "Rows", now: datetime) -> None:
    patient = await rows.patient()
    attempt = await rows.attempt(patient)
    await rows.add(message(attempt.id, 0, now, sent_at=now, provider_status="delivered"))
    rule = "one channel a week: email on Tue 2027-03-02 (Ley 2300 de 2023, art. 3)"
    await rows.add(
        StepNote(
            attempt_id=attempt.id, step=1, at=now, result="deferred", rule=rule, until=now + 7 * DAY
        )
    )
    [shown] = (await card(rows, patient)).attempts
    assert shown.steps == (
        StepLine(
            number=1,
            channel="email",
            template="come-back",
            became="sent",
            at=now,
            reason="delivered",
        ),
        StepLine(
            number=2,
            channel="sms",
            template="come-back",
            became="deferred",
            at=now,
            rule=rule,
            until=now + 7 * DAY,
        ),
        StepLine(number=3, channel="call", template="come-back", became="to come"),
    )


@pytest.mark.parametrize(
    ("fields", "became"),
    [
        ({}, "being sent"),
        ({"sent_at": True}, "sent"),
        ({"sent_at": True, "failed_at": True, "failure": "30005"}, "failed"),
        ({"failed_at": True, "failure": "550"}, "failed"),
    ],
)
async def test_the_ledger_says_whether_a_message_left_and_arrived(
    rows: "Rows", now: datetime, fields: dict[str, object], became: str
) -> None:
    patient = await rows.patient()
    attempt = await rows.attempt(patient)
    given = {name: now if value is True else value for name, value in fields.items()}
    await rows.add(message(attempt.id, 0, now, **given))
    assert (await steps(rows, patient))[0] == ("email", became)


async def test_a_call_step_stands_on_the_call_list(rows: "Rows", now: datetime) -> None:
    patient = await rows.patient()
    attempt = await rows.attempt(patient)
    await rows.add(message(attempt.id, 2, now, sent_at=now))
    assert (await steps(rows, patient))[2] == ("call", "on the call list")


async def test_steps_that_an_ended_attempt_did_not_come_to_say_so(
    rows: "Rows", now: datetime
) -> None:
    patient = await rows.patient()
    await rows.attempt(patient, state=AttemptState.ENDED.value, outcome="booked", ended_at=now)
    assert {became for _, became in await steps(rows, patient)} == {"not reached"}


async def test_who_was_left_out_is_told_by_which_rule(rows: "Rows") -> None:
    patient = await rows.patient()
    rule = "cool-down: 90 days after 2027-02-01 (house rule)"
    await rows.attempt(
        patient,
        state=AttemptState.LEFT_OUT.value,
        started_at=None,
        left_out_reason="cool_down",
        left_out_rule=rule,
    )
    [shown] = (await card(rows, patient)).attempts
    assert (shown.left_out_reason, shown.rule, shown.steps) == ("cool_down", rule, ())


async def test_answers_calls_and_notes_stand_with_their_attempt(
    rows: "Rows", staff: "Staff", now: datetime
) -> None:
    patient = await rows.patient()
    attempt = await rows.attempt(patient)
    await rows.store(EventKind.REPLY, attempt_id=attempt.id, body="Llámenme el lunes")
    task = CallTask(
        id="ct-1",
        attempt_id=attempt.id,
        patient_id=patient.id,
        step=2,
        kind="call",
        priority=3,
        due_at=now,
        opened_at=now,
        tries_allowed=3,
    )
    await rows.add(task)
    await staff.complete(task, CallOutcome.NO_ANSWER, who="Lucía", note="contestó su hijo")
    [shown] = (await card(rows, patient)).attempts
    assert [(one.kind, one.words) for one in shown.said] == [("reply", "Llámenme el lunes")]
    assert [(call.by, call.outcome, call.note) for call in shown.calls] == [
        ("Lucía", "no_answer", "contestó su hijo")
    ]
    assert shown.open_task == "ct-1"


async def test_what_a_patient_said_outside_any_attempt_is_not_lost(rows: "Rows") -> None:
    patient = await rows.patient()
    await rows.store(EventKind.REPLY, patient_id=patient.id, body="¿Están abiertos?")
    shown = await card(rows, patient)
    assert [(one.kind, one.words) for one in shown.said] == [("reply", "¿Están abiertos?")]


async def test_a_minor_is_shown_with_the_guardian_who_is_written_to(rows: "Rows") -> None:
    await rows.patient(
        external_id="A-1", first_name="Marta", last_name="Díaz", email="marta@example.com"
    )
    child = await rows.patient(birth_date=date(2017, 5, 1), email=None, guardian_number="A-1")
    shown = await card(rows, child)
    assert shown.guardian == "Marta Díaz (A-1)"
    assert shown.contact.email == "marta@example.com"
    assert [other.external_id for other in shown.household] == ["A-1"]


async def test_nobody_of_age_is_shown_a_guardian(rows: "Rows") -> None:
    patient = await rows.patient(birth_date=date(1990, 5, 1), guardian_name="Marta Díaz")
    assert (await card(rows, patient)).guardian is None


async def test_the_newest_consents_and_the_suppressed_addresses_are_shown(
    rows: "Rows", now: datetime
) -> None:
    patient = await rows.patient()
    async with rows.clinic.database.writing() as session:
        for given, at in ((True, now - DAY), (False, now)):
            await consent.record(
                session,
                patient.id,
                channel="sms",
                content="reminder",
                given=given,
                source="paper form",
                at=at,
            )
    await rows.store(EventKind.OPTED_OUT, patient_id=patient.id, source="sms")
    shown = await card(rows, patient)
    assert [(one.channel, one.given, one.at) for one in shown.consents] == [("sms", False, now)]
    assert {(one.address, one.since, one.source) for one in shown.suppressed} == {
        (patient.phone, now, "sms"),
        (patient.email, now, "sms"),
    }
    assert shown.opted_out_at == now


async def test_rows_that_may_be_the_same_person_are_shown_on_both_cards(
    rows: "Rows", now: datetime
) -> None:
    first, second = await rows.patient(external_id="A-1"), await rows.patient(external_id="A-2")
    await rows.add(
        Duplicate(patient_id=second.id, other_id=first.id, reason="national id", found_at=now)
    )
    for patient, other in ((first, "A-2"), (second, "A-1")):
        [twin] = (await card(rows, patient)).same_person
        assert (twin.external_id, twin.reason, twin.verdict) == (other, "national id", None)


async def test_visits_and_appointments_come_newest_first(rows: "Rows", now: datetime) -> None:
    patient = await rows.patient()
    for day in (date(2025, 1, 1), date(2026, 1, 1)):
        await rows.visit(patient, day, "prosthesis")
    for at in (now - DAY, now + DAY):
        await rows.appointment(patient, at)
    shown = await card(rows, patient)
    assert [visit.day for visit in shown.visits] == [date(2026, 1, 1), date(2025, 1, 1)]
    assert [one.at for one in shown.appointments] == [now + DAY, now - DAY]


async def test_a_message_that_named_the_household_is_marked(rows: "Rows", now: datetime) -> None:
    carrier, patient = await rows.attempt(), await rows.patient()
    attempt = await rows.attempt(patient)
    hashed = address_hash(rows.clinic.key, "family@example.com")
    await rows.add(message(carrier.id, 0, now, address_hash=hashed, sent_at=now))
    await rows.add(
        message(attempt.id, 0, now, address_hash=hashed, sent_at=now, carried_by=carrier.id)
    )
    [shown] = (await card(rows, patient)).attempts
    assert shown.steps[0].together


async def test_of_a_crowd_at_one_number_the_first_are_named_and_the_rest_counted(
    rows: "Rows",
) -> None:
    crowd = [
        await rows.patient(external_id=f"A-{number:02}", phone="+13055550177")
        for number in range(24)
    ]
    shown = await card(rows, crowd[0])
    assert [other.external_id for other in shown.household] == [f"A-{n:02}" for n in range(1, 21)]
    assert shown.household_more == 3
    alone = await card(rows, await rows.patient())
    assert (alone.household, alone.household_more) == ((), 0)
