"""A person who is forgotten is gone, stays away, and leaves the reports as they were."""

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from clinic import attempts, call_completion, call_opening
from clinic.attempt import AttemptState
from clinic.call_task import Reported, TaskKind
from clinic.event import CallOutcome, EventKind
from clinic.outcome import Outcome
from clinic.refusal import Refusal
from clinic.register import blanking, erasure, forgetting, suppression
from clinic.register.address import address_hash
from clinic.register.erasure import ForgottenBefore
from clinic.register.forgetting import Forgetting
from clinic.register.search import find_patient, national_id_hash, number_hash
from clinic.register.standing import PatientStatus, standings
from clinic.report import Report, report_on
from clinic.tables import (
    Attempt,
    CallTask,
    Campaign,
    Duplicate,
    Event,
    Forgotten,
    Message,
    Patient,
    Suppression,
)

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows

DAY = timedelta(days=1)


async def forget(rows: "Rows", patient: Patient, at: datetime | None = None) -> Forgetting:
    async with rows.clinic.database.writing() as session:
        return await erasure.forget(session, patient.id, now=at or rows.now, key=rows.clinic.key)


async def open_task(rows: "Rows", attempt: Attempt, kind: TaskKind) -> CallTask:
    async with rows.clinic.database.writing() as session:
        task_id = await call_opening.open_task(
            session,
            attempt_id=attempt.id,
            step=0,
            kind=kind,
            due_at=rows.now + DAY,
            tries=3,
            event_id=None,
            now=rows.now,
        )
    return await rows.get(CallTask, task_id)


async def report(rows: "Rows", campaign_id: str) -> Report:
    async with rows.clinic.database.reading() as session:
        return await report_on(session, await session.get_one(Campaign, campaign_id), rows.now)


async def test_the_row_stays_under_its_opaque_id_and_tells_nothing(
    rows: "Rows", now: datetime
) -> None:
    patient = await rows.patient(national_id="12345678Z", district="Centro")
    await forget(rows, patient)
    row = await rows.get(Patient, patient.id)
    told = {
        column.name: value
        for column in Patient.__table__.columns
        if (value := getattr(row, column.name)) not in (None, "")
    }
    assert told.pop("external_id").startswith("forgotten-")
    assert told == {"id": patient.id, "status": "inactive", "erased_at": now}


async def test_the_addresses_stay_suppressed(rows: "Rows", now: datetime) -> None:
    patient = await rows.patient()
    await forget(rows, patient)
    hashes = {
        address_hash(rows.clinic.key, str(address)) for address in (patient.email, patient.phone)
    }
    found = await rows.all(Suppression)
    assert {row.address_hash for row in found} == hashes
    assert {(row.since, row.source) for row in found} == {(now, "forgotten")}


async def test_the_number_and_the_national_id_are_remembered_as_hashes(
    rows: "Rows", now: datetime
) -> None:
    patient = await rows.patient(external_id="A-0042", national_id="12345678Z")
    await forget(rows, patient)
    key = rows.clinic.key
    assert {row.number_hash: row.at for row in await rows.all(Forgotten)} == {
        number_hash(key, "A-0042"): now,
        national_id_hash(key, "12345678Z"): now,
    }


@pytest.mark.parametrize("kind", list(TaskKind))
async def test_the_open_attempt_ends_first_and_nobody_calls_any_more(
    rows: "Rows", now: datetime, kind: TaskKind
) -> None:
    attempt = await rows.attempt()
    task = await open_task(rows, attempt, kind)
    meant = await forget(rows, await rows.get(Patient, attempt.patient_id))
    assert (meant.open_attempts, meant.open_calls) == (1, 1)
    row = await rows.get(Attempt, attempt.id)
    assert (row.state, row.outcome, row.ended_at) == ("ended", "cancelled", now)
    task = await rows.get(CallTask, task.id)
    assert (task.closed_at, task.outcome) == (now, "cancelled")


async def test_the_workflow_hears_that_it_is_over_and_nothing_else(rows: "Rows") -> None:
    attempt = await rows.attempt()
    await rows.store(EventKind.REPLY, attempt_id=attempt.id, body="Soy Sofía")
    await forget(rows, await rows.get(Patient, attempt.patient_id))
    on_its_way = [row for row in await rows.all(Event) if row.relayed_at is None]
    assert [(row.kind, row.attempt_id) for row in on_its_way] == [("stopped", attempt.id)]


