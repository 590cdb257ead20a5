"""A provider that refuses us, not the patient: the channel is held, and everybody's place kept."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import structlog

from activities.start_checks import name_channels_held
from channels.email import EmailChannel, EmailSettings
from channels.errors import Misconfigured
from channels.protocol import Receipt
from clinic import campaigns, channel_hold
from clinic.campaigns import CampaignState
from clinic.clinic import Clinic
from clinic.delivery import Deferred, Failed, FailReason, Sent
from clinic.tables import Attempt, StepNote
from sandbox.stand_ins import Sandbox

if TYPE_CHECKING:
    from tests.activities.conftest import Deliver, Desk, Told

EMAIL, SMS, CALL = range(3)
TAKEN = Receipt(provider_id="SM-taken")
REFUSED_US = Misconfigured("twilio 20003")
HELD = Deferred(until=None, rule="channel sms is held since 2027-03-02 17:00 UTC: twilio 20003")
ONE_KIND = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what the database has no part in."""


async def resume(clinic: Clinic, now: datetime, channel: str = "sms") -> int:
    async with clinic.database.writing() as session:
        return await channel_hold.resume(session, channel, now=now)


async def test_wrong_settings_hold_the_channel_until_they_are_mended(
    desk: "Desk",
    deliver: "Deliver",
    clinic: Clinic,
    sandbox: Sandbox,
    email_settings: Callable[..., EmailSettings],
    now: datetime,
) -> None:
    patient = await desk.patient()
    attempt = await desk.attempt(patient)
    wrong = EmailChannel(email_settings(password="wrong"))
    said = Deferred(
        until=None, rule="channel email is held since 2027-03-02 17:00 UTC: smtp 535 login"
    )
    for days in (0, 30):
        assert await deliver(attempt, EMAIL, at=now + timedelta(days=days), email=wrong) == said
        assert await desk.ledger_row(attempt, EMAIL) is None
    assert (await desk.again(patient)).email_bad_at is None
    assert (await desk.again(attempt)).held_channel == "email"
    (note,) = await desk.all(StepNote)
    assert (note.attempt_id, note.result, note.rule) == (attempt.id, "deferred", said.rule)

    assert await resume(clinic, now, "email") == 1
    assert await deliver(attempt, EMAIL) == Sent()
    assert len(sandbox.inbox.to(str(patient.email))) == 1


async def test_nobody_else_tries_a_held_channel_and_one_line_says_so_loudly(
    desk: "Desk", deliver: "Deliver", told: "Told"
) -> None:
    first, second = await desk.attempt(), await desk.attempt()
    channel = told(REFUSED_US)
    with structlog.testing.capture_logs() as logs:
        assert await deliver(first, SMS, sms=channel) == HELD
        assert await deliver(second, SMS, sms=channel) == HELD
        assert await deliver(first, SMS, sms=channel) == HELD
    assert [message.attempt_id for message in channel.sent] == [first.id]
    assert [log for log in logs if log["log_level"] == "error"] == [
        {
            "event": "channel is held",
            "log_level": "error",
            "channel": "sms",
            "code": "twilio 20003",
            "mended": "regresa channels resume sms",
        }
    ]


async def test_what_is_refused_after_every_resume_holds_nobody_any_more(
    desk: "Desk", deliver: "Deliver", told: "Told", clinic: Clinic, now: datetime
) -> None:
    patient = await desk.patient()
    attempt = await desk.attempt(patient)
    for _ in range(2):
        held = await deliver(attempt, SMS, sms=told(REFUSED_US))
        assert isinstance(held, Deferred)
        assert held.rule.startswith("channel sms is held")
        assert await resume(clinic, now) == 1
    refused = await deliver(attempt, SMS, sms=told(REFUSED_US))
    assert refused == Failed(reason=FailReason.UNAVAILABLE)  # the ladder climbs
    async with clinic.database.reading() as session:
        assert await channel_hold.held(session) == []
    assert (await desk.again(patient)).sms_bad_at is None
    assert await deliver(await desk.attempt(), SMS, sms=told(TAKEN)) == Sent()


async def test_what_an_operator_reads_names_no_patient(desk: "Desk", deliver: "Deliver") -> None:
    # the provider's own words name the number
    attempt = await desk.attempt(await desk.patient(phone="+15005550003"))
    assert await deliver(attempt, SMS) == Deferred(
        until=None, rule="channel sms is held since 2027-03-02 17:00 UTC: twilio 21408"
    )


@ONE_KIND
async def test_another_channel_goes_on(desk: "Desk", deliver: "Deliver", told: "Told") -> None:
    attempt = await desk.attempt()
    await deliver(attempt, SMS, sms=told(REFUSED_US))
    assert await deliver(attempt, EMAIL) == Sent()


@ONE_KIND
async def test_a_call_is_a_persons_matter_and_never_held(
    desk: "Desk", deliver: "Deliver", clinic: Clinic, now: datetime
) -> None:
    attempt = await desk.attempt()
    async with clinic.database.writing() as session:
        await channel_hold.hold(session, "call", code="none", now=now)
    assert await deliver(attempt, CALL) == Sent()


