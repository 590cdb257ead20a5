"""What a channel is handed besides the words: how long it may try, and who was heard when."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from temporalio.exceptions import ApplicationError

from channels.protocol import Receipt
from clinic.clinic import Clinic
from clinic.delivery import Deferred, Sent
from clinic.event import EventKind

if TYPE_CHECKING:
    from tests.activities.conftest import Deliver, Desk, Told

SMS = 1
HOUR = timedelta(hours=1)
TAKEN = Receipt(provider_id="SM1")
ONE_KIND = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what the database has no part in."""

APPROVED = """
kind: reminder
es:
  sms:
    text: "Hola {{ first_name }}, le esperamos: {{ link }}"
    approved_text: HX0123456789abcdef0123456789abcdef
    values: {"1": "{{ first_name }}", "2": "{{ link }}"}
"""


@ONE_KIND
@pytest.mark.parametrize(
    ("policy", "valid_for"),
    [
        pytest.param("us", 9 * HOUR, id="until nine in the evening where the patient is"),
        pytest.param("round-the-clock", None, id="as long as the provider likes"),
    ],
)
async def test_a_provider_may_try_until_the_hours_close(
    desk: "Desk",
    deliver: "Deliver",
    told: "Told",
    clinic: Clinic,
    policy: str,
    valid_for: timedelta | None,
) -> None:
    attempt = await desk.attempt(await desk.patient(phone="+12125550142"))
    channel = told(TAKEN)
    rules = clinic.folder.policy(policy)
    # noon in New York
    assert await deliver(attempt, SMS, sms=channel, policy=rules) == Sent()
    (message,) = channel.sent
    if valid_for is None or message.valid_for is None:
        assert message.valid_for is valid_for
    else:  # but for the moment that it took to get here
        assert valid_for - timedelta(seconds=5) < message.valid_for < valid_for


@ONE_KIND
async def test_what_would_be_sent_as_the_hours_close_waits_for_the_next_day(
    desk: "Desk", deliver: "Deliver", told: "Told", clinic: Clinic, now: datetime
) -> None:
    attempt = await desk.attempt(await desk.patient(phone="+12125550142"))
    channel = told(TAKEN)
    how = {"sms": channel, "policy": clinic.folder.policy("us")}
    closing = now + 9 * HOUR  # at nine in the evening
    with pytest.raises(ApplicationError, match="hours close"):
        await deliver(attempt, SMS, at=closing - timedelta(seconds=5), **how)
    assert await desk.ledger_row(attempt, SMS) is None
    assert isinstance(await deliver(attempt, SMS, at=closing, **how), Deferred)
    assert channel.sent == []


@pytest.mark.parametrize("kind", [EventKind.REPLY, EventKind.DECLINED], ids=str)
async def test_a_channel_knows_when_the_patient_last_wrote_on_it(
    desk: "Desk", deliver: "Deliver", told: "Told", now: datetime, kind: EventKind
) -> None:
    patient, another = await desk.patient(), await desk.patient()
    earlier = await desk.attempt(patient)
    for hours, who, source, heard in [
        (9, patient, "sms", kind),
        (5, patient, "sms", kind),
        (4, patient, "email", kind),
        (3, patient, "sms", EventKind.NOTICE),
        (2, another, "sms", kind),
    ]:
        desk.now = now - hours * HOUR
        await desk.event(heard, source=source, patient_id=who.id)
    desk.now = now
    await desk.change(earlier, state="ended", ended_at=now)
    attempt = await desk.attempt(await desk.again(patient))
    channel = told(TAKEN)
    assert await deliver(attempt, SMS, sms=channel) == Sent()
    assert [message.heard_at for message in channel.sent] == [now - 5 * HOUR]


@ONE_KIND
async def test_who_never_wrote_was_never_heard(
    desk: "Desk", deliver: "Deliver", told: "Told"
) -> None:
    channel = told(TAKEN)
    await deliver(await desk.attempt(), SMS, sms=channel)
    assert [message.heard_at for message in channel.sent] == [None]


@ONE_KIND
async def test_an_approved_text_goes_out_with_its_values(
    desk: "Desk", deliver: "Deliver", told: "Told", clinic_folder: Path
) -> None:
    (clinic_folder / "templates" / "approved.yaml").write_text(APPROVED)
    campaign = await desk.campaign({"channel": "sms", "template": "approved", "wait": "1 day"})
    channel = told(TAKEN)
    assert await deliver(await desk.attempt(campaign=campaign), 0, sms=channel) == Sent()
    (message,) = channel.sent
    assert message.approved_text == "HX0123456789abcdef0123456789abcdef"
    assert dict(message.values) == {"1": "Sofía", "2": message.link}