async def test_the_workflows_own_end_changes_nothing_any_more(rows: "Rows", now: datetime) -> None:
    attempt = await rows.attempt()
    await forget(rows, await rows.get(Patient, attempt.patient_id))
    async with rows.clinic.database.writing() as session:
        await attempts.close(session, attempt.id, Outcome.BOOKED, None, now + DAY)
    row = await rows.get(Attempt, attempt.id)
    assert (row.outcome, row.ended_at) == ("cancelled", now)


async def test_reports_of_past_campaigns_keep_their_sums(rows: "Rows", now: datetime) -> None:
    attempt = await rows.attempt(
        state=AttemptState.ENDED.value, outcome="declined", loss_reason="price", ended_at=now
    )
    await rows.add(
        Message(
            attempt_id=attempt.id,
            step=0,
            channel="email",
            address_hash="of-somebody",
            claimed_at=now,
            sent_at=now,
            provider_id="<1@example.com>",
        )
    )
    before = await report(rows, attempt.campaign_id)
    await forget(rows, await rows.get(Patient, attempt.patient_id))
    assert before == await report(rows, attempt.campaign_id)
    message = await rows.get(Message, (attempt.id, 0, 1))
    assert (message.address_hash, message.provider_id) == ("", None)


async def test_staff_who_were_calling_are_told_that_the_task_is_closed(
    rows: "Rows", now: datetime
) -> None:
    attempt = await rows.attempt()
    task = await open_task(rows, attempt, TaskKind.CALL)
    await forget(rows, await rows.get(Patient, attempt.patient_id))
    clinic = rows.clinic
    with pytest.raises(Refusal, match=r"was closed .* as `cancelled`"):
        async with clinic.database.writing() as session:
            await call_completion.complete(
                session,
                task.id,
                Reported(outcome=CallOutcome.NO_ANSWER, note="habló Sofía"),
                who="Lucía",
                now=now,
                policy=clinic.policy,
                calendar=clinic.calendar,
                key=clinic.key,
            )


async def test_a_delivery_under_way_finds_somebody_whom_nobody_may_contact(
    rows: "Rows", now: datetime
) -> None:
    patient = await rows.patient()
    await forget(rows, patient)
    clinic = rows.clinic
    async with clinic.database.reading() as session:
        found = await standings(session, [patient.id], now, clinic.key, zone=clinic.profile.zone)
    standing = found[patient.id]
    assert standing.erased
    assert standing.status is PatientStatus.INACTIVE
    assert (standing.contact.email, standing.contact.phone, standing.first_name) == (None, None, "")


async def test_a_guardian_who_is_named_by_an_address_alone_is_taken_off_the_childs_row(
    rows: "Rows",
) -> None:
    mother = await rows.patient(first_name="Marta", last_name="Díaz")
    child = await rows.patient(guardian_name="Marta Díaz", guardian_phone=mother.phone)
    other = await rows.patient(guardian_name="Eva Sol", guardian_phone="+13055550177")
    await forget(rows, mother)
    row = await rows.get(Patient, child.id)
    assert (row.guardian_name, row.guardian_phone) == (None, None)
    assert (await rows.get(Patient, other.id)).guardian_name == "Eva Sol"


async def test_a_child_stays_when_its_guardian_is_forgotten(rows: "Rows") -> None:
    mother = await rows.patient(first_name="Marta", last_name="Díaz", external_id="A-1")
    child = await rows.patient(
        guardian_number="A-1",
        guardian_name="Díaz, Marta",
        guardian_email=mother.email,
        guardian_phone="+13055550177",
    )
    await forget(rows, mother)
    row = await rows.get(Patient, child.id)
    assert row.first_name == child.first_name
    assert (row.guardian_number, row.guardian_name, row.guardian_email) == (None, None, None)
    assert row.guardian_phone == "+13055550177"


async def test_a_mail_servers_report_that_names_the_address_is_blanked_and_no_other(
    rows: "Rows",
) -> None:
    patient = await rows.patient(email="sofia_r@example.com")
    for told in ("No such box: <Sofia_R@example.com>", "No such box: <sofiaxr@example.com>"):
        await rows.store(EventKind.UNKNOWN, body=told)
    await forget(rows, patient)
    bodies = [event.body for event in await rows.events(EventKind.UNKNOWN)]
    assert bodies == ["", "No such box: <sofiaxr@example.com>"]


async def test_who_shares_the_address_stays_and_is_named(rows: "Rows") -> None:
    shared = {"email": "family@example.com"}
    mother = await rows.patient(external_id="A-1", phone=None, **shared)
    child = await rows.patient(external_id="A-2", **shared)
    meant = await forget(rows, mother)
    assert (meant.sharing, meant.addresses) == (("A-2",), 1)
    assert (await rows.get(Patient, child.id)).email == "family@example.com"
    async with rows.clinic.database.reading() as session:
        silent = await suppression.suppressed(session, shared.values(), rows.clinic.key)
    assert silent.keys() == {"family@example.com"}


