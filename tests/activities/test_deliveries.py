"""A step is delivered once, by real channels, however often it is tried."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from channels.protocol import Receipt
from clinic import call_list, ledger
from clinic.call_task import TaskKind
from clinic.clinic import Clinic
from clinic.delivery import Sent
from clinic.folder import ClinicFolder
from clinic.link import LinkedMessage
from clinic.register.address import address_hash
from clinic.tables import CallTask, Campaign
from sandbox.stand_ins import Sandbox
from tests.activities.conftest import contents_of

if TYPE_CHECKING:
    from tests.activities.conftest import Deliver, Desk, Told

ONE_KIND = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what the database has no part in."""

EMAIL, SMS, CALL = range(3)
FRIDAY = datetime(2027, 3, 5, 17, 0, tzinfo=UTC)
MONDAY_OPENS = datetime(2027, 3, 8, 14, 0, tzinfo=UTC)  # 09:00 in New York, in winter time


async def test_an_email_is_sent_and_recorded(
    desk: "Desk", deliver: "Deliver", sandbox: Sandbox, clinic: Clinic, now: datetime
) -> None:
    patient = await desk.patient()
    attempt = await desk.attempt(patient)
    assert await deliver(attempt, EMAIL) == Sent()
    (received,) = sandbox.inbox.to(str(patient.email))
    row = await desk.ledger_row(attempt, EMAIL)
    assert row is not None
    assert (row.claimed_at, row.sent_at, row.failed_at) == (now, now, None)
    assert (row.channel, row.provider_id) == ("email", received.message_id)
    assert row.address_hash == address_hash(clinic.key, str(patient.email))


async def test_an_sms_is_sent_and_recorded(
    desk: "Desk", deliver: "Deliver", sandbox: Sandbox, clinic: Clinic, now: datetime
) -> None:
    patient = await desk.patient()
    attempt = await desk.attempt(patient)
    assert await deliver(attempt, SMS) == Sent()
    (taken,) = sandbox.twilio.to(str(patient.phone))
    webhook = f"{clinic.settings.public_url}/webhooks/sms?message={attempt.id}.{SMS}"
    assert taken.status_callback == webhook
    row = await desk.ledger_row(attempt, SMS)
    assert row is not None
    assert (row.channel, row.provider_id, row.sent_at) == ("sms", taken.sid, now)


async def test_a_call_is_put_on_the_call_list_and_recorded(
    desk: "Desk", deliver: "Deliver", clinic: Clinic, now: datetime
) -> None:
    attempt = await desk.attempt()
    assert await deliver(attempt, CALL) == Sent()
    async with clinic.database.reading() as session:
        (listed,) = await call_list.open_calls(session, now, clinic.key)
    assert (listed.kind, listed.patient_id) == (TaskKind.CALL, attempt.patient_id)
    assert (listed.due_at, listed.tries_allowed) == (now + timedelta(days=2), 3)
    row = await desk.ledger_row(attempt, CALL)
    assert row is not None
    assert (row.provider_id, row.sent_at) == (listed.task_id, now)


async def test_a_call_that_would_be_due_on_a_day_without_hours_is_due_at_the_next_opening(
    desk: "Desk", deliver: "Deliver", clinic: Clinic
) -> None:
    attempt = await desk.attempt()
    policy = ClinicFolder(clinic.settings.clinic, "daytime").policy()
    assert await deliver(attempt, CALL, at=FRIDAY, policy=policy) == Sent()
    (task,) = await desk.all(CallTask)
    assert task.due_at == MONDAY_OPENS


@ONE_KIND
async def test_each_message_has_the_patients_own_link_and_name(
    desk: "Desk", deliver: "Deliver", told: "Told", clinic: Clinic
) -> None:
    attempt = await desk.attempt(await desk.patient(first_name="Ana María"))
    channel = told(Receipt(provider_id="SM1"))
    await deliver(attempt, SMS, sms=channel)
    (message,) = channel.sent
    assert "Ana María" in message.text
    assert message.text.count(message.link) == 1
    assert clinic.links.read(message.link.rpartition("/p/")[2]) == LinkedMessage(attempt.id, SMS)
    assert message.stop_url == f"{message.link}/stop"
    assert message.key == f"{attempt.id}.{SMS}"


@ONE_KIND
@pytest.mark.parametrize(
    ("language", "greeting"),
    [
        pytest.param("es", "Hola, Sofía", id="Spanish"),
        pytest.param("ru", "Sofía, вам рады", id="Russian"),
        pytest.param("en", "Hi Sofía", id="English"),
        pytest.param("fr", "Hola, Sofía", id="a language without texts: the clinic's own"),
        pytest.param(None, "Hola, Sofía", id="unknown: the clinic's own"),
    ],
)
async def test_a_patient_is_written_to_in_their_language(
    desk: "Desk", deliver: "Deliver", told: "Told", language: str | None, greeting: str
) -> None:
    attempt = await desk.attempt(await desk.patient(language=language))
    channel = told(Receipt(provider_id="SM1"))
    await deliver(attempt, SMS, sms=channel)
    assert greeting in channel.sent[0].text


