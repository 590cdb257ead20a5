"""Whom the clinic has contacted lately: by address, whoever was written to."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from clinic.attempt import AttemptState, DeliverInput
from clinic.contact_policy import LOOKS_BACK, PastContact
from clinic.event import CallOutcome
from clinic.register.address import address_hash
from clinic.register.past_contacts import past_contacts
from clinic.tables import Attempt, Call, Message, Patient

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows, Staff

HOUR = timedelta(hours=1)


async def contacts(
    rows: "Rows", patient: Patient, besides: DeliverInput | None = None
) -> tuple[PastContact, ...]:
    addresses = frozenset(
        address_hash(rows.clinic.key, address)
        for address in (patient.email, patient.phone)
        if address
    )
    async with rows.clinic.database.reading() as session:
        found = await past_contacts(
            session, [patient.id], {patient.id: addresses}, rows.now, besides=besides
        )
    return found[patient.id]


async def sent(
    rows: "Rows", attempt: Attempt, at: datetime | None, channel: str = "email", **given: object
) -> None:
    """Add a message to the attempt's ledger, to an address that nobody has any more."""
    fields: dict[str, object] = {"step": 0, "address_hash": "hash", "claimed_at": rows.now}
    await rows.add(Message(attempt_id=attempt.id, channel=channel, sent_at=at, **(fields | given)))


async def called(rows: "Rows", task_id: str) -> None:
    await rows.add(
        Call(task_id=task_id, made_at=rows.now, made_by="vera", outcome=CallOutcome.NO_ANSWER.value)
    )


async def test_the_machines_messages_count_in_every_campaign(rows: "Rows", now: datetime) -> None:
    patient = await rows.patient()
    for ago, channel in ((HOUR, "sms"), (LOOKS_BACK - HOUR, "email"), (LOOKS_BACK, "email")):
        attempt = await rows.attempt(patient, state=AttemptState.ENDED.value)
        await sent(rows, attempt, now - ago, channel)
    assert await contacts(rows, patient) == (
        PastContact(at=now - LOOKS_BACK + HOUR, channel="email"),
        PastContact(at=now - HOUR, channel="sms"),
    )


@pytest.mark.parametrize(
    ("channel", "is_sent", "given"),
    [
        pytest.param("call", True, {}, id="a call task is no call yet"),
        pytest.param("call", False, {}, id="a call task that is being put on the list"),
        pytest.param("email", True, {"failed_at": True}, id="a message that came back"),
        pytest.param("email", False, {"failed_at": True}, id="a claim that the provider refused"),
    ],
)
async def test_what_reached_nobody_is_no_contact(
    rows: "Rows",
    now: datetime,
    channel: str,
    is_sent: bool,  # noqa: FBT001 - a column of the table
    given: dict[str, object],
) -> None:
    patient = await rows.patient()
    when = dict.fromkeys(given, now)
    await sent(rows, await rows.attempt(patient), now if is_sent else None, channel, **when)
    assert await contacts(rows, patient) == ()


async def test_a_claim_without_a_record_counts_for_it_may_have_been_sent(
    rows: "Rows", now: datetime
) -> None:
    shared = "+13055550176"
    mother, son = await rows.patient(phone=shared), await rows.patient(phone=shared)
    hashed = address_hash(rows.clinic.key, shared)
    claimed: dict[str, object] = {"address_hash": hashed, "claimed_at": now - HOUR}
    await sent(rows, await rows.attempt(mother), None, "sms", **claimed)
    expected = (PastContact(at=now - HOUR, channel="sms"),)
    assert [await contacts(rows, each) for each in (mother, son)] == [expected, expected]


async def test_a_claim_of_long_ago_counts_no_more(rows: "Rows", now: datetime) -> None:
    patient = await rows.patient()
    await sent(rows, await rows.attempt(patient), None, claimed_at=now - LOOKS_BACK)
    assert await contacts(rows, patient) == ()


