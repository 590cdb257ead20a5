"""The ledger: claimed before it is sent, so that nothing goes out twice."""

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from clinic import ledger
from clinic.ledger import Claim
from clinic.tables import Attempt, Message

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows

HOUR = timedelta(hours=1)


async def claim(rows: "Rows", attempt: Attempt, now: datetime, hashed: str = "hash") -> Claim:
    async with rows.clinic.database.writing() as session:
        said, message = await ledger.claim(
            session, attempt_id=attempt.id, step=1, channel="sms", address_hash=hashed, now=now
        )
    assert (attempt.id, 1, "sms") == (message.attempt_id, message.step, message.channel)
    return said


async def record(rows: "Rows", attempt: Attempt, *, sent: bool) -> None:
    async with rows.clinic.database.writing() as session:
        if sent:
            await ledger.record_sent(
                session, attempt_id=attempt.id, step=1, provider_id="SM1", now=rows.now
            )
        else:
            await ledger.record_failed(
                session, attempt_id=attempt.id, step=1, failure="30006", now=rows.now
            )


async def test_a_first_claim_is_fresh(rows: "Rows", now: datetime) -> None:
    attempt = await rows.attempt()
    assert Claim.FRESH is await claim(rows, attempt, now)
    message = await rows.get(Message, (attempt.id, 1, 1))
    assert ("hash", now, None, None) == (
        message.address_hash,
        message.claimed_at,
        message.sent_at,
        message.failed_at,
    )


async def test_a_claim_that_nothing_followed_is_uncertain_and_keeps_its_time_and_address(
    rows: "Rows", now: datetime
) -> None:
    attempt = await rows.attempt()
    await claim(rows, attempt, now)
    assert Claim.UNCERTAIN is await claim(rows, attempt, now + HOUR, "another")
    message = await rows.get(Message, (attempt.id, 1, 1))
    assert (now, "hash") == (message.claimed_at, message.address_hash)


@pytest.mark.parametrize(
    ("sent", "said"), [(True, Claim.SENT), (False, Claim.FAILED)], ids=["sent", "failed"]
)
async def test_a_claim_that_was_settled_says_so(
    rows: "Rows",
    now: datetime,
    sent: bool,  # noqa: FBT001 - a column of the table
    said: Claim,
) -> None:
    attempt = await rows.attempt()
    await claim(rows, attempt, now)
    await record(rows, attempt, sent=sent)
    assert said is await claim(rows, attempt, now + HOUR)
    message = await rows.get(Message, (attempt.id, 1, 1))
    expected = (now, "SM1", None, None) if sent else (None, None, now, "30006")
    assert expected == (
        message.sent_at,
        message.provider_id,
        message.failed_at,
        message.failure,
    )


async def test_a_sent_message_that_bounced_is_not_sent_again(rows: "Rows", now: datetime) -> None:
    attempt = await rows.attempt()
    await claim(rows, attempt, now)
    await record(rows, attempt, sent=True)
    await record(rows, attempt, sent=False)
    assert Claim.SENT is await claim(rows, attempt, now + HOUR)


async def test_a_released_claim_is_fresh_again(rows: "Rows", now: datetime) -> None:
    attempt = await rows.attempt()
    await claim(rows, attempt, now)
    async with rows.clinic.database.writing() as session:
        await ledger.release(session, attempt_id=attempt.id, step=1)
    assert Claim.FRESH is await claim(rows, attempt, now + HOUR)


async def test_what_was_sent_cannot_be_released(rows: "Rows", now: datetime) -> None:
    attempt = await rows.attempt()
    await claim(rows, attempt, now)
    await record(rows, attempt, sent=True)
    async with rows.clinic.database.writing() as session:
        await ledger.release(session, attempt_id=attempt.id, step=1)
    assert Claim.SENT is await claim(rows, attempt, now + HOUR)


async def test_releasing_what_was_never_claimed_changes_nothing(rows: "Rows") -> None:
    attempt = await rows.attempt()
    async with rows.clinic.database.writing() as session:
        await ledger.release(session, attempt_id=attempt.id, step=1)
    assert await rows.all(Message) == []


async def carry(rows: "Rows", carrier: Attempt, *others: Attempt) -> list[str]:
    async with rows.clinic.database.writing() as session:
        row = await session.get_one(Message, (carrier.id, 1, 1))
        return await ledger.carry(session, row, [other.id for other in others])


