"""What a channel's failure does to the step, the ledger and the register."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from temporalio.exceptions import ApplicationError

from activities.delivery_errors import CLAIM_SETTLES
from activities.outgoing import Ready
from channels.email import EmailChannel, EmailSettings
from channels.errors import OptedOut, SendError, Transient, Uncertain
from channels.protocol import Channel, Receipt
from clinic.clinic import Clinic
from clinic.delivery import Failed, FailReason, Sent, Skipped, SkipReason
from clinic.register.address import address_hash
from clinic.tables import Attempt, Suppression
from sandbox.stand_ins import Sandbox

if TYPE_CHECKING:
    from tests.activities.conftest import Deliver, Desk, Told

ONE_KIND = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what the database has no part in."""

EMAIL, SMS, CALL = range(3)
TAKEN = Receipt(provider_id="SM-taken")
SECOND, HOUR, TWO_DAYS = timedelta(seconds=1), timedelta(hours=1), timedelta(days=2)
NUMBERS = count(60)
"""Ends of numbers whose first answer is lost: each has its own first time."""


async def retried(
    deliver: "Deliver", attempt: Attempt, step: int, **how: object
) -> ApplicationError:
    """Deliver, and return what makes Temporal try again."""
    with pytest.raises(ApplicationError) as raised:
        await deliver(attempt, step, **how)
    assert raised.value.non_retryable is False
    assert raised.value.__cause__ is None
    return raised.value


@pytest.mark.parametrize(
    ("address", "step", "code", "is_bad"),
    [
        pytest.param(
            {"email": f"nobody+{uuid4().hex}@example.com"},
            EMAIL,
            "smtp 550",
            (True, False),
            id="no such mailbox",
        ),
        pytest.param(
            {"phone": "+15005550009"}, SMS, "twilio 21614", (False, True), id="no mobile number"
        ),
    ],
)
async def test_a_refused_address_is_marked_bad_and_never_tried_again(
    desk: "Desk",
    deliver: "Deliver",
    now: datetime,
    address: dict[str, object],
    step: int,
    code: str,
    is_bad: tuple[bool, bool],
) -> None:
    patient = await desk.patient(**address)
    attempt = await desk.attempt(patient)
    assert await deliver(attempt, step) == Failed(reason=FailReason.REFUSED)
    marked = await desk.again(patient)
    assert (marked.email_bad_at == now, marked.sms_bad_at == now) == is_bad
    row = await desk.ledger_row(attempt, step)
    assert row is not None
    assert (row.failed_at, row.failure, row.sent_at) == (now, code, None)
    assert await deliver(attempt, step) == Failed(reason=FailReason.REFUSED)
    assert await deliver(await desk.attempt_again(patient), step) == Skipped(
        reason=SkipReason.BAD_ADDRESS
    )


async def test_a_patient_who_told_the_provider_to_stop_is_written_to_nowhere(
    desk: "Desk", deliver: "Deliver", clinic: Clinic, now: datetime
) -> None:
    patient = await desk.patient(phone="+15005550004")
    attempt = await desk.attempt(patient)
    assert await deliver(attempt, SMS) == Failed(reason=FailReason.OPTED_OUT)
    assert (await desk.again(patient)).opted_out_at == now
    suppressed = {row.address_hash: row.source for row in await desk.all(Suppression)}
    assert suppressed == {
        address_hash(clinic.key, str(address)): "sms" for address in (patient.email, patient.phone)
    }
    assert await deliver(attempt, EMAIL) == Skipped(reason=SkipReason.OPTED_OUT)


async def test_a_guardians_number_that_told_the_provider_to_stop_is_silent(
    desk: "Desk", deliver: "Deliver", clinic: Clinic
) -> None:
    mother = await desk.patient(phone="+15005550004")
    child = await desk.patient(
        birth_date=date(2020, 5, 1), phone=None, guardian_number=mother.external_id
    )
    assert await deliver(await desk.attempt(child), SMS) == Failed(reason=FailReason.OPTED_OUT)
    suppressed = {row.address_hash for row in await desk.all(Suppression)}
    assert address_hash(clinic.key, "+15005550004") in suppressed


