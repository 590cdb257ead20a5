"""A message that came back for our own fault is set aside, and its step is free again."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from clinic import ledger
from clinic.attempt import DeliverInput
from clinic.ledger import Claim
from clinic.register import household
from clinic.register.attempt_card import attempt_cards
from clinic.register.past_contacts import past_contacts
from clinic.report import report_on
from clinic.tables import Attempt, Campaign, Message

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows

HOUR = timedelta(hours=1)
CODE = "twilio 30007"


async def claim(rows: "Rows", attempt: Attempt, *carried: Attempt) -> Claim:
    async with rows.clinic.database.writing() as session:
        said, row = await ledger.claim(
            session,
            attempt_id=attempt.id,
            step=1,
            channel="sms",
            address_hash="hash",
            now=rows.now,
        )
        await ledger.carry(session, row, [other.id for other in carried])
    return said


async def send(rows: "Rows", attempt: Attempt, provider_id: str) -> None:
    async with rows.clinic.database.writing() as session:
        await ledger.record_sent(
            session, attempt_id=attempt.id, step=1, provider_id=provider_id, now=rows.now
        )


async def sent(rows: "Rows", attempt: Attempt, provider_id: str, *carried: Attempt) -> None:
    assert await claim(rows, attempt, *carried) is Claim.FRESH
    await send(rows, attempt, provider_id)


async def set_aside(rows: "Rows", provider_id: str) -> list[str]:
    async with rows.clinic.database.writing() as session:
        message = await ledger.message_of(session, "sms", provider_id)
        assert message is not None
        return await ledger.set_aside(session, message, CODE, rows.now + HOUR)


async def tries(rows: "Rows", attempt: Attempt) -> dict[int, tuple[str | None, str | None]]:
    """Return the number of each try at the step, with the provider's id and the failure."""
    return {
        row.try_number: (row.provider_id, row.failure)
        for row in await rows.all(Message)
        if row.attempt_id == attempt.id
    }


async def test_the_step_is_free_again_and_the_provider_still_finds_what_came_back(
    rows: "Rows",
) -> None:
    attempt = await rows.attempt()
    await sent(rows, attempt, "SM1")
    assert await set_aside(rows, "SM1") == [attempt.id]
    row = await rows.get(Message, (attempt.id, 1, 2))
    assert (row.provider_id, row.failed_at, row.failure) == ("SM1", rows.now + HOUR, CODE)
    await sent(rows, attempt, "SM2")
    async with rows.clinic.database.reading() as session:
        old, new = [await ledger.message_of(session, "sms", sid) for sid in ("SM1", "SM2")]
    assert old is not None
    assert new is not None
    assert (old.try_number, new.try_number) == (2, 1)


async def test_of_two_under_one_id_the_provider_means_the_one_that_stands(rows: "Rows") -> None:
    attempt = await rows.attempt()
    for _ in range(2):  # as mails under one Message-ID
        await sent(rows, attempt, "<one@example.com>")
        await set_aside(rows, "<one@example.com>")
    await sent(rows, attempt, "<one@example.com>")
    async with rows.clinic.database.reading() as session:
        message = await ledger.message_of(session, "sms", "<one@example.com>")
    assert message is not None
    assert message.try_number == 1


async def test_it_may_come_back_again_and_again(rows: "Rows") -> None:
    attempt = await rows.attempt()
    for sid in ("SM1", "SM2"):
        await sent(rows, attempt, sid)
        await set_aside(rows, sid)
    assert await tries(rows, attempt) == {2: ("SM1", CODE), 3: ("SM2", CODE)}


async def test_what_was_set_aside_before_changes_nothing(rows: "Rows") -> None:
    attempt = await rows.attempt()
    await sent(rows, attempt, "SM1")
    await set_aside(rows, "SM1")
    await sent(rows, attempt, "SM2")
    assert await set_aside(rows, "SM1") == []
    assert await tries(rows, attempt) == {1: ("SM2", None), 2: ("SM1", CODE)}


async def test_everybody_whom_it_named_is_free_and_named(rows: "Rows") -> None:
    carrier, carried, alone = [await rows.attempt() for _ in range(3)]
    await sent(rows, carried, "SM0")
    await set_aside(rows, "SM0")
    await sent(rows, alone, "SM9")
    await sent(rows, carrier, "SM1", carried)
    assert await set_aside(rows, "SM1") == sorted([carrier.id, carried.id])
    assert await tries(rows, carrier) == {3: ("SM1", CODE)}
    assert await tries(rows, carried) == {2: ("SM0", CODE), 3: ("SM1", CODE)}
    assert await tries(rows, alone) == {1: ("SM9", None)}


async def test_the_next_message_names_whom_it_carries_and_not_whom_the_old_one_did(
    rows: "Rows",
) -> None:
    carrier, before, after = [await rows.attempt() for _ in range(3)]
    await sent(rows, carrier, "SM1", before)
    await set_aside(rows, "SM1")
    await sent(rows, carrier, "SM2", after)
    async with rows.clinic.database.writing() as session:
        found = await household.carried_by(session, carrier.id, 1)
        assert [attempt.id for attempt in found] == [after.id]
        assert len(await household.names_on(session, carrier.id, 1)) == 2
        await ledger.put_down(session, carrier.id, 1)
    assert await tries(rows, before) == {2: ("SM1", CODE)}
    assert await tries(rows, after) == {}


async def test_a_provider_that_was_quicker_than_the_record_leaves_nothing_unrecorded(
    rows: "Rows",
) -> None:
    attempt = await rows.attempt()
    await claim(rows, attempt)
    async with rows.clinic.database.writing() as session:
        message = await session.get_one(Message, (attempt.id, 1, 1))
        await ledger.set_aside(session, message, CODE, rows.now + HOUR)
    await send(rows, attempt, "SM1")
    assert await tries(rows, attempt) == {2: ("SM1", CODE)}
    assert await claim(rows, attempt) is Claim.FRESH


async def test_it_counts_neither_as_a_contact_nor_as_sent(rows: "Rows", now: datetime) -> None:
    patient, campaign = await rows.patient(), await rows.campaign()
    attempt = await rows.attempt(patient, campaign)
    await sent(rows, attempt, "SM1")
    await set_aside(rows, "SM1")
    async with rows.clinic.database.reading() as session:
        contacts = await past_contacts(
            session, [patient.id], {patient.id: frozenset({"hash"})}, now + HOUR
        )
        report = await report_on(session, await session.get_one(Campaign, campaign.id), now)
        (card,) = await attempt_cards(session, patient.id)
    assert contacts == {patient.id: ()}
    assert report.messages == {}
    assert card.steps[1].became == "to come"

    await sent(rows, attempt, "SM2")
    async with rows.clinic.database.reading() as session:
        besides = DeliverInput(attempt_id="at-other", step=0)
        contacts = await past_contacts(
            session, [patient.id], {patient.id: frozenset()}, now + HOUR, besides=besides
        )
        report = await report_on(session, await session.get_one(Campaign, campaign.id), now)
    assert [contact.channel for contact in contacts[patient.id]] == ["sms"]
    assert report.messages == {"sms": 1}