@ONE_KIND
async def test_a_worker_that_starts_says_again_which_channels_are_held(
    desk: "Desk", deliver: "Deliver", told: "Told", clinic: Clinic, now: datetime
) -> None:
    await deliver(await desk.attempt(), SMS, sms=told(REFUSED_US))
    with structlog.testing.capture_logs() as logs:
        await name_channels_held(clinic)
        await resume(clinic, now)
        await name_channels_held(clinic)
    # the sandbox, which all tests share, may say something of its own meanwhile
    assert [said for said in logs if "channel" in said] == [
        {
            "event": "channel is held",
            "log_level": "error",
            "channel": "sms",
            "code": "twilio 20003",
            "patients": 1,
            "mended": "regresa channels resume sms",
        }
    ]


async def test_a_message_that_may_have_been_sent_keeps_its_claim_and_is_asked_about_later(
    desk: "Desk", deliver: "Deliver", told: "Told", clinic: Clinic, now: datetime
) -> None:
    patient = await desk.patient()
    attempt = await desk.attempt(patient)
    await desk.message(attempt, SMS, str(patient.phone))
    channel = told(found=REFUSED_US)
    assert await deliver(attempt, SMS, sms=channel) == HELD
    assert await deliver(attempt, SMS, sms=channel) == HELD
    assert len(channel.asked) == 1
    assert await desk.ledger_row(attempt, SMS) is not None

    await resume(clinic, now)
    channel.found = TAKEN
    assert await deliver(attempt, SMS, sms=channel) == Sent()
    assert channel.sent == []


async def test_what_was_sent_before_is_known_while_the_channel_is_held(
    desk: "Desk", deliver: "Deliver", told: "Told", now: datetime
) -> None:
    patient = await desk.patient()
    attempt = await desk.attempt(patient)
    await desk.message(attempt, SMS, str(patient.phone), sent_at=now, provider_id="SM1")
    await deliver(await desk.attempt(), SMS, sms=told(REFUSED_US))
    assert await deliver(attempt, SMS) == Sent()


async def test_a_paused_campaign_and_a_held_channel_are_waited_for_one_after_the_other(
    desk: "Desk", deliver: "Deliver", told: "Told", clinic: Clinic, now: datetime
) -> None:
    campaign = await desk.campaign()
    attempt = await desk.attempt(campaign=campaign)
    channel = told(REFUSED_US, TAKEN)
    await deliver(attempt, SMS, sms=channel)
    await desk.change(campaign, state=CampaignState.PAUSED.value)

    await resume(clinic, now)
    paused = Deferred(until=None, rule="the campaign is paused")
    assert await deliver(attempt, SMS, sms=channel) == paused
    row = await desk.again(attempt)
    assert (row.held, row.held_channel) == (True, None)

    async with clinic.database.writing() as session:
        await channel_hold.hold(session, "sms", code="twilio 20003", now=now)
        await campaigns.resume(session, campaign.name, now=now, key=clinic.key)
    assert await deliver(attempt, SMS, sms=channel) == HELD
    row = await desk.again(attempt)
    assert (row.held, row.held_channel) == (False, "sms")

    assert await resume(clinic, now) == 1
    assert await deliver(attempt, SMS, sms=channel) == Sent()


async def test_a_household_that_a_refused_message_named_is_free_again(
    desk: "Desk", deliver: "Deliver", told: "Told", clinic: Clinic, now: datetime
) -> None:
    campaign = await desk.campaign()
    together = [
        await desk.attempt(await desk.patient(phone="+13055550177", email=None), campaign)
        for _ in range(2)
    ]
    # neither has an email: both stand at the SMS
    channel = told(REFUSED_US, TAKEN)
    for attempt in together:
        assert await deliver(attempt, SMS, sms=channel) == HELD
        assert await desk.ledger_row(attempt, SMS) is None
    assert await resume(clinic, now) == 2
    assert [await deliver(attempt, SMS, sms=channel) for attempt in together] == [Sent(), Sent()]
    assert len(channel.sent) == 2  # refused once, then one message for both
    rows = [await desk.ledger_row(attempt, SMS) for attempt in together]
    assert [row.carried_by for row in rows if row] == [None, together[0].id]


@ONE_KIND
async def test_a_patient_outside_contact_hours_waits_for_those_first(
    desk: "Desk", deliver: "Deliver", told: "Told", clinic: Clinic
) -> None:
    attempt: Attempt = await desk.attempt()
    await deliver(await desk.attempt(), SMS, sms=told(REFUSED_US))
    in_the_night = datetime.fromisoformat("2027-03-03T04:00:00+00:00")
    said = await deliver(attempt, SMS, at=in_the_night, policy=clinic.folder.policy("us"))
    assert isinstance(said, Deferred)
    assert said.until is not None
    assert (await desk.again(attempt)).held_channel is None