async def test_a_retry_after_a_recorded_opt_out_still_says_so(
    desk: "Desk", deliver: "Deliver", told: "Told"
) -> None:
    attempt = await desk.attempt()
    channel = told(OptedOut("twilio 21610"))
    await deliver(attempt, SMS, sms=channel)
    assert await deliver(attempt, SMS, sms=channel) == Failed(reason=FailReason.OPTED_OUT)
    assert len(channel.sent) == 1


async def test_a_provider_that_says_later_is_asked_later(
    desk: "Desk", deliver: "Deliver", sandbox: Sandbox
) -> None:
    patient = await desk.patient(email=f"greylisted+{uuid4().hex}@example.com")
    attempt = await desk.attempt(patient)
    error = await retried(deliver, attempt, EMAIL)
    assert (error.type, error.message) == ("Transient", "smtp 451")
    assert await desk.ledger_row(attempt, EMAIL) is None
    assert await deliver(attempt, EMAIL) == Sent()
    assert len(sandbox.inbox.to(str(patient.email))) == 1


@ONE_KIND
@pytest.mark.parametrize(
    ("failed", "tried", "pause"),
    [
        pytest.param(Transient("x", 7 * SECOND), 3, 7 * SECOND, id="says when"),
        pytest.param(Transient("x", 0 * SECOND), 3, SECOND, id="says at once: not that soon"),
        pytest.param(Transient("x", 5 * HOUR), 3, HOUR, id="says long after: asked before"),
        pytest.param(Transient("x"), 1, SECOND, id="does not say when, the first time"),
        pytest.param(Transient("x"), 4, 8 * SECOND, id="does not say when, the fourth time"),
        pytest.param(Transient("x"), 1000, 300 * SECOND, id="does not say when, for days"),
        pytest.param(Uncertain("x"), 1, CLAIM_SETTLES, id="uncertain: it may be on its way"),
    ],
)
async def test_when_it_is_tried_again(
    desk: "Desk", deliver: "Deliver", told: "Told", failed: SendError, tried: int, pause: timedelta
) -> None:
    error = await retried(deliver, await desk.attempt(), SMS, sms=told(failed), tried=tried)
    assert (error.type, error.next_retry_delay) == (type(failed).__name__, pause)


async def test_a_provider_that_counts_our_messages_is_asked_when_it_says(
    desk: "Desk", deliver: "Deliver", sandbox: Sandbox
) -> None:
    patient = await desk.patient(phone=f"+150055520{next(NUMBERS)}")
    attempt = await desk.attempt(patient)
    error = await retried(deliver, attempt, SMS, tried=5)
    assert (error.type, error.message) == ("Transient", "twilio 20429")
    assert error.next_retry_delay == SECOND
    assert await deliver(attempt, SMS) == Sent()
    assert len(sandbox.twilio.to(str(patient.phone))) == 1


@pytest.mark.parametrize(
    ("failed", "is_kept"),
    [
        pytest.param(Transient("x"), False, id="transient: certainly not sent"),
        pytest.param(Uncertain("x"), True, id="uncertain: the next try has to ask"),
    ],
)
async def test_a_claim_is_kept_only_where_the_message_may_have_been_sent(
    desk: "Desk", deliver: "Deliver", told: "Told", failed: SendError, *, is_kept: bool
) -> None:
    attempt = await desk.attempt()
    await retried(deliver, attempt, SMS, sms=told(failed))
    assert (await desk.ledger_row(attempt, SMS) is not None) is is_kept


async def test_a_claim_that_an_earlier_try_left_behind_is_never_given_back(
    desk: "Desk", deliver: "Deliver", told: "Told"
) -> None:
    patient = await desk.patient()
    attempt = await desk.attempt(patient)
    await desk.message(attempt, SMS, str(patient.phone))
    await retried(deliver, attempt, SMS, sms=told(Transient("x")))
    assert await desk.ledger_row(attempt, SMS) is not None