async def test_a_message_carries_those_whom_nobody_has_claimed(rows: "Rows", now: datetime) -> None:
    carrier, free, taken = [await rows.attempt() for _ in range(3)]
    await claim(rows, carrier, now)
    await claim(rows, taken, now + HOUR)
    assert [free.id] == await carry(rows, carrier, free, taken)
    message = await rows.get(Message, (free.id, 1, 1))
    assert (carrier.id, "sms", "hash", now) == (
        message.carried_by,
        message.channel,
        message.address_hash,
        message.claimed_at,
    )
    assert (await rows.get(Message, (taken.id, 1, 1))).carried_by is None


@pytest.mark.parametrize("sent", [True, False], ids=["sent", "failed"])
async def test_whom_a_message_carries_shares_its_fate(
    rows: "Rows",
    now: datetime,
    sent: bool,  # noqa: FBT001 - a column of the table
) -> None:
    carrier, carried, alone = [await rows.attempt() for _ in range(3)]
    await claim(rows, carrier, now)
    await claim(rows, alone, now)
    await carry(rows, carrier, carried)
    await record(rows, carrier, sent=sent)
    own, with_it, without = [
        await rows.get(Message, (attempt.id, 1, 1)) for attempt in (carrier, carried, alone)
    ]
    expected = (now, "SM1", None) if sent else (None, None, now)
    for message in (own, with_it):
        assert expected == (message.sent_at, message.provider_id, message.failed_at)
    assert (without.sent_at, without.provider_id, without.failed_at) == (None, None, None)


async def test_another_step_of_a_carrier_settles_nobody(rows: "Rows", now: datetime) -> None:
    carrier, carried = [await rows.attempt() for _ in range(2)]
    await claim(rows, carrier, now)
    await carry(rows, carrier, carried)
    async with rows.clinic.database.writing() as session:
        await ledger.record_sent(session, attempt_id=carrier.id, step=2, provider_id="SM2", now=now)
    assert (await rows.get(Message, (carried.id, 1, 1))).sent_at is None


async def test_who_is_carried_is_free_again_with_the_carrier(rows: "Rows", now: datetime) -> None:
    carrier, carried = [await rows.attempt() for _ in range(2)]
    await claim(rows, carrier, now)
    await carry(rows, carrier, carried)
    async with rows.clinic.database.writing() as session:
        await ledger.release(session, attempt_id=carrier.id, step=1)
    assert await rows.all(Message) == []


async def test_who_is_put_down_is_free_while_the_carriers_claim_stays(
    rows: "Rows", now: datetime
) -> None:
    carrier, carried = [await rows.attempt() for _ in range(2)]
    await claim(rows, carrier, now)
    await carry(rows, carrier, carried)
    async with rows.clinic.database.writing() as session:
        await ledger.put_down(session, carrier.id, 1)
    assert [carrier.id] == [message.attempt_id for message in await rows.all(Message)]


async def test_a_provider_means_the_carriers_row(rows: "Rows", now: datetime) -> None:
    carried, carrier = [await rows.attempt() for _ in range(2)]
    both = {"step": 1, "channel": "sms", "address_hash": "hash", "claimed_at": now}
    both |= {"sent_at": now, "provider_id": "SM1"}
    await rows.add(Message(attempt_id=carried.id, carried_by=carrier.id, **both))
    await rows.add(Message(attempt_id=carrier.id, **both))
    async with rows.clinic.database.reading() as session:
        found = await ledger.message_of(session, "sms", "SM1")
    assert found is not None
    assert found.attempt_id == carrier.id


async def test_of_two_who_claim_at_once_one_may_send(rows: "Rows", now: datetime) -> None:
    attempt = await rows.attempt()
    claims = await asyncio.gather(*(claim(rows, attempt, now) for _ in range(2)))
    assert sorted([Claim.FRESH, Claim.UNCERTAIN]) == sorted(claims)


async def test_every_attempt_and_step_has_its_own_row(rows: "Rows", now: datetime) -> None:
    first, second = await rows.attempt(), await rows.attempt()
    await claim(rows, first, now)
    assert Claim.FRESH is await claim(rows, second, now)


async def test_a_message_is_found_by_the_providers_id(rows: "Rows", now: datetime) -> None:
    attempt = await rows.attempt()
    await claim(rows, attempt, now)
    await record(rows, attempt, sent=True)
    async with rows.clinic.database.reading() as session:
        found = await ledger.message_of(session, "sms", "SM1")
        assert found is not None
        assert (attempt.id, 1) == (found.attempt_id, found.step)
        assert await ledger.message_of(session, "email", "SM1") is None
        assert await ledger.message_of(session, "sms", "SM2") is None
