"""Whom a household's message does not name, and at which addresses no household lives."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from sqlalchemy import insert
from temporalio.exceptions import ApplicationError

from channels import errors
from channels.protocol import Receipt
from clinic.attempt import AttemptState
from clinic.clinic import Clinic
from clinic.delivery import Sent, Skipped, SkipReason
from clinic.event import EventKind
from clinic.register.consent import record
from clinic.register.crowd import MOST_IN_A_HOUSEHOLD
from clinic.tables import Attempt, Duplicate, Message, Patient

if TYPE_CHECKING:
    from tests.activities.conftest import Deliver, Desk, StartPage, Told

ONE_KIND = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what the database has no part in."""

SMS_STEP = {"channel": "sms", "template": "come-back", "wait": "4 days"}
CALL_STEP = {"channel": "call", "template": "come-back", "wait": "2 days"}
PHONE = "+13055550123"
MINUTE = timedelta(minutes=1)
THOUSANDS = 2000

CROWDED = Skipped(
    reason=SkipReason.BAD_ADDRESS, rule="sms: the address is shared by more than 8 patients"
)


async def _changes(what: str, desk: "Desk", clinic: Clinic, eva: Attempt, now: datetime) -> None:
    """Let something be learned of Eva between two tries of a message that names her."""
    patient = await desk.patient_of(eva)
    match what:
        case "booked":
            await desk.event(EventKind.BOOKED, patient_id=patient.id, at=now + timedelta(days=5))
        case "moved":
            await desk.change(patient, status="moved")
        case "opted out":
            await desk.change(patient, opted_out_at=now)
        case "may be another row's person":
            other = await desk.patient()
            pair = {"patient_id": patient.id, "other_id": other.id, "reason": "same name"}
            async with clinic.database.writing() as session:
                session.add(Duplicate(**pair, found_at=now))
        case "has answered":
            await desk.event(EventKind.REPLY, attempt_id=eva.id, body="Ya fui")
        case "refuses text messages":
            async with clinic.database.writing() as session:
                await record(
                    session,
                    patient.id,
                    channel="sms",
                    content="reminder",
                    given=False,
                    source="front desk",
                    at=now,
                )
        case "has another number":
            await desk.change(patient, phone="+13055550124")
        case "has no open attempt":
            await desk.change(eva, state=AttemptState.ENDED.value, ended_at=now)


@ONE_KIND
@pytest.mark.parametrize(
    "what",
    [
        "booked",
        "moved",
        "opted out",
        "may be another row's person",
        "has answered",
        "refuses text messages",
        "has another number",
        "has no open attempt",
    ],
)
async def test_a_message_that_goes_out_again_names_nobody_who_may_not_be_written_to_by_then(
    desk: "Desk", deliver: "Deliver", told: "Told", clinic: Clinic, now: datetime, what: str
) -> None:
    campaign = await desk.campaign(SMS_STEP)
    ana, eva, luis = [
        await desk.attempt(await desk.patient(phone=PHONE, first_name=name), campaign)
        for name in ("Ana", "Eva", "Luis")
    ]
    channel = told(errors.Uncertain("timeout"), Receipt(provider_id="SM1"))
    with pytest.raises(ApplicationError):
        await deliver(ana, 0, sms=channel)
    await _changes(what, desk, clinic, eva, now)
    assert await deliver(ana, 0, sms=channel, at=now + MINUTE) == Sent()
    first, again = channel.sent
    assert "Ana, Eva y Luis" in first.text
    assert "Ana y Luis" in again.text
    assert "Eva" not in again.text
    # the first one may have arrived: nobody writes to her as if it had not
    row = await desk.ledger_row(eva, 0)
    assert row is not None
    assert (row.carried_by, row.provider_id) == (ana.id, "SM1")
    assert (await desk.ledger_row(luis, 0)) is not None