async def test_an_sms_whose_answer_was_lost_is_found_and_not_sent_again(
    desk: "Desk", deliver: "Deliver", sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.twilio_client._SECONDS", 0.5)
    phone = f"+150055522{next(NUMBERS)}"
    attempt = await desk.attempt(await desk.patient(phone=phone))
    at = datetime.now(UTC)  # the provider's own clock decides what it finds
    error = await retried(deliver, attempt, SMS, at=at)
    assert (error.type, error.message) == ("Uncertain", "TimeoutError")
    assert await deliver(attempt, SMS, at=at + CLAIM_SETTLES) == Sent()
    assert len(sandbox.twilio.to(phone)) == 1


async def test_what_the_provider_cannot_tell_goes_to_a_person(
    desk: "Desk", deliver: "Deliver", told: "Told"
) -> None:
    patient = await desk.patient()
    attempt = await desk.attempt(patient)
    await desk.message(attempt, SMS, str(patient.phone))
    channel = told(found=Uncertain("x"))
    assert await deliver(attempt, SMS, sms=channel) == Failed(reason=FailReason.UNCERTAIN)
    assert channel.sent == []
    assert await desk.ledger_row(attempt, SMS) is not None


async def test_an_outage_is_waited_out_where_the_provider_can_be_asked(
    desk: "Desk", deliver: "Deliver", told: "Told"
) -> None:
    attempt = await desk.attempt()
    channel = told(Uncertain("503"), Uncertain("503"), TAKEN)
    for _ in range(2):
        assert (await retried(deliver, attempt, SMS, sms=channel)).type == "Uncertain"
    assert await deliver(attempt, SMS, sms=channel) == Sent()
    assert len(channel.asked) == 2


async def test_a_mail_that_is_uncertain_for_the_second_time_goes_to_a_person(
    desk: "Desk", deliver: "Deliver", told: "Told"
) -> None:
    attempt = await desk.attempt()
    channel = told(Uncertain("x"), Uncertain("x"))
    channel.settles = False  # type: ignore[misc]  # as email says of itself
    assert (await retried(deliver, attempt, SMS, sms=channel)).type == "Uncertain"
    assert await deliver(attempt, SMS, sms=channel) == Failed(reason=FailReason.UNCERTAIN)


async def test_a_claim_of_just_now_may_be_a_try_that_still_sends(
    desk: "Desk", deliver: "Deliver", told: "Told", now: datetime
) -> None:
    attempt = await desk.attempt()
    channel = told(Uncertain("x"))
    await retried(deliver, attempt, SMS, sms=channel, at=now)
    soon = now + CLAIM_SETTLES / 3
    error = await retried(deliver, attempt, SMS, sms=channel, at=soon)
    assert (error.type, error.next_retry_delay) == ("Uncertain", CLAIM_SETTLES * 2 / 3)
    assert channel.asked == []


@ONE_KIND
async def test_a_provider_that_cannot_be_asked_is_not_sent_anything(
    desk: "Desk", deliver: "Deliver", told: "Told"
) -> None:
    patient = await desk.patient()
    attempt = await desk.attempt(patient)
    await desk.message(attempt, SMS, str(patient.phone))
    channel = told(TAKEN, found=Transient("x"))
    error = await retried(deliver, attempt, SMS, sms=channel)
    assert error.type == "Transient"
    assert channel.sent == []


@ONE_KIND
@pytest.mark.parametrize("channel", ["smtp down", "twilio says later"])
async def test_a_provider_that_takes_nothing_for_two_days_is_given_up(
    desk: "Desk",
    deliver: "Deliver",
    told: "Told",
    email_settings: Callable[..., EmailSettings],
    now: datetime,
    unused_port: int,
    channel: str,
) -> None:
    attempt = await desk.attempt()
    how: dict[str, Channel]
    if channel == "smtp down":
        step, how = EMAIL, {"email": EmailChannel(email_settings(port=unused_port))}
    else:
        step, how = SMS, {"sms": told(Transient("twilio 20429"), Transient("twilio 20429"))}
    often = {"scheduled": now, "tried": 500, **how}
    error = await retried(deliver, attempt, step, at=now + TWO_DAYS, **often)
    assert error.type == "Transient"
    over = now + TWO_DAYS + SECOND
    assert await deliver(attempt, step, at=over, **often) == Failed(reason=FailReason.UNAVAILABLE)
    assert await desk.ledger_row(attempt, step) is None


@ONE_KIND
async def test_a_message_that_waited_for_days_for_its_first_try_is_not_given_up_by_that(
    desk: "Desk", deliver: "Deliver", told: "Told", now: datetime
) -> None:
    attempt = await desk.attempt()
    channel = told(Transient("twilio 20429"), TAKEN)
    at = now + 2 * TWO_DAYS
    assert (await retried(deliver, attempt, SMS, at=at, scheduled=now, sms=channel)).type == (
        "Transient"
    )
    assert await deliver(attempt, SMS, at=at, scheduled=now, tried=2, sms=channel) == Sent()


async def test_a_message_that_nobody_can_ask_about_for_two_days_goes_to_a_person(
    desk: "Desk", deliver: "Deliver", told: "Told", now: datetime
) -> None:
    patient = await desk.patient()
    attempt = await desk.attempt(patient)
    await desk.message(attempt, SMS, str(patient.phone))
    channel = told(found=Transient("twilio 503"))
    over = now + TWO_DAYS + SECOND
    assert await deliver(attempt, SMS, at=over, scheduled=now, tried=500, sms=channel) == Failed(
        reason=FailReason.UNCERTAIN
    )
    assert await desk.ledger_row(attempt, SMS) is not None


@ONE_KIND
async def test_an_address_that_changed_since_the_claim_goes_to_a_person(
    desk: "Desk", deliver: "Deliver", told: "Told"
) -> None:
    patient = await desk.patient()
    attempt = await desk.attempt(patient)
    await desk.message(attempt, SMS, str(patient.phone))
    await desk.change(patient, phone="+13055550199")
    channel = told(TAKEN, found=TAKEN)
    assert await deliver(attempt, SMS, sms=channel) == Failed(reason=FailReason.UNCERTAIN)
    assert (channel.sent, channel.asked) == ([], [])


@ONE_KIND
async def test_a_channel_that_falls_over_twice_leaves_it_to_a_person(
    desk: "Desk", deliver: "Deliver", told: "Told", monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = await desk.attempt()
    fault = RuntimeError("no account of +13055550177")
    channel = told(fault, fault, fault)
    monkeypatch.setattr(type(channel), "settles", False)
    error = await retried(deliver, attempt, SMS, sms=channel)
    assert (error.type, error.message) == ("Uncertain", "RuntimeError")
    assert await deliver(attempt, SMS, sms=channel) == Failed(reason=FailReason.UNCERTAIN)
    assert len(channel.sent) == 2


@ONE_KIND
async def test_a_try_that_was_held_up_takes_no_claim_from_the_next_one(
    desk: "Desk", deliver: "Deliver", told: "Told", monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = await desk.attempt()
    monkeypatch.setattr(Ready, "lasted", CLAIM_SETTLES + SECOND)  # a process that was asleep
    error = await retried(deliver, attempt, SMS, sms=told())
    assert error.type == "Transient"
    # the next try has begun by now: what it sends has to stand in the ledger
    assert await desk.ledger_row(attempt, SMS) is not None


@ONE_KIND
async def test_what_stands_in_temporals_history_names_nobody(
    desk: "Desk", deliver: "Deliver"
) -> None:
    name = f"full+{uuid4().hex}"  # the server's refusal says the address
    attempt = await desk.attempt(await desk.patient(email=f"{name}@example.com"))
    error = await retried(deliver, attempt, EMAIL)
    for personal in (name, "Sofía", "Muñoz"):
        assert personal not in f"{error} {error.message} {error.details}"