@pytest.mark.parametrize("step", [EMAIL, SMS, CALL], ids=["email", "sms", "call"])
async def test_a_retry_after_the_record_sends_nothing_more(
    desk: "Desk", deliver: "Deliver", sandbox: Sandbox, step: int, now: datetime
) -> None:
    patient = await desk.patient()
    attempt = await desk.attempt(patient)
    await deliver(attempt, step)
    assert await deliver(attempt, step, at=now + timedelta(minutes=1)) == Sent()
    sent = sandbox.inbox.to(str(patient.email)), sandbox.twilio.to(str(patient.phone))
    tasks = await desk.all(CallTask)
    assert [len(sent[0]), len(sent[1]), len(tasks)] == [int(step == one) for one in range(3)]
    row = await desk.ledger_row(attempt, step)
    assert row is not None
    assert row.sent_at == now


class CrashError(BaseException):
    """The worker died between the provider's answer and the record."""


@pytest.fixture
def crash_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the next record of a sent message fail, as when the worker is killed there."""
    record = ledger.record_sent

    async def crash(*_: object, **__: object) -> None:
        monkeypatch.setattr(ledger, "record_sent", record)
        raise CrashError

    monkeypatch.setattr(ledger, "record_sent", crash)


@pytest.mark.usefixtures("crash_once")
async def test_after_a_crash_an_sms_that_twilio_took_is_found_and_not_sent_again(
    desk: "Desk", deliver: "Deliver", sandbox: Sandbox
) -> None:
    patient = await desk.patient()
    attempt = await desk.attempt(patient)
    at = datetime.now(UTC)  # the provider's own clock decides what it finds
    with pytest.raises(CrashError):
        await deliver(attempt, SMS, at=at)
    assert await deliver(attempt, SMS, at=at + timedelta(minutes=1)) == Sent()
    (taken,) = sandbox.twilio.to(str(patient.phone))
    row = await desk.ledger_row(attempt, SMS)
    assert row is not None
    assert (row.provider_id, row.claimed_at) == (taken.sid, at)


@pytest.mark.usefixtures("crash_once")
async def test_after_a_crash_an_email_goes_out_again_under_the_same_message_id(
    desk: "Desk", deliver: "Deliver", sandbox: Sandbox
) -> None:
    patient = await desk.patient()
    attempt = await desk.attempt(patient)
    with pytest.raises(CrashError):
        await deliver(attempt, EMAIL)
    assert await deliver(attempt, EMAIL) == Sent()
    first, second = sandbox.inbox.to(str(patient.email))
    assert first.message_id == second.message_id
    assert contents_of(first.message) == contents_of(second.message)


@pytest.mark.usefixtures("crash_once")
async def test_after_a_crash_a_call_stays_one_task(desk: "Desk", deliver: "Deliver") -> None:
    attempt = await desk.attempt()
    with pytest.raises(CrashError):
        await deliver(attempt, CALL)
    assert await deliver(attempt, CALL) == Sent()
    assert len(await desk.all(CallTask)) == 1


async def test_after_a_crash_before_the_provider_the_message_goes_out_once(
    desk: "Desk", deliver: "Deliver", sandbox: Sandbox
) -> None:
    patient = await desk.patient()
    attempt = await desk.attempt(patient)
    await desk.message(attempt, SMS, str(patient.phone))
    assert await deliver(attempt, SMS) == Sent()
    assert len(sandbox.twilio.to(str(patient.phone))) == 1


async def test_a_provider_is_asked_only_after_a_claim_was_left_behind(
    desk: "Desk", deliver: "Deliver", told: "Told"
) -> None:
    fresh, left_behind = await desk.attempt(), await desk.attempt()
    patient = await desk.patient_of(left_behind)
    await desk.message(left_behind, SMS, str(patient.phone))
    channel = told(Receipt(provider_id="SM1"), Receipt(provider_id="SM2"))
    await deliver(fresh, SMS, sms=channel)
    await deliver(left_behind, SMS, sms=channel)
    assert [message.attempt_id for message in channel.asked] == [left_behind.id]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_slow_earlier_try_that_records_meanwhile_is_not_followed_by_a_second_message(
    desk: "Desk", deliver: "Deliver", told: "Told", clinic: Clinic, now: datetime
) -> None:
    # on SQLite the whole check is one writing transaction: nothing comes between
    patient = await desk.patient()
    attempt = await desk.attempt(patient)
    await desk.message(attempt, SMS, str(patient.phone))
    channel = told(Receipt(provider_id="SM2"))
    async with clinic.database.writing() as holding:
        # the second try reads the ledger, then waits for the campaign's row
        await holding.get_one(Campaign, attempt.campaign_id, with_for_update=True)
        second = asyncio.create_task(deliver(attempt, SMS, sms=channel))
        await _until_somebody_waits(clinic)
        async with clinic.database.writing() as session:
            await ledger.record_sent(
                session, attempt_id=attempt.id, step=SMS, provider_id="SM1", now=now
            )
    assert await second == Sent()
    assert (channel.sent, channel.asked) == ([], [])


async def _until_somebody_waits(clinic: Clinic) -> None:
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    while True:
        async with clinic.database.reading() as session:
            if await session.scalar(waiting):
                return
        await asyncio.sleep(0.01)
