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