async def test_what_a_delivery_has_claimed_does_not_stand_in_its_own_way(
    rows: "Rows", now: datetime
) -> None:
    shared = "+13055550175"
    hashed = address_hash(rows.clinic.key, shared)
    mother, son, aunt = [await rows.patient(phone=shared) for _ in range(3)]
    carrier, carried, other = [await rows.attempt(each) for each in (mother, son, aunt)]
    of_step: dict[str, object] = {"address_hash": hashed, "step": 1}
    await sent(rows, carrier, None, "sms", **of_step)
    await sent(rows, carried, None, "sms", carried_by=carrier.id, **of_step)
    of_both = (PastContact(at=now, channel="sms"),)
    for attempt in (carrier, carried):
        asking = DeliverInput(attempt_id=attempt.id, step=1)
        assert [await contacts(rows, each, asking) for each in (mother, son, aunt)] == [()] * 3
    for asking in (
        DeliverInput(attempt_id=other.id, step=1),
        DeliverInput(attempt_id=carrier.id, step=2),
        DeliverInput(attempt_id=carried.id, step=2),
    ):
        assert await contacts(rows, aunt, asking) == of_both


async def test_a_message_counts_for_everybody_who_shares_its_address(
    rows: "Rows", now: datetime
) -> None:
    shared = "+13055550177"
    mother, son = await rows.patient(phone=shared), await rows.patient(phone=shared)
    stranger = await rows.patient()
    hashed = address_hash(rows.clinic.key, shared)
    await sent(rows, await rows.attempt(mother), now, "sms", address_hash=hashed)
    expected = (PastContact(at=now, channel="sms"),)
    assert [expected, expected, ()] == [
        await contacts(rows, each) for each in (mother, son, stranger)
    ]


async def test_a_message_that_named_several_is_one_contact(rows: "Rows", now: datetime) -> None:
    shared = "+13055550178"
    mother, son = await rows.patient(phone=shared), await rows.patient(phone=shared)
    hashed = address_hash(rows.clinic.key, shared)
    carrier, carried = await rows.attempt(mother), await rows.attempt(son)
    await sent(rows, carrier, now, "sms", address_hash=hashed)
    await sent(rows, carried, now, "sms", address_hash=hashed, carried_by=carrier.id)
    assert [await contacts(rows, each) for each in (mother, son)] == [
        (PastContact(at=now, channel="sms"),)
    ] * 2


async def test_a_call_by_staff_counts_whatever_it_was_about(
    rows: "Rows", staff: "Staff", now: datetime
) -> None:
    patient, other = await rows.patient(), await rows.patient()
    task = await staff.task(await rows.attempt(patient))
    await staff.task(await rows.attempt(other))
    await called(rows, task.id)
    assert await contacts(rows, patient) == (PastContact(at=now, channel="call"),)
    assert await contacts(rows, other) == ()


async def test_a_call_of_the_plan_counts_for_everybody_who_shares_the_number(
    rows: "Rows", staff: "Staff", now: datetime
) -> None:
    shared = "+13055550179"
    mother, son = await rows.patient(phone=shared), await rows.patient(phone=shared)
    attempt = await rows.attempt(mother)
    hashed = address_hash(rows.clinic.key, shared)
    await sent(rows, attempt, now, "call", step=2, address_hash=hashed)
    task = await staff.task(attempt, step=2)
    await called(rows, task.id)
    expected = (PastContact(at=now, channel="call"),)
    assert [expected, expected] == [await contacts(rows, each) for each in (mother, son)]


async def test_of_many_patients_each_gets_their_own(rows: "Rows", now: datetime) -> None:
    first, second, third = [await rows.patient() for _ in range(3)]
    await sent(rows, await rows.attempt(first), now, "email")
    await sent(rows, await rows.attempt(second), now - HOUR, "sms")
    async with rows.clinic.database.reading() as session:
        found = await past_contacts(session, [first.id, second.id, third.id], {}, now)
    assert found == {
        first.id: (PastContact(at=now, channel="email"),),
        second.id: (PastContact(at=now - HOUR, channel="sms"),),
        third.id: (),
    }