@pytest.mark.parametrize("neighbour", [AttemptState.OPEN, AttemptState.PLANNED])
@pytest.mark.parametrize(
    "later",
    [
        pytest.param(
            {"channel": "whatsapp", "template": "come-back", "wait": "2 days"}, id="channel"
        ),
        pytest.param({"channel": "call", "template": "gone", "wait": "2 days"}, id="template"),
    ],
)
@ONE_KIND
async def test_a_later_step_that_the_settings_lack_fails_no_delivery_before_it(
    desk: "Desk",
    deliver: "Deliver",
    told: "Told",
    later: dict[str, str],
    neighbour: AttemptState,
) -> None:
    campaign = await desk.campaign(SMS_STEP, later)
    ana = await desk.attempt(await desk.patient(phone=PHONE, first_name="Ana"), campaign)
    eva = await desk.attempt(
        await desk.patient(phone=PHONE, first_name="Eva"), campaign, state=neighbour.value
    )
    channel = told(Receipt(provider_id="SM1"))
    assert await deliver(ana, 0, sms=channel) == Sent()
    # who stands at this very step is named; whoever's page would refuse to start them is not
    is_named = neighbour is AttemptState.OPEN
    assert ("Eva" in channel.sent[0].text) == is_named
    assert (await desk.again(eva)).state == neighbour.value


@ONE_KIND
async def test_who_stands_on_a_step_that_the_settings_lack_joins_nobody_above_it(
    desk: "Desk", deliver: "Deliver", told: "Told", now: datetime
) -> None:
    lacking = {"channel": "whatsapp", "template": "come-back", "wait": "2 days"}
    campaign = await desk.campaign(lacking, SMS_STEP)
    ana, _ = [
        await desk.attempt(await desk.patient(phone=PHONE, first_name=name), campaign)
        for name in ("Ana", "Eva")
    ]
    sent_at = now - timedelta(days=9)
    await desk.message(ana, 0, PHONE, channel="whatsapp", sent_at=sent_at, provider_id="W1")
    channel = told(Receipt(provider_id="SM1"))
    assert await deliver(ana, 1, sms=channel) == Sent()
    assert "Eva" not in channel.sent[0].text


async def test_an_address_that_thousands_share_is_no_households_and_is_not_written_to(
    desk: "Desk", deliver: "Deliver", told: "Told", clinic: Clinic
) -> None:
    campaign = await desk.campaign(SMS_STEP)
    ana = await desk.attempt(await desk.patient(phone=PHONE, first_name="Ana"), campaign)
    ids = [f"{uuid4().hex[:12]}" for _ in range(THOUSANDS)]
    async with clinic.database.writing() as session:
        await session.execute(
            insert(Patient),
            [
                {"id": f"pt-{one}", "external_id": one, "first_name": "N", "phone": PHONE}
                for one in ids
            ],
        )
        await session.execute(
            insert(Attempt),
            [
                {
                    "id": f"at-{one}",
                    "campaign_id": campaign.id,
                    "patient_id": f"pt-{one}",
                    "state": AttemptState.PLANNED.value,
                }
                for one in ids
            ],
        )
    channel = told()
    assert await deliver(ana, 0, sms=channel) == CROWDED
    assert await desk.all(Message) == []
    others = [row for row in await desk.all(Attempt) if row.id != ana.id]
    assert {row.state for row in others} == {AttemptState.PLANNED.value}


async def test_the_largest_household_gets_one_message_and_one_person_more_gets_none(
    desk: "Desk", deliver: "Deliver", told: "Told"
) -> None:
    campaign = await desk.campaign(SMS_STEP)
    family = [
        await desk.attempt(await desk.patient(phone=PHONE), campaign)
        for _ in range(MOST_IN_A_HOUSEHOLD)
    ]
    channel = told(Receipt(provider_id="SM1"))
    assert await deliver(family[0], 0, sms=channel) == Sent()
    assert len(await desk.all(Message)) == MOST_IN_A_HOUSEHOLD
    one_more = await desk.attempt(await desk.patient(phone=PHONE), campaign)
    assert await deliver(one_more, 0, sms=channel) == CROWDED


@ONE_KIND
async def test_a_crowd_at_one_number_is_called_by_a_person_and_no_machine_step_keeps_a_page_busy(
    desk: "Desk", start_page: "StartPage"
) -> None:
    by_machine = await desk.campaign(SMS_STEP)
    by_person = await desk.campaign(SMS_STEP, CALL_STEP)
    crowd = [await desk.planned(by_machine, phone=PHONE) for _ in range(MOST_IN_A_HOUSEHOLD + 1)]
    called = await desk.planned(by_person, phone=PHONE)
    assert (await start_page(by_machine)).left_out == len(crowd)
    row = await desk.again(crowd[0])
    assert (row.left_out_reason, row.left_out_rule) == ("no_way_to_reach", CROWDED.rule)
    assert (await start_page(by_person)).started == 1
    assert (await desk.again(called)).state == AttemptState.OPEN.value