async def test_rows_that_staff_said_are_the_same_person_are_forgotten_together(
    rows: "Rows", now: datetime
) -> None:
    first = await rows.patient(external_id="A-1")
    second = await rows.patient(external_id="A-2", duplicate_of=first.id)
    third = await rows.patient(external_id="A-3", duplicate_of=second.id)
    another = await rows.patient(external_id="A-4")
    pairs = ((second, first, "same"), (another, first, "different"), (third, second, None))
    for later, other, verdict in pairs:
        await rows.add(
            Duplicate(
                patient_id=later.id,
                other_id=other.id,
                reason="name and phone",
                found_at=now,
                verdict=verdict,
            )
        )
    meant = await forget(rows, third)
    assert meant.numbers == ("A-1", "A-2", "A-3")
    erased = {row.id for row in await rows.all(Patient) if row.erased_at is not None}
    assert erased == {first.id, second.id, third.id}
    assert await rows.all(Duplicate) == []


@pytest.mark.parametrize("which", [0, 1, 2])
async def test_nobody_is_forgotten_while_another_row_may_be_theirs(
    rows: "Rows", now: datetime, which: int
) -> None:
    kept = await rows.patient(external_id="A-1")
    same = await rows.patient(external_id="A-2", duplicate_of=kept.id)
    perhaps = await rows.patient(external_id="A-3")
    await rows.add(Duplicate(patient_id=perhaps.id, other_id=kept.id, reason="name", found_at=now))
    with pytest.raises(Refusal) as refused:
        await forget(rows, (kept, same, perhaps)[which])
    assert "another row may be the same person" in refused.value.problem
    assert "regresa duplicates A-3 A-1 --same, or --different" in refused.value.remedy
    assert [row.erased_at for row in await rows.all(Patient)] == [None] * 3
    assert len(await rows.all(Duplicate)) == 1


async def test_somebody_is_forgotten_once(rows: "Rows", now: datetime) -> None:
    patient = await rows.patient(external_id="A-0042")
    await forget(rows, patient)
    with pytest.raises(Refusal, match="was forgotten before"):
        await forget(rows, patient, at=now + DAY)
    for written in ("A-0042", "a-0042", patient.id):
        async with rows.clinic.database.reading() as session:
            with pytest.raises(Refusal, match=r"was forgotten on 2027-03-02"):
                await find_patient(session, written, key=rows.clinic.key)


async def test_what_forgetting_would_mean_is_told_without_changing_anything(
    rows: "Rows", now: datetime
) -> None:
    attempt = await rows.attempt()
    async with rows.clinic.database.reading() as session:
        meant = await forgetting.foresee(session, attempt.patient_id, now)
    assert (meant.open_attempts, meant.open_calls, meant.addresses) == (1, 0, 2)
    assert (await rows.get(Patient, attempt.patient_id)).erased_at is None


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_message_that_comes_back_meanwhile_and_the_forgetting_do_not_wait_for_each_other(
    rows: "Rows", now: datetime
) -> None:
    attempt = await rows.attempt()
    await rows.add(
        Message(attempt_id=attempt.id, step=0, channel="sms", address_hash="of-ana", claimed_at=now)
    )
    async with rows.clinic.database.writing() as session:
        # as far as the forgetting has come when the message comes back
        await blanking.blank_messages(session, [attempt.id])
        came_back = rows.store(EventKind.BOUNCED, attempt_id=attempt.id, details={"step": 0})
        bounce = asyncio.create_task(came_back)
        await asyncio.wait([bounce], timeout=0.3)
        patient = await session.get_one(Patient, attempt.patient_id)
        await session.refresh(patient, with_for_update=True)
        blanking.blank(patient, now)
    assert not await bounce
    assert await rows.all(Event) == []


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_of_two_who_forget_a_person_at_the_same_moment_one_is_told_that_it_is_done(
    rows: "Rows", now: datetime
) -> None:
    patient = await rows.patient()

    async def forget(at: datetime) -> Forgetting:
        async with rows.clinic.database.writing() as session:
            return await erasure.forget(session, patient.id, now=at, key=rows.clinic.key)

    async with rows.clinic.database.writing() as session:
        await erasure.forget(session, patient.id, now=now, key=rows.clinic.key)
        second = asyncio.create_task(forget(now + timedelta(minutes=1)))
        await asyncio.wait([second], timeout=0.3)
    with pytest.raises(ForgottenBefore):
        await second
    assert (await rows.get(Patient, patient.id)).erased_at == now
